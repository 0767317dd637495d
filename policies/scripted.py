"""`noop` and `random`: the two policies that look at nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from envs.actions import BUTTON_ACTIONS
from policies.base import View

RANDOM_ACTION_REPEAT: Final = 4
"""Frames that `random` holds a choice: 67 ms, a quick human tap."""


@dataclass(frozen=True, slots=True)
class NoopPolicy:
    """Never presses a button."""

    @property
    def name(self) -> str:
        """The text that names this policy."""
        return "noop"

    @property
    def view(self) -> View:
        """Button actions; what it is shown does not matter, `position` costs least."""
        return View("position")

    @property
    def deterministic(self) -> bool:
        """It has no choice."""
        return True

    def initial_state(self, batch: int) -> None:
        """Return None: there is nothing to remember."""

    def act(
        self,
        observations: Any,
        masks: np.ndarray | None,
        state: None,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, None]:
        """Return action 0, no button, for each row; the arguments are as in `Policy.act`."""
        return np.zeros(len(observations), np.int64), None


@dataclass(frozen=True, slots=True)
class RandomPolicy:
    """Draws each action uniformly from the 12 button actions."""

    action_repeat: int = RANDOM_ACTION_REPEAT
    """Frames that one choice is held, 1..255."""

    @property
    def name(self) -> str:
        """The text that names this policy."""
        repeat = self.action_repeat
        return "random" if repeat == RANDOM_ACTION_REPEAT else f"random:action_repeat={repeat}"

    @property
    def view(self) -> View:
        """Button actions; what it is shown does not matter, `position` costs least."""
        return View("position", action_repeat=self.action_repeat, greedy=False)

    @property
    def deterministic(self) -> bool:
        """Every action is drawn."""
        return False

    def initial_state(self, batch: int) -> None:
        """Return None: there is nothing to remember."""

    def act(
        self,
        observations: Any,
        masks: np.ndarray | None,
        state: None,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, None]:
        """Draw one action for each row; the arguments are as in `Policy.act`."""
        return rng.integers(len(BUTTON_ACTIONS), size=len(observations)), None
