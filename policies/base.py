"""The policy protocol: a stateless, batched map from observations to actions.

A policy declares its view of the game (`View`), and whoever runs it (env, match, rollout) adapts
the seat to that view. Policies know no backend and no league.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from envs.candidate_batch import CandidateBatch as CandidateBatch

Observation = Literal["compact", "planes", "candidates", "pixels", "ram", "position"]
Actions = Literal["buttons", "placement"]


@dataclass(frozen=True, slots=True)
class View:
    """How a policy sees the game and acts in it."""

    observation: Observation
    """Kind of observation; `position` is a `GameState` from the acting seat's view, `candidates` a
    `CandidateBatch` and for placements only."""
    actions: Actions = "buttons"
    """Action space, as in the env argument of the same name."""
    action_repeat: int = 1
    """Frames that a button action is held; 1..255."""
    stack: int = 1
    """Observations stacked on the last axis, the newest last."""
    greedy: bool = True
    """True: argmax. False: the policy samples from its distribution."""

    def __post_init__(self) -> None:
        """Check ranges.

        Raises:
            ValueError: A field is out of range.
        """
        if not 1 <= self.action_repeat <= 255:
            raise ValueError(f"expected action_repeat in 1..255, got {self.action_repeat!r}")
        if self.stack < 1:
            raise ValueError(f"expected stack >= 1, got {self.stack!r}")
        if self.observation == "candidates" and (self.actions, self.stack) != ("placement", 1):
            raise ValueError(
                "expected actions 'placement' and stack 1 for the observation 'candidates', "
                f"got {self.actions!r} and {self.stack}"
            )

    @property
    def privileged(self) -> bool:
        """True for policies that read RAM which a player cannot see."""
        return self.observation == "ram"


State = Any
"""Recurrent state of a batch; `None` for memoryless policies."""


class Policy(Protocol):
    """Maps a batch of observations to a batch of actions; holds no per-game state itself."""

    @property
    def name(self) -> str:
        """The text that names this policy, as on the command line."""
        ...

    @property
    def view(self) -> View:
        """How this policy sees the game."""
        ...

    @property
    def deterministic(self) -> bool:
        """True when `act` never draws from `rng`."""
        ...

    def initial_state(self, batch: int) -> State:
        """Return the state of `batch` games that are about to start."""
        ...

    def act(
        self,
        observations: Any,
        masks: np.ndarray | None,
        state: State,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, State]:
        """Choose one action per row.

        Args:
            observations: Array of shape (batch, ...) in the kind of `view.observation`; for
                `position` a list of `GameState`, each from the acting seat's view (own seat 0);
                for `candidates` a `CandidateBatch`.
            masks: int8 of shape (batch, num_actions), 1 = legal; None where all are legal.
            state: What `initial_state` or the last call returned.
            rng: Source of all randomness.

        Returns:
            Actions, int64 of shape (batch,), and the next state.
        """
        ...
