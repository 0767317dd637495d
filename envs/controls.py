"""How the actions of a step become pads: what differs between the action spaces."""

from __future__ import annotations

from typing import Any, Final, Protocol

import numpy as np

from envs.actions import BUTTON_ACTIONS


class Control(Protocol):
    """Plays the actions of both seats, a step at a time.

    For each step call `choose`, then for every frame `next_pads` and, once it has run, `see`, until
    `is_over`.
    """

    @property
    def num_actions(self) -> int:
        """Size of the action space."""
        ...

    @property
    def is_over(self) -> bool:
        """Whether the step is over."""
        ...

    @property
    def due(self) -> tuple[bool, bool]:
        """Which seats choose freely in the coming step; the others can only wait."""
        ...

    @property
    def masks(self) -> tuple[np.ndarray, np.ndarray]:
        """Legal actions of each seat, int8 (num_actions,), read-only."""
        ...

    def start_round(self, ram: np.ndarray) -> None:
        """Take the first frame of a round, uint8 (2048,)."""
        ...

    def choose(self, actions: tuple[int, int]) -> None:
        """Take both seats' actions, each within the space."""
        ...

    def next_pads(self) -> tuple[int, int]:
        """Return the pad bytes of the coming frame."""
        ...

    def see(self, ram: np.ndarray) -> None:
        """Take the RAM after a frame, uint8 (2048,)."""
        ...

    def describe(self, seat: int) -> dict[str, Any]:
        """Return what the seat's info says of its actions so far."""
        ...


class ButtonControl:
    """Holds each seat's buttons for a fixed number of frames; every action is always legal."""

    num_actions: Final = len(BUTTON_ACTIONS)
    due: Final = (True, True)

    def __init__(self, action_repeat: int) -> None:
        self._action_repeat = action_repeat
        self._frames_left = 0
        self._pads = (0, 0)
        mask = np.ones(self.num_actions, np.int8)
        mask.flags.writeable = False
        self.masks = (mask, mask)

    @property
    def is_over(self) -> bool:
        """Whether the buttons were held for long enough."""
        return self._frames_left <= 0

    def start_round(self, ram: np.ndarray) -> None:
        """Do nothing: the buttons are held on into the next round of a set."""

    def choose(self, actions: tuple[int, int]) -> None:
        """Press the buttons of both seats."""
        self._pads = (int(BUTTON_ACTIONS[actions[0]]), int(BUTTON_ACTIONS[actions[1]]))
        self._frames_left = self._action_repeat

    def next_pads(self) -> tuple[int, int]:
        """Return the pad bytes of the coming frame."""
        return self._pads

    def see(self, ram: np.ndarray) -> None:
        """Count the frame."""
        self._frames_left -= 1

    def describe(self, seat: int) -> dict[str, Any]:
        """Return nothing: there is nothing to say of buttons."""
        return {}
