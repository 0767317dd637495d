"""What the small player is: its movement, its features, its tree. Three implementations follow it.

This file and `docs/distillation.md` are the one definition; numpy (`routine.py`, `features.py`,
`tree.py`), native code (`envs/backends/native/routine.hpp`) and the cartridge's 6502 code agree
with it, and with each other, in every bit.

Rows are counted from the top, 0..15. `top[x]` is the row of the highest occupied cell of column x,
16 where the column is empty. Rotations, halves and colours are those of `envs.game.capsule`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Final

from envs.game.capsule import NUM_ROTATIONS

SPEC_VERSION: Final = 4
"""Grows whenever a definition changes; trees of another version are refused."""

THINK_FRAMES: Final = 2
"""Frames at the start of control in which the routine taps nothing, whatever it decides."""
TAP_FRAMES: Final = 2
"""Frames from one tap to the next: taps come in even frames, what lies between in odd ones."""
HALF_TURN: Final = 2
"""The rotation that takes two turns; no step is made with them."""
TURNS: Final[tuple[int, ...]] = (0, 1, 2, 1)
"""Turning taps by target rotation: none, one B, two A, one A."""
MAX_TAPS: Final = 5
"""Most taps to any pose: one turn and four steps, or two turns and three steps."""
TARGET_FALLBACK: Final = (0, 3)
"""Rotation and column of the spawn pose, which is a candidate of every falling capsule."""

MAX_LEAVES: Final = 64
MAX_DEPTH: Final = 15
"""Most splits on a walk; it bounds the cycles of a decision."""
PAGE_SIZE: Final = 190
"""Bytes of the page in the cartridge that holds a tree, from its first byte on; the rest is $FF."""
SPLIT_SIZE: Final = 2
"""Feature and threshold in one byte, offset of the right child; the left child follows."""
WALKER_SIZE: Final = 50
"""Bytes of a 6502 routine that walks a tree and returns the score."""
MAX_THRESHOLD: Final = 16
"""Least one is 1; less one it takes the low four bits of its byte, the feature the others."""

LINE_LENGTH: Final = 4
"""Shortest run that clears."""
LETS_FALL: Final = 32
"""Added to a run that clears and lets a half beside it fall into a line of its own."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One number that is read off a candidate."""

    name: str
    low: int
    high: int
    """Smallest and largest value on any bottle of legal tiles."""
    meaning: str
    cost_bytes: int
    """6502 bytes that fall away without it, about."""
    cost_cycles: int
    """6502 cycles a candidate, about."""


FEATURES: Final = (
    Feature("run_max", 1, 48, "longer of the two halves' runs, 32 more if a chain", 84, 60),
    Feature("run_min", 1, 48, "shorter of the two halves' runs", 6, 10),
    Feature("covers_virus", 0, 2, "halves that rest on a virus of another colour", 4, 5),
    Feature("covers_tile", 0, 2, "halves that rest on a tile, no virus, of another colour", 5, 5),
    Feature("depth", 1, 16, "rows above the place of the pivot, its own included", 13, 20),
    Feature("upright", 0, 1, "1 for rotations 1 and 3", 3, 6),
    Feature("blocked", 0, 2, "halves whose nearest virus below has another colour", 5, 8),
    Feature("matched", 0, 2, "halves whose nearest virus below has their colour", 5, 8),
    Feature("between", 0, 28, "tiles of another colour between halves and that virus", 18, 40),
)
"""In the order of the tree's feature numbers."""
NUM_FEATURES: Final = len(FEATURES)
FEATURE_NAMES: Final = tuple(feature.name for feature in FEATURES)

DEPTH: Final = FEATURE_NAMES.index("depth")

LEAF_BASE: Final = 16 * NUM_FEATURES
"""Bytes below it are splits; a leaf's is this, four times its value, and `MAX_SLOPE` - slope."""
MAX_VALUE: Final = (255 - LEAF_BASE) // 4
"""Of a leaf; the least is 0. One of value is two of score."""
MIN_SLOPE: Final = -2
MAX_SLOPE: Final = 1
"""Score for each row of depth below `SLOPE_DEPTH`."""
SLOPE_DEPTH: Final = 12
"""Depth at which a leaf's slope makes no difference."""

ROTATION_ORDER: Final = tuple(range(NUM_ROTATIONS))
"""Candidates come by rotation, then column, both ascending; on a full tie the first one wins."""


def hash_spec() -> str:
    """Return the SHA-256 of everything a tree's meaning depends on, as hexadecimal digits."""
    facts = {
        "version": SPEC_VERSION,
        "features": [asdict(feature) for feature in FEATURES],
        "think_frames": THINK_FRAMES,
        "tap_frames": TAP_FRAMES,
        "turns": TURNS,
        "half_turn": HALF_TURN,
        "line_length": LINE_LENGTH,
        "lets_fall": LETS_FALL,
        "slope_depth": SLOPE_DEPTH,
        "tie": ["score descending", "depth descending", "rotation ascending", "column ascending"],
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
