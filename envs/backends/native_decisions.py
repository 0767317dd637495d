"""Decisions of many native games, with the pads that they become.

`VectorGames.step` takes poses and plays them unseen. `decide` comes before a step: it plans the
scripts of all due seats and shows them, so that a game can be recorded and played again elsewhere,
and it lets a seat play as `greedy` does, by taps, or as the cartridge's CPU opponent moves. The C
side is `envs/backends/native/decisions_interface.cpp`.
"""

from __future__ import annotations

import ctypes
import functools
from typing import Final

import numpy as np

from envs.backends.native_functions import BYTES, load_functions
from envs.backends.native_vector import VectorGames
from envs.game.layout import NUM_SEATS
from envs.game.placement import NUM_PLACEMENTS

STEER: Final = NUM_PLACEMENTS
"""Action of a seat that is to choose and steer as `policies.greedy` does."""
ROUTE: Final = STEER + 1
"""This and a pose: action of a seat that goes there by the cartridge's movement routine
(`policies.distill.routine`), which reaches only some of the poses."""
NOT_DUE: Final = -1
"""Number of pads of a seat that had nothing to decide."""

_SIGNATURES: Final = {
    "pill_longest_script": (ctypes.c_int32, ()),
    "pill_greedy_weights": (ctypes.c_int32, ()),
    "pill_route_action": (ctypes.c_int64, ()),
    "pill_decide": (None, (BYTES, ctypes.c_int64, BYTES, BYTES, BYTES)),
}


class _Arrays(ctypes.Structure):
    _fields_ = (("pads", BYTES), ("frames", BYTES), ("poses", BYTES))


class NativeDecisions:
    """Decides for the due seats of some games; its arrays are overwritten by each call."""

    def __init__(self, games: VectorGames, greedy_weights: np.ndarray) -> None:
        """Allocate the arrays.

        Args:
            games: The games.
            greedy_weights: float64 (n,), the fields of `policies.scoring.ScoreWeights` in order.

        Raises:
            ValueError: Another number or type of weights.
            BackendError: The extension was not built, or is older than these sources.
        """
        self._library = _load()
        size = int(self._library.pill_greedy_weights())
        if greedy_weights.shape != (size,) or greedy_weights.dtype != np.float64:
            raise ValueError(
                f"expected greedy_weights, float64 ({size},), got {greedy_weights.dtype} "
                f"{greedy_weights.shape}"
            )
        self._games = games
        self._weights = np.ascontiguousarray(greedy_weights)
        seats = (len(games), NUM_SEATS)
        self.pads = np.zeros((*seats, int(self._library.pill_longest_script())), np.uint8)
        """uint8 (games, 2, longest script): pads from the coming frame on."""
        self.frames = np.full(seats, NOT_DUE, np.int32)
        """int32 (games, 2): how many of them count; 0 for a capsule that falls without input,
        `NOT_DUE` for a seat that had nothing to decide."""
        self.poses = np.zeros(seats, np.int16)
        """int16 (games, 2): the pose that a due seat sets out for; WAIT where there is none."""
        self._arrays = _Arrays(
            self.pads.ctypes.data, self.frames.ctypes.data, self.poses.ctypes.data
        )

    def decide(self, actions: np.ndarray) -> None:
        """Take the actions of due seats; the step that follows must say WAIT for every seat.

        Args:
            actions: C-contiguous int64 (games, 2): a pose, WAIT, `STEER`, or `ROUTE` + pose; of
                a seat that is not due, anything. An illegal pose is played as no input until the
                capsule locks.

        Raises:
            ValueError: Another shape or type.
        """
        shape = self.frames.shape
        if actions.shape != shape or actions.dtype != np.int64 or not actions.flags.c_contiguous:
            raise ValueError(
                f"expected contiguous int64 actions {shape}, got {actions.dtype} {actions.shape}"
            )
        self._library.pill_decide(
            self._games.images.ctypes.data,
            len(self._games),
            actions.ctypes.data,
            self._weights.ctypes.data,
            ctypes.addressof(self._arrays),
        )


@functools.cache
def _load() -> ctypes.CDLL:
    return load_functions(_SIGNATURES)
