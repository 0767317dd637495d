"""RLlib modules around the policies of this project."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import torch
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module import RLModule
from ray.rllib.core.rl_module.apis.value_function_api import ValueFunctionAPI
from ray.rllib.core.rl_module.torch import TorchRLModule
from torch import Tensor

from envs.observation import decode_compact
from league.training.roster import Weights
from policies.base import Policy
from policies.network import NetworkConfig, build_network

_NETWORK: Final = "network."
"""What RLlib's module state puts before the name of each of the network's weights."""


def to_module_state(weights: Weights) -> dict[str, np.ndarray]:
    """Return the state of a network module from a network's weights, as copies."""
    # Arrays that come out of Ray's object store are read-only, which torch does not like.
    return {_NETWORK + name: np.array(value) for name, value in weights.items()}


def to_weights(state: dict[str, Any]) -> Weights:
    """Return a network's weights from the state of its module, as copies."""
    return {name.removeprefix(_NETWORK): np.array(value) for name, value in state.items()}


class OpponentModule(TorchRLModule):
    """A frozen network in an opponent slot.

    It offers no value function on purpose: RLlib then leaves its rows out of the advantage
    estimation of the learner.
    """

    def setup(self) -> None:
        """Build the network that `model_config["network"]` describes."""
        self.network = build_network(NetworkConfig(**self.model_config["network"]))

    def forward_exploration(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """Return the logits of each row.

        The base class walks all submodules twice per step, to switch to evaluation mode and back.
        This network plays alike in both modes, and the walk costs as much as its forward pass.
        """
        with torch.no_grad():
            return self._forward(batch)

    def _forward(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        logits, _ = self.network(batch[Columns.OBS])
        return {Columns.ACTION_DIST_INPUTS: logits}


class MainModule(OpponentModule, ValueFunctionAPI):
    """The network that learns."""

    def _forward_train(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        logits, values = self.network(batch[Columns.OBS])
        # The value rides along, so that the loss needs no second pass.
        return {Columns.ACTION_DIST_INPUTS: logits, Columns.EMBEDDINGS: values}

    def compute_values(self, batch: dict[str, Any], embeddings: Tensor | None = None) -> Tensor:
        """Return the value of each row, float32 (batch,)."""
        if embeddings is not None:
            return embeddings
        values: Tensor = self.network(batch[Columns.OBS])[1]
        return values


class ScriptedModule(RLModule):
    """A scripted `Policy` that reads compact observations; it is never trained."""

    framework = "torch"

    def setup(self) -> None:
        """Take the policy from `model_config["policy"]`."""
        self._policy: Policy = self.model_config["policy"]
        self._rng = np.random.default_rng(0)

    def seed(self, sequence: np.random.SeedSequence) -> None:
        """Start a new stream for everything that the policy draws."""
        self._rng = np.random.default_rng(sequence)

    def _forward(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        rows = np.asarray(batch[Columns.OBS])
        observations: Any = rows
        if self._policy.view.observation == "position":
            observations = [decode_compact(row) for row in rows]
        state = self._policy.initial_state(len(rows))
        actions, _ = self._policy.act(observations, None, state, self._rng)
        return {Columns.ACTIONS: actions}

    def _forward_train(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        return {}

    def get_state(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return nothing: a scripted policy has no weights."""
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Accept the empty state."""

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing; RLlib calls this on every module."""
