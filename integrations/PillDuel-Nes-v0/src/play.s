;; Mode 4: one frame of play, in the order that decides who is first.
.include "pillduel.inc"

.segment "CODE"

;; Player 1 always acts first; crowns are tested between the players.
;; in: PHASE (0 while the round runs) | out: - | clobbers: all | cycles: 27,000
.proc play_mode
    lda PAUSED
    bne paused
    lda PHASE
    bne ended
    ldx #0
    jsr play_seat
    bcs set_won
    ldx #SEAT_STRIDE
    jsr play_seat
    bcs set_won
    jsr check_cleared
    jsr check_topped_out
    jsr check_pause
    jmp draw_play_sprites
set_won:
    jsr enter_end_mode
    jmp draw_play_sprites
ended:
    jsr run_clear_phase
    jmp draw_play_sprites
paused:
    jsr check_pause
    jmp draw_play_sprites
.endproc

;; One frame of one player.
;; in: X = seat offset | out: carry set: this player has won the set
;; clobbers: all | cycles: 13,000
.proc play_seat
    jsr load_player
    lda SOLO
    beq :+
    lda seat
    bne skip                    ; player 2 is inert
:   lda CPU_SEATS,x
    beq :+
    jsr cpu_play
:   jsr run_action
skip:
    jsr store_player
    lda CUR_CROWNS
    cmp CROWNS_NEEDED
    rts
.endproc

;; Copy a player's block to the scratch block and point at its bottle and pad.
;; in: X = seat offset | out: scratch block, seat, field pointer, PRESSED, HELD, X = player
;; clobbers: A, Y | cycles: 440
.proc load_player
    stx seat
    .repeat ::PLAYER_BLOCK_SIZE, offset
        lda PLAYER1 + offset,x
        sta CUR + offset
    .endrepeat
    lda #<FIELD1
    sta FIELD_POINTER_LOW
    ldy #>FIELD1
    txa
    beq :+
    ldy #>FIELD2
    ldx #1
:   sty FIELD_POINTER_HIGH
    lda PAD1_PRESSED,x
    sta PRESSED
    lda PAD1_HELD,x
    sta HELD
    rts
.endproc

;; Copy the scratch block back.
;; in: seat | out: player block | clobbers: A, X | cycles: 400
.proc store_player
    ldx seat
    .repeat ::PLAYER_BLOCK_SIZE, offset
        lda CUR + offset
        sta PLAYER1 + offset,x
    .endrepeat
    rts
.endproc

;; Jump to the routine of CUR_NEXT_ACTION.
;; in: scratch block | out: scratch block | clobbers: all | cycles: 24 + routine
.proc run_action
    ldx CUR_NEXT_ACTION
    lda action_high,x
    pha
    lda action_low,x
    pha
    rts
.endproc

PAUSED_VALUE = 5

;; START of player 1 pauses and goes on; A+B+SELECT+START of player 1 is a soft reset.
;; in: pads of player 1 | out: PAUSED, IN_LEVEL, or MODE = title | clobbers: A | cycles: 40
.proc check_pause
    lda PAD1_HELD
    cmp #SOFT_RESET_BUTTONS
    beq soft_reset
    lda PAUSE_ENABLED
    beq done                    ; not once the round has ended
    lda PAD1_PRESSED
    cmp #BUTTON_START
    bne done
    lda PAUSED
    eor #PAUSED_VALUE
    sta PAUSED
    lda IN_LEVEL
    eor #1
    sta IN_LEVEL
done:
    rts
soft_reset:
    lda #0
    sta PAUSED
    sta PHASE
    sta IN_LEVEL
    sta PAUSE_ENABLED
    sta MODE                    ; MODE_TITLE
    rts
.endproc

.define ACTIONS action_falling-1, action_placed-1, action_attack-1, action_sent-1, action_sent-1, action_step-1, action_spawn-1

.segment "RODATA"
action_low:  .lobytes ACTIONS
action_high: .hibytes ACTIONS
