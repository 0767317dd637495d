"""Candidates: a row of numbers for every pose that the falling capsule can take.

Networks, searches and trees choose among candidates by these features alone, so that one rule
serves all columns and colours. Each is defined here, once; `envs/candidate_reference.py` computes
them plainly and the native code (`envs/backends/native/candidates.cpp`) fast, and tests hold the
two equal. Only the player's own public position goes in.

Words: the pivot is the left or lower half, the other half the right or upper one. A run is a
maximal line of neighbouring cells of one colour. "Placed" is the bottle with the capsule in it,
before anything clears; "settled" is what is left once nothing clears or falls any more, without
garbage. A column's height is counted from the floor to its highest cell. A half that locks above
the bottle is lost, and its features are 0.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np

from envs.backends.native_candidates import write_candidates
from envs.backends.planner import plan_capsule
from envs.game.layout import (
    CELLS,
    FIELD_BASES,
    PLAYER_BASES,
    Address,
    Mode,
    NextAction,
    PlayerOffset,
)
from envs.game.placement import WAIT, pack_capsule

CAPACITY: Final = 192
"""Rows of a padded table. Positions from play have up to 98 candidates, and the fullest bottle that
a search for many of them came up with has 178 (`docs/placement.md`)."""
NO_POSE: Final = WAIT
"""Pose of a row that only pads."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One byte of a candidate."""

    name: str
    high: int
    """Largest value; the smallest is 0, and what is larger is cut off."""
    doc: str


def _list_half_features(half: str) -> tuple[Feature, ...]:
    return (
        Feature(f"{half}_run_down", 4, "cells of its vertical run, placed"),
        Feature(f"{half}_run_down_viruses", 4, "viruses among them"),
        Feature(f"{half}_run_across", 4, "cells of its horizontal run, placed"),
        Feature(f"{half}_run_across_viruses", 4, "viruses among them"),
        Feature(
            f"{half}_under",
            5,
            "the cell below, placed: 0 floor, 1 virus of its colour, 2 other cell of its colour, "
            "3 cell of another colour, 4 virus of another colour, 5 nothing",
        ),
        Feature(f"{half}_gap", 15, "empty cells right below"),
        Feature(f"{half}_viruses_below", 15, "viruses below in its column"),
        Feature(f"{half}_same_below", 15, "those of its colour"),
        Feature(f"{half}_nearest", 2, "the nearest of them: 0 none, 1 its colour, 2 another"),
        Feature(f"{half}_between", 14, "cells of other colours between it and the nearest"),
        Feature(f"{half}_height", 16, "height of its cell, 1 on the floor"),
        Feature(f"{half}_room_across", 8, "cells of its row up to walls and other colours"),
    )


_PAIR_FEATURES: Final = (
    Feature("run_down_most", 4, "the larger `run_down`"),
    Feature("run_down_least", 4, "the smaller `run_down`"),
    Feature("run_across_most", 4, "the larger `run_across`"),
    Feature("run_across_least", 4, "the smaller `run_across`"),
    Feature("matched_halves", 2, "halves in a run of two or more"),
    Feature("wasted_halves", 2, "halves in no such run and not on the floor"),
    Feature("covered_viruses", 2, "halves on a virus of another colour"),
    Feature("covered_cells", 2, "halves on another cell of another colour"),
    Feature("gaps", 15, "empty cells right below both halves"),
    Feature("top_height", 16, "height of the higher half"),
    Feature("blocked_viruses", 2, "halves whose nearest virus has another colour; upright: pivot"),
    Feature("reached_viruses", 2, "halves whose nearest virus has their colour"),
    Feature("between", 28, "`between` of both halves"),
    Feature("upright", 1, "1 for rotations 1 and 3"),
    Feature("one_colour", 1, "1 if both halves have one colour"),
    Feature("from_middle", 7, "half columns between the capsule and the middle of the bottle"),
    Feature("next_same", 4, "pairs of a half and a half of the next capsule of one colour"),
    Feature(
        "left_step",
        31,
        "16 + height of the column to the left - height of the higher half; a wall is 16 high",
    ),
    Feature("right_step", 31, "the same to the right"),
)

_TIME_FEATURES: Final = (
    Feature("lock_frames", 255, "frames from now to the lock, the shortest way"),
    Feature("settle_frames", 255, "frames from the lock to control of the next capsule"),
)

_CLEARING_FEATURES: Final = (
    Feature("viruses_cleared", 84, "viruses cleared"),
    Feature("cells_cleared", 128, "cells cleared, viruses included"),
    Feature("rounds", 255, "rounds of clearing"),
    Feature("lines", 255, "lines cleared; two or more send garbage"),
    Feature("clears_bottle", 1, "1 if no virus is left"),
    Feature("blocks_spawn", 1, "1 if the next capsule tops out, settled"),
)

