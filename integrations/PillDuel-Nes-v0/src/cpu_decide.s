;; The decision of the CPU opponent: candidates, features, tree, the best of them.
;; docs/distillation.md defines every number here; the names are its names.
.include "pillduel.inc"

.segment "CPU"

LINE           = 4              ; cells
NUM_ROTATIONS  = 4
NUM_LIMITS     = 6              ; a limit for each tap, and one that walls are measured against
LETS_FALL      = $20            ; added to the run of a line that lets a half beside it fall into one
MIN_UPRIGHT    = 2              ; rows that an upright capsule needs
FIRST_LEAF     = $90            ; bytes of the tree below it are splits
THRESHOLD_MASK = $0F            ; of a split: its threshold, less one; above it its feature
SLOPE_MASK     = $03            ; of a leaf: 1 less its slope
SLOPE_DEPTH    = 12             ; where slopes make no difference

; ---- variables ----------------------------------------------------------------------------
feature        = cpu_work       ; one byte each, in the order of the tree's feature numbers
run_max        = feature + 0
run_min        = feature + 1
covers_virus   = feature + 2
covers_tile    = feature + 3
depth          = feature + 4
upright        = feature + 5
blocked        = feature + 6
matched        = feature + 7
between        = feature + 8
capsule        = feature + 9    ; 2 bytes: both colours
bottle         = capsule + 2    ; 2 bytes: address; the lower one is always 0
wall_left      = bottle + 2     ; always 0: a column without room
top            = wall_left + 1  ; 8 bytes each, by column: row of the highest occupied cell
wall_right     = top + COLUMNS  ; always 0
top_tile       = wall_right + 1 ; its tile
run            = top_tile + COLUMNS ; run of a half of its colour that rests on it, LETS_FALL
virus          = run + COLUMNS  ; colour of the highest virus, or negative
between_first  = virus + COLUMNS ; if there is one: tiles above it not of the first colour
between_second = between_first + COLUMNS ; and not of the second
player         = between_second + COLUMNS
best_value     = player + 1
best_depth    = player + 2
.assert best_depth < cpu_work + CPU_WORK_SIZE, error, "too many variables"

first_run      = cpu_more
limit          = first_run + 1  ; 6 bytes, by tap: tops of this row and below leave it free
rotation       = limit + NUM_LIMITS
column         = rotation + 1
end_column     = rotation + 2   ; the one behind the last
taps           = rotation + 3   ; turning taps of this rotation
direction      = rotation + 4   ; 0: to the right, -2: to the left
pivot_colour   = rotation + 5   ; 0, 1: which colour the left or lower half has
floor          = rotation       ; until the candidates: row of the highest tile
frames         = column         ; frames a row of free fall, less one
counter        = end_column     ; frames left to the next row, less one
fall_colour    = limit          ; until find_limits: of a half that a line lets fall
fall_needs     = limit + 1      ; tiles of its colour that make a line with it
.assert pivot_colour < cpu_more + CPU_MORE_SIZE, error, "too many variables"

;; Decide where a player's falling capsule goes.
;; in: X = player, its block and bottle | out: CPU_ROTATION, CPU_COLUMN, X = player
;; clobbers: A, Y | cycles: 45,000 for a bottle at rest and a tree of at most 15 splits to a leaf
.proc cpu_decide
    stx player
    txa
    ora #>FIELD1
    sta bottle + 1
    txa
    lsr a
    ror a                       ; offset of the player's block
    tax
    lda PLAYER1 + P_COLOUR_FIRST,x
    sta capsule
    lda PLAYER1 + P_COLOUR_SECOND,x
    sta capsule + 1
    ldy PLAYER1 + P_SPEED,x
    lda PLAYER1 + P_SPEED_UPS,x
    clc
    adc speed_base,y
    tay
    lda frames_per_row,y
    sta frames
    sta counter
    jsr survey                  ; and find_limits
    lda #0
    sta best_value
    sta rotation
each:
    jsr try_rotation            ; of one colour, rotations 2 and 3 only tie with 0 and 1
    inc rotation
    lda rotation
    cmp #NUM_ROTATIONS
    bcc each
    ldx player
    rts
.endproc

;; Look down each column once, and note what its candidates will ask.
;; in: bottle, capsule | out: floor, top, top_tile, run, virus, between_first, between_second
;; goes on with find_limits | clobbers: A, X, Y, first_run, limit | cycles: 9,800
.proc survey
    colour = first_run
    ldx #ROWS
    stx floor
    ldx #COLUMNS - 1
column_loop:
    lda #0
    sta between_first,x
    sta between_second,x
    lda #1
    sta run,x
    txa
