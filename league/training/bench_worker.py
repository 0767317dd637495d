"""One measurement of `league bench train`, in a process of its own: `... bench_worker '{...}'`.

CPU time of the process per decision that was trained on, after a warm-up; one thread.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
import torch

from envs.reward import RewardConfig
from envs.starts import EpisodeStart
from envs.vector import UniformSetups
from league.errors import LeagueError
from league.learning_settings import ProcessSettings, TrainingSettings
from league.training.session import ray_session

EXAMPLE: Final = Path(__file__).resolve().parents[2] / "examples" / "ppo.py"
LEVELS: Final = tuple(range(11))


@dataclass(frozen=True, slots=True)
class Task:
    """What is measured."""

    way: str
    """`ours`, `example` or `stock`."""
    network: str
    """`candidate`, the default; or `planes`, the CNN of the comparison with `stock`."""
    games: int
    """Games side by side; for `stock` RLlib's envs."""
    epochs: int
    batch: int
    """Decisions of an iteration."""
    iterations: int
    """Measured ones, after one more for warming up."""
    solo: bool
    """Whether the other seat is inert; else both learn."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What was found."""

    decisions: int
    cpu_us: float
    """CPU time of the process per trained decision, microseconds."""
    per_second: float
    """Trained decisions per second of wall time."""
    learning_share: float
    """Share of wall time in the learner; 0 where that is not known."""


def measure(task: Task) -> Cost:
    """Measure one way of training."""
    torch.set_num_threads(1)
    ways = {"ours": _measure_ours, "example": _measure_example, "stock": _measure_stock}
    return ways[task.way](task)


def _draw(rng: np.random.Generator, solo: bool, *, setups: UniformSetups) -> EpisodeStart:
    return EpisodeStart(setups(rng))


def _list_training(task: Task) -> TrainingSettings:
    return TrainingSettings(
        train_batch_size=task.batch, minibatch_size=1024, num_epochs=task.epochs
    )


def _time(step: Callable[[], tuple[int, float]], iterations: int) -> Cost:
    """Time a step that returns decisions and seconds of learning."""
    step()
    wall, cpu, decisions, learning = time.perf_counter(), time.process_time(), 0, 0.0
    for _ in range(iterations):
        trained, seconds = step()
        decisions, learning = decisions + trained, learning + seconds
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Cost(decisions, 1e6 * cpu / decisions, decisions / wall, learning / wall)


def _measure_ours(task: Task) -> Cost:
    from league.training.algorithm import TrainerSetup
    from league.training.bench_network import PlanesNetwork
    from league.training.roster import Roster
    from league.training.simulator_table import SimulatorTable
    from league.training.steering import Steering
    from league.training.trainer import Trainer
    from policies.network import NetworkConfig, build_network

    is_planes = task.network == "planes"
    make_network = PlanesNetwork if is_planes else partial(build_network, NetworkConfig())
    columns = ("compact", "mask") if is_planes else ("compact", "rows", "count")
    setup = TrainerSetup(
        training=_list_training(task),
        # RLlib's own modules learn in float32, so the comparison with them does.
        processes=ProcessSettings(games=task.games, bfloat16=not is_planes),
        make_network=make_network,
        seed=0,
        scripted={},
        make_table=partial(
            SimulatorTable, task.games, columns, reward=RewardConfig(), max_frames=18_000
        ),
        draw_game=partial(_draw, setups=UniformSetups(LEVELS, solo=task.solo)),
    )
    with ray_session(1, 1), Trainer(setup) as trainer:
        numbers = iter(range(task.iterations + 1))

        def step() -> tuple[int, float]:
            roster = Roster(next(numbers), (), self_play=1.0)
            report = trainer.train(roster, Steering(1e-3, 0.01, reward=RewardConfig(virus=0.05)))
            return report.env_steps, report.learning_seconds

        return _time(step, task.iterations)


def _measure_example(task: Task) -> Cost:
    from league.training.module import has_bfloat16

    example = _load_example()
    config = replace(
        example.PpoConfig(),
        draw_setup=UniformSetups(LEVELS, solo=task.solo),
        games=task.games,
        horizon=task.batch // task.games,
        epochs=task.epochs,
        bfloat16=has_bfloat16("cpu"),
    )
    learner, collector = example.Learner(config, 0), example.Collector(config, 0)

    def step() -> tuple[int, float]:
        decisions, _ = collector.collect(learner.network)
        started = time.perf_counter()
        learner.update(decisions, 0.0)
        return len(decisions), time.perf_counter() - started

    return _time(step, task.iterations)


def _measure_stock(task: Task) -> Cost:
    from ray.rllib.utils.metrics import ENV_RUNNER_RESULTS, NUM_ENV_STEPS_SAMPLED

    from league.training.stock import build_stock

    with ray_session(1, 1):
        algorithm = build_stock(
            _list_training(task), UniformSetups(LEVELS, solo=task.solo), task.games
        )

        def step() -> tuple[int, float]:
            result: dict[str, Any] = algorithm.train()
            return int(result[ENV_RUNNER_RESULTS][NUM_ENV_STEPS_SAMPLED]), 0.0

        try:
            return _time(step, task.iterations)
        finally:
            algorithm.stop()


def _load_example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ppo_example", EXAMPLE)
    if spec is None or spec.loader is None or not EXAMPLE.exists():
        raise LeagueError(f"expected {EXAMPLE}, which only a checkout has")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(measure(Task(**json.loads(sys.argv[1]))))) + "\n")
