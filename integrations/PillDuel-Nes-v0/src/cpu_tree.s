;; The page of data that decides what the CPU opponent plays: a tree as docs/distillation.md
;; defines it, in place of which another may be written. This one is `search:depth=2`, distilled
;; by `league export`.
.include "pillduel.inc"

.segment "TREE"

cpu_tree:
    .byte $00, $04, $70, $01, $03, $63, $00, $02, $16, $04, $04, $0D, $86, $04, $0A, $15
    .byte $08, $01, $14, $89, $85, $83, $05, $01, $56, $01, $02, $45, $08, $01, $3C, $02
    .byte $01, $3B, $04, $0B, $3A, $07, $01, $2D, $00, $03, $2C, $92, $95, $07, $02, $39
    .byte $06, $01, $38, $03, $01, $37, $9C, $90, $97, $B2, $99, $90, $03, $01, $44, $04
    .byte $0C, $43, $8F, $88, $83, $07, $01, $49, $AA, $07, $02, $55, $00, $03, $50, $BD
    .byte $06, $01, $54, $A0, $B4, $BB, $04, $09, $5E, $04, $03, $5D, $92, $89, $04, $0C
    .byte $62, $85, $83, $05, $01, $67, $AF, $04, $0C, $6F, $06, $01, $6E, $A7, $CE, $AF
    .byte $07, $02, $D8, $07, $01, $87, $01, $02, $7E, $04, $10, $7D, $8D, $95, $06, $01
    .byte $82, $9B, $04, $0A, $86, $AE, $C3, $05, $01, $B3, $01, $02, $9E, $08, $01, $99
    .byte $06, $01, $94, $A7, $04, $0E, $98, $8E, $A3, $06, $01, $9D, $88, $8D, $08, $02
    .byte $B2, $04, $07, $A5, $A6, $08, $01, $AD, $04, $10, $AC, $C4, $F8, $06, $01, $B1
    .byte $B0, $B8, $95, $08, $04, $C7, $08, $03, $BE, $04, $0A, $BD, $D4, $B3, $04, $0B
    .byte $C2, $A9, $04, $0D, $C6, $B7, $A7, $08, $06, $D7, $06, $01, $CE, $9C, $08, $05
    .byte $D6, $04, $0E, $D5, $C6, $9F, $A2, $92, $08, $01, $FC, $04, $0C, $EB, $01, $03
    .byte $E2, $E9, $04, $0B, $E6, $BE, $05, $01, $EA, $E3, $BD, $01, $02, $EF, $C6, $05
    .byte $01, $F7, $01, $04, $F6, $C9, $FC, $04, $0E, $FB, $D3, $CA, $A0, $FF, $FF, $FF
    .assert cpu_tree = TREE_PAGE, error, "the tree is not at the published address"
    .assert * - cpu_tree = TREE_PAGE_SIZE, error, "the tree does not fill its page"
