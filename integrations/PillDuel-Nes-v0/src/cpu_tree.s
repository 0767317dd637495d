;; The page of data that decides what the CPU opponent plays: a tree as docs/distillation.md
;; defines it, in place of which another may be written. This one is `champion`, distilled
;; by `league export --leaves 64 --tune match`.
.include "pillduel.inc"

.segment "TREE"

cpu_tree:
    .byte $12, $87, $30, $4A, $20, $43, $71, $36, $11, $29, $70, $16, $03, $15, $02, $14
    .byte $01, $13, $BD, $B5, $B9, $9D, $60, $22, $03, $21, $80, $20, $02, $1F, $D4, $D5
    .byte $B9, $C4, $44, $25, $C8, $47, $28, $BA, $B9, $03, $2F, $70, $2E, $CF, $E1, $70
    .byte $32, $AA, $04, $35, $D1, $D7, $03, $3F, $11, $3E, $80, $3D, $E2, $D1, $F3, $04
    .byte $42, $DD, $EB, $70, $46, $9D, $03, $49, $B5, $A0, $02, $5C, $60, $58, $50, $54
    .byte $48, $53, $A8, $AC, $11, $57, $9C, $A4, $01, $5B, $90, $9C, $83, $74, $04, $73
    .byte $70, $66, $03, $65, $9C, $A0, $80, $6C, $03, $6B, $CC, $B8, $82, $6F, $A0, $4C
    .byte $72, $9E, $C9, $B1, $70, $77, $AC, $60, $7A, $AC, $03, $7D, $B0, $50, $80, $B8
    .byte $84, $83, $C5, $86, $86, $D2, $B9, $14, $B4, $03, $9B, $60, $9A, $70, $93, $50
    .byte $92, $E1, $D6, $49, $99, $50, $98, $FB, $DF, $FF, $FF, $13, $AA, $70, $A3, $60
    .byte $A2, $B3, $CF, $04, $A9, $71, $A8, $D2, $DA, $EF, $50, $AD, $FF, $60, $B3, $70
    .byte $B2, $BA, $E5, $EF, $70, $BA, $60, $B9, $B6, $D2, $05, $BD, $D9, $DB
    .assert cpu_tree = TREE_PAGE, error, "the tree is not at the published address"
    .assert * - cpu_tree = TREE_PAGE_SIZE, error, "the tree does not fill its page"
