"""RLlib's own way of training the same thing, to measure ours against; nothing else uses it.

One game an env behind RLlib's PettingZoo wrapper, its `MultiAgentEnvRunner` with its default
connectors, its loss. The game, the network, batches and epochs are those of the batched runner.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import torch
from gymnasium.spaces import Box, Dict, Discrete
from pettingzoo import ParallelEnv
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module import RLModule
from ray.rllib.core.rl_module.apis.value_function_api import ValueFunctionAPI
from ray.rllib.core.rl_module.multi_rl_module import MultiRLModuleSpec
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.rllib.core.rl_module.torch import TorchRLModule
from ray.rllib.env.wrappers.pettingzoo_env import ParallelPettingZooEnv
from ray.tune.registry import register_env
from torch import Tensor

from envs.game.placement import NUM_PLACEMENTS, WAIT
from envs.observation import COMPACT_SIZE
from envs.vector import DrawSetup, VectorEnv
from league.learning_settings import TrainingSettings
from league.training.bench_network import PlanesNetwork
from league.training.ppo import LeaguePPO

_ENV: Final = "one-native-game"
_MAIN: Final = "main"
_IDLE: Final = "idle"


class OneGameEnv(ParallelEnv[str, Any, Any]):
    """One solo game of the native vector env: the fastest env there is for RLlib's own runner."""

    metadata: dict[str, Any] = {"name": "one_game", "render_modes": []}  # noqa: RUF012

    def __init__(self, draw_setup: DrawSetup) -> None:
        self.possible_agents = ["player_0", "player_1"]
        self.agents: list[str] = []
        self.render_mode = None
        self._env = VectorEnv(1, draw_setup=draw_setup)
        self._actions = np.full((1, 2), WAIT)
        self._space = Dict(
            {
                "compact": Box(0, 255, (COMPACT_SIZE,), np.uint8),
                "mask": Box(0, 1, (NUM_PLACEMENTS,), np.int8),
            }
        )

    def observation_space(self, agent: str) -> Dict:
        """Return the one space of both agents."""
        return self._space

    def action_space(self, agent: str) -> Discrete[np.int64]:
        """Return the placements."""
        return Discrete(NUM_PLACEMENTS)

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Start an episode; the one that the last step has begun goes on."""
        if not self._env._streams:
            self._env.reset(seed)
        self.agents = self.possible_agents[:]
        return self._observe(), {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, Any]) -> tuple[dict[str, Any], ...]:
        """Place the capsule of seat 0."""
        self._actions[0, 0] = actions["player_0"]
        shown = self._env.step(self._actions)
        ended, cut = bool(shown.terminated[0]), bool(shown.truncated[0])
        rewards = {agent: float(shown.rewards[0, seat]) for seat, agent in enumerate(self.agents)}
        flags = dict.fromkeys(self.agents, ended), dict.fromkeys(self.agents, cut)
        return self._observe(), rewards, *flags, {agent: {} for agent in self.agents}

    def _observe(self) -> dict[str, Any]:
        games = self._env.games
        return {
            agent: {
                "compact": games.observations[0, seat].copy(),
                "mask": games.masks[0, seat].copy(),
            }
            for seat, agent in enumerate(self.possible_agents)
        }


class StockModule(TorchRLModule, ValueFunctionAPI):
    """The network as RLlib's own connectors feed it."""

    def setup(self) -> None:
        """Build the network."""
        self.network = PlanesNetwork()

    def _forward(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        logits, values = self.network(batch[Columns.OBS])
        return {Columns.ACTION_DIST_INPUTS: logits, Columns.EMBEDDINGS: values}

    def compute_values(self, batch: dict[str, Any], embeddings: Tensor | None = None) -> Tensor:
        """Return the value of each row, float32 (batch,)."""
        if embeddings is not None:
            return embeddings
        values: Tensor = self.network(batch[Columns.OBS])[1]
        return values


class IdleModule(RLModule):
    """Waits in the inert seat."""

    framework = "torch"

    def setup(self) -> None:
        """Do nothing."""

    def _forward(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        count = len(batch[Columns.OBS]["compact"])
        return {Columns.ACTIONS: torch.full((count,), WAIT).numpy()}

    def _forward_train(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        return {}

    def get_state(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return nothing: it has no weights."""
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Accept the empty state."""

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing; RLlib calls this on every module."""


def _seat(agent_id: str, *args: Any, **kwargs: Any) -> str:
    return _MAIN if agent_id == "player_0" else _IDLE


def build_stock(training: TrainingSettings, draw_setup: DrawSetup, envs: int) -> LeaguePPO:
    """Build RLlib's PPO with its own runner in this process; Ray must be running.

    Args:
        training: Batch, minibatch and epochs.
        draw_setup: Draws solo games.
        envs: Environments of the runner.
    """
    register_env(_ENV, lambda _context: ParallelPettingZooEnv(OneGameEnv(draw_setup)))
    specs = {
        _MAIN: RLModuleSpec(module_class=StockModule),
        _IDLE: RLModuleSpec(module_class=IdleModule),
    }
    config = (
        PPOConfig(algo_class=LeaguePPO)
        .environment(_ENV, disable_env_checking=True)
        .env_runners(
            num_env_runners=0,
            num_envs_per_env_runner=envs,
            rollout_fragment_length="auto",
            batch_mode="truncate_episodes",
        )
        .multi_agent(policies=set(specs), policy_mapping_fn=_seat, policies_to_train=[_MAIN])
        .rl_module(rl_module_spec=MultiRLModuleSpec(rl_module_specs=specs))
        .training(
            train_batch_size_per_learner=training.train_batch_size,
            minibatch_size=training.minibatch_size,
            num_epochs=training.num_epochs,
            lr=1e-3,
            use_kl_loss=False,
            kl_coeff=0.0,
            grad_clip=training.max_grad_norm,
            grad_clip_by="global_norm",
        )
        .debugging(log_level="ERROR", seed=0)
    )
    algorithm: LeaguePPO = config.build_algo()
    return algorithm
