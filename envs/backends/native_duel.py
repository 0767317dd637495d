"""The cartridge's small player and games played to their end, in native code.

`policies.distill` says what the small player is; the C side is `envs/backends/native/duel.hpp`.
"""

from __future__ import annotations

import ctypes
import functools
from dataclasses import dataclass
from typing import Final

import numpy as np

from envs.backends.base import BackendError
from envs.backends.images import check_bytes
from envs.backends.native_functions import BYTES, load_functions
from envs.backends.native_pool import NativePool
from envs.backends.native_vector import EVENTS, NO_WINNER, ROUND_START
from envs.game.layout import CELLS, NUM_SEATS, RAM_SIZE

MAX_CANDIDATES: Final = 30
"""Most candidates of a capsule under the routine's reach."""
NUM_FEATURES: Final = 9
"""Numbers that describe a candidate; a test holds it equal to `policies.distill.spec`."""
PAGE_SIZE: Final = 190
"""Bytes of a tree."""
POSITION_SIZE: Final = CELLS + 3
"""Bytes of a packed position: the bottle, both colours, frames of free fall a row."""
CANDIDATE: Final = np.dtype(
    [
        ("rotation", np.uint8),
        ("column", np.uint8),
        ("row", np.uint8),
        ("features", np.uint8, (NUM_FEATURES,)),
    ]
)
"""A candidate as the native code writes it; `row` is that of the pivot at rest, 0 on top."""

OUTSIDE, STILL, RANDOM, TREE, SEARCH, GREEDY = range(6)
"""Who plays a seat: the caller, nobody, random buttons, a tree, a search, the rating anchor."""
PLANNED, ROUTINE, PADS = range(3)
"""How a choice from outside is played: a pose on the planner's shortest way, a pose by the
cartridge's routine, or pads as given."""

DUEL_SEAT: Final = np.dtype(
    [
        ("control", np.uint8),
        ("manner", np.uint8),
        ("pose", np.int16),
        ("page", np.int32),
        ("random", np.uint64),
    ]
)
"""A seat as the native code takes it; `random` must not be 0."""


class _SearchConfig(ctypes.Structure):
    _fields_ = (("depth", ctypes.c_int32), ("width", ctypes.c_int32))


class _Players(ctypes.Structure):
    _fields_ = (
        ("pages", BYTES),
        ("weights", BYTES),
        ("greedy", BYTES),
        ("search", _SearchConfig),
        ("max_frames", ctypes.c_int32),
    )


class _Arrays(ctypes.Structure):
    _fields_ = tuple(
        (name, BYTES)
        for name in ("pads", "num_pads", "waiting", "reasons", "winners", "frames", "totals")
    )


_SIGNATURES: Final = {
    "pill_routine_features": (ctypes.c_int32, ()),
    "pill_routine_candidates": (None, (BYTES, BYTES, ctypes.c_int64, BYTES, BYTES)),
    "pill_routine_decide": (None, (BYTES, BYTES, ctypes.c_int64, BYTES, BYTES)),
    "pill_routine_walk": (None, (BYTES, ctypes.c_int64, BYTES, BYTES)),
    "pill_routine_read": (None, (BYTES, ctypes.c_int64, ctypes.c_int32, BYTES)),
    "pill_longest_script": (ctypes.c_int32, ()),
    "pill_vector_game_size": (ctypes.c_int64, ()),
    "pill_duel_seat_size": (ctypes.c_int64, ()),
    "pill_duel_start": (ctypes.c_int64, (BYTES, ctypes.c_int64, BYTES)),
    "pill_play_capsules": (
        ctypes.c_int64,
        (
            BYTES,
            BYTES,
            ctypes.c_int64,
            BYTES,
            ctypes.c_int64,
            ctypes.c_int32,
            BYTES,
            BYTES,
        ),
    ),
    "pill_duel_play": (None, (BYTES, BYTES, ctypes.c_int64, BYTES, BYTES, BYTES)),
}


def read_positions(images: np.ndarray, seat: int) -> np.ndarray:
    """Return what the small player of a seat looks at: uint8 (n, `POSITION_SIZE`).

    Args:
        images: RAM, uint8 (n, 2048), each with a falling capsule of that seat.
        seat: 0 or 1.

    Raises:
        ValueError: Another shape or type.
    """
    images = check_bytes("images", images, (None, RAM_SIZE))
    positions = np.empty((len(images), POSITION_SIZE), np.uint8)
    _load().pill_routine_read(images.ctypes.data, len(images), seat, positions.ctypes.data)
    return positions


