"""A network as a `Policy`: numpy in, numpy out, no gradients, no state."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from envs.game.placement import NUM_PLACEMENTS
from envs.observation import COMPACT_SIZE
from policies.base import CandidateBatch, State, View
from policies.network.base import Network


class NetworkPolicy:
    """Plays what a network finds best, or draws from what it gives."""

    def __init__(self, network: Network, view: View, name: str) -> None:
        """Wrap a network.

        Args:
            network: It is put into evaluation mode and must not be trained elsewhere.
            view: How the policy sees the game; `view.greedy` chooses argmax or sampling.
            name: Text that names the policy.

        Raises:
            ValueError: The view asks for an observation or actions the network does not know.
        """
        expected = (network.observation, network.actions, 1)
        if (view.observation, view.actions, view.stack) != expected:
            raise ValueError(
                f"expected a view of observation {expected[0]!r}, actions {expected[1]!r} and "
                f"stack 1 for this network, got {view.observation!r}, {view.actions!r} and "
                f"{view.stack}"
            )
        self._network = network.eval()
        self._view = view
        self._name = name

    @property
    def name(self) -> str:
        """The text that names this policy."""
        return self._name

    @property
    def view(self) -> View:
        """How this policy sees the game."""
        return self._view

    @property
    def deterministic(self) -> bool:
        """True when `act` never draws from `rng`."""
        return self._view.greedy

    def initial_state(self, batch: int) -> State:
        """Return None: the policy has no memory."""
        return None

    def act(
        self,
        observations: np.ndarray | CandidateBatch,
        masks: np.ndarray | None,
        state: State,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, State]:
        """Choose one action per row; see `Policy.act`.

        Args:
            observations: uint8 (batch, COMPACT_SIZE), or a `CandidateBatch` where the view's
                observation is `candidates`.
            masks: int8 (batch, num_actions), 1 = legal; None where all are legal. Candidates need
                none: they are the legal poses.
            state: Ignored.
            rng: Source of randomness; untouched when `deterministic`.

        Returns:
            Actions, int64 (batch,): buttons or placements; and None.

        Raises:
            ValueError: Another kind or shape of observations, or no masks for a network that
                cannot do without.
        """
        logits = self.judge(observations, masks)
        if masks is not None and logits.shape[1] == masks.shape[1]:
            logits = np.where(masks != 0, logits, -np.inf)
        if not self._view.greedy:
            logits = logits + rng.gumbel(size=logits.shape)
        choices = logits.argmax(1)
        if isinstance(observations, CandidateBatch):
            choices = observations.poses[np.arange(len(choices)), choices]
        return choices.astype(np.int64), None

    def judge(
        self, observations: np.ndarray | CandidateBatch, masks: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the logits of all choices, float64 (batch, choices).

        Args:
            observations: As in `act`.
            masks: As in `act`.

        Raises:
            ValueError: As `act`.
        """
        columns = self._list_columns(observations)
        if "mask" in self._network.columns:
            if masks is None or masks.shape[1:] != (NUM_PLACEMENTS,):
                raise ValueError(f"expected masks of shape (batch, {NUM_PLACEMENTS})")
            columns["mask"] = masks
        with torch.inference_mode():
            inputs = {name: torch.from_numpy(value) for name, value in columns.items()}
            logits, _ = self._network(inputs)
        return np.asarray(logits.double().numpy())

    def _list_columns(self, observations: np.ndarray | CandidateBatch) -> dict[str, Any]:
        if isinstance(observations, CandidateBatch) != ("rows" in self._network.columns):
            raise ValueError(
                f"expected observations of the kind {self._view.observation!r}, "
                f"got {type(observations).__name__}"
            )
        if isinstance(observations, CandidateBatch):
            return observations.to_columns()
        rows = np.ascontiguousarray(observations, np.uint8)
        if rows.ndim != 2 or rows.shape[1] != COMPACT_SIZE:
            raise ValueError(
                f"expected observations of shape (batch, {COMPACT_SIZE}), got {rows.shape}"
            )
        return {"compact": rows}
