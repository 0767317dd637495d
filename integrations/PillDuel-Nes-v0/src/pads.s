;; Reading both pads: held buttons, and the edges that count as presses.
.include "pillduel.inc"

.segment "CODE"

;; Read both pads twice, keep what both readings agree on, and find new presses.
;; The pads shift out A, B, SELECT, START, UP, DOWN, LEFT, RIGHT.
;; in: PAD1_HELD, PAD2_HELD of the last frame
;; out: PAD1_PRESSED, PAD2_PRESSED, PAD1_HELD, PAD2_HELD | clobbers: A, X | cycles: 690
.proc read_pads
    ldx #0
    jsr read_once
    ldx #2
    jsr read_once
    ldx #1
each:
    lda nmi_pad,x
    and nmi_pad_again,x
    tay
    eor PAD1_HELD,x
    sty PAD1_HELD,x
    and PAD1_HELD,x
    sta PAD1_PRESSED,x
    dex
    bpl each
    rts
.endproc

;; Shift one reading of both pads into two bytes.
;; in: X = offset from nmi_pad | out: nmi_pad,x and nmi_pad+1,x | clobbers: A, Y | cycles: 320
.proc read_once
    lda #1
    sta PAD1_PORT
    lda #0
    sta PAD1_PORT
    ldy #8
bit_loop:
    lda PAD1_PORT
    and #%11                    ; bit 1: pads on a Famicom's expansion port
    cmp #1
    rol nmi_pad,x
    lda PAD2_PORT
    and #%11
    cmp #1
    rol nmi_pad + 1,x
    dey
    bne bit_loop
    rts
.endproc
