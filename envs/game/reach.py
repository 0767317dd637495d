"""Where a falling capsule can lock, and in how few frames: an exhaustive search over the rules.

Breadth first, a frame at a time, with every pad that says something different. A state is all that
the rules of a falling capsule read: pose, gravity counter, auto-repeat counter, held buttons and
the parity of the frame counter. Slow and plain, to judge planners by.

Two things make it fit for whole boards. What a frame does sideways depends on nothing but the
capsule's row and the row above, so the rules (`envs.game.rules_control.run_falling`) are run once
for each pair of rows and remembered. And three differences that cannot matter are left out:

- the auto-repeat counter while neither side is held, because the next press resets it;
- holding A or B on, because that only keeps the button from being pressed;
- a state in which A or B is held, once the same state without them was reached as early.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from typing import Final, NamedTuple

import numpy as np

from envs.game import scratch
from envs.game.capsule import NUM_ROTATIONS, SPAWN_X, SPAWN_Y, is_vertical
from envs.game.layout import (
    CELLS,
    COLUMNS,
    EMPTY,
    FIELD_BASES,
    FRAMES_PER_ROW,
    RAM_SIZE,
    ROWS,
    Button,
    Tile,
)
from envs.game.placement import NUM_POSES
from envs.game.rules_control import DAS_FIRST, capsule_fits, run_falling

_SIDES: Final = (0, int(Button.LEFT), int(Button.RIGHT))
_TURNS: Final = (0, int(Button.A), int(Button.B), int(Button.A | Button.B))
_PRESSES: Final = tuple(product(_SIDES, range(len(_TURNS))))
"""Side and turn of each press: what a pad says apart from DOWN."""
_PRESS_TURNS: Final = np.array([turn for _, turn in _PRESSES])
_HOLDS: Final = ((0, 0), *product(_SIDES[1:], range(DAS_FIRST)))
"""What is left of the frame before: the side that is held, and the auto-repeat counter."""
_PLACES: Final = NUM_ROTATIONS * COLUMNS
"""Poses within one row: rotation * 8 + column."""
_MOVES: Final = len(_HOLDS) * _PLACES
"""States within one row, but for gravity, A and B: hold * 32 + place."""
_SPAWN_PLACE: Final = SPAWN_X


class _States(NamedTuple):
    """States of one frame, one array entry each."""

    y: np.ndarray
    gravity: np.ndarray
    move: np.ndarray
    turn: np.ndarray
    """Index into `_TURNS` of the turns held."""


def find_lockable_poses(
    field: bytes | bytearray, gravity_index: int, frame_counter: int
) -> np.ndarray:
    """Return every pose in which a capsule can lock, with the fewest frames to it.

    The capsule is at its spawn, both its counters are zero and no button is held.

    Args:
        field: 128 tile bytes.
        gravity_index: Index into `FRAMES_PER_ROW`, 0..80.
        frame_counter: `$43` before the first frame, which therefore runs with one more.

    Returns:
        uint16 (512,): frames by pose, the frame of the lock included; 0 for poses that cannot be
        reached. All 0 where the spawn is blocked.
    """
    return _Search(field, FRAMES_PER_ROW[gravity_index]).run(frame_counter)


class _Search:
    """One search; holds the board's tables and what was seen."""

    def __init__(self, field: bytes | bytearray, frames_per_row: int) -> None:
        rows = [_occupancy(field, ROWS - 1 - y) for y in range(ROWS)]
        tables = [_tabulate_row(*pair) for pair in zip(rows, [*rows[1:], 0], strict=True)]
        self._next_moves = np.stack([table.next_moves for table in tables])
        fits = np.stack([table.fits for table in tables])
        self._can_sink = np.vstack([np.zeros((1, _PLACES), bool), fits[:-1]])
        self._spawn_is_free = bool(fits[SPAWN_Y, _SPAWN_PLACE])
        self._frames_per_row = frames_per_row
        size = ROWS * frames_per_row * _MOVES * len(_TURNS)
        self._seen = np.zeros((2, size), bool)
        self._last = np.empty(size, np.int32)
        self._frames = np.zeros(NUM_POSES, np.uint16)

    def run(self, frame_counter: int) -> np.ndarray:
        """Search frame by frame until no state is left."""
        spawn = np.array([self._encode(SPAWN_Y, 0, _SPAWN_PLACE, 0)])
        states = spawn if self._spawn_is_free else spawn[:0]
        frame = 0
        while len(states):
            frame += 1
            states = self._run_frame(self._decode(states), frame, (frame_counter + frame) & 1)
        return self._frames

    def _run_frame(self, states: _States, frame: int, parity: int) -> np.ndarray:
        """Return the codes of all new states after one more frame."""
        falls = states.gravity + 1 >= self._frames_per_row
        stay = _States(*(values[~falls] for values in states))
        reached = [self._press(stay._replace(gravity=stay.gravity + 1), slice(None))]
        fallen = self._sink(_States(*(values[falls] for values in states)), frame)
        reached.append(self._press(fallen, slice(None)))
        if parity:
            # A soft drop: DOWN is the only direction, so no side can be pressed with it.
            dropped = self._sink(states, frame)
            reached.append(self._press(dropped, slice(len(_TURNS))))
        return self._keep_new(np.concatenate(reached), parity)

    def _sink(self, states: _States, frame: int) -> _States:
        """Lower every state by a row; those that cannot sink lock, and are noted."""
        places = states.move % _PLACES
        sinks = self._can_sink[states.y, places]
        y, place = states.y[~sinks], places[~sinks]
        rotation, column = np.divmod(place, COLUMNS)
        locked = np.unique(rotation * CELLS + (ROWS - 1 - y) * COLUMNS + column)
        self._frames[locked[self._frames[locked] == 0]] = frame
        y, gravity, move, turn = (values[sinks] for values in states)
        return _States(y - 1, gravity * 0, move, turn)

    def _press(self, states: _States, presses: slice) -> np.ndarray:
        """Return the codes of the states after each press that is possible in them."""
        moves = self._next_moves[states.y, states.move, presses]
        turns = _PRESS_TURNS[presses]
        codes = self._encode(states.y[:, None], states.gravity[:, None], moves, turns)
        possible = (states.turn[:, None] & turns) == 0
        possible_codes: np.ndarray = codes[possible]
        return possible_codes

    def _keep_new(self, codes: np.ndarray, parity: int) -> np.ndarray:
        seen = self._seen[parity]
        released = codes - codes % len(_TURNS)
        seen_before = seen[released] | seen[codes]
        codes = codes[~seen_before]
        # Each code once: of equal ones, the last to be written stays.
        order = np.arange(len(codes), dtype=np.int32)
        self._last[codes] = order
        codes = codes[self._last[codes] == order]
        seen[codes] = True
        return codes

    def _encode(
        self,
        y: np.ndarray | int,
        gravity: np.ndarray | int,
        move: np.ndarray | int,
        turn: np.ndarray | int,
    ) -> np.ndarray:
        row = np.int32(self._frames_per_row) * y + gravity
        return np.asarray((row * _MOVES + move) * len(_TURNS) + turn, np.int32)

    def _decode(self, codes: np.ndarray) -> _States:
        rest, turn = np.divmod(codes, len(_TURNS))
        rest, move = np.divmod(rest, _MOVES)
        y, gravity = np.divmod(rest, self._frames_per_row)
        return _States(y, gravity, move, turn)