find:
    tay
    bmi empty
    lda (bottle),y
    cmp #TILE_EMPTY
    bne found
    tya
    adc #COLUMNS - 1            ; carry is set: one more
    bne find                    ; always
empty:
    lda #TILE_EMPTY
found:
    sta top_tile,x
    and #COLOUR_MASK
    sta colour
    tya
    pha
    lsr a
    lsr a
    lsr a
    sta top,x                   ; 16 in an empty column
    cmp floor
    bcs count
    sta floor
count:
    tya
    bmi counted
    lda (bottle),y
    and #COLOUR_MASK
    cmp colour
    bne counted
    inc run,x
    tya
    pha
    lda (bottle),y
    cmp #TILE_LEFT
    bcc count_next
    cmp #TILE_SINGLE
    bcs count_next
    and #TILE_LEFT ^ TILE_RIGHT
    bne :+
    iny                         ; the other half is to the right
    iny
:   dey
    lda (bottle),y
    and #COLOUR_MASK
    sta fall_colour
    lda #LINE - 1
    sta fall_needs
fall:
    tya
    clc
    adc #COLUMNS
    tay
    bmi count_next
    lda (bottle),y
    cmp #TILE_EMPTY
    beq fall
    and #COLOUR_MASK
    cmp fall_colour
    bne count_next
    dec fall_needs
    bne fall
    lda run,x
    ora #LETS_FALL
    sta run,x
count_next:
    pla
    clc
    adc #COLUMNS
    tay
    bne count                   ; always
counted:
    lda run,x
    cmp #LETS_FALL | LINE
    bcs :+                      ; it lets fall, and it is a line
    and #LETS_FALL - 1
    sta run,x
:   pla
    tay
look:
    bmi highest
    lda (bottle),y
    cmp #TILE_VIRUS
    bcs no_tile
    and #COLOUR_MASK
    cmp capsule
    beq :+
    inc between_first,x
:   cmp capsule + 1
    beq next
    inc between_second,x
next:
    tya
    clc
    adc #COLUMNS
    tay
    bne look                    ; always
no_tile:
    cmp #TILE_EMPTY
    beq next
    and #COLOUR_MASK
    tay
highest:
    sty virus,x                 ; of no virus, the negative cell below the column
    dex
    bmi find_limits
    jmp column_loop
.endproc

;; Find how far the capsule may have sunk at each tap: two frames before the first tap, and two to
;; each. In the first of two it sinks a row where no column is as high as the next row; and it
;; falls, a row in so many frames.
;; in: floor, frames, counter | out: limit = row(m) + 1 for m = 1..6
;; clobbers: A, X, Y, counter | cycles: 700
.proc find_limits
    ldx #0
    ldy #1
each:
    cpy floor
    bcs :+
    lda #0
    sta counter
:   jsr pass_frame
    jsr pass_frame
    sty limit - 1,x             ; no tap is after the first two: first_run
    inx
    cpx #NUM_LIMITS + 1
    bcc each
    rts
.endproc

;; Let gravity act for one frame.
;; in: Y = row, counter, frames | out: Y, counter | clobbers: A | cycles: 35
.proc pass_frame
    dec counter
    bpl :+
    lda frames
    sta counter
    iny
:   rts
.endproc

;; Score every candidate of one rotation: the columns that the routine reaches in it.
;; in: rotation, limit, top | out: best_* | clobbers: A, X, Y, the variables of a rotation
;; cycles: 800 and those of the candidates
.proc try_rotation
    lda rotation
    tax
    lsr a
    sta pivot_colour            ; rotations 2 and 3 have the second colour there
    lda #0
    rol a
    sta upright
    ldy turning_taps,x
    sty taps
    beq :+
    lda top + SPAWN_X           ; the last turn needs both spawn columns
    cmp limit - 1,y
    bcc done
    lda top + SPAWN_X + 1
    cmp limit - 1,y
    bcc done
:   lda #0
    jsr find_reach
    inx
    stx end_column
    lda #<-2
    jsr find_reach
each:
    stx column
    jsr try_candidate
    ldx column
    inx
    cpx end_column
    bcc each
done:
    rts
.endproc

;; Find how far the capsule gets to one side, a tap a column.
;; in: A = direction, taps, upright, top, limit | out: X = column | clobbers: A, Y
;; cycles: 370
.proc find_reach
    sta direction
    ldx #SPAWN_X
    ldy taps
:   jsr is_free
    bcc done
    txa
    adc direction               ; carry is set: one more
    tax
    jsr is_free
    iny
    bcs :-
    txa
    sbc direction               ; carry is clear: takes the step back
    tax
done:
    rts
.endproc

