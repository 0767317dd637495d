"""What a seat sees: the `compact` vector and the `planes` image, both own bottle first.

The encoders are in `envs.compact` and `envs.planes`; this is the one place to import them from.
"""

from envs.compact import (
    CELL_KINDS,
    COMPACT_FIELDS,
    COMPACT_HIGH,
    COMPACT_SIZE,
    COMPACT_SPEC,
    NUM_CELL_CODES,
    CompactField,
    decode_compact,
    encode_compact,
    encode_compact_ram,
)
from envs.planes import COUNTERS, PLANE_KINDS, PLANES, Plane, PlaneKind, count_planes, encode_planes

__all__ = [
    "CELL_KINDS",
    "COMPACT_FIELDS",
    "COMPACT_HIGH",
    "COMPACT_SIZE",
    "COMPACT_SPEC",
    "COUNTERS",
    "NUM_CELL_CODES",
    "PLANES",
    "PLANE_KINDS",
    "CompactField",
    "Plane",
    "PlaneKind",
    "count_planes",
    "decode_compact",
    "encode_compact",
    "encode_compact_ram",
    "encode_planes",
]
