"""Plays placements through the pads, on any backend: one action per capsule instead of per frame.

A seat whose falling capsule has no plan yet is due: it chooses a pose, and a pad script brings the
capsule there. Any other seat waits. `docs/design.md`, actions, has the rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from envs.backends.planner import plan_capsule, plan_script
from envs.game.layout import (
    NO_BUTTONS,
    Address,
    Mode,
    NextAction,
    PlayerOffset,
    player_address,
)
from envs.game.placement import (
    NUM_PLACEMENTS,
    WAIT,
    make_mask,
    pack_capsule,
)

_MODE: Final = int(Address.MODE)
_PLAY: Final = int(Mode.PLAY)
_FALLING: Final = int(NextAction.FALLING)


def _make_wait_mask() -> np.ndarray:
    mask = np.zeros(NUM_PLACEMENTS, np.int8)
    mask[WAIT] = 1
    mask.flags.writeable = False
    return mask


WAIT_MASK: Final = _make_wait_mask()
"""Action mask of a seat that waits, int8 (513,)."""


class SeatPlacement:
    """The placements of one seat during an episode."""

    def __init__(self, seat: int) -> None:
        self.illegal = 0
        """Choices that could not be played; the capsule then fell without input."""
        self.ignored = 0
        """Actions other than WAIT while there was nothing to place."""
        self.mask = WAIT_MASK
        """Legal actions now, int8 (513,), read-only."""
        self.is_due = False
        """Whether this seat must choose a pose."""
        self._seat = seat
        self._next_action = int(player_address(seat, PlayerOffset.NEXT_ACTION))
        self._first = int(player_address(seat, PlayerOffset.COLOUR_FIRST))
        self._has_plan = False
        self._script = b""
        self._frame = 0
        self._capsule = b""
        self._one_colour = False

    def start_round(self, ram: bytes) -> None:
        """Take the first frame of a round; plans of an earlier one are dropped."""
        self._forget_plan()
        self.see(ram)

    def see(self, ram: bytes) -> None:
        """Take the RAM image after a frame."""
        if ram[self._next_action] != _FALLING or ram[_MODE] != _PLAY:
            self._forget_plan()
        elif not self._has_plan and not self.is_due:
            self._become_due(ram)

    def choose(self, action: int) -> None:
        """Take the seat's action for a step, 0..512."""
        if not self.is_due:
            self.ignored += action != WAIT
            return
        if action != WAIT and self.mask[action]:
            self._script = plan_script(self._capsule, action, one_colour=self._one_colour)
        else:
            self.illegal += not self.mask[action]
        self._has_plan, self.is_due, self.mask = True, False, WAIT_MASK

    def next_pad(self) -> int:
        """Return the pad byte of the coming frame."""
        if self._frame >= len(self._script):
            return int(NO_BUTTONS)
        self._frame += 1
        return self._script[self._frame - 1]

    def _become_due(self, ram: bytes) -> None:
        self._capsule = pack_capsule(ram, self._seat)
        self._one_colour = ram[self._first] == ram[self._first + 1]
        self.mask = make_mask(plan_capsule(self._capsule), one_colour=self._one_colour)
        self.mask.flags.writeable = False
        self.is_due = True

    def _forget_plan(self) -> None:
        self._has_plan, self.is_due, self.mask = False, False, WAIT_MASK
        self._script, self._frame = b"", 0


class PlacementControl:
    """The placements of some seats: a step lasts until one is due. See `envs.controls.Control`.

    Any other seat is never due: its bottle is inert, or somebody else plays it.
    """

    num_actions: Final = NUM_PLACEMENTS

    def __init__(self, active: Sequence[int] = (0, 1)) -> None:
        self._seats = (SeatPlacement(0), SeatPlacement(1))
        self._active = [self._seats[seat] for seat in active]

    @property
    def is_over(self) -> bool:
        """Whether a seat must choose."""
        return any(seat.is_due for seat in self._active)

    @property
    def due(self) -> tuple[bool, bool]:
        """Which seats must choose a pose."""
        return self._seats[0].is_due, self._seats[1].is_due

    @property
    def masks(self) -> tuple[np.ndarray, np.ndarray]:
        """Legal actions of each seat, int8 (513,), read-only."""
        return self._seats[0].mask, self._seats[1].mask

    def start_round(self, ram: np.ndarray) -> None:
        """Take the first frame of a round, uint8 (2048,); plans of an earlier one are dropped."""
        data = ram.tobytes()
        for seat in self._active:
            seat.start_round(data)

    def choose(self, actions: tuple[int, int]) -> None:
        """Take both seats' actions, each 0..512."""
        for seat, action in zip(self._seats, actions, strict=True):
            seat.choose(action)

    def next_pads(self) -> tuple[int, int]:
        """Return the pad bytes of the coming frame."""
        return self._seats[0].next_pad(), self._seats[1].next_pad()

    def see(self, ram: np.ndarray) -> None:
        """Take the RAM after a frame, uint8 (2048,)."""
        data = ram.tobytes()
        for seat in self._active:
            seat.see(data)

    def describe(self, seat: int) -> dict[str, Any]:
        """Return how many of the seat's actions were illegal, and ignored, so far."""
        placement = self._seats[seat]
        return {"illegal_actions": placement.illegal, "ignored_actions": placement.ignored}
