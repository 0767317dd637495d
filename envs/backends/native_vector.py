"""The native loop of many games, a decision at a time: arrays in, arrays out.

`envs.vector` makes an environment of it. The C side is `envs/backends/native/vector_interface.cpp`.
"""

from __future__ import annotations

import ctypes
import functools
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from envs.backends.base import BackendError
from envs.backends.native_candidates import list_native_features
from envs.backends.native_functions import BYTES, load_functions
from envs.backends.native_pool import NativePool
from envs.game.layout import CELLS, NUM_SEATS, RAM_SIZE
from envs.game.placement import NUM_PLACEMENTS
from envs.game.setup import RoundSetup

EVENTS: Final = (
    "viruses",
    "lines",
    "garbage_sent",
    "sunk",
    "capsules",
    "won",
    "lost",
    "clear_won",
    "topped_out",
)
"""What a step counts for each seat: cleared, cleared, queued, rows by which the highest tile sank,
locked; then how the episode ended."""
TOTALS: Final = (*EVENTS, "illegal", "ignored")
"""What is known of each seat when its episode ends."""
NO_WINNER: Final = -1

ROUND_START: Final = np.dtype(
    [
        ("rng_word", np.uint16),
        ("frame_counter", np.uint8),
        ("levels", np.uint8, (NUM_SEATS,)),
        ("speeds", np.uint8, (NUM_SEATS,)),
        ("solo", np.uint8),
        ("viruses", np.uint8, (NUM_SEATS,)),
        ("thin_seed", np.uint32),
        ("has_bottles", np.uint8),
        ("bottles", np.uint8, (NUM_SEATS, CELLS)),
    ],
    align=True,
)
"""A start as the native code takes it: a set-up, and what `envs.starts.EpisodeStart` changes."""

_SIGNATURES: Final = {
    "pill_vector_game_size": (ctypes.c_int64, ()),
    "pill_vector_start_size": (ctypes.c_int64, ()),
    "pill_vector_reset": (ctypes.c_int64, (BYTES, ctypes.c_int64, BYTES, BYTES)),
    "pill_vector_draw": (None, (BYTES, ctypes.c_int64, BYTES, BYTES)),
    "pill_vector_step": (
        None,
        (BYTES, BYTES, ctypes.c_int64, BYTES, ctypes.c_int32, BYTES, BYTES),
    ),
    "pill_vector_show_candidates": (None, (BYTES, BYTES, BYTES, ctypes.c_int64, BYTES)),
}


@dataclass(frozen=True, slots=True)
class ByteProgram:
    """How an observation is read off a RAM image: byte i is `tables[table[i]][ram[source[i]]]`."""

    sources: np.ndarray
    """int32 (2, size): addresses for each acting seat."""
    table: np.ndarray
    """uint8 (size,): number of the table of each byte."""
    tables: np.ndarray
    """uint8 (n, 256)."""
    sums: np.ndarray
    """int32 (m, 2): byte `first` then grows by byte `second`."""

    @property
    def size(self) -> int:
        """Bytes of an observation."""
        return len(self.table)


class _Program(ctypes.Structure):
    _fields_ = (
        ("size", ctypes.c_int32),
        ("num_sums", ctypes.c_int32),
        ("sources", BYTES * NUM_SEATS),
        ("table", BYTES),
        ("tables", BYTES),
        ("sums", BYTES),
    )


_ARRAYS: Final = (
    "due",
    "masks",
    "observations",
    "final_observations",
    "frames",
    "reasons",
    "winners",
    "events",
    "totals",
    "episode_frames",
    "candidates",
    "candidate_poses",
    "candidate_counts",
)
PARTS: Final = ("scripts", "frames", "plans", "observations", "candidates", "restarts")
"""What a step spends its time on: pad scripts, frames of the game, masks, observations with masks
written out, candidate rows, and starting games anew."""


class _Arrays(ctypes.Structure):
    _fields_ = (
        *((name, BYTES) for name in _ARRAYS),
        ("candidate_capacity", ctypes.c_int64),
        ("candidates_at_once", ctypes.c_int64),
        ("profile", BYTES),
        ("compact", _Program),
    )


