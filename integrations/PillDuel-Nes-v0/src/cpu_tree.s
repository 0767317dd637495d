;; The page of data that decides what the CPU opponent plays: a tree as docs/distillation.md
;; defines it, in place of which another may be written. This one is `champion`, distilled
;; by `league export --leaves 64 --tune match`.
.include "pillduel.inc"

.segment "TREE"

cpu_tree:
    .byte $01, $03, $B4, $03, $01, $6F, $02, $01, $62, $07, $02, $4D, $01, $02, $34, $07
    .byte $01, $23, $00, $04, $22, $04, $10, $21, $00, $03, $20, $04, $0B, $1F, $A9, $A0
    .byte $AC, $B5, $96, $06, $01, $33, $00, $04, $32, $08, $01, $31, $00, $03, $30, $BC
    .byte $C5, $A6, $AB, $B3, $07, $01, $48, $00, $04, $43, $00, $03, $42, $04, $10, $41
    .byte $B8, $A7, $C8, $06, $01, $47, $9D, $AF, $00, $04, $4C, $D6, $C0, $08, $01, $5D
    .byte $00, $04, $5C, $01, $02, $57, $D0, $00, $03, $5B, $DD, $E6, $C8, $00, $03, $61
    .byte $B3, $C5, $06, $02, $6E, $00, $04, $6D, $04, $0B, $6C, $9B, $92, $90, $8D, $08
    .byte $01, $9B, $01, $02, $96, $07, $01, $8D, $04, $0E, $88, $03, $02, $87, $04, $0B
    .byte $82, $8E, $00, $04, $86, $96, $91, $8A, $00, $02, $8C, $9D, $95, $00, $02, $91
    .byte $9B, $04, $0D, $95, $B0, $BE, $04, $0D, $9A, $9C, $AE, $00, $04, $A3, $00, $02
    .byte $A2, $81, $8C, $05, $01, $A7, $8D, $06, $01, $AF, $04, $0D, $AE, $9D, $AE, $07
    .byte $01, $B3, $93, $C3, $00, $05, $F4, $05, $01, $DB, $01, $04, $D2, $07, $01, $C9
    .byte $00, $04, $C4, $CE, $06, $01, $C8, $B2, $CE, $00, $04, $CD, $F0, $04, $0B, $D1
    .byte $D9, $CE, $04, $0B, $D6, $FF, $07, $01, $DA, $D1, $E4, $06, $01, $EF, $07, $01
    .byte $EA, $04, $0B, $E5, $C9, $00, $04, $E9, $BF, $B6, $00, $04, $EE, $EA, $DE, $04
    .byte $09, $F3, $F8, $F0, $07, $01, $FC, $06, $01, $FB, $A4, $C3, $D1, $FF, $FF, $FF
    .assert cpu_tree = TREE_PAGE, error, "the tree is not at the published address"
    .assert * - cpu_tree = TREE_PAGE_SIZE, error, "the tree does not fill its page"
