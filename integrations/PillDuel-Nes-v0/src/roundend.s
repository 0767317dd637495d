;; The end of a round and of a set: who has won, the waits, and START to go on.
;; Everything is a step of PHASE, so that RAM alone decides what happens next.
.include "pillduel.inc"

.segment "CODE"

CLEAR_WAIT   = 64               ; frames from a clear to its announcement
SHORT_WAIT   = 16
TOP_OUT_WAIT = 64
FINAL_WAIT   = 128

; Phases of mode 4 after a clear.
PHASE_RUNNING  = 0
PHASE_CLEARED  = 1
PHASE_REST     = 2
PHASE_REST2    = 3
PHASE_START    = 4
PHASE_WIPE     = 5

;; Has a bottle been cleared? Both at once is a draw. Crowns were given by the scan.
;; in: player blocks | out: PHASE, WAIT_FRAMES | clobbers: A | cycles: 20
.proc check_cleared
    lda PLAYER1 + P_VIRUSES
    beq cleared
    lda SOLO
    bne done
    lda PLAYER2 + P_VIRUSES
    bne done
cleared:
    lda #PHASE_CLEARED
    sta PHASE
    lda #CLEAR_WAIT
    sta WAIT_FRAMES
    lda #0
    sta PAUSE_ENABLED
    lda #SFX_WIN
    jsr play_effect
done:
    rts
.endproc

;; Has a player topped out? The other gets a crown; both at once is a draw without crowns.
;; A round that was cleared in the same frame is shown first.
;; in: player blocks, PHASE | out: crowns, WHO_FAILED, MODE | clobbers: A, X | cycles: 30
.proc check_topped_out
    lda PHASE
    bne done
    ldx #0
    lda PLAYER1 + P_TOPPED_OUT
    beq :+
    inx
:   lda PLAYER2 + P_TOPPED_OUT
    beq :+
    inx
    inx
:   txa
    beq done                    ; X = 1, 2, or 3 for both
    cpx #2
    bcc first_failed
    bne draw
    inc PLAYER1 + P_CROWNS
    bne failed                  ; always
first_failed:
    inc PLAYER2 + P_CROWNS
    bne failed                  ; always
draw:
    ldx #0
failed:
    stx WHO_FAILED
    lda #MODE_TOP_OUT
    sta MODE
    lda #0
    sta PHASE
    sta PAUSE_ENABLED
    lda #SFX_LOSE
    jsr play_effect
done:
    rts
.endproc

;; One frame after a clear, in mode 4.
;; in: PHASE 1..5 | out: PHASE, WAIT_FRAMES, WHO_CLEARED, MODE | clobbers: all | cycles: 4,300
.proc run_clear_phase
    lda PHASE
    cmp #PHASE_START
    beq wait_for_start
    dec WAIT_FRAMES
    bne done
    inc PHASE
    cmp #PHASE_CLEARED
    beq announce
    cmp #PHASE_WIPE
    beq leave
    lda #SHORT_WAIT
    sta WAIT_FRAMES
done:
    rts
announce:
    lda #SHORT_WAIT
    sta WAIT_FRAMES
    jmp announce_clear
wait_for_start:
    lda PAD1_PRESSED
    cmp #BUTTON_START
    bne done
    jsr clear_bottles_and_redraw
    lda #SHORT_WAIT
    sta WAIT_FRAMES
    inc PHASE
    rts
leave:
    lda #PHASE_RUNNING
    sta PHASE
    jsr check_topped_out        ; of the frame of the clear: its winner is paid again
    lda MODE
    cmp #MODE_TOP_OUT
    beq :+
    lda #MODE_SETUP
    sta MODE
:   rts
.endproc

;; Say who cleared: WHO_CLEARED and a word in each bottle.
;; in: player blocks | out: WHO_CLEARED, bottles | clobbers: all | cycles: 600
.proc announce_clear
    ldx #0
    lda PLAYER1 + P_VIRUSES
    bne :+
    inx
:   lda PLAYER2 + P_VIRUSES
    bne :+
    inx
    inx
:   txa
    and #%11
    tay
    lda winner_of_clears,y
    sta WHO_CLEARED
    beq draw
    tax
    jmp show_winner
draw:
    ldx #WORD_DRAW
    ldy #WORD_DRAW
    jmp show_words
.endproc

;; Show WIN in the winner's bottle and LOSE in the other.
;; in: A = winner 1 or 2 | out: bottles | clobbers: all | cycles: 500
.proc show_winner
    ldx #WORD_WIN
    ldy #WORD_LOSE
    lsr a
    bcs show_words              ; player 1
    ldx #WORD_LOSE
    ldy #WORD_WIN
.endproc

