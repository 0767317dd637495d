;; Actions 2, 5, 6 and 3: garbage both ways, then the next capsule.
.include "pillduel.inc"

.segment "CODE"

;; Action 2: queue what this capsule earned, then take what the opponent has queued.
;; A delivery goes through the placed pipeline and comes back here.
;; in: scratch block, opponent's block | out: scratch block, bottle, opponent's queue
;; clobbers: all | cycles: 420
.proc action_attack
    lda CUR_COMBO
    cmp #MIN_ATTACK
    bcc :+
    clc
    adc CUR_GARBAGE_OUT
    sta CUR_GARBAGE_OUT
:   lda #0
    sta CUR_COMBO
    lda seat
    eor #SEAT_STRIDE
    tax                         ; the opponent
    lda PLAYER1 + P_GARBAGE_OUT,x
    cmp #MIN_ATTACK
    bcs deliver
    lda #ACTION_STEP
    sta CUR_NEXT_ACTION
    rts
deliver:
    cmp #MAX_ATTACK
    bcc :+
    lda #MAX_ATTACK             ; the excess is lost
:   jsr drop_garbage
    lda #0
    sta PLAYER1 + P_GARBAGE_OUT,x
    lda #ACTION_PLACED
    sta CUR_NEXT_ACTION
    lda #SFX_GARBAGE
    jmp play_effect
.endproc

;; Write a volley into the top row, over whatever is there. Two tiles are four columns
;; apart, three or four tiles two columns; the frame counter picks the first column.
;; in: A = tiles 2..4, X = opponent's offset, FRAME_COUNTER | out: bottle
;; clobbers: A, Y, scratch0-scratch2 | cycles: 190
.proc drop_garbage
    tay
    lda volley_gap - MIN_ATTACK,y
    sta scratch0
    lda volley_start - MIN_ATTACK,y
    sty scratch1
    and FRAME_COUNTER
    tay                         ; column
    txa
    pha
each:
    lda PLAYER1 + P_ATTACK_COLOURS,x
    ora #TILE_SINGLE
    sta (FIELD_POINTER_LOW),y
    inx
    tya
    clc
    adc scratch0
    tay
    dec scratch1
    bne each
    pla
    tax
    rts
.endproc

;; Action 5: a frame in which nothing happens.
;; in: - | out: CUR_NEXT_ACTION | clobbers: A | cycles: 11
.proc action_step
    lda #ACTION_SEND_PILL
    sta CUR_NEXT_ACTION
    rts
.endproc

;; Action 6: the next capsule enters the bottle. If there is no room it is stamped all the
;; same, and its player has topped out.
;; in: scratch block | out: scratch block, bottle | clobbers: all | cycles: 400
.proc action_spawn
    jsr next_capsule
    lda #ACTION_PILL_SENT
    sta CUR_NEXT_ACTION
    jsr pose_is_free
    bcc :+
    jsr stamp_capsule
    lda #1
    sta CUR_TOPPED_OUT
:   rts
.endproc

;; Action 3: hand the capsule to the player.
;; in: - | out: CUR_NEXT_ACTION | clobbers: A | cycles: 11
.proc action_sent
    lda #ACTION_FALLING
    sta CUR_NEXT_ACTION
    rts
.endproc

;; Make the next capsule the falling one, draw a new next one, count, and speed up at
;; every tenth.
;; in: scratch block, RESERVE | out: scratch block | clobbers: A, X, Y | cycles: 150
.proc next_capsule
    lda CUR_NEXT_FIRST
    sta CUR_COLOUR_FIRST
    lda CUR_NEXT_SECOND
    sta CUR_COLOUR_SECOND
    lda CUR_NEXT_ROTATION
    sta CUR_ROTATION
    lda CUR_NEXT_SIZE
    sta CUR_SIZE
    ldx CUR_RESERVE_INDEX
    ldy RESERVE,x
    lda first_colour,y
    sta CUR_NEXT_FIRST
    lda second_colour,y
    sta CUR_NEXT_SECOND
    lda #0
    sta CUR_NEXT_ROTATION
    sta CUR_COMBO
    lda #CAPSULE_SIZE
    sta CUR_NEXT_SIZE
    lda #SPAWN_X
    sta CUR_X
    lda #TOP_Y
    sta CUR_Y
    inx
    txa
    and #RESERVE_SIZE - 1
    sta CUR_RESERVE_INDEX
    jmp count_capsule
.endproc

CAPSULE_SIZE = 2

;; Count a capsule in BCD; when the units come round to zero its player speeds up.
;; in: scratch block, NO_SPEED_UPS | out: CUR_CAPSULES_LOW, CUR_CAPSULES_HIGH,
;; CUR_SPEED_UPS | clobbers: A | cycles: 80
.proc count_capsule
    inc CUR_CAPSULES_LOW
    lda CUR_CAPSULES_LOW
    and #$0F
    cmp #10
    bcc done
    lda CUR_CAPSULES_LOW
    adc #6 - 1                  ; carry is set: the units carry into the tens
    cmp #$A0
    bcc :+
    jsr count_hundred
    lda #0
:   sta CUR_CAPSULES_LOW
    lda NO_SPEED_UPS
    bne done
    lda CUR_SPEED_UPS
    cmp #MAX_SPEED_UPS
    bcs done
    inc CUR_SPEED_UPS
done:
    rts
.endproc

;; Count a hundred capsules in BCD.
;; in: CUR_CAPSULES_HIGH | out: CUR_CAPSULES_HIGH | clobbers: A | cycles: 30
.proc count_hundred
    inc CUR_CAPSULES_HIGH
    lda CUR_CAPSULES_HIGH
    and #$0F
    cmp #10
    bcc :+
    lda CUR_CAPSULES_HIGH
    adc #6 - 1                  ; carry is set
    sta CUR_CAPSULES_HIGH
:   rts
.endproc

.segment "RODATA"

; By volley size 2, 3, 4: columns between tiles, and mask of the frame counter.
volley_gap:   .byte 4, 2, 2
volley_start: .byte %11, %11, %1

first_colour:
    .repeat NUM_CAPSULE_IDS, id
        .byte id / NUM_COLOURS
    .endrepeat
second_colour:
    .repeat NUM_CAPSULE_IDS, id
        .byte id .mod NUM_COLOURS
    .endrepeat
