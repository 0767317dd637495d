"""The last measurement of a run, on untrained networks: what is played, counted and replayed."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from league.config import render_config
from league.final import FILE, make_final_table, measure_final, read_final, write_final
from league.records import IterationRow, SnapshotRow, utc_now
from league.rundir import RunDir
from league.settings import EvaluationSettings, FinalSettings, RunConfig, RunSettings
from league.snapshots import choose_view, save_snapshot
from league.store import Store
from policies.network import NetworkConfig, build_network

CONFIG = RunConfig(
    run=RunSettings(name="final"),
    evaluation=EvaluationSettings(level=0, max_frames=4000),
    final=FinalSettings(
        games=6, opponents=("search:depth=1",), levels=(0,), solo_levels=(0,), replays=0
    ),
)


SNAPSHOTS = {
    "main-0000": 0,
    "main-0001": 300,
    "main_exploiter_1-0000": 320,
    "main-0002": 1000,
    "main_exploiter_1-0001": 1000,
}
"""Env steps by id."""


def make_run(root: Path) -> RunDir:
    """A run with three snapshots of main, of 0, 300 and 1000 env steps, and two of an exploiter."""
    run_dir = RunDir.create(root / "final", render_config(CONFIG))
    network, view = NetworkConfig(hidden=8), choose_view("candidate", 1)
    with Store.create(run_dir.database) as store:
        for number, (name, env_steps) in enumerate(SNAPSHOTS.items()):
            torch.manual_seed(number)
            weights = {
                name: np.asarray(value.numpy())
                for name, value in build_network(network).state_dict().items()
            }
            manifest = save_snapshot(
                run_dir.snapshot(name),
                run="final",
                snapshot_id=name,
                env_steps=env_steps,
                network=asdict(network),
                weights=weights,
                view=view,
            )
            row = SnapshotRow(
                id=name,
                role=name.rpartition("-")[0],
                parent=None,
                env_steps=env_steps,
                iteration=number,
                sha256=manifest.weights_sha256,
                view=asdict(view),
                created=utc_now(),
            )
            store.commit_iteration(
                IterationRow(number, env_steps, utc_now()), snapshots=[row], games=[]
            )
    return run_dir


def test_the_newest_snapshot_is_measured(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path)
    said: list[str] = []
    with Store(run_dir.database, read_only=True) as store:
        report, again = (measure_final(CONFIG, run_dir, store, said.append) for _ in range(2))
    assert report == again
    assert report.player == "main-0002"
    search, early, solo = report.measurements
    assert search.opponent == "search:depth=1"
    assert early.opponent.startswith("main-0001")
    assert solo.opponent == "solo"
    assert [one.games for one in report.measurements] == [6, 6, 6]
    assert said[0] == "measuring, 1 of 3: search:depth=1, level 0"
    assert search.share < 0.5
    assert all(one.lower <= one.share <= one.upper for one in report.measurements)
    write_final(run_dir.path / FILE, report)
    assert read_final(run_dir.path / FILE) == report
    assert make_final_table(report).row_count == 3


@pytest.mark.emulator
@pytest.mark.slow
def test_games_are_the_same_on_the_emulator(tmp_path: Path) -> None:
    config = replace(CONFIG, final=replace(CONFIG.final, games=2, replays=3))
    run_dir = make_run(tmp_path)
    with Store(run_dir.database, read_only=True) as store:
        assert measure_final(config, run_dir, store, lambda _line: None).replayed == 3