class _RowTable(NamedTuple):
    """What a frame without a drop does in one row."""

    next_moves: np.ndarray
    """int32 (moves, presses); meaningless for poses that do not fit."""
    fits: np.ndarray
    """bool (places,)."""


def _occupancy(field: bytes | bytearray, row: int) -> int:
    """Return which cells of a row are occupied, a bit per column."""
    cells = field[row * COLUMNS : (row + 1) * COLUMNS]
    return sum(1 << column for column, tile in enumerate(cells) if tile != EMPTY)


@lru_cache(maxsize=1024)
def _tabulate_row(row: int, above: int) -> _RowTable:
    """Run the rules for every state and press in a row, given its and the next row's cells."""
    ram = _make_row(row, above)
    next_moves = np.zeros((_MOVES, len(_PRESSES)), np.int32)
    fits = np.zeros(_PLACES, bool)
    for place in range(_PLACES):
        rotation, x = divmod(place, COLUMNS)
        fits[place] = capsule_fits(ram, FIELD_BASES[0], x, 0, is_vertical(rotation))
        if not fits[place]:
            continue
        for hold, press in product(range(len(_HOLDS)), range(len(_PRESSES))):
            reached = _run_press(ram, place, hold, press)
            next_moves[hold * _PLACES + place, press] = reached
    return _RowTable(next_moves, fits)


def _make_row(row: int, above: int) -> bytearray:
    """Return a RAM image with the two rows at the bottom, in which gravity does nothing."""
    ram = bytearray(RAM_SIZE)
    for height, occupied in enumerate((row, above)):
        start = FIELD_BASES[0] + (ROWS - 1 - height) * COLUMNS
        ram[start : start + COLUMNS] = bytes(_list_tiles(occupied))
    return ram


def _list_tiles(occupied: int) -> Sequence[int]:
    return [Tile.VIRUS if occupied >> column & 1 else EMPTY for column in range(COLUMNS)]


def _run_press(ram: bytearray, place: int, hold: int, press: int) -> int:
    """Run one frame of the rules without a drop; return the move state after it."""
    side_before, counter = _HOLDS[hold]
    side, turn = _PRESSES[press]
    pad = side | _TURNS[turn]
    ram[scratch.ROTATION], ram[scratch.X] = divmod(place, COLUMNS)
    ram[scratch.Y] = ram[scratch.GRAVITY_COUNTER] = ram[scratch.FRAME_COUNTER] = 0
    ram[scratch.DAS_COUNTER] = counter
    ram[scratch.HELD], ram[scratch.PRESSED] = pad, pad & ~side_before
    run_falling(ram, FIELD_BASES[0])
    held = _HOLDS.index((side, ram[scratch.DAS_COUNTER] if side else 0))
    return held * _PLACES + ram[scratch.ROTATION] * COLUMNS + ram[scratch.X]
