"""The movement routine in plain Python: which poses it reaches, and what it presses.

The reference that native code and the cartridge are tested against; `docs/distillation.md` is its
text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from envs.game.capsule import SPAWN_X, is_vertical
from envs.game.layout import COLUMNS, NO_BUTTONS, Button
from policies.distill.spec import (
    HALF_TURN,
    MAX_TAPS,
    ROTATION_ORDER,
    TAP_FRAMES,
    THINK_FRAMES,
    TURNS,
)
from policies.drops import Drop, find_column_tops

_LOWEST_TOP: Final = 2
"""Row of a column's top from which an upright capsule lies wholly inside the bottle."""


@dataclass(frozen=True, slots=True)
class Situation:
    """All that the small player looks at."""

    bottle: bytes
    """128 tile bytes."""
    colours: tuple[int, int]
    """First and second colour of the falling capsule."""
    frames_per_row: int
    """Frames of free fall for one row, 1 or more."""

    @property
    def packed(self) -> bytes:
        """The same as native code takes it, `POSITION_SIZE` bytes."""
        return self.bottle + bytes((*self.colours, self.frames_per_row))


def list_candidates(situation: Situation) -> list[Drop]:
    """Return every pose that the routine can bring the capsule to, in the order of ties."""
    reach = _Reach.find(situation)
    one_colour = situation.colours[0] == situation.colours[1]
    rotations = ROTATION_ORDER[:2] if one_colour else ROTATION_ORDER
    return [drop for rotation in rotations for drop in reach.list_drops(rotation)]


@dataclass(frozen=True, slots=True)
class Fall:
    """A capsule under way, just before a frame."""

    n: int
    """Number of the frame: 1 is the first in which the capsule can be moved."""
    frame_counter: int
    """What `$43` will be in that frame."""
    row: int
    """Of the pivot."""
    rotation: int
    x: int
    """Column of the pivot."""
    floor: int
    """Row of the highest tile in the bottle, 16 where there is none."""


def choose_pad(fall: Fall, target: tuple[int, int]) -> int:
    """Return the pad byte of the coming frame.

    Args:
        fall: The capsule.
        target: Rotation and column to bring it to.
    """
    has_thought = fall.n > THINK_FRAMES
    if has_thought and (fall.rotation, fall.x) == target:
        return Button.DOWN
    if fall.frame_counter % TAP_FRAMES:
        return Button.DOWN if fall.row + 1 < fall.floor else NO_BUTTONS
    return _choose_taps(fall, target) if has_thought else NO_BUTTONS


def _choose_taps(fall: Fall, target: tuple[int, int]) -> int:
    """Turn and step at once; but LEFT, held while a capsule lies down, would step twice."""
    rotation, column = target
    pad = NO_BUTTONS
    if fall.rotation != rotation:
        pad = Button.B if rotation == 1 else Button.A
        if rotation == HALF_TURN:
            return pad
    if fall.x != column:
        pad |= Button.LEFT if fall.x > column else Button.RIGHT
    return pad


@dataclass(frozen=True, slots=True)
class _Reach:
    """Where taps can bring a capsule before gravity brings it too low."""

    tops: list[int]
    rows: list[int]
    """Row of the capsule at each tap, the first one at 0; it is never lower."""

    @classmethod
    def find(cls, situation: Situation) -> _Reach:
        """Let the capsule sink as fast as it can, which is when control begins in an odd frame."""
        tops = find_column_tops(situation.bottle)
        rows, row, waited = [], 0, 0
        for n in range(1, THINK_FRAMES + TAP_FRAMES * MAX_TAPS + 1):
            waited += 1
            sinks = n % TAP_FRAMES == 1 and row + 1 < min(tops)
            if sinks or waited == situation.frames_per_row:
                row, waited = row + 1, 0
            if n > THINK_FRAMES and n % TAP_FRAMES == 0:
                rows.append(row)
        return cls(tops, rows)

    def list_drops(self, rotation: int) -> Iterator[Drop]:
        """Yield the poses of one rotation by column, ascending."""
        upright = is_vertical(rotation)
        if TURNS[rotation] and not self._is_free(SPAWN_X, False, TURNS[rotation]):
            return
        for x in range(self._walk(-1, rotation), self._walk(1, rotation) + 1):
            top = self.tops[x] if upright else min(self.tops[x], self.tops[x + 1])
            if top >= (_LOWEST_TOP if upright else 1):
                yield Drop(rotation, x, top - 1)

    def _walk(self, direction: int, rotation: int) -> int:
        """Return the last column that taps in one direction lead to."""
        x, upright = SPAWN_X, is_vertical(rotation)
        for tap in range(TURNS[rotation] + 1, MAX_TAPS + 1):
            free = self._is_free(x, upright, tap) and self._is_free(x + direction, upright, tap)
            if not free:
                break
            x += direction
        return x

    def _is_free(self, x: int, upright: bool, tap: int) -> bool:
        """Whether a capsule at `x` lies within the walls and above the tops at a tap."""
        if not 0 <= x <= COLUMNS - (1 if upright else 2):
            return False
        row = self.rows[tap - 1]
        return self.tops[x] > row and (upright or self.tops[x + 1] > row)