_SETTLED_FEATURES: Final = (
    Feature("viruses_left", 84, "viruses"),
    Feature("max_height", 16, "largest height"),
    Feature("height_squares", 128, "sum of the squared heights / 16, rounded down"),
    Feature("spawn_height", 128, "sum over columns 3 and 4 of the squared height above 8"),
    Feature("high_stack", 36, "the square of the largest height above 10"),
    Feature("colour_changes", 120, "vertical neighbours of two colours"),
    Feature("buried", 255, "over all viruses: cells of other colours above, at most 6 each"),
    Feature("buried_runs", 255, "over all viruses: vertical runs above its own, at most 4 each"),
    Feature("open_viruses", 84, "viruses with no other colour above"),
    Feature("holes", 120, "empty cells below an occupied one"),
    Feature("loose_cells", 128, "cells that are no viruses"),
    Feature("top_virus_one", 8, "columns with a run of 1 on top, a virus; see below"),
    Feature("top_virus_two", 8, "columns with a run of 2 on top that holds a virus"),
    Feature("top_virus_three", 8, "columns with a run of 3 on top that holds a virus"),
    Feature("top_two", 8, "columns with a run of 2 on top and no virus in it"),
    Feature("top_three", 8, "columns with a run of 3 on top and no virus in it"),
    Feature("row_virus_two", 80, "windows with 2 cells of one colour, a virus among them"),
    Feature("row_virus_three", 80, "windows with 3 cells of one colour, a virus among them"),
    Feature("row_two", 80, "windows with 2 cells of one colour and no virus"),
    Feature("row_three", 80, "windows with 3 cells of one colour and no virus"),
)
# Runs on top count only with room for a line: as many empty cells above as are missing to four. A
# window is four neighbouring cells of a row whose other cells are empty.

# A drop is a pose of the next capsule that it falls into straight from above, upright ones wholly
# inside the bottle; it is judged where it rests, before anything clears, and without asking whether
# it can be steered there.
_NEXT_FEATURES: Final = (
    Feature("next_lines", 4, "most lines that a drop of the next capsule completes, settled"),
    Feature("next_viruses", 16, "most viruses in such lines"),
    Feature("next_clears_bottle", 1, "1 if these are all that are left"),
    Feature("next_virus_run", 4, "longest run with a virus in it that a drop is part of"),
    Feature("next_runs", 8, "most cells in the longer runs of both halves, up to 4 each"),
    Feature("next_wasted", 2, "fewest halves of a drop that are in no run and not on the floor"),
    Feature("next_fits", 30, "drops with no such half, and none on a virus of another colour"),
)

FEATURES: Final = (
    *_list_half_features("pivot"),
    *_list_half_features("other"),
    *_PAIR_FEATURES,
    *_TIME_FEATURES,
    *_CLEARING_FEATURES,
    *_SETTLED_FEATURES,
    *_NEXT_FEATURES,
)
"""All features in the order of their bytes. New ones are only ever added at the end: networks that
know the first ones alone play on."""
EARLIER_COUNTS: Final = (71,)
"""How many features earlier versions had; see `hash_features`."""
FEATURE_INDEX: Final = {feature.name: index for index, feature in enumerate(FEATURES)}
NUM_FEATURES: Final = len(FEATURES)


POSE_BYTES: Final = 2
"""Bytes before the features in a padded table: the pose, high byte first."""
_FALLING: Final = int(NextAction.FALLING)
TABLE_SHAPE: Final = (CAPACITY, POSE_BYTES + NUM_FEATURES)


def encode_candidates(ram: np.ndarray, seat: int) -> np.ndarray:
    """Describe every pose that a seat's falling capsule can take.

    Args:
        ram: RAM image, uint8 (2048,).
        seat: The acting seat.

    Returns:
        uint8 `TABLE_SHAPE`: a row per legal pose, in order of poses, then rows of `NO_POSE`; these
        alone for a seat without a falling capsule.

    Raises:
        BackendError: The native extension was not built.
    """
    data = ram.tobytes()
    field, player = FIELD_BASES[seat], PLAYER_BASES[seat]
    if data[Address.MODE] != Mode.PLAY or data[player + PlayerOffset.NEXT_ACTION] != _FALLING:
        return make_empty_table()
    first, following = player + PlayerOffset.COLOUR_FIRST, player + PlayerOffset.NEXT_FIRST
    rows, poses = write_candidates(
        data[field : field + CELLS],
        (data[first], data[first + 1]),
        (data[following], data[following + 1]),
        plan_capsule(pack_capsule(data, seat)),
        CAPACITY,
    )
    table = make_empty_table()
    table[: len(poses), 0], table[: len(poses), 1] = np.divmod(poses, 256)
    table[: len(poses), POSE_BYTES:] = rows
    return table


def make_empty_table() -> np.ndarray:
    """Return a table without candidates, uint8 `TABLE_SHAPE`."""
    table = np.zeros(TABLE_SHAPE, np.uint8)
    table[:, 0], table[:, 1] = divmod(NO_POSE, 256)
    return table


def read_poses(table: np.ndarray) -> np.ndarray:
    """Return the pose of each row, int64 (..., CAPACITY); `NO_POSE` where a row only pads."""
    poses: np.ndarray = table[..., 0].astype(np.int64) * 256 + table[..., 1]
    return poses


def hash_features(count: int | None = None) -> str:
    """Return the SHA-256 of names, ranges and definitions: part of a snapshot's identity.

    Args:
        count: How many features, from the first; None for all.
    """
    known = FEATURES[:count]
    text = "\n".join(f"{feature.name} {feature.high} {feature.doc}" for feature in known)
    return hashlib.sha256(text.encode()).hexdigest()