class VectorGames:
    """A fixed number of games with the arrays that each call overwrites.

    Rows are by game, then seat. What belongs to a seat that is not due, or to a game that did not
    end, keeps an older value.
    """

    def __init__(
        self,
        games: int,
        program: ByteProgram,
        *,
        candidates: int = 0,
        candidates_at_once: bool = True,
        threads: int | None = 1,
    ) -> None:
        """Allocate games that have not started.

        Args:
            games: How many, 1 or more.
            program: The observation of a due seat.
            candidates: Most candidate rows of a due seat; 0 for none.
            candidates_at_once: Write them for every due seat in every step; else
                `show_candidates` writes those that are asked for.
            threads: See `NativePool`.

        Raises:
            ValueError: A number is below 1.
            BackendError: The extension was not built.
        """
        if games < 1:
            raise ValueError(f"expected games to be 1 or more, got {games}")
        self._library = _load()
        self._pool = NativePool(threads, games)
        self._program = program
        self._games = np.zeros((games, int(self._library.pill_vector_game_size())), np.uint8)
        seats = (games, NUM_SEATS)
        self.due = np.zeros(seats, np.bool_)
        """bool (games, 2): who must place a capsule."""
        self.masks = np.zeros((*seats, NUM_PLACEMENTS), np.int8)
        """int8 (games, 2, 513): legal actions, of all seats."""
        self.observations = np.zeros((*seats, program.size), np.uint8)
        """uint8 (games, 2, size), of due seats."""
        self.final_observations = np.zeros((*seats, program.size), np.uint8)
        """uint8 (games, 2, size), of games that ended."""
        self.frames = np.zeros(games, np.int32)
        """int32 (games,): frames of the step."""
        self.reasons = np.zeros(games, np.uint8)
        """uint8 (games,): 0 while an episode goes on, else 1 + its place in `END_REASONS`."""
        self.winners = np.full(games, NO_WINNER, np.int8)
        """int8 (games,): winning seat of an episode that ended, or `NO_WINNER`."""
        self.events = np.zeros((*seats, len(EVENTS)), np.int32)
        """int32 (games, 2, 9): counts of the step, see `EVENTS`."""
        self.totals = np.zeros((*seats, len(TOTALS)), np.int32)
        """int32 (games, 2, 11): counts of episodes that ended, see `TOTALS`."""
        self.episode_frames = np.zeros(games, np.int32)
        """int32 (games,): frames of episodes that ended."""
        self.candidates = np.zeros((*seats, candidates, len(list_native_features())), np.uint8)
        """uint8 (games, 2, candidates, features), of due seats: `envs.candidates`."""
        self.candidate_poses = np.zeros((*seats, candidates), np.int16)
        """int16 (games, 2, candidates): the pose of each row."""
        self.candidate_counts = np.zeros(seats, np.int32)
        """int32 (games, 2): rows that count; -1 where they have not been written."""
        self._candidates_at_once = candidates_at_once
        self._profile: np.ndarray | None = None
        self._arrays = self._point_to_arrays()

    def __len__(self) -> int:
        return len(self._games)

    @property
    def images(self) -> np.ndarray:
        """The RAM of every game, uint8 (games, 2048), read-only and live."""
        view = self._games[:, :RAM_SIZE]
        view.flags.writeable = False
        return view

    def reset(self, starts: np.ndarray) -> None:
        """Start an episode in every game.

        Args:
            starts: `ROUND_START` (games,).

        Raises:
            BackendError: A game did not get to control.
        """
        stuck = self._library.pill_vector_reset(
            self._games.ctypes.data, len(self), starts.ctypes.data, ctypes.addressof(self._arrays)
        )
        if stuck:
            raise BackendError(f"expected every game to start, got {stuck} that did not")

    def step(self, actions: np.ndarray, max_frames: int, starts: np.ndarray) -> None:
        """Run every game to its next decision.

        Args:
            actions: C-contiguous int64 (games, 2), each 0..512.
            max_frames: Frames after which an episode ends as `frame_limit`, 1 or more.
            starts: `ROUND_START` (games,): how games that end start anew.
        """
        self._library.pill_vector_step(
            self._pool.open() if self._profile is None else None,
            self._games.ctypes.data,
            len(self),
            actions.ctypes.data,
            max_frames,
            starts.ctypes.data,
            ctypes.addressof(self._arrays),
        )

    def show_candidates(self, rows: np.ndarray) -> None:
        """Write the candidates of some due seats, unless that is done.

        Args:
            rows: C-contiguous int64 (n,), each once: 2 x game + seat.
        """
        self._library.pill_vector_show_candidates(
            self._pool.open(),
            self._games.ctypes.data,
            rows.ctypes.data,
            len(rows),
            ctypes.addressof(self._arrays),
        )

    def draw_actions(self, rng: np.random.Generator) -> np.ndarray:
        """Return a random legal action for every seat, int64 (games, 2)."""
        uniforms = rng.random(self.due.shape)
        actions = np.empty(self.due.shape, np.int64)
        self._library.pill_vector_draw(
            self._games.ctypes.data, len(self), uniforms.ctypes.data, actions.ctypes.data
        )
        return actions

    def profile(self) -> np.ndarray:
        """Begin to measure where the time goes, on one thread from now on.

        Returns:
            int64 (6,): nanoseconds by `PARTS`, added to by every step.
        """
        self._profile = np.zeros(len(PARTS), np.int64)
        self._arrays.profile = self._profile.ctypes.data
        return self._profile

    def close(self) -> None:
        """End the threads; safe to call twice."""
        self._pool.close()

    def _point_to_arrays(self) -> _Arrays:
        program = self._program
        arrays = [getattr(self, name) for name in _ARRAYS]
        pointers = [array.ctypes.data if array.size else None for array in arrays]
        compact = _Program(
            program.size,
            len(program.sums),
            (BYTES * NUM_SEATS)(*(row.ctypes.data for row in program.sources)),
            program.table.ctypes.data,
            program.tables.ctypes.data,
            program.sums.ctypes.data,
        )
        capacity, at_once = self.candidates.shape[2], self._candidates_at_once
        return _Arrays(*pointers, capacity, at_once, None, compact)


def pack_start(
    setup: RoundSetup,
    viruses: tuple[int, int] = (0, 0),
    thin_seed: int = 0,
    bottles: tuple[bytes, bytes] | None = None,
) -> tuple[Any, ...]:
    """Return a start as numpy takes it for a `ROUND_START`.

    Args:
        setup: Of the round.
        viruses: How many each seat keeps; 0 for all.
        thin_seed: Draws which.
        bottles: 128 tile bytes of each seat instead of what set-up draws.
    """
    return (
        setup.entry_word,
        setup.entry_frame_counter,
        setup.levels,
        setup.speeds,
        setup.solo,
        viruses,
        thin_seed,
        bottles is not None,
        np.frombuffer(b"".join(bottles), np.uint8).reshape(NUM_SEATS, CELLS) if bottles else 0,
    )


@functools.cache
def _load() -> ctypes.CDLL:
    library = load_functions(_SIGNATURES)
    size = int(library.pill_vector_start_size())
    if size != ROUND_START.itemsize:
        raise RuntimeError(f"expected starts of {ROUND_START.itemsize} bytes, got {size} natively")
    return library
