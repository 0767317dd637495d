;; Modes 2, 3 and 8: from the options to the first frame of play.
.include "pillduel.inc"

.segment "CODE"

;; Mode 2: upload the game screen, one page a frame, then set up the first round.
;; in: PHASE | out: MODE | clobbers: all | cycles: 4,900
.proc load_mode
    lda #SCREEN_GAME
    jsr load_screen
    bcs :+
    lda #MODE_SETUP
    sta MODE
    lda #0
    sta PHASE
:   rts
.endproc

;; Mode 3: capsules, empty bottles and fresh player blocks, all in one frame.
;; in: RNG, levels, speeds and crowns of both players | out: MODE = 8
;; clobbers: all | cycles: 20,500
.proc setup_mode
    jsr fill_reserve
    jsr save_choices
    jsr clear_bottles
    ldx #0
    jsr init_player
    ldx #SEAT_STRIDE
    jsr init_player
    lda #0
    sta PHASE
    sta WAIT_FRAMES
    sta WHO_CLEARED
    sta WHO_FAILED
    sta PAUSED
    lda #1
    sta IN_LEVEL
    lda #MODE_INTRO
    sta MODE
    jmp draw_play_sprites
.endproc

;; Keep what outlives a round while the player blocks are wiped.
;; in: player blocks | out: SAVED_CROWNS, SAVED_LEVELS, SAVED_SPEEDS | clobbers: A | cycles: 52
.proc save_choices
    lda PLAYER1 + P_CROWNS
    sta SAVED_CROWNS
    lda PLAYER2 + P_CROWNS
    sta SAVED_CROWNS + 1
    lda PLAYER1 + P_LEVEL
    sta SAVED_LEVELS
    lda PLAYER2 + P_LEVEL
    sta SAVED_LEVELS + 1
    lda PLAYER1 + P_SPEED
    sta SAVED_SPEEDS
    lda PLAYER2 + P_SPEED
    sta SAVED_SPEEDS + 1
    rts
.endproc

;; Empty both bottles; the whole pages, because reads past a bottle count on it.
;; in: - | out: pages of FIELD1 and FIELD2 | clobbers: A, X | cycles: 3,900
.proc clear_bottles
    lda #TILE_EMPTY
    ldx #0
:   sta FIELD1,x
    sta FIELD2,x
    inx
    bne :-
    rts
.endproc

;; Start a player's round: everything zero but crowns, level and speed.
;; The next-capsule routine runs twice, so reserve entry 1 is the first to fall.
;; in: X = seat offset, save area | out: player block | clobbers: all | cycles: 1,900
.proc init_player
    stx seat
    ldx #PLAYER_BLOCK_SIZE - 1
    lda #0
:   sta CUR,x
    dex
    bpl :-
    ldx #0
    lda seat
    beq :+
    inx
:   lda SAVED_CROWNS,x
    sta CUR_CROWNS
    lda SAVED_SPEEDS,x
    sta CUR_SPEED
    tay
    lda speed_base,y
    sta CUR_GRAVITY_INDEX
    lda SAVED_LEVELS,x
    sta CUR_LEVEL
    clc
    adc #1
    asl a
    asl a
    sta CUR_VIRUSES_TO_PLACE    ; 4 * (level + 1)
    lda #STATUS_IDLE
    sta CUR_STATUS
    jsr next_capsule
    jsr next_capsule
    lda #1
    sta CUR_CAPSULES_LOW
    lda #ACTION_SEND_PILL
    sta CUR_NEXT_ACTION
    jmp store_player
.endproc

PHASE_FILL = 0
PHASE_WAIT = 1

;; Mode 8: one virus attempt a player and frame, then a pause before play.
;; in: PHASE | out: MODE = 4 at the end | clobbers: all | cycles: 24,000
.proc intro_mode
    lda PHASE
    bne wait
    jsr fill_frame
    lda PLAYER1 + P_VIRUSES_TO_PLACE
    ora PLAYER2 + P_VIRUSES_TO_PLACE
    bne done
    lda #INTRO_WAIT
    sta WAIT_FRAMES
    lda #PHASE_WAIT
    sta PHASE
    bne done
wait:
    dec WAIT_FRAMES
    bne done
    lda #0
    sta PHASE
    lda #MODE_PLAY
    sta MODE
    lda #1
    sta PAUSE_ENABLED
done:
    jmp draw_play_sprites
.endproc

;; One frame of filling. At equal levels only player 1 draws, and player 2 gets a copy;
;; otherwise both draw from the one RNG, player 1 first.
;; in: player blocks | out: player blocks, bottles | clobbers: all | cycles: 24,000
.proc fill_frame
    lda PLAYER1 + P_VIRUSES_TO_PLACE
    beq second
    ldx #0
    jsr attempt
    bcc second
    ldx PLAYER1 + P_LEVEL
    cpx PLAYER2 + P_LEVEL
    bne second
    sta FIELD2,y                ; A = tile, Y = cell
    ldx #SEAT_STRIDE
    jsr load_player
    dec CUR_VIRUSES_TO_PLACE
    jsr count_and_redraw
    jmp store_player
second:
    lda PLAYER1 + P_LEVEL
    cmp PLAYER2 + P_LEVEL
    beq done
    lda PLAYER2 + P_VIRUSES_TO_PLACE
    beq done
    ldx #SEAT_STRIDE
    jsr attempt
done:
    rts
.endproc

;; One attempt for one player, with its count and redraw.
;; in: X = seat offset | out: carry, A = tile, Y = cell as place_virus
;; clobbers: all, scratch4, scratch5 | cycles: 13,200
.proc attempt
    jsr load_player
    jsr place_virus
    bcc abandoned
    sta scratch4
    sty scratch5
    jsr count_and_redraw
    jsr store_player
    lda scratch4
    ldy scratch5
    sec
    rts
abandoned:
    jsr store_player
    clc
    rts
.endproc

;; Count a placed virus and have the bottle redrawn if it is not being drawn already.
;; in: scratch block | out: CUR_VIRUSES, CUR_STATUS | clobbers: A | cycles: 40
.proc count_and_redraw
    jsr count_virus_up
    lda CUR_STATUS
    bpl :+
    lda #STATUS_REDRAW
    sta CUR_STATUS
:   rts
.endproc

.segment "RODATA"

speed_base:
    .byte SPEED_BASE_LOW, SPEED_BASE_MED, SPEED_BASE_HI
