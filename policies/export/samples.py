"""A few situations from a tree's own play, to look at."""

from __future__ import annotations

from typing import Final

import numpy as np

from envs.backends.native_duel import (
    OUTSIDE,
    ROUTINE,
    STILL,
    Duels,
    choose_candidates,
    list_candidates,
    read_positions,
)
from envs.game.layout import CELLS, COLUMNS, Speed
from policies.distill.play import draw_starts, play_on
from policies.distill.routine import Situation
from policies.distill.tree import Node, make_page

_LEVELS: Final = (5, 10, 15)
_CAPSULES: Final = 14
"""The capsule of a round that is shown, or the last one where the round ends before it."""


def draw_samples(tree: Node, rng: np.random.Generator) -> list[Situation]:
    """Return one situation of each of some levels, some capsules into a round."""
    duels = Duels(draw_starts(rng, len(_LEVELS), _LEVELS, (Speed.MED,), solo=True))
    duels.seats["control"] = [OUTSIDE, STILL]
    duels.seats["manner"] = ROUTINE
    page = make_page(tree)
    found = read_positions(duels.images, 0)
    duels.waiting[:, 0] = True
    for _ in range(_CAPSULES):
        rows = np.flatnonzero(duels.waiting[:, 0])
        if not len(rows):
            break
        found[rows] = read_positions(duels.images[rows], 0)
        candidates, _ = list_candidates(found[rows])
        best = candidates[np.arange(len(rows)), choose_candidates(found[rows], page)]
        duels.seats["pose"][rows, 0] = (
            best["rotation"].astype(np.int16) * CELLS
            + best["row"].astype(np.int16) * COLUMNS
            + best["column"]
        )
        play_on(duels)
    duels.close()
    return [_unpack(one) for one in found]


def _unpack(position: np.ndarray) -> Situation:
    first, second, frames_per_row = position[CELLS:].tolist()
    return Situation(position[:CELLS].tobytes(), (first, second), frames_per_row)
