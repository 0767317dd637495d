;; Action 1: what happens between a lock and the next capsule. One step a frame.
.include "pillduel.inc"

.segment "CODE"

STEP_AGAIN  = 1                 ; after a match: wait for the redraw, fall, look again

;; One step of the placed pipeline.
;; in: CUR_PLACED_STEP | out: scratch block, bottle | clobbers: all | cycles: 30 + step
.proc action_placed
    ldx CUR_PLACED_STEP
    lda step_high,x
    pha
    lda step_low,x
    pha
    rts
.endproc

;; Steps 0, 1 and 2 only pass time.
;; in: - | out: CUR_PLACED_STEP | clobbers: - | cycles: 11
.proc step_pass
    inc CUR_PLACED_STEP
    rts
.endproc

;; Step 3: once the redraw is over, let everything fall one row; again until nothing moves.
;; in: CUR_STATUS | out: CUR_STATUS, CUR_PLACED_STEP | clobbers: all | cycles: 8,200
.proc step_fall
    lda CUR_STATUS
    bpl wait
    jsr fall_pass
    lda #STATUS_REDRAW
    sta CUR_STATUS
    bcs wait
    inc CUR_PLACED_STEP
wait:
    rts
.endproc

;; Step 4: forget the lines of the last look.
;; in: - | out: CUR_MATCHED, CUR_RUN_TOTAL, CUR_PLACED_STEP | clobbers: A | cycles: 19
.proc step_forget
    lda #0
    sta CUR_MATCHED
    sta CUR_RUN_TOTAL
    inc CUR_PLACED_STEP
    rts
.endproc

;; Step 5: look for lines in the rows.
;; in: bottle | out: as scan_rows | clobbers: all | cycles: as scan_rows
.proc step_rows
    inc CUR_PLACED_STEP
    jmp scan_rows
.endproc

;; Step 6: look for lines in the columns.
;; in: bottle | out: as scan_columns | clobbers: all | cycles: as scan_columns
.proc step_columns
    inc CUR_PLACED_STEP
    jmp scan_columns
.endproc

;; Step 7: turn matched cells into circles and widowed halves into singles, redraw.
;; in: bottle, CUR_MATCHED | out: bottle, CUR_STATUS, CUR_PLACED_STEP | clobbers: all
;; cycles: 8,300
.proc step_update
    jsr update_field
    lda #STATUS_REDRAW
    sta CUR_STATUS
    lda CUR_MATCHED
    beq :+
    lda #STEP_AGAIN
    sta CUR_PLACED_STEP
    lda #SFX_CLEAR
    jmp play_effect
:   inc CUR_PLACED_STEP
    rts
.endproc

;; Step 8: go on to the attack.
;; in: - | out: CUR_NEXT_ACTION, CUR_PLACED_STEP | clobbers: A | cycles: 18
.proc step_leave
    lda #0
    sta CUR_PLACED_STEP
    lda #ACTION_CHECK_ATTACK
    sta CUR_NEXT_ACTION
    rts
.endproc

;; Let every unsupported piece fall one row, from the bottom up; circles become empty.
;; A flat capsule falls only if both cells below it are empty. Viruses never fall.
;; in: bottle | out: bottle, carry set: something moved
;; clobbers: A, X, Y, scratch0, scratch2, scratch3 | cycles: 8,100
.proc fall_pass
    moved = scratch0
    below = scratch2            ; 2 bytes: the bottle, one row further down
    lda #0
    sta moved
    lda FIELD_POINTER_HIGH
    sta below + 1
    lda #COLUMNS                ; the bottles start at a page
    sta below
    jsr empty_bottom_circles
    ldy #CELLS - COLUMNS - 1
