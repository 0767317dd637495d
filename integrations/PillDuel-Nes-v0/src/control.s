;; Action 0: a falling capsule. Gravity first, then left and right, then rotation.
.include "pillduel.inc"

.segment "CODE"

;; One frame of a falling capsule. Left, right and rotation also run in the frame in which
;; it locks: they cannot save it, but they change the auto-repeat counter.
;; in: scratch block, PRESSED, HELD | out: scratch block, bottle | clobbers: all | cycles: 700
.proc action_falling
    jsr fall
    jsr shift
    jmp turn
.endproc

;; Gravity and soft drop: DOWN alone on a frame with an odd counter drops one row.
;; in: scratch block, FRAME_COUNTER | out: CUR_Y, CUR_GRAVITY_COUNTER, or a locked capsule
;; clobbers: all | cycles: 330
.proc fall
    lda FRAME_COUNTER
    lsr a
    bcc gravity
    lda HELD
    and #DPAD_MASK
    cmp #BUTTON_DOWN
    beq drop
gravity:
    inc CUR_GRAVITY_COUNTER
    ldx CUR_SPEED
    lda CUR_SPEED_UPS
    sta CUR_SPEED_UPS_COPY
    clc
    adc speed_base,x
    tax
    lda frames_per_row,x
    cmp CUR_GRAVITY_COUNTER
    bcs done
drop:
    lda #0
    sta CUR_GRAVITY_COUNTER
    dec CUR_Y
    bmi lock
    jsr pose_is_free
    bcc done
lock:
    inc CUR_Y
    jmp lock_capsule
done:
    rts
.endproc

;; Put the capsule into the bottle and start resolving it.
;; in: scratch block | out: scratch block, bottle | clobbers: all | cycles: 180
.proc lock_capsule
    jsr stamp_capsule
    lda #ACTION_PLACED
    sta CUR_NEXT_ACTION
    lda #SFX_LOCK
    jmp play_effect
.endproc

;; Write the halves of the capsule into the bottle; a half above the top row is lost. The
;; redraw starts at the capsule's row, which is what makes the wait for the next capsule
;; depend on the landing height.
;; in: scratch block | out: bottle, CUR_STATUS | clobbers: A, X, Y | cycles: 110
.proc stamp_capsule
    lda #TOP_Y
    sec
    sbc CUR_Y
    sta CUR_STATUS
    jsr capsule_index
    lda CUR_ROTATION
    asl a
    tax                         ; two table entries a rotation
    jsr half_tile
    sta (FIELD_POINTER_LOW),y
    lda CUR_ROTATION
    lsr a
    bcs above
    iny
    bne second                  ; always
above:
    tya
    sec
    sbc #COLUMNS
    bcc done
    tay
second:
    inx
    jsr half_tile
    sta (FIELD_POINTER_LOW),y
done:
    rts
.endproc

;; Tile of one half: shape and colour by rotation.
;; in: X = 2 * rotation + (0 pivot, 1 the other) | out: A = tile | clobbers: - | cycles: 25
.proc half_tile
    lda half_order,x
    bne :+
    lda CUR_COLOUR_FIRST
    ora half_shape,x
    rts
:   lda CUR_COLOUR_SECOND
    ora half_shape,x
    rts
.endproc

;; Cell of the capsule's pivot, its bottom left.
;; in: CUR_X, CUR_Y | out: Y = A = cell | clobbers: - | cycles: 22
.proc capsule_index
    lda #TOP_Y
    sec
    sbc CUR_Y
    asl a
    asl a
    asl a
    ora CUR_X
    tay
    rts
.endproc

;; May the capsule be where it is? Above the top row counts as empty.
;; in: CUR_X (within the walls), CUR_Y, CUR_ROTATION | out: carry clear: free
;; clobbers: A, Y | cycles: 70
.proc pose_is_free
    jsr capsule_index
    lda (FIELD_POINTER_LOW),y
    cmp #TILE_EMPTY
    bne blocked
    lda CUR_ROTATION
    lsr a
    bcs above
    iny
    bne second                  ; always
above:
    tya
    sec
    sbc #COLUMNS
    bcc free                    ; carry is clear: above the top row
    tay
second:
    lda (FIELD_POINTER_LOW),y
    cmp #TILE_EMPTY
    bne blocked