;; Write a word into each bottle and have both redrawn.
;; in: X = word of player 1, Y = word of player 2 | out: bottles, P_STATUS of both
;; clobbers: all | cycles: 420
.proc show_words
    tya
    pha
    lda #0
    sta scratch0
:   ldy scratch0
    lda words,x
    sta FIELD1 + WORD_CELL,y
    inx
    inc scratch0
    lda scratch0
    cmp #COLUMNS
    bcc :-
    pla
    tax
    ldy #0
:   lda words,x
    sta FIELD2 + WORD_CELL,y
    inx
    iny
    cpy #COLUMNS
    bcc :-
.endproc
redraw_bottles:
    lda #STATUS_REDRAW
    sta PLAYER1 + P_STATUS
    sta PLAYER2 + P_STATUS
    rts

;; Empty both bottles on the screen too.
;; in: - | out: bottles, P_STATUS of both | clobbers: A, X | cycles: 4,000
.proc clear_bottles_and_redraw
    jsr clear_bottles
    jmp redraw_bottles
.endproc

; Phases of mode 5.
PHASE_SEEN     = 0              ; the one frame before the wait
PHASE_FALLEN   = 1
PHASE_SETTLED  = 2
PHASE_CONTINUE = 3

;; Mode 5: a player has topped out.
;; in: PHASE | out: PHASE, WAIT_FRAMES, MODE | clobbers: all | cycles: 600
.proc top_out_mode
    lda PHASE
    beq seen
    cmp #PHASE_CONTINUE
    beq wait_for_start
    dec WAIT_FRAMES
    bne done
    inc PHASE
    cmp #PHASE_FALLEN
    bne done
    lda #SHORT_WAIT
    sta WAIT_FRAMES
    jsr announce_top_out
    jsr set_is_won
    bcc done
    jsr enter_end_mode
done:
    jmp draw_play_sprites
seen:
    lda #TOP_OUT_WAIT
    sta WAIT_FRAMES
    inc PHASE
    jmp draw_play_sprites
wait_for_start:
    lda PAD1_PRESSED
    cmp #BUTTON_START
    bne done
    lda #0
    sta PHASE
    lda #MODE_SETUP
    sta MODE
    jmp draw_play_sprites
.endproc

;; Say who topped out.
;; in: WHO_FAILED | out: bottles | clobbers: all | cycles: 520
.proc announce_top_out
    lda WHO_FAILED
    beq draw
    eor #%11                    ; the other one has won
    jmp show_winner
draw:
    ldx #WORD_DRAW
    ldy #WORD_DRAW
    jmp show_words
.endproc

;; Has a player enough crowns?
;; in: player blocks | out: carry set: yes | clobbers: A | cycles: 20
.proc set_is_won
    lda PLAYER1 + P_CROWNS
    cmp CROWNS_NEEDED
    bcs :+
    lda PLAYER2 + P_CROWNS
    cmp CROWNS_NEEDED
:   rts
.endproc

;; Start the end of the set.
;; in: - | out: MODE, PHASE, WAIT_FRAMES | clobbers: A, X | cycles: 60
.proc enter_end_mode
    lda #MODE_END
    sta MODE
    lda #0
    sta PHASE
    sta PAUSE_ENABLED
    lda #FINAL_WAIT
    sta WAIT_FRAMES
    lda #SFX_WIN
    jmp play_effect
.endproc

;; Mode 7: the set is over; after a while START leads back to the options.
;; in: PHASE | out: PHASE, MODE | clobbers: all | cycles: 520
.proc end_mode
    lda PHASE
    bne wait_for_start
    dec WAIT_FRAMES
    bne done
    inc PHASE
    ldx #WORD_GAME
    ldy #WORD_OVER
    jsr show_words
done:
    jmp draw_play_sprites
wait_for_start:
    lda PAD1_PRESSED
    cmp #BUTTON_START
    bne done
    lda #0
    sta PHASE
    lda #MODE_OPTIONS
    sta MODE
    rts
.endproc

.segment "RODATA"

winner_of_clears:
    .byte 0, 1, 2, 0            ; none, player 1, player 2, both

WORD_CELL = 6 * COLUMNS         ; row of the words in a bottle
WORD_WIN  = 0 * COLUMNS
WORD_LOSE = 1 * COLUMNS
WORD_DRAW = 2 * COLUMNS
WORD_GAME = 3 * COLUMNS
WORD_OVER = 4 * COLUMNS

.macro word text                ; one row of a bottle
    .repeat .strlen(text), index
        .if .strat(text, index) = ' '
            .byte TILE_EMPTY
        .else
            .byte .strat(text, index) - 'A' + GLYPH_A
        .endif
    .endrepeat
.endmacro

words:
    word "  WIN   "
    word "  LOSE  "
    word "  DRAW  "
    word "  GAME  "
    word "  OVER  "
