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

;; Mode 3: capsules, empty bottles and fresh player blocks, all in one frame. Both blocks
;; start as copies of one scratch block, of which some bytes (auto-repeat, attack colours)
;; outlive the round before. The next-capsule routine runs twice, so that reserve entry 1
;; is the first to fall.
;; in: RNG, levels, speeds and crowns of both players | out: MODE = 8
;; clobbers: all | cycles: 21,000
.proc setup_mode
    jsr clear_round
    jsr fill_reserve
    jsr next_capsule
    jsr next_capsule
    lda #1
    sta CUR_CAPSULES_LOW
    jsr save_choices
    ldx #0
    jsr init_player
    ldx #SEAT_STRIDE
    jsr init_player
    jsr clear_bottles
    lda #MODE_INTRO
    sta MODE
    jmp draw_play_sprites
.endproc

;; Reset what a round starts with.
;; in: - | out: scratch block, WAIT_FRAMES and the flags of a round | clobbers: A, X, Y | cycles: 1,100
.proc clear_round
    ldx #ROUND_BYTES - 1
    lda #0
:   ldy cleared_offsets,x
    sta CUR,y
    dex
    bpl :-
    sta PHASE
    sta WAIT_FRAMES
    sta WHO_CLEARED
    sta WHO_FAILED
    sta PAUSED
    lda #1
    sta IN_LEVEL
    sta PAUSE_ENABLED
    lda #ACTION_SEND_PILL
    sta CUR_NEXT_ACTION
    jmp cpu_reset
.endproc

;; Keep what differs between the players while both get copies of one block.
;; in: player blocks | out: SAVED_CROWNS, SAVED_LEVELS, SAVED_SPEEDS | clobbers: A | cycles: 54
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

;; Copy the scratch block to a player and give back its crowns, level and speed.
;; in: X = seat offset, scratch block, save area | out: player block | clobbers: A, X, Y
;; cycles: 470
.proc init_player
    stx seat
    jsr store_player
    ldy #0
    ldx seat
    beq :+
    iny
:   lda SAVED_CROWNS,y
    sta PLAYER1 + P_CROWNS,x
    lda SAVED_SPEEDS,y
    sta PLAYER1 + P_SPEED,x
    lda SAVED_LEVELS,y
    sta PLAYER1 + P_LEVEL,x
    clc
    adc #1
    asl a
    asl a
    sta PLAYER1 + P_VIRUSES_TO_PLACE,x  ; 4 * (level + 1)
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

;; Mode 8: one virus attempt a player and frame, then a pause before play.
;; in: WAIT_FRAMES (0 while viruses are placed) | out: MODE = 4 at the end
;; clobbers: all | cycles: 24,000
.proc intro_mode
    lda WAIT_FRAMES
    bne wait
    jsr fill_frame
    lda PLAYER1 + P_VIRUSES_TO_PLACE
    ora PLAYER2 + P_VIRUSES_TO_PLACE
    bne done
    lda #INTRO_WAIT
    sta WAIT_FRAMES
    lda #STATUS_REDRAW
    sta CUR_STATUS
    jsr redraw_bottles
    jmp done
wait:
    dec WAIT_FRAMES
    bne done
    lda #MODE_PLAY
    sta MODE
done:
    jmp draw_play_sprites
.endproc

;; One frame of filling. At equal levels only player 1 draws, and player 2 gets a copy;
;; otherwise both draw from the one RNG, player 1 first.
;; in: player blocks | out: player blocks, bottles | clobbers: all | cycles: 24,000
.proc fill_frame
    jsr save_choices
    ldx #0
    jsr attempt
    lda SAVED_LEVELS
    cmp SAVED_LEVELS + 1
    beq copy
    ldx #SEAT_STRIDE
    jmp attempt
copy:
    ldy placed_cell
    bmi :+
    lda FIELD1,y
    sta FIELD2,y
:   ldx #SEAT_STRIDE
    stx seat
    jsr store_player
    lda SAVED_CROWNS + 1
    sta PLAYER2 + P_CROWNS
    lda SAVED_SPEEDS + 1
    sta PLAYER2 + P_SPEED
    rts
.endproc

placed_cell = scratch5          ; cell of the virus just placed, NO_CELL if there is none
NO_CELL     = $FF

;; One attempt for one player, while it has viruses to place.
;; in: X = seat offset | out: placed_cell, player block, bottle | clobbers: all
;; cycles: 13,000
.proc attempt
    jsr load_player
    lda #NO_CELL
    sta placed_cell
    lda CUR_VIRUSES_TO_PLACE
    beq done
    jsr place_virus
    bcc done
    sty placed_cell
    tya
    lsr a
    lsr a
    lsr a
    sta CUR_STATUS              ; show the row of the virus, and those above
    jsr count_virus_up
done:
    jmp store_player
.endproc

.segment "RODATA"

speed_base:
    .byte SPEED_BASE_LOW, SPEED_BASE_MED, SPEED_BASE_HI

cleared_offsets:                ; bytes of the scratch block that a round resets
    .byte P_STATUS, P_PLACED_STEP, P_TOPPED_OUT, P_SPEED_UPS, P_COMBO, P_CAPSULES_LOW
    .byte P_CAPSULES_HIGH, P_GRAVITY_COUNTER, P_GARBAGE_OUT, P_SPEED_UPS_COPY, P_RUN_TOTAL
    .byte P_VIRUSES, P_RESERVE_INDEX
ROUND_BYTES = * - cleared_offsets
