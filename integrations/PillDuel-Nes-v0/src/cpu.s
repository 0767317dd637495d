;; The CPU opponent: when it decides, and how it moves its capsule. It plays through its pad.
;; The decision itself is in cpu_decide.s; docs/distillation.md defines both.
.include "pillduel.inc"

.segment "CPU"

THINK_FRAMES = 2                ; frames of control without a press, ready or not
HALF_TURN    = 2                ; the rotation that takes two turns

;; Forget what was decided, at the set-up of a round.
;; in: - | out: work RAM and CPU_DECISION to CPU_FRAMES zero | clobbers: A, X | cycles: 800
.proc cpu_reset
    lda #0
    ldx #CPU_WORK_SIZE - 1
:   sta cpu_work,x
    dex
    bpl :-
    ldx #CPU_FRAMES + 1 - CPU_DECISION
:   sta CPU_DECISION,x
    dex
    bpl :-
    rts
.endproc

;; Take the place of a player's pad for one frame; ask for a decision when a capsule spawns.
;; in: X = player, scratch block, bottle | out: PRESSED, HELD, CPU_DECISION, CPU_FRAMES, CPU_HELD
;; clobbers: A, Y | cycles: 2,200
.proc cpu_play
    lda #0                      ; no button
    sta HELD
    ldy CUR_NEXT_ACTION
    beq falling
    sta CPU_FRAMES,x
    cpy #ACTION_SEND_PILL
    bne press
    lda #CPU_ASKED
    sta CPU_DECISION,x
    bne press                   ; always
falling:
    inc CPU_FRAMES,x
    lda #THINK_FRAMES
    cmp CPU_FRAMES,x
    bcs sink
    lda CPU_DECISION,x
    lsr a
    beq sink                    ; not CPU_MADE
    ldy CPU_ROTATION,x
    cpy CUR_ROTATION
    beq turned
    lda turn_buttons,y
    sta HELD
    cpy #HALF_TURN              ; pressed in the turn that lies it down, LEFT would act twice
    beq sink
turned:
    lda CPU_COLUMN,x
    cmp CUR_X
    beq in_column
    lda #BUTTON_LEFT
    bcc :+
    lda #BUTTON_RIGHT
:   ora HELD
    sta HELD
sink:
    lda FRAME_COUNTER
    lsr a                       ; taps act in even frames, each after a frame without it
    bcc press
    lda #TOP_Y + 2              ; in odd ones the capsule sinks, while all rows down to the
    sbc CUR_Y                   ; next one are empty
    asl a
    asl a
    asl a
    tay
look:
    dey
    lda (FIELD_POINTER_LOW),y
    eor #TILE_EMPTY
    bne still
    tya
    bne look
down:
    lda #BUTTON_DOWN
    .byte SKIP_TWO
still:
    lda #0
    sta HELD
press:
    lda CPU_HELD,x
    eor HELD
    and HELD
    sta PRESSED
    lda HELD
    sta CPU_HELD,x
    rts
in_column:
    lda HELD
    beq down                    ; and turned as well
    bne sink                    ; always
.endproc

;; Make the decision that a seat waits for, if one does. Meanwhile the NMI runs the frames.
;; in: CPU_DECISION | out: CPU_DECISION, CPU_ROTATION, CPU_COLUMN | clobbers: all
;; cycles: 30 with nothing to do, else those of cpu_decide
.proc cpu_think
    ldx #1
:   lda CPU_DECISION,x
    lsr a
    bcs asked                   ; CPU_ASKED alone is odd
    dex
    bpl :-
    rts
asked:
    inc cpu_thinking
    lda NMI_DONE
    bne stop                    ; it came before the flag was up: its frame is due first
    jsr cpu_decide
    inc CPU_DECISION,x          ; CPU_MADE
stop:
    dec cpu_thinking
    rts
.endproc

turn_buttons:                   ; by the rotation that is wanted
    .byte 0, BUTTON_B, BUTTON_A, BUTTON_A
