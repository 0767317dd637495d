"""Real runs whose processes are killed at random instants, and real runs of one seed compared.

python -m pytest -m slow tests/league/faults/test_random_kills.py
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from league.config import load_config
from league.rundir import RunDir
from league.snapshots import WEIGHTS_FILE, read_weights
from league.standings import rate_players
from league.store import Store
from tests.league.faults.rehearsal import newest_iteration
from tests.league.faults.victims import END_SECONDS, START_SECONDS, Run, kill

KILLS = 10
"""Of each kind of process."""
FEWEST_KILLS = 6
"""Enough where a run ends before all of them have come."""
SPREAD_SECONDS = 8.0
"""A kill comes up to so long after the run has begun to work."""
STARTS = 6
NOT_STARTED = "timed out during startup"
"""What Ray says when a loaded machine takes longer than its 30 seconds; then it is tried again."""
CONFIG = """
run: {name: tiny, seed: 11}
env: {max_frames: 3000}
curriculum: {levels: [0]}
network: {hidden: 8}
training: {train_batch_size: 500, minibatch_size: 250, num_epochs: 1}
processes: {games: 16}
league: {slots: 2}
evaluation: {level: 0, speed: HI, pairs: 1, past_snapshots: 1, max_frames: 2000, wait: true}
tracking: {wandb: disabled}
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
]


def make_config(folder: Path, *, steps: int, snapshot_every: int, **processes: int) -> list[str]:
    """Write a configuration; return the arguments of a run with it."""
    path = folder / "tiny.yaml"
    path.write_text(CONFIG)
    more = [f"processes.{name}={value}" for name, value in processes.items()]
    return [
        str(path),
        f"run.root={folder}",
        f"training.total_env_steps={steps}",
        f"league.snapshot_every={snapshot_every}",
        *more,
    ]


def read_record(run_dir: RunDir) -> dict[str, Any]:
    """Return what a run has on record, apart from times; check that it agrees with itself."""
    config = load_config(run_dir.config)
    with Store(run_dir.database, read_only=True) as store:
        snapshots = store.snapshots()
        rated = store.ratings()
        refit = rate_players(store, config.league.anchor, config.league.anchor_rating).ladder()
        pairs = store.pairs("evaluation")
        record: dict[str, Any] = {
            "newest": store.newest_iteration().iteration,  # type: ignore[union-attr]
            "snapshots": [(row.id, row.parent, row.env_steps, row.sha256) for row in snapshots],
            "train": list(store.games("train")),
            "evaluation": list(store.games("evaluation")),
            "ratings": store.rating_history(),
        }
    if rated:
        assert [(one.name, one.elo) for one in refit] == [(row.player, row.elo) for row in rated]
    for row in snapshots:
        # Checks the digest of the file against the manifest.
        read_weights(run_dir.snapshot(row.id))
        assert (run_dir.snapshot(row.id) / WEIGHTS_FILE).is_file()
    games = [game for _, game in record["evaluation"]]
    assert len(games) == 2 * len(pairs), "half a pair"
    keys = {(row.players, row.seed, row.policy_seed) for row in games}
    assert len(keys) == len(games), "a game is recorded twice"
    return record


def finish(arguments: list[str], environment: dict[str, str] | None = None) -> None:
    for _ in range(STARTS):
        with Run(arguments, environment) as run:
            code, said = run.finish(START_SECONDS)
            assert run.wait_until_gone() == []
        if NOT_STARTED not in said:
            break
    assert code == 0, said


def is_kept(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Whether everything that was on record still is, and in the same place."""
    return all(
        after[key][: len(before[key])] == before[key]
        for key in ("snapshots", "train", "evaluation", "ratings")
    )


def kill_again_and_again(arguments: list[str], run_dir: RunDir, role: str, seed: int) -> int:
    """Kill processes of a role at random instants of one run; return how often it came to that."""
    rng = np.random.default_rng(seed)
    before: dict[str, Any] | None = None
    kills = 0
    for _ in range(KILLS + STARTS):
        if kills == KILLS:
            break
        with Run(arguments) as run:
            victim = run.driver.pid if role == "driver" else run.wait_for(role).pid
            # One kill in four comes early, while the run is still being put together.
            if kills % 4:
                wait_for_commits(run, run_dir, 1)
            time.sleep(float(rng.uniform(0.0, SPREAD_SECONDS)))
            if run.driver.poll() is not None:
                code, said = run.finish()
                if NOT_STARTED in said:
                    continue
                assert code == 0, said
                return kills
            kill(victim)
            kills += 1
            code, said = run.finish(END_SECONDS)
            assert code != 0, said
            assert run.wait_until_gone() == [], f"orphans after the {role} was killed"
        if newest_iteration(run_dir.path) >= 0:
            after = read_record(run_dir)
            assert before is None or is_kept(before, after)
            before = after
    return kills


def wait_for_commits(run: Run, run_dir: RunDir, number: int) -> None:
    """Wait until a run has added so many iterations to those that it found, or has ended."""
    wanted = newest_iteration(run_dir.path) + number
    deadline = time.monotonic() + START_SECONDS
    while run.driver.poll() is None and newest_iteration(run_dir.path) < wanted:
        assert time.monotonic() < deadline, "no commit"
        time.sleep(0.3)


@pytest.mark.parametrize(
    ("role", "processes"),
    [
        ("driver", {}),
        ("runner", {"num_env_runners": 1, "num_learners": 1}),
        ("learner", {"num_env_runners": 1, "num_learners": 1}),
    ],
)
def test_kills_lose_nothing(tmp_path: Path, role: str, processes: dict[str, int]) -> None:
    """What was recorded stays. Training games in progress are not, so weights may differ after."""
    arguments = make_config(tmp_path, steps=300_000, snapshot_every=3_000, **processes)
    run_dir = RunDir(tmp_path / "tiny")
    assert kill_again_and_again(arguments, run_dir, role, seed=2) >= FEWEST_KILLS
    before = read_record(run_dir)
    with Run(arguments) as run:
        wait_for_commits(run, run_dir, 3)
        run.driver.terminate()
        run.finish(START_SECONDS)
        assert run.wait_until_gone() == []
    after = read_record(run_dir)
    assert after["newest"] >= before["newest"] + 3
    assert is_kept(before, after)


def test_one_seed_gives_one_run_in_any_process(tmp_path: Path) -> None:
    """Learners, opponents, games, results and ratings depend on no process and no hash seed."""
    records = []
    for hash_seed in ("1", "2"):
        folder = tmp_path / hash_seed
        folder.mkdir()
        arguments = make_config(folder, steps=3_000, snapshot_every=1_000)
        exploiters = ("main_exploiters=1", "league_exploiters=1", "exploiter_env_steps=500")
        arguments += [
            f"league.{one}" for one in (*exploiters, "exploiter_share=0.5", "exploiter_turn=1")
        ]
        finish(arguments, {"PYTHONHASHSEED": hash_seed})
        records.append(read_record(RunDir(folder / "tiny")))
    assert records[0] == records[1]
    assert len({row.players for _, row in records[0]["train"]}) > 1
    born = {name.rpartition("-")[0] for name, *_ in records[0]["snapshots"]}
    assert born == {"main", "main_exploiter_1", "league_exploiter_1"}