each:
    lda (FIELD_POINTER_LOW),y
    cmp #TILE_CLEARED
    bcs circle
    tax
    lda (below),y
    cmp #TILE_EMPTY
    bne next
    txa
    and #TYPE_MASK
    cmp #TILE_VIRUS
    beq next
    cmp #TILE_LEFT
    beq next                    ; falls with its right half
    ora NO_FALL
    lsr a                       ; carry: NO_FALL is set (type nibbles are even)
    bcs next
    cmp #TILE_RIGHT >> 1
    bne single
    dey                         ; now at the left half, which needs no look of its own
    lda (below),y
    cmp #TILE_EMPTY
    bne next
    lda (FIELD_POINTER_LOW),y
    sta (below),y
    lda #TILE_EMPTY
    sta (FIELD_POINTER_LOW),y
    iny
    txa
    sta (below),y
    lda #TILE_EMPTY
    sta (FIELD_POINTER_LOW),y
    sta moved
    dey
    jmp next
circle:
    lda #TILE_EMPTY
    sta (FIELD_POINTER_LOW),y
    bne next                    ; always
single:
    txa
    sta (below),y
    lda #TILE_EMPTY
    sta (FIELD_POINTER_LOW),y
    sta moved
next:
    dey
    bpl each
    lsr moved                   ; carry
    rts
.endproc

;; Empty the circles of the bottom row, where nothing can fall.
;; in: bottle | out: bottle | clobbers: A, Y | cycles: 210
.proc empty_bottom_circles
    ldy #CELLS - 1
each:
    lda (FIELD_POINTER_LOW),y
    cmp #TILE_CLEARED
    bcc :+
    lda #TILE_EMPTY
    sta (FIELD_POINTER_LOW),y
:   dey
    cpy #CELLS - COLUMNS
    bcs each
    rts
.endproc

; Variables of both scans.
step       = scratch0           ; distance between neighbours of the line
run_colour = scratch1           ; NO_COLOUR while the run is of empty cells
run_length = scratch2
NO_COLOUR  = TILE_EMPTY

;; Find and mark every line, rows from the top down.
;; in: bottle | out: as mark_run | clobbers: all, scratch0-scratch4
;; cycles: 7,400 + 82 a cell of a line
.proc scan_rows
    lda #1
    sta step
    ldy #0
:   ldx #COLUMNS
    jsr scan_line               ; leaves Y at the next row
    cpy #CELLS
    bcc :-
    rts
.endproc

;; The same for columns, from the left.
;; in: bottle | out: as mark_run | clobbers: all, scratch0-scratch4
;; cycles: 7,200 + 82 a cell of a line
.proc scan_columns
    lda #COLUMNS
    sta step
    ldy #0
:   ldx #ROWS
    jsr scan_line
    tya
    sec
    sbc #CELLS - 1              ; the top of the next column
    tay
    cpy #COLUMNS
    bcc :-
    rts
.endproc

;; Split one row or column into runs of equal colour and mark those of four or more.
;; Cells already matched by the row scan still count.
;; in: Y = first cell, X = cells, step | out: Y = cell after the last
;; clobbers: A, X, scratch1-scratch4 | cycles: 420 (rows), 820 (columns)
.proc scan_line
    lda #NO_COLOUR
    sta run_colour
    lda #0
    sta run_length
each:
    lda (FIELD_POINTER_LOW),y
    cmp #TILE_EMPTY
    beq :+
    and #COLOUR_MASK
:   cmp run_colour
    bne change
    inc run_length
    bne advance                 ; always
change:
    sta scratch3
    lda run_length
    cmp #MIN_RUN
    bcc :+                      ; most runs are short: spare them the call
    jsr end_run
:   lda scratch3
    sta run_colour
    lda #1
    sta run_length
advance:
    tya
    clc
    adc step
    tay
    dex
    bne each
end_run:
    lda run_length
    cmp #MIN_RUN
    bcc :+
    lda run_colour
    cmp #NO_COLOUR
    bne mark_run
:   rts
.endproc

