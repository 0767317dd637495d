"""The trainer: opponents in; reports, weights and a resumable state out."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import numpy as np
import ray
import torch
from ray.rllib.core.learner.learner import DEFAULT_OPTIMIZER
from ray.rllib.utils.metrics import (
    ENV_RUNNER_RESULTS,
    LEARNER_RESULTS,
    NUM_ENV_STEPS_SAMPLED,
)

from league.errors import LeagueError
from league.rng import make_rng
from league.tracking.play_facts import merge_choices
from league.training.algorithm import TrainerSetup, build_algorithm
from league.training.learner import LeagueLearner
from league.training.module import to_module_state, to_weights
from league.training.report import IterationReport
from league.training.roster import MAIN, Roster, Weights
from league.training.runner import LeagueEnvRunner, list_facts
from league.training.state import (
    TrainerState,
    TrainerStateError,
    flatten_optimizer,
    unflatten_optimizer,
)
from league.training.steering import Steering

_LOSSES: Final = (
    "policy_loss",
    "vf_loss",
    "entropy",
    "vf_explained_var",
    "mean_kl_loss",
    "clip_fraction",
    "gradients_default_optimizer_global_norm",
)
_OPTIMIZER_NAME: Final = f"{MAIN}_{DEFAULT_OPTIMIZER}"


Answer = TypeVar("Answer")


class TrainerError(LeagueError):
    """Training cannot go on; the message says why and what to do."""


class Trainer:
    """PPO on `main` against opponents that are chosen anew for every iteration.

    Use it as a context manager inside a `ray_session`.
    """

    def __init__(self, setup: TrainerSetup) -> None:
        """Build RLlib's algorithm and start its env runners."""
        self._setup = setup
        torch.set_num_threads(setup.processes.threads)
        _seed_process(setup.seed, "weights")
        self._algorithm = build_algorithm(setup)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def train(self, roster: Roster, steering: Steering) -> IterationReport:
        """Sample one batch against a roster and learn from it.

        Everything random in it follows from the run's seed and `roster.iteration`; never give one
        twice.

        Raises:
            TrainerError: The env runners gave no samples in time. Any other error of theirs
                comes as Ray raises it, with its traceback.
        """
        _seed_process(self._setup.seed, f"learner/{roster.iteration}")
        self._prepare_runners(roster, steering)
        self._ask_learners(lambda learner: learner.steer(MAIN, steering))
        started = time.perf_counter()
        result = self._algorithm.train()
        return self._read_report(result, time.perf_counter() - started)

    def weights(self) -> Weights:
        """Return a copy of `main`'s weights."""
        return to_weights(self._learner_state(f"rl_module/{MAIN}")["rl_module"][MAIN])

    def state(self) -> TrainerState:
        """Return what `load_state` needs to go on from here."""
        memory = self._learner_state("optimizer")["optimizer"][_OPTIMIZER_NAME]["state"]["state"]
        return TrainerState(self.weights(), flatten_optimizer(memory))

    def load_state(self, state: TrainerState) -> None:
        """Go on from `state`.

        Raises:
            TrainerStateError: The weights belong to another network.
        """
        _check_shapes(state.weights, self.weights())
        self._algorithm.discard_samples()
        optimizer = self._learner_state("optimizer")["optimizer"][_OPTIMIZER_NAME]
        optimizer["state"]["state"] = unflatten_optimizer(state.optimizer)
        self._algorithm.learner_group.set_state(
            {
                "learner": {
                    "rl_module": {MAIN: to_module_state(state.weights)},
                    "optimizer": {_OPTIMIZER_NAME: optimizer},
                }
            }
        )
        self._algorithm.env_runner_group.sync_weights(
            from_worker_or_learner_group=self._algorithm.learner_group, policies=[MAIN]
        )

    def close(self) -> None:
        """Stop the env runners; safe to call twice."""
        self._algorithm.stop()

    def _prepare_runners(self, roster: Roster, steering: Steering) -> None:
        group = self._algorithm.env_runner_group
        if group.num_remote_workers() == 0:
            group.local_env_runner.prepare(roster, steering)
            return
        # One copy in the object store, however many runners there are.
        reference = ray.put(roster)

        def prepare(runner: LeagueEnvRunner) -> None:
            runner.prepare(ray.get(reference), steering)

        group.foreach_env_runner(prepare, local_env_runner=False)

    def _ask_learners(self, question: Callable[[LeagueLearner], Answer]) -> Answer:
        """Ask every learner; return the first one's answer."""
        results = list(self._algorithm.learner_group.foreach_learner(question))
        answer: Answer = results[0].get()
        return answer

    def _learner_state(self, component: str) -> dict[str, Any]:
        group = self._algorithm.learner_group
        state: dict[str, Any] = group.get_state(components=f"learner/{component}")["learner"]
        return state

    def _read_report(self, result: Mapping[str, Any], seconds: float) -> IterationReport:
        sampled = result.get(ENV_RUNNER_RESULTS, {})
        learned = result.get(LEARNER_RESULTS, {}).get(MAIN)
        if NUM_ENV_STEPS_SAMPLED not in sampled or learned is None:
            if self._setup.processes.restart_failed_env_runners:
                # RLlib is about to replace its runners; the next iterations find them.
                return IterationReport(0, (), {}, sampling_seconds=seconds, learning_seconds=0.0)
            raise TrainerError(
                "the env runners gave no samples within "
                f"{self._setup.processes.sample_timeout_s:g} s; look for an emulator that hangs or "
                "raise processes.sample_timeout_s"
            )
        facts = list_facts(sampled)
        learning_seconds = self._ask_learners(lambda learner: learner.update_seconds)
        return IterationReport(
            env_steps=int(sampled[NUM_ENV_STEPS_SAMPLED]),
            games=tuple(game for one in facts for game in one.games),
            losses={name: float(learned[name]) for name in _LOSSES if name in learned},
            sampling_seconds=seconds - learning_seconds,
            learning_seconds=learning_seconds,
            choices=merge_choices(one.choices for one in facts if one.choices is not None),
        )


def _seed_process(seed: int, name: str) -> None:
    """Seed the global generators: RLlib shuffles minibatches and makes weights from them."""
    rng = make_rng(seed, name)
    torch.manual_seed(int(rng.integers(2**31)))
    np.random.seed(int(rng.integers(2**31)))  # noqa: NPY002
    random.seed(int(rng.integers(2**31)))


def _check_shapes(weights: Weights, expected: Weights) -> None:
    shapes = {name: value.shape for name, value in weights.items()}
    wanted = {name: value.shape for name, value in expected.items()}
    wrong = sorted(name for name in shapes | wanted if shapes.get(name) != wanted.get(name))
    if wrong:
        name = wrong[0]
        raise TrainerStateError(
            f"expected weight {name!r} of shape {wanted.get(name)}, got {shapes.get(name)} "
            f"({len(wrong)} weights differ); the state was saved with another network"
        )
