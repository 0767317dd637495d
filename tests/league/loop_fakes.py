"""A trainer and an evaluator that do nothing real, but follow from their inputs alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from league.config import render_config
from league.loop import LeagueLoop, LoopStatus, Workplace
from league.manager import PlannedPair
from league.records import Condition, GameRow, Result
from league.rng import make_rng
from league.rundir import RunDir
from league.settings import RunConfig
from league.store import Store
from league.training.report import IterationReport, TrainingGame
from league.training.roster import Roster, Weights
from league.training.state import TrainerState
from league.training.steering import Steering

STEPS_PER_ITERATION = 100


@dataclass
class FakeTrainer:
    """Learns nothing; its only weight counts what it was asked to do, Adam's memory how often."""

    total: float = 1.0
    steps: int = 0
    asked: list[tuple[int, tuple[str, ...], float, float]] = field(default_factory=list)
    rosters: list[Roster] = field(default_factory=list)
    totals: list[float] = field(default_factory=list)
    """The weight after each time."""
    fail_at: int | None = None

    def train(self, roster: Roster, steering: Steering) -> IterationReport:
        iteration = roster.iteration
        if iteration == self.fail_at:
            raise RuntimeError("the trainer broke on purpose")
        names = tuple(opponent.player for opponent in roster.opponents)
        self.asked.append((iteration, names, steering.learning_rate, roster.self_play))
        frozen = [one.weights["total"] for one in roster.opponents if one.weights is not None]
        self.total += iteration + float(np.sum(frozen))
        self.steps += 1
        self.rosters.append(roster)
        self.totals.append(self.total)
        return IterationReport(
            env_steps=STEPS_PER_ITERATION,
            games=(make_training_game(names[0], iteration),),
            losses={"policy_loss": 0.5, "entropy": 2.0},
            sampling_seconds=0.75,
            learning_seconds=0.25,
        )

    def weights(self) -> Weights:
        return {"total": np.array([self.total])}

    def state(self) -> TrainerState:
        return TrainerState(self.weights(), {"0.step": np.array(self.steps, np.float32)})

    def load_state(self, state: TrainerState) -> None:
        self.total = float(state.weights["total"][0])
        self.steps = int(state.optimizer.get("0.step", 0))


def make_training_game(opponent: str, seed: int) -> TrainingGame:
    return TrainingGame(
        opponent=opponent,
        main_seat=seed % 2,
        rng_word=seed + 2,
        main_return=0.25,
        winner_seat=0,
        end_reason="clear",
        frames=1000,
        capsules=20,
        viruses=4,
        lines=5,
        garbage_sent=2,
    )


class FakeEvaluator:
    """Plays `speed` pairs per call; who wins follows from the plan."""

    def __init__(self, speed: int = 1000) -> None:
        self.played: list[PlannedPair] = []
        self._waiting: list[PlannedPair] = []
        self._speed = speed

    @property
    def waiting(self) -> tuple[PlannedPair, ...]:
        return tuple(self._waiting)

    def submit(self, pairs: Iterable[PlannedPair]) -> None:
        self._waiting.extend(pairs)

    def collect(self, seconds: float = 0.0) -> list[tuple[GameRow, GameRow]]:
        now, self._waiting = self._waiting[: self._speed], self._waiting[self._speed :]
        self.played += now
        return [(make_row(pair, 0), make_row(pair, 1)) for pair in now]


def make_row(pair: PlannedPair, first: int) -> GameRow:
    rng = make_rng(pair.policy_seed, f"fake/{first}")
    result: Result = "win" if rng.random() < 0.6 else "loss"
    return GameRow(
        purpose="evaluation",
        condition=Condition((0, 0), (1, 1), "fake", 100),
        seed=pair.round_seed,
        players=pair.players if first == 0 else pair.players[::-1],
        result=result,
        reason="clear",
        frames=500,
        policy_seed=pair.policy_seed,
    )


class FakeTracker:
    """Remembers what was logged."""

    def __init__(self) -> None:
        self.logged: list[tuple[int, dict[str, float]]] = []

    def log(self, env_steps: int, metrics: Mapping[str, float]) -> None:
        self.logged.append((env_steps, dict(metrics)))

    def log_table(self, name: str, columns: Sequence[str], rows: Any) -> None:
        raise AssertionError("the loop logs no tables")

    def close(self) -> None:
        return None


@dataclass
class Bench:
    """A run folder on which loops are started again and again."""

    path: Path
    config: RunConfig
    trainer: FakeTrainer = field(default_factory=FakeTrainer)
    evaluator: FakeEvaluator = field(default_factory=FakeEvaluator)
    tracker: FakeTracker = field(default_factory=FakeTracker)
    statuses: list[LoopStatus] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.run_dir = RunDir(self.path)
        if not self.run_dir.exists():
            RunDir.create(self.path, render_config(self.config))

    def run(self, iterations: int | None = None) -> bool:
        """Run in fresh objects until the end, or until so many stop checks have passed."""
        checks = itertools.count()
        with self.open_store() as store:
            work = Workplace(
                self.config,
                self.run_dir,
                store,
                self.trainer,
                self.evaluator,
                self.tracker,
                self.statuses.append,
            )
            return LeagueLoop(work).run(
                lambda: iterations is not None and next(checks) >= iterations
            )

    @contextmanager
    def open_store(self) -> Any:
        path = self.run_dir.database
        with Store(path) if path.is_file() else Store.create(path) as store:
            yield store

    def again(self) -> Bench:
        """The same folder, seen by a new process."""
        return Bench(self.path, self.config, evaluator=FakeEvaluator(self.evaluator._speed))
