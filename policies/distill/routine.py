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
from policies.distill.spec import MAX_TAPS, ROTATION_ORDER, TAP_FRAMES, THINK_FRAMES, TURNS
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
    reach = _Reach(find_column_tops(situation.bottle), situation.frames_per_row)
    one_colour = situation.colours[0] == situation.colours[1]
    rotations = ROTATION_ORDER[:2] if one_colour else ROTATION_ORDER
    return [drop for rotation in rotations for drop in reach.list_drops(rotation)]


def choose_pad(n: int, rotation: int, x: int, target: tuple[int, int]) -> int:
    """Return the pad byte of frame `n` of control.

    Args:
        n: 1 in the first frame in which the capsule can be moved.
        rotation: Of the capsule before that frame.
        x: Its pivot column before that frame.
        target: Rotation and column to bring it to.
    """
    if n <= THINK_FRAMES:
        return NO_BUTTONS
    if (rotation, x) == target:
        return Button.DOWN
    if (n - THINK_FRAMES) % TAP_FRAMES != 1:
        return NO_BUTTONS
    if rotation != target[0]:
        return Button.B if target[0] == 1 else Button.A
    return Button.LEFT if x > target[1] else Button.RIGHT


@dataclass(frozen=True, slots=True)
class _Reach:
    """Where taps can bring a capsule before gravity brings it too low."""

    tops: list[int]
    frames_per_row: int

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
        row = (THINK_FRAMES + 1 + TAP_FRAMES * (tap - 1)) // self.frames_per_row
        return self.tops[x] > row and (upright or self.tops[x + 1] > row)
