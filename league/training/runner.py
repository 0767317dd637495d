"""The env runner: RLlib's interface around a `Sampler`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import gymnasium
import numpy as np
import ray
import torch
from ray.rllib.core import COMPONENT_RL_MODULE
from ray.rllib.env import INPUT_ENV_SINGLE_SPACES, INPUT_ENV_SPACES
from ray.rllib.env.env_runner import EnvRunner
from ray.rllib.utils.checkpoints import Checkpointable
from ray.rllib.utils.metrics import (
    NUM_ENV_STEPS_SAMPLED,
    NUM_ENV_STEPS_SAMPLED_LIFETIME,
    WEIGHTS_SEQ_NO,
)

from league.tracking.play_facts import Choices
from league.training.bank import MakeNetwork, OpponentBank
from league.training.chunk import Chunk
from league.training.memory import stop_zeroing
from league.training.report import TrainingGame
from league.training.roster import MAIN, Roster
from league.training.sampler import DrawGame, Sampler, SamplerSetup
from league.training.session import quiet_ray
from league.training.steering import Steering
from league.training.tables import GameTable
from policies.base import Policy

Result = TypeVar("Result")

FACTS_METRIC: Final = "facts"
"""Metric under which runners hand over `SampleFacts`, one item per call of `sample`."""

SETUP: Final = "runner"
"""Key of the `RunnerSetup` in RLlib's `env_config`."""


@dataclass(frozen=True, slots=True)
class RunnerSetup:
    """What every runner of a run is built from; it must survive pickling."""

    seed: int
    """Seed of the run."""
    make_table: Callable[[], GameTable]
    make_network: MakeNetwork
    draw_game: DrawGame
    stall: float
    scripted: dict[str, Policy]
    """Scripted policies by player name."""
    threads: int
    """Threads of numerical libraries."""


@dataclass(frozen=True, slots=True)
class SampleFacts:
    """What a call of `sample` tells besides its rows."""

    games: tuple[TrainingGame, ...]
    choices: Choices | None


def list_facts(sampled: Mapping[str, Any]) -> list[SampleFacts]:
    """Return the facts that all runners of an iteration handed over."""
    facts = sampled.get(FACTS_METRIC, [])
    # RLlib gives a series of one item as the item itself.
    return [facts] if isinstance(facts, SampleFacts) else list(facts)


class LeagueEnvRunner(EnvRunner, Checkpointable):
    """Samples ready training rows from the games of one table."""

    def __init__(self, config: Any, **kwargs: Any) -> None:
        quiet_ray()
        super().__init__(config=config, **kwargs)
        self._setup: RunnerSetup = self.config.env_config[SETUP]
        torch.set_num_threads(self._setup.threads)
        stop_zeroing()
        self._sequence = 0
        self._samplers: dict[str, Sampler] = {}
        """By learner: games of one wait while another one learns."""
        self._learner = MAIN
        self.make_module()
        # With remote runners the local one only carries the weights.
        if self.worker_index or not self.config.num_env_runners:
            self.make_env()

    def make_env(self) -> None:
        """Set up the table of `main`, with nobody at it."""
        self._samplers[MAIN] = self._make_sampler()

    def make_module(self) -> None:
        """Build the module of `main`."""
        spec = self.config.get_multi_rl_module_spec(spaces=self.get_spaces(), inference_only=True)
        self.module = spec.build()

    def get_spaces(self) -> dict[str, tuple[gymnasium.Space[Any], gymnasium.Space[Any]]]:
        """Return spaces that stand for themselves: networks of this project need none."""
        nothing = gymnasium.spaces.Box(0, 1, (1,), np.float32)
        pair: tuple[Any, Any] = (nothing, gymnasium.spaces.Discrete(1))
        return {INPUT_ENV_SPACES: pair, INPUT_ENV_SINGLE_SPACES: pair, MAIN: pair}

    def apply(self, func: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
        """Call `func` with this runner, and let its errors through.

        The base class logs an error and kills the process, so that the driver sees a dead actor
        without a reason; this way it sees the traceback. Where failed runners are to be replaced,
        the process must die as there.
        """
        if self.config.restart_failed_env_runners:
            return super().apply(func, *args, **kwargs)  # type: ignore[no-any-return]
        return func(self, *args, **kwargs)

    def prepare(self, roster: Roster, steering: Steering) -> None:
        """Play `roster` from the next game on, with new settings."""
        if roster.is_anew and roster.learner in self._samplers:
            self._samplers.pop(roster.learner).close()
        if roster.learner not in self._samplers:
            self._samplers[roster.learner] = self._make_sampler()
        self._learner = roster.learner
        self._samplers[self._learner].prepare(roster, steering)

    def sample(self, **kwargs: Any) -> list[Chunk]:
        """Return this runner's part of a batch; games and counts go through the metrics."""
        runners = max(1, self.config.num_env_runners)
        share = -(-self.config.total_train_batch_size // runners)
        sample = self._samplers[self._learner].sample(self.module[MAIN].network, share)
        chunk = Chunk(sample.rows)
        metrics, count = self.metrics, len(chunk)
        metrics.log_value(NUM_ENV_STEPS_SAMPLED, count, reduce="sum")
        metrics.log_value(
            NUM_ENV_STEPS_SAMPLED_LIFETIME, count, reduce="lifetime_sum", with_throughput=True
        )
        metrics.log_value(WEIGHTS_SEQ_NO, self._sequence, window=1)
        facts = SampleFacts(sample.games, sample.choices)
        metrics.log_value(FACTS_METRIC, facts, reduce="item_series")
        self.num_env_steps_sampled_lifetime += count
        return [chunk]

    def get_metrics(self) -> Any:
        """Return what was logged since the last call."""
        return self.metrics.reduce()

    def get_state(
        self, components: Any = None, *, not_components: Any = None, **kwargs: Any
    ) -> dict[str, Any]:
        """Return the weights of `main` and their number."""
        state: dict[str, Any] = {
            NUM_ENV_STEPS_SAMPLED_LIFETIME: self.num_env_steps_sampled_lifetime
        }
        if self._check_component(COMPONENT_RL_MODULE, components, not_components):
            state[COMPONENT_RL_MODULE] = self.module.get_state(**kwargs)
            state[WEIGHTS_SEQ_NO] = self._sequence
        return state

    def set_state(self, state: dict[str, Any]) -> None:
        """Take over the weights of `main` if they are newer."""
        if COMPONENT_RL_MODULE not in state:
            return
        sequence = state.get(WEIGHTS_SEQ_NO, 0)
        if sequence == 0 or sequence > self._sequence:
            modules = state[COMPONENT_RL_MODULE]
            if isinstance(modules, ray.ObjectRef):
                modules = ray.get(modules)
            self.module.set_state(modules)
        if sequence > 0:
            self._sequence = sequence

    def get_ctor_args_and_kwargs(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return what makes a runner like this one."""
        return ((), {"config": self.config})

    def get_checkpointable_components(self) -> list[tuple[str, Any]]:
        """Return the module."""
        return [(COMPONENT_RL_MODULE, self.module)]

    def assert_healthy(self) -> None:
        """Do nothing: a runner that was made works."""

    def stop(self) -> None:
        """Release the games."""
        for sampler in self._samplers.values():
            sampler.close()

    def _make_sampler(self) -> Sampler:
        setup = self._setup
        return Sampler(
            setup.make_table(),
            OpponentBank(setup.make_network, setup.scripted),
            SamplerSetup(
                seed=setup.seed,
                runner=self.worker_index or 0,
                gae_lambda=self.config.lambda_,
                draw_game=setup.draw_game,
                stall=setup.stall,
            ),
        )