;; Is the capsule above the tops in a column at a tap? Both walls count as full columns.
;; in: X = column, Y = tap, upright | out: carry set: yes | clobbers: A | cycles: 30
.proc is_free
    lda top,x
    cmp limit,y
    bcc done
    lda upright
    bne done                    ; carry is set
    lda top + 1,x
    cmp limit,y
done:
    rts
.endproc

;; Score a candidate, and keep it if it is better than the best so far: by value, then by
;; depth.
;; in: X = column, rotation, upright, pivot_colour | out: feature, best_*
;; clobbers: A, X, Y, first_run | cycles: 340 and those of walk_tree
.proc try_candidate
    lda #0
    sta covers_virus
    sta covers_tile
    sta blocked
    sta matched
    sta between
    ldy pivot_colour
    lda upright
    bne stand
    lda top + 1,x
    cmp top,x
    bcs left_rests
    sta depth                  ; for now the row below
    inx
    sec                         ; the right half rests
    jsr scan_other
    sta first_run
    cmp #LINE                ; carry: its line goes, and lets the left half down
    dex
    bpl other                   ; always
left_rests:
    lda top,x
    sta depth
    jsr scan_half
    sta first_run
    cmp #LINE
    bcs :+
    lda depth
    cmp top + 1,x               ; carry: the right half rests too
:   inx
other:
    jsr scan_other
    bne runs                    ; always
stand:
    lda top,x
    cmp #MIN_UPRIGHT
    bcc worse
    sta depth
    jsr scan_half               ; carry is set: the lower half rests
    sta first_run
    lda capsule
    cmp capsule + 1
    bne two_colours
    asl matched
    asl between
    inc first_run
    lda first_run
    bne runs                    ; always
two_colours:
    inc covers_tile
    lda blocked
    pha
    clc                         ; the upper half hangs
    jsr scan_other
    pla
    sta blocked
    lda virus,x
    bmi :+
    inc between                 ; the lower half
:   lda #1
runs:
    ldx first_run
    cmp first_run
    bcs :+
    tax
    lda first_run
:   sta run_max
    stx run_min
    jsr walk_tree
    cmp best_value
    bcc worse
    bne better
    ldx best_depth
    cpx depth
    bcs worse
better:
    sta best_value
    lda depth
    sta best_depth
    ldx player
    lda rotation
    sta CPU_ROTATION,x
    lda column
    sta CPU_COLUMN,x
worse:
    rts
.endproc

;; Go on with the half of the other colour.
;; in: as scan_half | out: as scan_half, Y = that colour | clobbers: - | cycles: 101
.proc scan_other
    tya
    eor #1
    tay
.endproc

;; What lies below one half: adds to the sums of the features.
;; in: X = column, Y = 0, 1: which colour, carry set: the half rests on the column
;; out: A = its run, covers_*, blocked, matched, between | clobbers: - | cycles: 95
.proc scan_half
    lda #1
    bcc look                    ; it hangs over the column
    lda top_tile,x
    and #COLOUR_MASK
    cmp capsule,y
    beq own
    lda top_tile,x
    cmp #TILE_VIRUS
    bcc tile
    cmp #TILE_EMPTY
    beq alone
    inc covers_virus
    .byte SKIP_TWO
tile:
    inc covers_tile
alone:
    lda #1
    .byte SKIP_TWO
own:
    lda run,x
look:
    pha
    lda virus,x
    bmi done
    cmp capsule,y
    beq same
    inc blocked
    bne add                     ; always
same:
    inc matched
add:
    lda between_first,x
    cpy #0
    beq :+
    lda between_second,x
:   clc
    adc between
    sta between
done:
    pla
    rts
.endproc

;; Walk the tree from its root to the leaf of a candidate.
;; in: feature, tree | out: A = score | clobbers: X, Y | cycles: 66 and 44 a split
.proc walk_tree
    ldy #0
split:
    lda cpu_tree,y
    cmp #FIRST_LEAF
    pha
    bcs leaf
    lsr a
    lsr a
    lsr a
    lsr a
    tax
    pla
    and #THRESHOLD_MASK
    cmp feature,x
    iny
    bcs left
    lda cpu_tree,y
    tay
    bne split                   ; always: the root is nobody's child
left:
    iny
    bne split                   ; always: a right child follows
leaf:
    and #SLOPE_MASK
    tax
    pla
    lsr a
    adc depth                   ; rounds up by the carry
slope:
    dex
    bmi done
    sbc depth                   ; carry is clear: one more
    adc #SLOPE_DEPTH            ; carry is set: one more
    bne slope                   ; always
done:
    rts
.endproc

turning_taps:                   ; by rotation
    .byte 0, 1, 2, 1

cpu_code_end:                   ; from cpu_reset to here: everything but the tree
