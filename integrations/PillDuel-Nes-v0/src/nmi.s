;; The NMI: picture updates, the frame counter and the pads, once a frame.
.include "pillduel.inc"

.segment "CODE"

FIELD1_COLUMN = 4               ; background column of the left bottle's first cell
FIELD2_COLUMN = 20

;; Copy the row named by a player's status to the screen and count the status down.
;; The count goes on when the PPU is not ours: rules wait for it.
;; clobbers: A, X, Y | cycles: 130 with a row, 10 without
.macro draw_field_row player, field, column
    .local done, count_down
    ldx player + P_STATUS
    bmi done                    ; idle
    lda video_locked
    bne count_down
    lda row_address_high,x
    sta PPU_ADDRESS
    lda row_address_low,x
    clc
    adc #column
    sta PPU_ADDRESS
    txa
    asl a
    asl a
    asl a
    tay
    .repeat ::COLUMNS, cell
        lda field + cell,y
        sta PPU_DATA
    .endrepeat
count_down:
    dec player + P_STATUS
done:
.endmacro

;; One video frame: sprites, at most one bottle row a player, frame counter, pads. While the
;; main loop thinks, the game's frame runs here, so that thinking never holds it up.
;; in: cpu_thinking | out: NMI_DONE = 1 | clobbers: - | cycles: 1,650, and a frame while thinking
.proc nmi
    pha
    txa
    pha
    tya
    pha
    bit PPU_STATUS              ; resets the address latch
    lda video_locked
    bne :+
    sta OAM_ADDRESS             ; A = 0
    lda #>SPRITES
    sta OAM_DMA
:   draw_field_row PLAYER1, FIELD1, FIELD1_COLUMN
    draw_field_row PLAYER2, FIELD2, FIELD2_COLUMN
    jsr show_picture
    inc FRAME_COUNTER
    jsr read_pads
    lda cpu_thinking
    bne interrupt
    lda #1
    sta NMI_DONE
leave:
    pla
    tay
    pla
    tax
    pla
    rti
interrupt:
    dec cpu_thinking            ; an NMI that comes before the frame is over starts no other
    jsr run_frame
    inc cpu_thinking
    bne leave                   ; always
.endproc

;; No source of interrupts is switched on.
;; in: - | out: - | clobbers: - | cycles: 6
.proc irq
    rti
.endproc

;; Switch the picture on, unless the screen is being uploaded or rendering is off.
;; in: video_locked, RENDER_OFF | out: - | clobbers: A, X, Y | cycles: 50
.proc show_picture
    lda video_locked
    ora RENDER_OFF
    beq :+
    lda #0
    beq set
:   lda #PPU_MASK_ON
set:
    ldx #0
    ldy video_locked
    bne :+                      ; the scroll registers share the upload's address
    stx PPU_SCROLL
    stx PPU_SCROLL
    ldx #PPU_CTRL_NMI
    stx PPU_CTRL
:   sta PPU_MASK
    rts
.endproc

.segment "RODATA"

FIELD_TOP_ROW = 10              ; background row of the bottles' top cells
NAMETABLE     = $2000
FIELD_ADDRESS = NAMETABLE + FIELD_TOP_ROW * 32

row_address_low:
    .repeat ROWS, row
        .byte <(FIELD_ADDRESS + row * 32)
    .endrepeat
row_address_high:
    .repeat ROWS, row
        .byte >(FIELD_ADDRESS + row * 32)
    .endrepeat