def list_candidates(
    positions: np.ndarray, pool: NativePool | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the candidates of packed positions.

    Args:
        positions: uint8 (n, `POSITION_SIZE`).
        pool: Threads that share them.

    Returns:
        `CANDIDATE` (n, `MAX_CANDIDATES`) and how many of each row count, int32 (n,).

    Raises:
        ValueError: Another shape or type.
    """
    positions = check_bytes("positions", positions, (None, POSITION_SIZE))
    candidates = np.zeros((len(positions), MAX_CANDIDATES), CANDIDATE)
    counts = np.empty(len(positions), np.int32)
    _load().pill_routine_candidates(
        _open(pool),
        positions.ctypes.data,
        len(positions),
        candidates.ctypes.data,
        counts.ctypes.data,
    )
    return candidates, counts


def choose_candidates(
    positions: np.ndarray, page: np.ndarray, pool: NativePool | None = None
) -> np.ndarray:
    """Return which candidate a tree takes, int32 (n,), -1 where there is none.

    Args:
        positions: uint8 (n, `POSITION_SIZE`).
        page: The tree, uint8 (190,).
        pool: Threads that share the positions.

    Raises:
        ValueError: Another shape or type.
    """
    positions = check_bytes("positions", positions, (None, POSITION_SIZE))
    page = check_bytes("page", page, (PAGE_SIZE,))
    choices = np.empty(len(positions), np.int32)
    _load().pill_routine_decide(
        _open(pool),
        positions.ctypes.data,
        len(positions),
        page.ctypes.data,
        choices.ctypes.data,
    )
    return choices


def walk_tree(rows: np.ndarray, page: np.ndarray) -> np.ndarray:
    """Return the score of each feature row, uint8 (n,).

    Args:
        rows: uint8 (n, `NUM_FEATURES`).
        page: The tree, uint8 (190,).

    Raises:
        ValueError: Another shape or type.
    """
    rows = check_bytes("rows", rows, (None, NUM_FEATURES))
    page = check_bytes("page", page, (PAGE_SIZE,))
    values = np.empty(len(rows), np.uint8)
    _load().pill_routine_walk(rows.ctypes.data, len(rows), page.ctypes.data, values.ctypes.data)
    return values


SOLO_OUTCOME: Final = np.dtype(
    [("capsules", np.int32), ("viruses", np.int32), ("cleared", np.int32)]
)
"""What became of a solo round: capsules locked, viruses cleared, 1 if that was all of them."""


def play_capsules(
    pages: np.ndarray, starts: np.ndarray, max_capsules: int, pool: NativePool | None = None
) -> np.ndarray:
    """Play solo rounds with trees, capsule by capsule and without the frames between.

    Args:
        pages: The trees, uint8 (trees, 190).
        starts: `ROUND_START` (games,), solo rounds.
        max_capsules: After which a round is stopped.
        pool: Threads that share the rounds.

    Returns:
        `SOLO_OUTCOME` (trees, games).

    Raises:
        ValueError: Another shape or type.
        BackendError: A round did not get to control.
    """
    pages = check_bytes("pages", pages, (None, PAGE_SIZE))
    starts = np.ascontiguousarray(starts, ROUND_START)
    outcomes = np.zeros((len(pages), len(starts)), SOLO_OUTCOME)
    images = np.empty((len(starts), RAM_SIZE), np.uint8)
    stuck = _load().pill_play_capsules(
        _open(pool),
        starts.ctypes.data,
        len(starts),
        pages.ctypes.data,
        len(pages),
        max_capsules,
        images.ctypes.data,
        outcomes.ctypes.data,
    )
    if stuck:
        raise BackendError(f"expected every game to start, got {stuck} that did not")
    return outcomes


@dataclass(frozen=True, slots=True)
class DuelPlayers:
    """The built-in players of some games."""

    pages: np.ndarray
    """Trees, uint8 (n, 256)."""
    weights: np.ndarray
    """Of a search, float32; see `envs.backends.native_search.search_poses`."""
    greedy: np.ndarray
    """Of the anchor, float64, the fields of `policies.scoring.ScoreWeights` in a row."""
    depth: int = 2
    width: int = 16
    max_frames: int = 36_000
    """Frames after which a game ends as `frame_limit`."""


class Duels:
    """Games side by side; rows of every array are by game, then seat."""

    def __init__(self, starts: np.ndarray, *, threads: int | None = 1) -> None:
        """Start a round of each game.

        Args:
            starts: `ROUND_START` (games,).
            threads: See `NativePool`.

        Raises:
            BackendError: The extension was not built, or a game did not get to control.
        """
        self._library = _load()
        starts = np.ascontiguousarray(starts, ROUND_START)
        games = len(starts)
        self._pool = NativePool(threads, max(1, games))
        self._games = np.zeros((games, int(self._library.pill_vector_game_size())), np.uint8)
        stuck = self._library.pill_duel_start(self._games.ctypes.data, games, starts.ctypes.data)
        if stuck:
            raise BackendError(f"expected every game to start, got {stuck} that did not")
        self.seats = np.zeros((games, NUM_SEATS), DUEL_SEAT)
        """`DUEL_SEAT` (games, 2): who plays, and choices from outside; the caller writes it."""
        self.seats["random"] = 1 + np.arange(games * NUM_SEATS).reshape(games, NUM_SEATS)
        self.pads: np.ndarray | None = None
        """uint8 (games, 2, `longest_script`), pads of choices from outside, if made by
        `make_pads`."""
        self.num_pads = np.zeros((games, NUM_SEATS), np.int32)
        """int32 (games, 2): how many of the pads count."""
        self.waiting = np.zeros((games, NUM_SEATS), np.bool_)
        """bool (games, 2): seats that wait for a choice from outside."""
        self.reasons = np.zeros(games, np.uint8)
        """uint8 (games,): 0 while a game goes on, else 1 + place in `END_REASONS`."""
        self.winners = np.full(games, NO_WINNER, np.int8)
        """int8 (games,): winning seat, or -1."""
        self.frames = np.zeros(games, np.int32)
        """int32 (games,): frames from the first one of control."""
        self.totals = np.zeros((games, NUM_SEATS, len(EVENTS)), np.int32)
        """int32 (games, 2, 9): counts by `EVENTS`."""

    def __len__(self) -> int:
        return len(self._games)

    def restart(self, rows: np.ndarray, starts: np.ndarray) -> None:
        """Start some games anew; who plays their seats stays.

        Args:
            rows: int64 (n,), which games.
            starts: `ROUND_START` (n,).

        Raises:
            BackendError: A game did not get to control.
        """
        starts = np.ascontiguousarray(starts, ROUND_START)
        for row, start in zip(rows.tolist(), starts, strict=True):
            game = self._games[row : row + 1]
            if self._library.pill_duel_start(game.ctypes.data, 1, start[None].ctypes.data):
                raise BackendError(f"expected game {row} to start, it did not")
        self.waiting[rows] = self.seats["control"][rows] == OUTSIDE
        self.reasons[rows] = self.frames[rows] = self.totals[rows] = 0
        self.winners[rows] = NO_WINNER

    @property
    def images(self) -> np.ndarray:
        """The RAM of every game, uint8 (games, 2048), read-only and live."""
        view = self._games[:, :RAM_SIZE]
        view.flags.writeable = False
        return view

    def make_pads(self) -> None:
        """Make room for pads as given."""
        longest = int(self._library.pill_longest_script())
        self.pads = np.zeros((len(self), NUM_SEATS, longest), np.uint8)

    def play(self, players: DuelPlayers) -> None:
        """Play every game on until one of its seats waits, or to its end."""
        pages = np.ascontiguousarray(players.pages, np.uint8)
        native = _Players(
            pages.ctypes.data,
            players.weights.ctypes.data,
            players.greedy.ctypes.data,
            _SearchConfig(players.depth, players.width),
            players.max_frames,
        )
        arrays = _Arrays(
            self.pads.ctypes.data if self.pads is not None else None,
            *(
                array.ctypes.data
                for array in (
                    self.num_pads,
                    self.waiting,
                    self.reasons,
                    self.winners,
                    self.frames,
                    self.totals,
                )
            ),
        )
        self._library.pill_duel_play(
            _open(self._pool),
            self._games.ctypes.data,
            len(self),
            self.seats.ctypes.data,
            ctypes.addressof(native),
            ctypes.addressof(arrays),
        )

    def close(self) -> None:
        """End the threads; safe to call twice."""
        self._pool.close()


def _open(pool: NativePool | None) -> int | None:
    return pool.open() if pool is not None else None


@functools.cache
def _load() -> ctypes.CDLL:
    library = load_functions(_SIGNATURES)
    features = int(library.pill_routine_features())
    seat = int(library.pill_duel_seat_size())
    if features != NUM_FEATURES or seat != DUEL_SEAT.itemsize:
        raise BackendError(
            f"expected {NUM_FEATURES} features and seats of {DUEL_SEAT.itemsize} bytes, got "
            f"{features} and {seat} from the compiled simulator; build it again"
        )
    return library
