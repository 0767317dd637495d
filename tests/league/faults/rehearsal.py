"""A short run whose trainer and evaluator are fakes: played, resumed, and described in full.

Everything else is real: folder, lock, database, snapshots, checkpoints, metrics, ratings.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from league.checkpoint import Progress
from league.config import render_config
from league.learning_settings import TrainingSettings
from league.loop import LeagueLoop, LoopStatus, Workplace
from league.rundir import RunDir
from league.settings import (
    EvaluationSettings,
    LeagueSettings,
    RunConfig,
    RunSettings,
)
from league.snapshots import WEIGHTS_FILE
from league.standings import rate_players
from league.store import Store
from league.tracking import JsonlTracker
from league.training.state import STATE_FILE, TrainerState
from tests.league.loop_fakes import STEPS_PER_ITERATION, FakeEvaluator, FakeTrainer

CONFIG = RunConfig(
    run=RunSettings(name="rehearsal", seed=3),
    training=TrainingSettings(total_env_steps=2 * STEPS_PER_ITERATION),
    league=LeagueSettings(slots=2, snapshot_every=STEPS_PER_ITERATION),
    evaluation=EvaluationSettings(pairs=1, past_snapshots=1, wait=True),
)
"""Six iterations: three snapshots, two of training, three of rating."""
WITH_EXPLOITERS = replace(
    CONFIG,
    training=replace(CONFIG.training, solo=0.0),
    league=replace(
        CONFIG.league,
        main_exploiters=1,
        league_exploiters=1,
        exploiter_share=0.75,
        exploiter_turn=1,
        exploiter_env_steps=2 * STEPS_PER_ITERATION,
    ),
)
"""One exploiter is frozen and starts anew, the other goes on: ten iterations, four snapshots."""
CONFIGS = {"main alone": CONFIG, "exploiters": WITH_EXPLOITERS}

TABLES = {
    "iterations": "iteration, env_steps",
    "snapshots": "id, role, parent, env_steps, iteration, sha256, view",
    "games": "*",
    "ratings": "*",
}
"""What is compared: all columns but the times of day."""


def play(config: RunConfig, path: Path, on_commit: Callable[[int], None]) -> None:
    """Start the run in `path`, or go on with it, and come to its end.

    Args:
        config: Of the run.
        path: Folder of the run.
        on_commit: Told the number of each iteration that has been promised to be durable.
    """
    run_dir = RunDir(path)
    if not run_dir.exists():
        run_dir = RunDir.create(path, render_config(config))
    with run_dir.lock(), _open_store(run_dir) as store:
        tracker = JsonlTracker(run_dir.metrics)

        def tell(status: LoopStatus) -> None:
            on_commit(status.iteration)

        work = Workplace(config, run_dir, store, FakeTrainer(), FakeEvaluator(), tracker, tell)
        try:
            LeagueLoop(work).run(lambda: False)
        finally:
            tracker.close()


def _open_store(run_dir: RunDir) -> Store:
    path = run_dir.database
    return Store(path) if path.is_file() else Store.create(path)


def newest_iteration(path: Path) -> int:
    """Return the last recorded iteration of a run that nobody has open, -1 for none."""
    database = RunDir(path).database
    if not database.is_file():
        return -1
    with Store(database, read_only=True) as store:
        newest = store.newest_iteration()
    return -1 if newest is None else newest.iteration


def describe(path: Path) -> dict[str, Any]:
    """Return all that a run has on record and on disk, apart from times; JSON values."""
    run_dir = RunDir(path)
    with Store(run_dir.database, read_only=True) as store:
        connection = store._connection
        tables = {
            table: [
                list(map(str, row)) for row in connection.execute(f"SELECT {names} FROM {table}")
            ]
            for table, names in TABLES.items()
        }
        anchor, zero = CONFIG.league.anchor, CONFIG.league.anchor_rating
        refit = rate_players(store, anchor, zero).ladder()
        assert [one.elo for one in refit] == [row.elo for row in store.ratings()], "ratings"
        for row in store.snapshots():
            data = (run_dir.snapshot(row.id) / WEIGHTS_FILE).read_bytes()
            assert hashlib.sha256(data).hexdigest() == row.sha256, row.id
    return {
        **tables,
        "checkpoints": [_describe_checkpoint(run_dir, one) for one in run_dir.list_checkpoints()],
        "files": sorted(str(one.relative_to(path)) for one in path.rglob("*")),
        "config": run_dir.config.read_text(encoding="utf-8"),
        "repeated_points": _repeated_points(run_dir),
    }


def _describe_checkpoint(run_dir: RunDir, iteration: int) -> list[Any]:
    folder = run_dir.checkpoint(iteration)
    progress = Progress.load(folder)
    states = [
        [str(path.relative_to(folder)), _describe_state(TrainerState.load(path.parent))]
        for path in sorted(folder.rglob(STATE_FILE))
    ]
    return [progress.iteration, progress.env_steps, repr(progress.manager), states]


def _describe_state(state: TrainerState) -> dict[str, Any]:
    tensors = {**state.weights, **state.optimizer}
    return {name: value.tolist() for name, value in tensors.items()}


def _repeated_points(run_dir: RunDir) -> int:
    """Return how many iterations are drawn twice; a kill may leave one out."""
    lines = run_dir.metrics.read_text(encoding="utf-8").splitlines()
    drawn = [json.loads(line)["league/iteration"] for line in lines]
    return len(drawn) - len(set(drawn))
