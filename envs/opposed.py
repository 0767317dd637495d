"""The actions of one seat while a policy plays the other, each at its own pace."""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.backends.base import Backend
from envs.controls import Control
from envs.game.state import GameState
from envs.seat import Frame, Seat, decide


class OpposedControl:
    """Plays one seat by a control and the other by its policy. See `envs.controls.Control`."""

    def __init__(self, control: Control, opponent: Seat, backend: Backend) -> None:
        """Take both seats.

        Args:
            control: Plays the learner's seat, which alone is active in it.
            opponent: The other seat.
            backend: The running game.
        """
        self._control = control
        self._opponent = opponent
        self._backend = backend

    @property
    def num_actions(self) -> int:
        """Size of the learner's action space."""
        return self._control.num_actions

    @property
    def is_over(self) -> bool:
        """Whether the learner's step is over."""
        return self._control.is_over

    @property
    def due(self) -> tuple[bool, bool]:
        """Which seats the learner's side chooses for in the coming step."""
        return self._control.due

    @property
    def masks(self) -> tuple[np.ndarray, np.ndarray]:
        """Legal actions of each seat, int8 (num_actions,); those of the opponent mean nothing."""
        return self._control.masks

    def start_round(self, ram: np.ndarray) -> None:
        """Take the first frame of a round, uint8 (2048,)."""
        self._control.start_round(ram)
        self._opponent.start_round(ram)
        self._ask_opponent(ram)

    def choose(self, actions: tuple[int, int]) -> None:
        """Take both seats' actions; that of the opponent is ignored."""
        self._control.choose(actions)

    def next_pads(self) -> tuple[int, int]:
        """Return the pad bytes of the coming frame."""
        pads = list(self._control.next_pads())
        pads[self._opponent.index] = self._opponent.pad
        return pads[0], pads[1]

    def see(self, ram: np.ndarray) -> None:
        """Take the RAM after a frame, uint8 (2048,)."""
        self._control.see(ram)
        self._opponent.pass_frame()
        self._ask_opponent(ram)

    def describe(self, seat: int) -> dict[str, Any]:
        """Return what the seat's info says of its actions so far."""
        return self._control.describe(seat)

    def _ask_opponent(self, ram: np.ndarray) -> None:
        frame = Frame(self._backend, ram, GameState.from_ram(ram))
        self._opponent.see(frame)
        if self._opponent.must_decide:
            decide([self._opponent], [frame])
