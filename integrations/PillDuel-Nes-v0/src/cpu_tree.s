;; The page of data that decides what the CPU opponent plays: a tree as docs/distillation.md
;; defines it, in place of which another may be written. This one is `champion`, distilled
;; by `league export --leaves 64 --tune match`.
.include "pillduel.inc"

.segment "TREE"

cpu_tree:
    .byte $01, $03, $C0, $03, $01, $8B, $02, $01, $86, $07, $02, $71, $01, $02, $44, $08
    .byte $01, $3F, $07, $01, $2A, $00, $04, $29, $00, $03, $24, $06, $02, $23, $04, $0D
    .byte $22, $A2, $92, $81, $06, $02, $28, $A6, $89, $88, $06, $01, $36, $00, $03, $31
    .byte $AB, $00, $04, $35, $B5, $AE, $00, $03, $3A, $9F, $04, $06, $3E, $9F, $A6, $04
    .byte $0A, $43, $96, $93, $07, $01, $64, $04, $0C, $53, $00, $04, $52, $00, $03, $51
    .byte $AF, $FD, $9B, $00, $04, $5F, $00, $03, $5E, $04, $10, $5D, $BF, $9F, $E4, $06
    .byte $01, $63, $8B, $AE, $00, $04, $6C, $00, $03, $6B, $CC, $F4, $06, $01, $70, $D4
    .byte $BE, $01, $02, $7D, $08, $01, $7C, $00, $03, $7B, $C4, $C1, $A1, $00, $04, $85
    .byte $00, $03, $84, $E4, $FA, $C2, $01, $02, $8A, $86, $89, $00, $04, $A7, $04, $0E
    .byte $92, $84, $03, $02, $A6, $08, $01, $A5, $07, $01, $A4, $00, $03, $9F, $95, $05
    .byte $01, $A3, $A0, $8B, $B4, $84, $83, $07, $01, $AB, $81, $08, $01, $AF, $AE, $08
    .byte $04, $B7, $06, $01, $B6, $85, $81, $06, $01, $BB, $94, $05, $01, $BF, $84, $BA
    .byte $00, $05, $F0, $07, $01, $E3, $04, $0D, $DE, $08, $01, $DD, $05, $01, $D4, $01
    .byte $04, $D3, $BA, $F4, $00, $04, $DC, $06, $01, $DB, $C7, $DC, $B9, $E9, $04, $0F
    .byte $E2, $C3, $A2, $00, $04, $EB, $05, $01, $EA, $F6, $D3, $01, $04, $EF, $E4, $FF
    .byte $04, $0D, $F8, $08, $01, $F7, $9B, $BE, $07, $01, $FC, $82, $A9, $FF, $FF, $FF
    .assert cpu_tree = TREE_PAGE, error, "the tree is not at the published address"
    .assert * - cpu_tree = TREE_PAGE_SIZE, error, "the tree does not fill its page"
