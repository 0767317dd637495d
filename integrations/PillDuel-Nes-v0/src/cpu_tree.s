;; The page of data that decides what the CPU opponent plays: a tree as docs/distillation.md
;; defines it, in place of which another may be written. This one is `champion`, distilled
;; by `league export --leaves 64 --tune match`.
.include "pillduel.inc"

.segment "TREE"

cpu_tree:
    .byte $01, $03, $AC, $03, $01, $7F, $02, $01, $72, $07, $02, $51, $01, $02, $34, $07
    .byte $01, $23, $00, $02, $16, $86, $00, $04, $22, $04, $0C, $21, $00, $03, $20, $90
    .byte $99, $8A, $86, $06, $01, $2B, $00, $04, $2A, $9F, $91, $04, $0E, $33, $00, $03
    .byte $32, $91, $96, $8A, $05, $01, $50, $00, $04, $47, $00, $03, $3E, $BF, $04, $10
    .byte $46, $04, $07, $45, $D5, $F0, $9C, $04, $0C, $4F, $07, $01, $4E, $93, $A1, $AF
    .byte $8A, $01, $02, $5D, $04, $0E, $5C, $00, $03, $5B, $A4, $AB, $95, $00, $04, $69
    .byte $00, $03, $64, $B6, $04, $0C, $68, $CD, $E2, $04, $0D, $6D, $A4, $04, $10, $71
    .byte $B8, $E4, $00, $02, $76, $82, $00, $04, $7A, $85, $04, $0D, $7E, $88, $90, $00
    .byte $04, $97, $00, $02, $8E, $06, $01, $8D, $05, $01, $8C, $84, $81, $81, $05, $01
    .byte $96, $06, $01, $95, $8A, $85, $82, $04, $0D, $A7, $07, $01, $9E, $86, $08, $01
    .byte $A2, $92, $08, $03, $A6, $87, $8B, $04, $10, $AB, $8E, $98, $00, $04, $CC, $05
    .byte $01, $B7, $07, $02, $B6, $FF, $E4, $06, $01, $BF, $04, $0F, $BE, $B4, $A0, $04
    .byte $0E, $C7, $08, $01, $C6, $E2, $CD, $04, $10, $CB, $B7, $99, $04, $0C, $E8, $05
    .byte $01, $DF, $07, $01, $D6, $96, $01, $04, $DA, $A8, $06, $01, $DE, $B4, $C3, $04
    .byte $06, $E7, $07, $01, $E6, $8A, $9B, $9E, $05, $01, $F8, $01, $04, $F3, $04, $0F
    .byte $F2, $B2, $C9, $04, $0E, $F7, $CE, $E0, $04, $0E, $FC, $AC, $B7, $FF, $FF, $FF
    .assert cpu_tree = TREE_PAGE, error, "the tree is not at the published address"
    .assert * - cpu_tree = TREE_PAGE_SIZE, error, "the tree does not fill its page"