free:
    clc
    rts
blocked:
    sec
    rts
.endproc

;; Left and right with auto-repeat; right is tested first, both may act in one frame.
;; in: scratch block, PRESSED, HELD | out: CUR_X, CUR_DAS_COUNTER | clobbers: A, Y | cycles: 190
.proc shift
    lda PRESSED
    and #BUTTON_LEFT | BUTTON_RIGHT
    bne fresh
    lda HELD
    and #BUTTON_LEFT | BUTTON_RIGHT
    beq done
    inc CUR_DAS_COUNTER
    lda CUR_DAS_COUNTER
    cmp #DAS_CHARGED
    bcc done
    lda #DAS_RELOAD
    bne act                     ; always
fresh:
    lda #0
act:
    sta CUR_DAS_COUNTER
    lda HELD
    lsr a                       ; carry = RIGHT
    bcc :+
    jsr shift_right
:   lda HELD
    and #BUTTON_LEFT
    bne shift_left
done:
    rts
.endproc

;; One cell to the right. A wall leaves the auto-repeat counter alone, a tile charges it,
;; so that the move is tried again in every frame.
;; in: scratch block | out: CUR_X, CUR_DAS_COUNTER | clobbers: A, Y | cycles: 120
.proc shift_right
    lda CUR_ROTATION
    lsr a
    lda #COLUMNS - 2            ; last column of a horizontal capsule
    adc #0                      ; carry: it is vertical
    cmp CUR_X
    beq shift_done
    inc CUR_X
    jsr pose_is_free
    bcc shift_moved
    dec CUR_X
.endproc
shift_blocked:
    lda #DAS_BLOCKED
    sta CUR_DAS_COUNTER
shift_done:
    rts

;; One cell to the left, likewise.
;; in: scratch block | out: CUR_X, CUR_DAS_COUNTER | clobbers: A, Y | cycles: 120
.proc shift_left
    lda CUR_X
    beq shift_done
    dec CUR_X
    jsr pose_is_free
    bcc shift_moved
    inc CUR_X
    jmp shift_blocked
.endproc
shift_moved:
    lda #SFX_MOVE
    jmp play_effect

;; A turns clockwise, B the other way; both in one frame run A first, and if B then fails,
;; the pose from before both is restored.
;; in: scratch block, PRESSED | out: CUR_ROTATION, CUR_X | clobbers: A, X, Y | cycles: 500
.proc turn
    lda CUR_ROTATION
    sta pose_rotation
    lda CUR_X
    sta pose_x
    bit PRESSED                 ; N = A, V = B
    bpl :+
    ldx #<-1
    jsr turn_by
:   bit PRESSED
    bvc :+
    ldx #1
    jsr turn_by
:   rts
.endproc

;; Turn by one step if there is room, with one kick to the left for a horizontal capsule.
;; A capsule that turns flat without the kick while LEFT is held moves one more to the left.
;; in: X = 1 or -1 | out: CUR_ROTATION, CUR_X | clobbers: A, Y | cycles: 240
.proc turn_by
    txa
    clc
    adc CUR_ROTATION
    and #ROTATION_MASK
    sta CUR_ROTATION
    lsr a
    bcs upright
    lda CUR_X
    cmp #COLUMNS - 1
    beq kick
    jsr pose_is_free
    bcc flat
kick:
    dec CUR_X
    bmi refuse
upright:
    jsr pose_is_free
    bcc turned
refuse:
    lda pose_rotation
    sta CUR_ROTATION
    lda pose_x
    sta CUR_X
    rts
flat:
    lda HELD
    and #BUTTON_LEFT
    beq turned
    lda CUR_X
    beq turned
    dec CUR_X
    jsr pose_is_free
    bcc turned
    inc CUR_X
turned:
    lda #SFX_TURN
    jmp play_effect
.endproc

.segment "RODATA"

;; By rotation, pivot then the other half: which colour, and which shape.
half_order:
    .byte 0, 1,  0, 1,  1, 0,  1, 0
half_shape:
    .byte TILE_LEFT, TILE_RIGHT
    .byte TILE_BOTTOM, TILE_TOP
    .byte TILE_LEFT, TILE_RIGHT
    .byte TILE_BOTTOM, TILE_TOP

frames_per_row:
    gravity_table