;; Count a line, remember its colour for the attack and mark its cells.
;; in: Y = cell after the run, run_colour, run_length, step
;; out: CUR_MATCHED, CUR_COMBO, CUR_ATTACK_COLOURS, CUR_LAST_RUN, CUR_RUN_TOTAL,
;;      CUR_LAST_CHAIN_ROW, bottle, and per virus as mark_cell | clobbers: A | cycles: 60 + 60 a cell
.proc mark_run
    sty scratch4
    txa
    pha
    inc CUR_MATCHED
    ldx CUR_COMBO
    inc CUR_COMBO
    cpx #ATTACK_COLOURS_SIZE
    bcs :+                      ; lines beyond the fourth leave no colour
    lda run_colour
    sta CUR_ATTACK_COLOURS,x
:   ldx run_length
    txa
    clc
    adc CUR_RUN_TOTAL
    sta CUR_RUN_TOTAL
    dex
    stx CUR_LAST_RUN
    inx
each:
    tya
    sec
    sbc step
    tay
    jsr mark_cell
    dex
    bne each
    tya
    lsr a
    lsr a
    lsr a
    sta CUR_LAST_CHAIN_ROW
    pla
    tax
    ldy scratch4
    rts
.endproc

;; Mark one cell of a line. The last virus of a bottle wins its round at once.
;; in: Y = cell | out: bottle, CUR_VIRUSES, CUR_STATUS, CUR_CROWNS | clobbers: A | cycles: 60
.proc mark_cell
    lda (FIELD_POINTER_LOW),y
    cmp #TILE_VIRUS
    bcc :+
    lda #STATUS_REDRAW
    sta CUR_STATUS
    jsr count_virus_down
    bne :+
    inc CUR_CROWNS
:   lda (FIELD_POINTER_LOW),y
    and #COLOUR_MASK
    ora #TILE_MATCHED
    sta (FIELD_POINTER_LOW),y
    rts
.endproc

;; Turn matched cells into circles, and halves without their other half into singles.
;; Beyond the top row and the edges lie bytes that are no half.
;; in: bottle | out: bottle | clobbers: A, X, Y, scratch0-scratch3 | cycles: 8,200
.proc update_field
    below = scratch0            ; 2 bytes: the bottle, one row further down
    above = scratch2            ; 2 bytes: the bottle, one row further up
    ldx FIELD_POINTER_HIGH
    stx below + 1
    dex
    stx above + 1
    lda #<COLUMNS               ; the bottles start at a page
    sta below
    lda #<-COLUMNS
    sta above
    ldy #CELLS - 1
each:
    lda (FIELD_POINTER_LOW),y
    cmp #TILE_EMPTY
    beq next
    tax
    and #TYPE_MASK
    cmp #TILE_MATCHED
    beq circle
    cmp #TILE_SINGLE
    bcs next                    ; singles and viruses stay
    cmp #TILE_LEFT
    beq left
    bcs right
    cmp #TILE_TOP
    beq top
    lda (above),y
    and #TYPE_MASK
    cmp #TILE_TOP
    beq next
    bne alone                   ; always
top:
    lda (below),y
    and #TYPE_MASK
    cmp #TILE_BOTTOM
    beq next
    bne alone                   ; always
left:
    iny
    lda (FIELD_POINTER_LOW),y
    dey
    and #TYPE_MASK
    cmp #TILE_RIGHT
    beq next
    bne alone                   ; always
right:
    dey
    lda (FIELD_POINTER_LOW),y
    iny
    and #TYPE_MASK
    cmp #TILE_LEFT
    beq next
alone:
    txa
    and #COLOUR_MASK
    ora #TILE_SINGLE
    bne store                   ; always
circle:
    txa
    ora #TILE_CLEARED
store:
    sta (FIELD_POINTER_LOW),y
next:
    dey
    bpl each
    rts
.endproc

.define STEPS step_pass-1, step_pass-1, step_pass-1, step_fall-1, step_forget-1, step_rows-1, step_columns-1, step_update-1, step_leave-1

.segment "RODATA"
step_low:  .lobytes STEPS
step_high: .hibytes STEPS
