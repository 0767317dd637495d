;; The page of data that decides what the CPU opponent plays: a tree as docs/distillation.md
;; defines it, in place of which another may be written. This one is `champion`, distilled
;; by `league export --leaves 64 --tune match`.
.include "pillduel.inc"

.segment "TREE"

cpu_tree:
    .byte $01, $03, $90, $07, $02, $6F, $03, $01, $3E, $02, $01, $3D, $07, $01, $20, $01
    .byte $02, $17, $00, $04, $16, $90, $81, $06, $01, $1B, $94, $00, $04, $1F, $DE, $9B
    .byte $01, $02, $30, $06, $01, $2F, $00, $04, $2E, $04, $0D, $2D, $9A, $98, $8C, $8F
    .byte $00, $04, $3C, $04, $0B, $37, $E7, $00, $03, $3B, $B5, $D0, $96, $86, $08, $01
    .byte $56, $05, $01, $51, $04, $0D, $48, $81, $07, $01, $4C, $88, $00, $02, $50, $83
    .byte $92, $01, $02, $55, $83, $8C, $00, $04, $5A, $81, $08, $04, $5E, $82, $07, $01
    .byte $62, $81, $06, $01, $66, $82, $08, $05, $6A, $94, $05, $01, $6E, $84, $A0, $03
    .byte $01, $8F, $00, $04, $8E, $01, $02, $85, $08, $01, $84, $04, $06, $7F, $A0, $04
    .byte $07, $83, $B8, $AE, $95, $00, $03, $89, $CB, $04, $06, $8D, $F9, $E6, $A7, $81
    .byte $05, $01, $C4, $01, $04, $BB, $00, $04, $A2, $07, $01, $A1, $04, $0E, $A0, $E7
    .byte $BE, $FC, $07, $01, $AA, $06, $01, $A9, $8C, $D3, $04, $07, $B2, $04, $04, $B1
    .byte $B5, $D0, $07, $02, $BA, $06, $01, $B9, $B3, $C6, $C3, $07, $01, $C3, $06, $01
    .byte $C2, $D6, $FC, $FF, $00, $04, $DC, $06, $01, $D7, $07, $01, $D2, $04, $0C, $D1
    .byte $A7, $97, $04, $0E, $D6, $C3, $D9, $08, $01, $DB, $DF, $EB, $00, $05, $F4, $06
    .byte $01, $EF, $07, $01, $E6, $88, $04, $0D, $EE, $08, $01, $ED, $AD, $DA, $C1, $08
    .byte $01, $F3, $C5, $E6, $07, $01, $FC, $08, $01, $FB, $8A, $AB, $9E, $FF, $FF, $FF
    .assert cpu_tree = TREE_PAGE, error, "the tree is not at the published address"
    .assert * - cpu_tree = TREE_PAGE_SIZE, error, "the tree does not fill its page"
