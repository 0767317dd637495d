"""`python -m league.run` from the outside: a smoke run that is stopped, resumed and repeated."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest

from league.checkpoint import Progress
from league.config import load_config
from league.manager import LAST_GAP
from league.records import Purpose, RatingRow
from league.rundir import RunDir
from league.snapshots import load_snapshot, read_manifest
from league.standings import read_standings
from league.store import Store
from league.tracking.metrics import STEP_METRIC
from tests.league.wandb_reader import read_history

ROOT = Path(__file__).resolve().parents[2]
SMOKE = ROOT / "configs" / "smoke.yaml"
START_SECONDS = 240
"""A loaded machine takes its time to import everything five times."""


@dataclass(frozen=True)
class SmokeRun:
    """What the smoke run left, and what its processes said."""

    run_dir: RunDir
    stopped: subprocess.CompletedProcess[str]
    stop_seconds: float
    at_stop: Progress
    games_at_stop: list[int]
    resumed: subprocess.CompletedProcess[str]


def start(arguments: Sequence[str]) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "league.run", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    out, err = process.communicate(timeout=START_SECONDS)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    return finish(start(arguments))


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not path.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise AssertionError(f"no {path.name}: {process.communicate()}")
        time.sleep(0.05)


def read_game_ids(run_dir: RunDir) -> list[int]:
    with Store(run_dir.database, read_only=True) as store:
        return sorted(
            game_id for purpose in get_args(Purpose) for game_id, _ in store.games(purpose)
        )


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> SmokeRun:
    root = tmp_path_factory.mktemp("runs")
    run_dir = RunDir(root / "smoke")
    process = start([str(SMOKE), f"run.root={root}"])
    wait_for(run_dir.checkpoint(3), process)
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    stopped = finish(process)
    stop_seconds = time.monotonic() - started
    newest = run_dir.list_checkpoints()[-1]
    at_stop = Progress.load(run_dir.checkpoint(newest))
    games = read_game_ids(run_dir)
    resumed = call("--resume", str(run_dir.path))
    return SmokeRun(run_dir, stopped, stop_seconds, at_stop, games, resumed)


pytestmark = [pytest.mark.emulator, pytest.mark.slow]


def test_sigterm_finishes_the_iteration_and_exits(smoke: SmokeRun) -> None:
    assert smoke.stopped.returncode == 128 + signal.SIGTERM, smoke.stopped.stderr
    assert f"--resume {smoke.run_dir.path}" in smoke.stopped.stderr
    assert smoke.stop_seconds < 60
    assert smoke.at_stop.iteration >= 3
    assert smoke.at_stop.env_steps < load_config(SMOKE).training.total_env_steps


def test_the_resumed_run_ends_with_the_standings(smoke: SmokeRun) -> None:
    assert smoke.resumed.returncode == 0, smoke.resumed.stderr
    with Store(smoke.run_dir.database, read_only=True) as store:
        standings = read_standings(store)
    assert "greedy" in {one.player for one in standings}
    lines = smoke.resumed.stdout.splitlines()
    assert "Standings" in lines[0]
    for one in standings:
        assert any(one.player in line for line in lines)


def test_nothing_is_said_but_the_progress(smoke: SmokeRun) -> None:
    for process in (smoke.stopped, smoke.resumed):
        for line in process.stderr.splitlines():
            assert line.startswith(("smoke: ", "finish", "stopped; "))


def test_counters_and_pool_go_on(smoke: SmokeRun) -> None:
    with Store(smoke.run_dir.database, read_only=True) as store:
        newest = store.newest_iteration()
        snapshots = store.snapshots()
    assert newest is not None
    done = Progress.load(smoke.run_dir.checkpoint(newest.iteration))
    assert done.env_steps >= load_config(SMOKE).training.total_env_steps
    assert done.iteration > smoke.at_stop.iteration
    assert done.waiting == ()
    pool = smoke.at_stop.manager["pool"]["snapshots"]
    assert done.manager["pool"]["snapshots"][: len(pool)] == pool
    assert [row.id for row in snapshots] == done.manager["pool"]["snapshots"]
    before, after = (state.manager["streams"]["streams"] for state in (smoke.at_stop, done))
    assert before.keys() <= after.keys()
    assert before["matchmaking"] != after["matchmaking"]


def test_no_game_is_lost_or_recorded_twice(smoke: SmokeRun) -> None:
    after = read_game_ids(smoke.run_dir)
    assert after[: len(smoke.games_at_stop)] == smoke.games_at_stop
    assert len(set(after)) == len(after) > len(smoke.games_at_stop)
    with Store(smoke.run_dir.database, read_only=True) as store:
        played = [(row.players, row.seed, row.policy_seed) for _, row in store.games("evaluation")]
        pairs = store.pairs("evaluation")
    assert len(set(played)) == len(played) == 2 * len(pairs)


def test_snapshots_are_frozen_apart_and_play(smoke: SmokeRun) -> None:
    with Store(smoke.run_dir.database, read_only=True) as store:
        rows = store.snapshots()
    total = load_config(SMOKE).training.total_env_steps
    assert len(rows) >= 3
    assert len({row.sha256 for row in rows}) == len(rows)
    steps = [row.env_steps for row in rows]
    assert all(later - earlier >= LAST_GAP * total for earlier, later in pairwise(steps))
    for row in rows:
        folder = smoke.run_dir.snapshot(row.id)
        assert read_manifest(folder).weights_sha256 == row.sha256
        assert load_snapshot(folder).view.actions == "placement"


def test_wandb_holds_the_ratings_of_the_database(smoke: SmokeRun) -> None:
    with Store(smoke.run_dir.database, read_only=True) as store:
        recorded = {key: value for row in store.rating_history() for key, value in _points(*row)}
    shown = {
        (row[STEP_METRIC], name): value
        for row in read_history(smoke.run_dir.wandb)
        for name, value in row.items()
        if name.startswith("elo/")
    }
    # Iterations that only rate share their env steps; the last word on a step is what counts.
    assert shown == recorded
    assert any(name == "elo/main-0002" for _, name in shown)


def _points(env_steps: int, row: RatingRow) -> list[tuple[tuple[int, str], float]]:
    return [((env_steps, f"elo/{row.player}"), row.elo)]


def test_repeating_the_command_finds_the_run_done(smoke: SmokeRun) -> None:
    started = time.monotonic()
    again = call(str(SMOKE), f"run.root={smoke.run_dir.path.parent}")
    assert again.returncode == 0, again.stderr
    assert "Standings" in again.stdout
    assert time.monotonic() - started < 30
    assert read_game_ids(smoke.run_dir)[-1] == read_game_ids(smoke.run_dir)[-1]


def test_a_changed_config_is_refused_with_the_keys(smoke: SmokeRun) -> None:
    changed = call(str(SMOKE), f"run.root={smoke.run_dir.path.parent}", "versus.gamma=0.9")
    assert changed.returncode == 2
    assert "versus.gamma: " in changed.stderr
    assert "-> 0.9" in changed.stderr


def test_wrong_arguments_are_refused_before_anything_starts(tmp_path: Path) -> None:
    for arguments, message in (
        ((str(SMOKE), "solo.gama=1", "run.sed=2"), "did you mean 'solo.gamma'"),
        (("--resume", str(tmp_path)), "expected a run in"),
        (("--resume", str(tmp_path), "solo.gamma=0.9"), "expected a run folder alone"),
        ((), "expected a config file, or --resume RUN"),
    ):
        refused = call(*arguments)
        assert refused.returncode == 2, arguments
        assert message in refused.stderr
    assert not list(tmp_path.iterdir())
