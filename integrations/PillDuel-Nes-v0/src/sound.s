;; Simple sound: one effect at a time on the first pulse channel, a quiet tune on the second.
.include "pillduel.inc"

.segment "CODE"

PULSE_OFF   = $30               ; constant volume 0
MUSIC_OFF   = 2
TUNE_STEPS  = 32

;; Switch the channels on, silent.
;; in: - | out: - | clobbers: A | cycles: 30
.proc sound_init
    lda #APU_CHANNELS
    sta APU_STATUS
    lda #PULSE_OFF
    sta APU_PULSE1
    sta APU_PULSE2
    rts
.endproc

;; Ask for a sound effect; it replaces the one being played unless that is more important
;; (a higher number).
;; in: A = effect | out: sound_effect, sound_step | clobbers: A | cycles: 18
.proc play_effect
    cmp sound_effect
    bcc :+
    sta sound_effect
    lda #0
    sta sound_step
:   rts
.endproc

;; One frame of sound.
;; in: - | out: - | clobbers: A, X, Y | cycles: 250
.proc sound_frame
    jsr effect_frame
    jmp music_frame
.endproc

;; One frame of the current effect: a pitch that slides, then silence.
;; in: sound_effect, sound_step | out: sound_effect | clobbers: A, X | cycles: 90
.proc effect_frame
    ldx sound_effect
    beq done
    lda sound_step
    cmp effect_frames,x
    bcs over
    inc sound_step
    lda effect_shape,x
    sta APU_PULSE1
    lda #0
    sta APU_PULSE1 + 1          ; no sweep
    ldy sound_step
    lda effect_period,x
:   clc
    adc effect_slide,x
    dey
    bne :-
    sta APU_PULSE1 + 2
    lda effect_high,x
    sta APU_PULSE1 + 3
done:
    rts
over:
    lda #PULSE_OFF
    sta APU_PULSE1
    lda #0
    sta sound_effect
    rts
.endproc

;; One frame of the tune, in play and when music is on.
;; in: MODE, MUSIC | out: music_step, music_wait | clobbers: A, X, Y | cycles: 90
.proc music_frame
    lda MODE
    cmp #MODE_PLAY
    bne silent
    lda MUSIC
    cmp #MUSIC_OFF
    bcs silent
    lda music_wait
    beq next
    dec music_wait
    rts
next:
    ldy MUSIC
    lda music_pace,y
    sta music_wait
    ldx music_step
    inx
    cpx #TUNE_STEPS
    bcc :+
    ldx #0
:   stx music_step
    lda tune_of,y
    beq :+
    txa
    clc
    adc #TUNE_STEPS
    tax
:   ldy tunes,x
    beq silent                  ; a rest
    lda #MUSIC_SHAPE
    sta APU_PULSE2
    lda #0
    sta APU_PULSE2 + 1
    lda note_low - 1,y
    sta APU_PULSE2 + 2
    lda note_high - 1,y
    sta APU_PULSE2 + 3
    rts
silent:
    lda #PULSE_OFF
    sta APU_PULSE2
    rts
.endproc

MUSIC_SHAPE = $82               ; half duty, decaying

.segment "RODATA"

; By effect: frames, duty and volume, first period (low byte), change a frame, high byte.
;                      -   move turn lock clear garb win  lose select
effect_frames: .byte   0,   3,   4,   5,  18,  14,  40,  40,   6
effect_shape:  .byte   0, $B4, $B4, $76, $B8, $78, $B8, $78, $B6
effect_period: .byte   0, $60, $50, $F0, $C0, $40, $C0, $20, $70
effect_slide:  .byte   0,   0, $F8, $08, $F7, $0A, $FC, $05, $F6
effect_high:   .byte   0,   0,   0,   1,   0,   1,   0,   1,   0

music_pace:    .byte 9, 14      ; frames a step, by music choice
tune_of:       .byte 0, 1

; Notes of the tunes: 0 rest, else an entry of the note table.
tunes:
    .byte 1, 0, 5, 0, 8, 0, 5, 0, 6, 0, 10, 0, 8, 0, 5, 3
    .byte 1, 0, 5, 0, 8, 0, 12, 0, 10, 8, 6, 5, 3, 0, 1, 0
    .byte 8, 0, 0, 6, 5, 0, 0, 0, 6, 0, 0, 5, 3, 0, 0, 0
    .byte 5, 0, 0, 3, 1, 0, 0, 3, 5, 0, 8, 0, 3, 0, 0, 0

; One octave and a half from A: period of each semitone step of the scale of A major.
.define PERIODS 506, 478, 451, 426, 402, 379, 358, 338, 319, 301, 284, 268
note_low:  .lobytes PERIODS
note_high: .hibytes PERIODS
