;; The page of data that decides what the CPU opponent plays: a tree as docs/distillation.md
;; defines it, in place of which another may be written. This one is `champion`, distilled
;; by `league export --leaves 64 --tune match`.
.include "pillduel.inc"

.segment "TREE"

cpu_tree:
    .byte $01, $03, $B8, $03, $01, $8B, $02, $01, $86, $07, $02, $71, $01, $02, $4C, $00
    .byte $02, $13, $90, $06, $01, $33, $07, $01, $2A, $00, $04, $29, $00, $03, $24, $04
    .byte $0E, $23, $A6, $9C, $04, $0B, $28, $C0, $B1, $96, $00, $03, $2E, $B7, $04, $08
    .byte $32, $B6, $C5, $06, $02, $4B, $08, $01, $46, $00, $03, $41, $04, $07, $40, $99
    .byte $A3, $00, $04, $45, $AD, $90, $07, $01, $4A, $A4, $98, $94, $07, $01, $68, $04
    .byte $0D, $5B, $00, $04, $5A, $00, $03, $59, $C4, $FA, $C2, $04, $10, $67, $00, $04
    .byte $66, $00, $03, $65, $BF, $ED, $A7, $A5, $00, $04, $70, $00, $03, $6F, $D1, $FA
    .byte $E5, $01, $02, $7D, $08, $01, $7C, $04, $06, $7B, $B8, $C9, $AD, $00, $04, $85
    .byte $00, $03, $84, $E0, $F4, $DA, $00, $02, $8A, $82, $88, $00, $04, $9F, $00, $02
    .byte $92, $81, $08, $01, $9E, $05, $01, $9D, $07, $01, $9C, $91, $A0, $86, $82, $06
    .byte $01, $AF, $04, $07, $A6, $90, $07, $01, $AA, $94, $08, $01, $AE, $AF, $97, $05
    .byte $01, $B3, $86, $07, $01, $B7, $8C, $B2, $00, $05, $F4, $04, $0D, $DB, $01, $04
    .byte $CA, $04, $09, $C5, $E7, $05, $01, $C9, $E8, $D9, $07, $01, $DA, $05, $01, $D1
    .byte $FB, $08, $01, $D9, $04, $0A, $D8, $DE, $C7, $FC, $FF, $07, $01, $EF, $04, $0E
    .byte $E6, $01, $04, $E5, $C2, $E0, $05, $01, $EA, $EF, $00, $04, $EE, $B8, $A3, $00
    .byte $04, $F3, $D9, $EF, $07, $01, $FC, $04, $0D, $FB, $B2, $A3, $B8, $FF, $FF, $FF
    .assert cpu_tree = TREE_PAGE, error, "the tree is not at the published address"
    .assert * - cpu_tree = TREE_PAGE_SIZE, error, "the tree does not fill its page"
