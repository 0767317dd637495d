;; iNES header and vectors: NROM-256, vertical mirroring.
.include "pillduel.inc"

.segment "HEADER"
    .byte "NES", $1A
    .byte 2                     ; 16 KiB program banks
    .byte 1                     ; 8 KiB tile banks
    .byte $01                   ; vertical mirroring, mapper 0
    .res 9, 0

.segment "VECTORS"
    .addr nmi, reset, irq

.segment "CHR"
    .incbin "tiles.chr"
