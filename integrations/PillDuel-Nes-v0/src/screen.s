;; Uploading screens, and the sprites on top of them.
.include "pillduel.inc"

.segment "CODE"

;; Upload one page of a screen a frame, with the picture off; PHASE counts the pages.
;; in: A = screen, PHASE | out: carry set: not done yet; carry clear: the screen is shown
;; clobbers: A, X, Y, scratch0 | cycles: 4,800
.proc load_screen
    ldx PHASE
    cpx #SCREEN_PAGES
    bcc upload
    clc
    rts
upload:
    tay
    lda #0
    sta PPU_MASK
    sta screen_source
    lda #1
    sta video_locked
    bit PPU_STATUS
    cpx #0
    bne :+
    jsr load_palette
    jsr begin_sprites
    jsr end_sprites
    ldx #0
:   txa
    clc
    adc screen_page,y
    sta screen_source + 1
    txa
    clc
    adc #>NAMETABLE
    sta PPU_ADDRESS
    lda #0
    sta PPU_ADDRESS
    tay
:   lda (screen_source),y
    sta PPU_DATA
    iny
    bne :-
    inc PHASE
    lda PHASE
    cmp #SCREEN_PAGES
    bcc :+
    dec video_locked
:   sec
    rts
.endproc

;; Write all palettes.
;; in: - | out: - | clobbers: A, X | cycles: 500
.proc load_palette
    lda #>PALETTE_ADDRESS
    sta PPU_ADDRESS
    lda #<PALETTE_ADDRESS
    sta PPU_ADDRESS
    ldx #0
:   lda palettes,x
    sta PPU_DATA
    inx
    cpx #PALETTE_BYTES
    bcc :-
    rts
.endproc

;; Start a frame's sprites.
;; in: - | out: sprite_cursor | clobbers: A | cycles: 13
.proc begin_sprites
    lda #0
    sta sprite_cursor
    rts
.endproc

;; Add one sprite.
;; in: A = tile, X = column in pixels, Y = line in pixels, scratch0 = palette
;; out: sprite page, sprite_cursor | clobbers: A, scratch1, scratch2 | cycles: 55
.proc add_sprite
    stx scratch1
    ldx sprite_cursor
    sta SPRITES + SPRITE_TILE,x
    dey                         ; sprites appear one line late
    tya
    iny
    sta SPRITES,x
    lda scratch0
    sta SPRITES + SPRITE_PALETTE,x
    lda scratch1
    sta SPRITES + SPRITE_X,x
    txa
    clc
    adc #SPRITE_BYTES
    sta sprite_cursor
    ldx scratch1
    rts
.endproc

;; Hide the sprites that this frame does not use.
;; in: sprite_cursor | out: sprite page | clobbers: A, X | cycles: 900
.proc end_sprites
    lda #HIDDEN_LINE
    ldx sprite_cursor
    cpx #SPRITE_LIMIT
    bcs done
:   sta SPRITES,x
    inx
    inx
    inx
    inx
    cpx #SPRITE_LIMIT
    bcc :-
done:
    rts
.endproc

;; The title has no sprites.
;; in: - | out: sprite page | clobbers: A, X | cycles: 900
.proc draw_title_sprites
    jsr begin_sprites
    jmp end_sprites
.endproc

;; Cursor, levels and marks of the options.
;; in: choices | out: sprite page | clobbers: all | cycles: 1,700
.proc draw_options_sprites
    jsr begin_sprites
    lda #PALETTE_TEXT
    sta scratch0
    ldx OPTIONS_CURSOR
    ldy cursor_line,x
    ldx #OPTIONS_CURSOR_X
    lda #GLYPH_CURSOR
    jsr add_sprite
    lda PLAYER1 + P_LEVEL
    ldx #OPTIONS_LEVEL1_X
    ldy #OPTIONS_LEVEL_Y
    jsr add_number
    lda PLAYER2 + P_LEVEL
    ldx #OPTIONS_LEVEL2_X
    ldy #OPTIONS_LEVEL_Y
    jsr add_number
    ldy #OPTIONS_SPEED1_Y
    ldx PLAYER1 + P_SPEED
    jsr add_mark
    ldy #OPTIONS_SPEED2_Y
    ldx PLAYER2 + P_SPEED
    jsr add_mark
    ldy #OPTIONS_MUSIC_Y
    ldx MUSIC
    jsr add_mark
    ldx #OPTIONS_LEVEL1_X - TILE_SIZE
    ldy CPU_SEATS
    jsr add_player
    ldx #OPTIONS_LEVEL2_X - TILE_SIZE
    ldy CPU_SEATS + 1
    jsr add_player
    jmp end_sprites
.endproc

