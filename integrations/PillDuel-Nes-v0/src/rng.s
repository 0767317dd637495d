;; The 16-bit shift register behind capsules and viruses.
.include "pillduel.inc"

.segment "CODE"

RNG_TAP = %00000010             ; bit 9 of the word in the high byte, bit 1 in the low

;; Step the RNG: new bit 15 = bit 1 xor bit 9, everything else shifts right.
;; in: RNG_HIGH, RNG_LOW | out: the next word | clobbers: A | cycles: 37
.proc rng_step
    lda RNG_HIGH
    eor RNG_LOW
    and #RNG_TAP
    cmp #RNG_TAP                ; carry = the new bit
    ror RNG_HIGH
    ror RNG_LOW
    rts
.endproc

;; Fill the capsule reserve, from the last entry to the first.
;; id = (id + low nibble of the high byte) mod 9, starting from id 0.
;; in: RNG | out: RESERVE | clobbers: A, X, Y, scratch0 | cycles: 13,500
.proc fill_reserve
    lda #0
    sta scratch0                ; id
    ldx #RESERVE_SIZE - 1
each:
    jsr rng_step
    lda RNG_HIGH
    and #$0F
    clc
    adc scratch0
:   cmp #NUM_CAPSULE_IDS
    bcc :+
    sbc #NUM_CAPSULE_IDS        ; carry is set
    jmp :-
:   sta scratch0
    sta RESERVE,x
    dex
    bpl each
    rts
.endproc
