;; Modes 0 and 1: title and options.
.include "pillduel.inc"

.segment "CODE"

LEVEL_REPEAT = 7                ; frames between steps while LEFT or RIGHT is held
MAX_CURSOR   = 3
MAX_SPEED    = SPEED_HI
MAX_MUSIC    = 2

;; Mode 0: START leads to the options. DOWN asks for two players, as on the original;
;; there is no other choice here.
;; in: PHASE, pads | out: MODE | clobbers: all | cycles: 4,900
.proc title_mode
    lda #SCREEN_TITLE
    jsr load_screen
    bcs done
    jsr menu_input
    jsr draw_title_sprites
    lda menu_pressed
    cmp #BUTTON_DOWN
    bne :+
    lda #2
    sta NUM_PLAYERS
:   cmp #BUTTON_START
    bne done
    lda #MODE_OPTIONS
    jmp enter_mode
done:
    rts
.endproc

;; Go to another mode from its beginning.
;; in: A = mode | out: MODE, PHASE | clobbers: A | cycles: 40
.proc enter_mode
    sta MODE
    lda #0
    sta PHASE
    lda #SFX_SELECT
    jmp play_effect
.endproc

;; Mode 1: levels, speeds, music, and who plays. The RNG steps once a frame, which is what makes
;; rounds differ.
;; in: PHASE, pads | out: MODE, choices | clobbers: all | cycles: 4,900
.proc options_mode
    lda #SCREEN_OPTIONS
    jsr load_screen
    bcs done
    lda #CROWNS_TO_WIN
    sta CROWNS_NEEDED
    jsr rng_step
    jsr menu_input
    jsr move_cursor
    jsr change_choice
    jsr draw_options_sprites
    lda menu_pressed
    cmp #BUTTON_B
    bne :+
    lda #MODE_TITLE
    jmp enter_mode
:   cmp #BUTTON_START
    bne done
    lda #0
    sta PLAYER1 + P_CROWNS
    sta PLAYER2 + P_CROWNS
    lda #MODE_TO_LEVEL
    jmp enter_mode
done:
    rts
.endproc

;; Player 1's UP and DOWN, pressed alone, move between the sections.
;; in: menu_pressed | out: OPTIONS_CURSOR | clobbers: A, X | cycles: 30
.proc move_cursor
    ldx OPTIONS_CURSOR
    lda menu_pressed
    cmp #BUTTON_UP
    bne :+
    dex
    bpl store
:   cmp #BUTTON_DOWN
    bne done
    inx
    cpx #MAX_CURSOR + 1
    bcs done
store:
    stx OPTIONS_CURSOR
done:
    rts
.endproc

;; LEFT and RIGHT change the choice of the section under the cursor.
;; in: OPTIONS_CURSOR, pads | out: levels, speeds, MUSIC or CPU_SEATS | clobbers: all
;; cycles: 220
.proc change_choice
    bit menu_held               ; N = A
    bpl :+
    jsr lend_pad
:   ldx OPTIONS_CURSOR
    bne :+
    ldx #0
    ldy #0
    jsr change_level
    ldx #1
    ldy #SEAT_STRIDE
    jmp change_level
:   dex
    bne music
    ldx #0
    ldy #0
    jsr change_speed
    ldx #1
    ldy #SEAT_STRIDE
    jmp change_speed
music:
    dex
    bne players
    ldx MUSIC
    lda menu_pressed
    cmp #BUTTON_LEFT
    bne :+
    dex
    bpl store
:   cmp #BUTTON_RIGHT
    bne done
    cpx #MAX_MUSIC
    bcs done
    inx
store:
    stx MUSIC
done:
    rts
players:
    ldx #0
    jsr change_seat
    inx                         ; and on into change_seat
.endproc

;; LEFT gives a bottle to the player, RIGHT to the CPU.
;; in: X = player | out: CPU_SEATS | clobbers: A | cycles: 30
.proc change_seat
    lda menu_pressed,x
    cmp #BUTTON_LEFT
    beq store                   ; carry is set
    cmp #BUTTON_RIGHT
    bne done
    clc
store:
    lda #0
    bcs :+
    lda #1
:   sta CPU_SEATS,x
done:
    rts
.endproc

;; LEFT and RIGHT of player 1 stand for player 2's, for those who have but one pad.
;; in: menu_pressed, menu_held | out: menu_pressed, menu_held | clobbers: A | cycles: 40
.proc lend_pad
    lda menu_pressed
    sta menu_pressed + 1
    and #<~(BUTTON_LEFT | BUTTON_RIGHT)
    sta menu_pressed
    lda menu_held
    sta menu_held + 1
    and #<~(BUTTON_LEFT | BUTTON_RIGHT)
    sta menu_held
    rts
.endproc

;; A level steps on each press and, while held, every seventh frame.
;; in: X = player, Y = block offset | out: P_LEVEL | clobbers: A | cycles: 70
.proc change_level
    lda menu_held,x
    and #BUTTON_LEFT | BUTTON_RIGHT
    beq idle
    inc menu_repeat,x
    lda menu_pressed,x
    and #BUTTON_LEFT | BUTTON_RIGHT
    bne act
    lda menu_repeat,x
    cmp #LEVEL_REPEAT
    bcc done
    lda menu_held,x
act:
    pha
    lda #0
    sta menu_repeat,x
    pla
    lsr a                       ; carry = RIGHT
    bcc left
    lda PLAYER1 + P_LEVEL,y
    cmp #MAX_LEVEL
    bcs done
    adc #1
    sta PLAYER1 + P_LEVEL,y
    rts
left:
    lda PLAYER1 + P_LEVEL,y
    beq done
    sbc #1 - 1                  ; carry is clear: subtracts one
    sta PLAYER1 + P_LEVEL,y
    rts
idle:
    sta menu_repeat,x
done:
    rts
.endproc

;; A speed steps on each press of LEFT or RIGHT alone.
;; in: X = player, Y = block offset | out: P_SPEED | clobbers: A | cycles: 40
.proc change_speed
    lda menu_pressed,x
    cmp #BUTTON_LEFT
    beq left
    cmp #BUTTON_RIGHT
    bne done
    lda PLAYER1 + P_SPEED,y
    cmp #MAX_SPEED
    bcs done
    adc #1
    sta PLAYER1 + P_SPEED,y
    rts
left:
    lda PLAYER1 + P_SPEED,y
    beq done
    sbc #1                      ; carry is set by the comparison
    sta PLAYER1 + P_SPEED,y
done:
    rts
.endproc

;; Give the menus both pads. A build with MENU_LATENCY hands them on that many frames
;; late, to test whoever walks the menus.
;; in: pads | out: menu_pressed, menu_held | clobbers: A, X, Y | cycles: 90
.proc menu_input
.ifdef MENU_LATENCY
    DELAY_SLOTS = 32
    delay_line  = $0600         ; 32 frames of the four pad bytes, in four rows
    delay_head  = $0680
    ldx delay_head
    .repeat 4, index
        lda PAD1_PRESSED + index
        sta delay_line + index * DELAY_SLOTS,x
    .endrepeat
    txa
    clc
    adc #1
    and #DELAY_SLOTS - 1
    sta delay_head
    txa
    sec
    sbc #MENU_LATENCY
    and #DELAY_SLOTS - 1
    tax
    .repeat 4, index
        lda delay_line + index * DELAY_SLOTS,x
        sta menu_pressed + index
    .endrepeat
.else
    ldx #3
:   lda PAD1_PRESSED,x
    sta menu_pressed,x
    dex
    bpl :-
.endif
    rts
.endproc