;; Say who plays a bottle: PAD or CPU.
;; in: X = column in pixels, Y = zero: PAD | out: sprite page | clobbers: all | cycles: 260
.proc add_player
    lda #PLAYER_LETTERS
    sta scratch4
    cpy #1
    ldy #0
    bcc :+
    ldy #PLAYER_LETTERS
:   sty scratch3
    lda player_words,y
    ldy #OPTIONS_PLAYERS_Y
    jsr add_sprite
    txa
    clc
    adc #TILE_SIZE
    tax
    ldy scratch3
    iny
    dec scratch4
    bne :-
    rts
.endproc

;; Mark one of three choices in a row.
;; in: X = choice, Y = line | out: sprite page | clobbers: A, X | cycles: 70
.proc add_mark
    lda mark_x,x
    tax
    lda #GLYPH_MARK
    jmp add_sprite
.endproc

;; Add a two-digit number.
;; in: A = number below 100, X, Y = place of the tens | out: sprite page
;; clobbers: A, X, scratch3, scratch4 | cycles: 240
.proc add_number
    stx scratch3
    ldx #0
:   cmp #10
    bcc :+
    sbc #10
    inx
    bne :-                      ; always
:   sta scratch4
    txa
    ldx scratch3
    jsr add_sprite
    txa
    clc
    adc #TILE_SIZE
    tax
    lda scratch4
    jmp add_sprite
.endproc

;; Add a two-digit packed BCD number.
;; in: A = number, X, Y = place of the tens | out: sprite page
;; clobbers: A, X, scratch4 | cycles: 160
.proc add_bcd
    pha
    lsr a
    lsr a
    lsr a
    lsr a
    jsr add_sprite
    txa
    clc
    adc #TILE_SIZE
    tax
    pla
    and #$0F
    jmp add_sprite
.endproc

;; Everything that moves on the game screen: capsules, previews, numbers, crowns.
;; in: player blocks, MODE | out: sprite page | clobbers: all | cycles: 3,100
.proc draw_play_sprites
    jsr begin_sprites
    lda #PALETTE_TEXT
    sta scratch0
    lda #0
    jsr add_status
    lda #1
    jsr add_status
    lda PAUSED
    bne paused
    lda #PALETTE_PIECES
    sta scratch0
    lda #0
    jsr add_capsules
    lda #1
    jsr add_capsules
    jmp end_sprites
paused:
    ldx #PAUSE_X
    ldy #0
:   sty scratch4
    lda pause_word,y
    ldy #PAUSE_Y
    jsr add_sprite
    txa
    clc
    adc #TILE_SIZE
    tax
    ldy scratch4
    iny
    cpy #PAUSE_LETTERS
    bcc :-
    jmp end_sprites
.endproc

;; Level, virus count and crowns of one player.
;; in: A = player | out: sprite page | clobbers: all | cycles: 900
.proc add_status
    player_index = scratch5
    sta player_index
    tay
    lda block_offset,y
    pha
    tax
    lda PLAYER1 + P_LEVEL,x
    ldx level_x,y
    ldy #LEVEL_Y
    jsr add_number
    pla
    pha
    tax
    ldy player_index
    lda PLAYER1 + P_VIRUSES,x
    ldx viruses_x,y
    ldy #VIRUSES_Y
    jsr add_bcd
    pla
    tax
    lda PLAYER1 + P_CROWNS,x
    beq done
    cmp #CROWNS_TO_WIN
    bcc :+
    lda #CROWNS_TO_WIN
:   sta scratch3
    ldy player_index
    ldx crowns_x,y
    ldy #CROWNS_Y
:   lda #GLYPH_CROWN
    jsr add_sprite
    tya
    sec
    sbc #CROWN_STEP
    tay
    dec scratch3
    bne :-
done:
    rts
.endproc

;; The falling and the next capsule of one player, while a round runs.
;; in: A = player, MODE, PHASE | out: sprite page | clobbers: all | cycles: 520
.proc add_capsules
    tay
    lda MODE
    eor #MODE_PLAY
    ora PHASE
    bne done
    ldx block_offset,y
    stx draw_block
    lda bottle_x,y
    sta draw_x
    lda preview_x,y
    pha
    lda PLAYER1 + P_NEXT_ACTION,x
    beq :+
    cmp #ACTION_PILL_SENT
    bne preview
:   jsr add_falling
preview:
    pla
    sta draw_x
    lda #PREVIEW_Y
    sta draw_y
    ldy draw_block
    lda PLAYER1 + P_NEXT_FIRST,y
    ora #TILE_LEFT
    jsr add_drawn
    lda PLAYER1 + P_NEXT_SECOND,y
    ora #TILE_RIGHT
    jmp add_drawn
done:
    rts
.endproc

;; Add a sprite at the drawing place and move the place one tile to the right.
;; in: A = tile, draw_x, draw_y | out: sprite page, draw_x | clobbers: A, X | cycles: 90
.proc add_drawn
    sty scratch3
    ldx draw_x
    ldy draw_y
    jsr add_sprite
    txa
    clc
    adc #TILE_SIZE
    sta draw_x
    ldy scratch3
    rts
