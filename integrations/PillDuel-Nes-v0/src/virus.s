;; Filling a bottle with viruses, one attempt at a time.
.include "pillduel.inc"

.segment "CODE"

LAST_COLUMN = COLUMNS - 1
TWO_ROWS    = 2 * COLUMNS
ALL_COLOURS = %111

;; One attempt to place one virus in the current player's bottle.
;; in: scratch block and field pointer of the player, RNG
;; out: carry set: placed, Y = cell, A = tile; carry clear: abandoned
;; clobbers: A, X, Y, scratch0-scratch3 | cycles: 12,000
.proc place_virus
    jsr draw_cell
    sty scratch0                ; cell
    jsr draw_colour
    stx scratch1                ; colour
    ldy scratch0
each:
    lda (FIELD_POINTER_LOW),y
    cmp #TILE_EMPTY
    bne next
    jsr collect_colours
    cmp #ALL_COLOURS
    bne found
next:
    iny
    cpy #CELLS
    bcc each
    clc
    rts
found:
    ldx scratch1
:   and colour_bit,x            ; a colour two cells away: take the one before it
    beq store
    dex
    bpl :+
    ldx #NUM_COLOURS - 1
:   lda scratch2
    jmp :--
store:
    txa
    ora #TILE_VIRUS
    sta (FIELD_POINTER_LOW),y
    dec CUR_VIRUSES_TO_PLACE
    sec
    rts
.endproc

;; Draw the cell at which an attempt starts.
;; in: CUR_LEVEL, RNG | out: Y = cell | clobbers: A, X, scratch0 | cycles: 70 a draw
.proc draw_cell
    ldx CUR_LEVEL
:   jsr rng_step
    lda RNG_HIGH
    and #$0F
    cmp virus_rows,x            ; rows from the bottom that viruses may take
    bcs :-
    eor #ROWS - 1               ; row from the top
    asl a
    asl a
    asl a
    sta scratch0
    lda RNG_LOW
    and #LAST_COLUMN
    ora scratch0
    tay
    rts
.endproc

;; Draw the colour of the next virus: yellow, red and blue in turn, every fourth random.
;; in: CUR_VIRUSES_TO_PLACE, RNG | out: X = colour | clobbers: A | cycles: 60
.proc draw_colour
    lda CUR_VIRUSES_TO_PLACE
    and #%11
    tax
    cpx #NUM_COLOURS
    bcc :+
    jsr rng_step
    lda RNG_LOW
    and #$0F
    tax
    lda random_colours,x
    tax
:   rts
.endproc

;; Collect the virus colours exactly two cells away, up, down, left and right.
;; in: Y = cell | out: A = scratch2 = one bit a colour | clobbers: X, scratch3 | cycles: 150
.proc collect_colours
    lda #0
    sta scratch2
    sty scratch3
    cpy #TWO_ROWS
    bcc :+
    tya
    sbc #TWO_ROWS               ; carry is set
    jsr add_colour
:   ldy scratch3
    cpy #CELLS - TWO_ROWS
    bcs :+
    tya
    adc #TWO_ROWS               ; carry is clear
    jsr add_colour
:   lda scratch3
    and #LAST_COLUMN
    cmp #2
    bcc :+
    lda scratch3
    sbc #2                      ; carry is set
    jsr add_colour
:   lda scratch3
    and #LAST_COLUMN
    cmp #LAST_COLUMN - 1
    bcs :+
    lda scratch3
    adc #2                      ; carry is clear
    jsr add_colour
:   ldy scratch3
    lda scratch2
    rts
.endproc

;; Add the colour of one cell to the set in scratch2.
;; in: A = cell | out: scratch2 | clobbers: A, X, Y | cycles: 40
.proc add_colour
    tay
    lda (FIELD_POINTER_LOW),y
    cmp #TILE_EMPTY
    beq :+
    and #COLOUR_MASK
    tax
    lda scratch2
    ora colour_bit,x
    sta scratch2
:   rts
.endproc

;; Count a virus up in packed BCD (the console's CPU has no decimal mode).
;; in: CUR_VIRUSES | out: CUR_VIRUSES, A = it | clobbers: - | cycles: 33
.proc count_virus_up
    inc CUR_VIRUSES
    lda CUR_VIRUSES
    and #$0F
    cmp #10
    bcc :+
    lda CUR_VIRUSES
    adc #6 - 1                  ; carry is set
    sta CUR_VIRUSES
:   lda CUR_VIRUSES
    rts
.endproc

;; Count a virus down in packed BCD.
;; in: CUR_VIRUSES | out: CUR_VIRUSES, A = it, Z set: none left | clobbers: - | cycles: 30
.proc count_virus_down
    lda CUR_VIRUSES
    and #$0F
    bne :+
    lda CUR_VIRUSES
    sec
    sbc #6
    sta CUR_VIRUSES
:   dec CUR_VIRUSES
    lda CUR_VIRUSES
    rts
.endproc

.segment "RODATA"

colour_bit:
    .byte %001, %010, %100

random_colours:
    .byte COLOUR_YELLOW, COLOUR_RED, COLOUR_BLUE, COLOUR_BLUE
    .byte COLOUR_RED, COLOUR_YELLOW, COLOUR_YELLOW, COLOUR_RED
    .byte COLOUR_BLUE, COLOUR_BLUE, COLOUR_RED, COLOUR_YELLOW
    .byte COLOUR_YELLOW, COLOUR_RED, COLOUR_BLUE, COLOUR_RED

virus_rows:                     ; by level: rows from the bottom that viruses may take
    .res 15, 10                 ; levels 0-14
    .res 2, 11                  ; 15-16
    .res 2, 12                  ; 17-18
    .res 2, 13                  ; 19-20
