;; The CPU opponent: when it decides, and how it moves its capsule. It plays through its pad.
;; The decision itself is in cpu_decide.s; docs/distillation.md defines both.
.include "pillduel.inc"

.segment "CPU"

THINK_FRAMES = 2                ; frames of control without a press, ready or not
ROTATION_B   = 1                ; the rotation that is reached by B; A reaches the others

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
;; in: X = player, scratch block | out: PRESSED, HELD, CPU_DECISION, CPU_FRAMES, CPU_HELD
;; clobbers: A, Y | cycles: 100
.proc cpu_play
    ldy #0                      ; no button
    lda CUR_NEXT_ACTION
    beq falling
    cmp #ACTION_SEND_PILL
    bne wait
    lda #CPU_ASKED
    sta CPU_DECISION,x
wait:
    tya
    sta CPU_FRAMES,x
    beq press                   ; always
falling:
    lda CPU_FRAMES,x
    inc CPU_FRAMES,x
    cmp #THINK_FRAMES
    bcc press
    lda CPU_DECISION,x
    cmp #CPU_MADE
    bne press
    lda CPU_ROTATION,x
    cmp CUR_ROTATION
    bne rotate
    lda CPU_COLUMN,x
    cmp CUR_X
    bne sideways
    ldy #BUTTON_DOWN
    bne press                   ; always
sideways:
    ldy #BUTTON_LEFT
    bcc tap
    ldy #BUTTON_RIGHT
    bne tap                     ; always
rotate:
    ldy #BUTTON_A
    cmp #ROTATION_B
    bne tap
    ldy #BUTTON_B
tap:
    lda CPU_FRAMES,x
    lsr a                       ; every second frame lets go, so that each tap acts at once
    bcs press
    ldy #0
press:
    sty HELD
    tya
    eor CPU_HELD,x
    and HELD
    sta PRESSED
    tya
    sta CPU_HELD,x
    rts
.endproc

;; Make the decision that a seat waits for, if one does. Meanwhile the NMI runs the frames.
;; in: CPU_DECISION | out: CPU_DECISION, CPU_ROTATION, CPU_COLUMN | clobbers: all
;; cycles: 30 with nothing to do, else those of cpu_decide
.proc cpu_think
    ldx #1
:   lda CPU_DECISION,x
    cmp #CPU_ASKED
    beq asked
    dex
    bpl :-
    rts
asked:
    inc cpu_thinking
    lda NMI_DONE
    bne stop                    ; it came before the flag was up: its frame is due first
    jsr cpu_decide
    lda #CPU_MADE
    sta CPU_DECISION,x
stop:
    dec cpu_thinking
    rts
.endproc