.endproc

;; The falling capsule of one player, its pivot half first.
;; in: draw_x = left edge of the bottle, draw_block | out: sprite page
;; clobbers: all | cycles: 320
.proc add_falling
    ldx draw_block
    lda PLAYER1 + P_ROTATION,x
    asl a
    sta draw_entry
    lda PLAYER1 + P_X,x
    asl a
    asl a
    asl a
    adc draw_x                  ; carry is clear
    sta draw_x
    lda #TOP_Y
    sec
    sbc PLAYER1 + P_Y,x
    asl a
    asl a
    asl a
    adc #BOTTLE_Y               ; carry is clear
    sta draw_y
    jsr add_half
    lda draw_entry
    and #%10                    ; rotations 1 and 3 stand upright
    beq other                   ; flat: add_drawn has moved on to the right
    lda draw_x
    sec
    sbc #TILE_SIZE
    sta draw_x
    lda draw_y
    sec
    sbc #TILE_SIZE
    sta draw_y
    cmp #BOTTLE_Y
    bcc hidden                  ; above the bottle
other:
    inc draw_entry
    jmp add_half
hidden:
    rts
.endproc

;; Add one half of the falling capsule.
;; in: draw_entry = entry of the half tables, draw_block, draw_x, draw_y
;; out: sprite page | clobbers: all | cycles: 120
.proc add_half
    ldx draw_entry
    ldy draw_block
    lda half_order,x
    bne :+
    lda PLAYER1 + P_COLOUR_FIRST,y
    jmp shape
:   lda PLAYER1 + P_COLOUR_SECOND,y
shape:
    ora half_shape,x
    jmp add_drawn
.endproc

NAMETABLE       = $2000
PALETTE_ADDRESS = $3F00
PALETTE_BYTES   = 32

SPRITE_TILE     = 1             ; bytes of one sprite: line, tile, palette, column
SPRITE_PALETTE  = 2
SPRITE_X        = 3
SPRITE_BYTES    = 4
SPRITE_LIMIT    = 128           ; bytes of the page in use: 32 sprites
HIDDEN_LINE     = $F8
PALETTE_PIECES  = 0
PALETTE_TEXT    = 1
TILE_SIZE       = 8

BOTTLE_Y        = 80            ; pixels; the bottles are at columns 32 and 160
PREVIEW_Y       = 51
LEVEL_Y         = 43
VIRUSES_Y       = 191
CROWNS_Y        = 128
CROWN_STEP      = 16
PAUSE_X         = 108
PAUSE_Y         = 104

OPTIONS_CURSOR_X  = 24
OPTIONS_LEVEL1_X  = 120
OPTIONS_LEVEL2_X  = 200
OPTIONS_LEVEL_Y   = 72
OPTIONS_SPEED_Y   = 96
OPTIONS_SPEED1_Y  = 112
OPTIONS_SPEED2_Y  = 128
OPTIONS_MUSIC_Y   = 152
OPTIONS_PLAYERS_Y = 176

.segment "RODATA"

block_offset: .byte 0, SEAT_STRIDE
bottle_x:     .byte 32, 160
preview_x:    .byte 56, 184
level_x:      .byte 109, 132
viruses_x:    .byte 110, 131
crowns_x:     .byte 112, 128

cursor_line:  .byte OPTIONS_LEVEL_Y, OPTIONS_SPEED_Y, OPTIONS_MUSIC_Y, OPTIONS_PLAYERS_Y ; by section
mark_x:       .byte 102, 142, 182 ; by choice

pause_word:   .byte GLYPH_A + 15, GLYPH_A, GLYPH_A + 20, GLYPH_A + 18, GLYPH_A + 4
PAUSE_LETTERS = * - pause_word

player_words: .byte GLYPH_A + 15, GLYPH_A, GLYPH_A + 3 ; PAD
              .byte GLYPH_A + 2, GLYPH_A + 15, GLYPH_A + 20 ; CPU
PLAYER_LETTERS = 3

palettes:
    .byte $0F, $28, $16, $21    ; pieces: yellow, red, blue
    .byte $0F, $30, $10, $2C    ; text and frames
    .byte $0F, $30, $28, $16
    .byte $0F, $30, $21, $11
    .byte $0F, $28, $16, $21    ; sprites: pieces
    .byte $0F, $30, $10, $2C    ; sprites: text
    .byte $0F, $30, $28, $16
    .byte $0F, $30, $21, $11

screen_page:  .byte >title_screen, >options_screen, >game_screen

.align $100
title_screen:   .incbin "title.nam"
options_screen: .incbin "options.nam"
game_screen:    .incbin "game.nam"
