"""Policy texts."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from envs.observation import COMPACT_SIZE
from league.errors import LeagueError, RunDirError
from league.players import PlayerError, find_snapshot, load_policy
from league.records import IterationRow, RatingRow, SnapshotRow
from league.rundir import RunDir
from league.snapshots import save_snapshot
from league.store import Store
from policies.base import View
from policies.greedy import GreedyPolicy
from policies.scripted import NoopPolicy, RandomPolicy
from policies.search import SearchPolicy

NOW = "2026-01-01T00:00:00+00:00"
EXPLOITER = "main_exploiter_1-0000"


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("noop", NoopPolicy()),
        ("random", RandomPolicy()),
        ("random:action_repeat=1", RandomPolicy(1)),
        ("greedy", GreedyPolicy()),
        ("greedy:action_repeat=8", GreedyPolicy(8)),
        ("search:depth=1", SearchPolicy(1)),
        ("search:depth=2,width=8", SearchPolicy(2, 8)),
    ],
)
def test_scripted_texts_give_policies_of_that_name(text: str, policy: object) -> None:
    loaded = load_policy(text)
    assert loaded == policy
    assert loaded.name == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "gredy",
            r"expected a policy \(noop, random, greedy, search, snapshot.*\), got 'gredy'; did you",
        ),
        ("", "expected a policy"),
        (
            "greedy:repeat=4",
            r"parameters of 'greedy' \(action_repeat\), got 'repeat'; did you mean",
        ),
        ("noop:action_repeat=2", r"parameters of 'noop' \(none\), got 'action_repeat'"),
        ("greedy:action_repeat=x", "expected action_repeat=NUMBER once for 'greedy'"),
        ("greedy:action_repeat", "expected action_repeat=NUMBER once"),
        ("random:action_repeat=1,action_repeat=2", "NUMBER once for 'random'"),
        ("random:action_repeat=0", "expected action_repeat in 1..255, got 0"),
        ("search:depth=3", "'search:depth=3': expected depth 1 or 2, got 3"),
        ("snapshot:selfplay", "expected 'snapshot:RUN/ID' with"),
        ("snapshot:/3", "expected 'snapshot:RUN/ID' with"),
    ],
)
def test_other_texts_are_refused_with_what_is_known(text: str, message: str) -> None:
    with pytest.raises(PlayerError, match=message):
        load_policy(text)


@pytest.fixture
def run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run called `first`: of main's three snapshots the second one leads, behind an exploiter."""
    monkeypatch.chdir(tmp_path)
    run = RunDir.create(Path("runs/first"), "run: {name: first}\n")
    names = [*(f"main-{number:04d}" for number in range(3)), EXPLOITER]
    with Store.create(run.database) as store:
        for number, name in enumerate(names):
            role = name.rpartition("-")[0]
            row = SnapshotRow(name, role, None, 100 * number, number, "ab", NOW, {})
            elos = {"greedy": 1000.0, **dict(zip(names, (400.0, 700.0, 600.0, 900.0), strict=True))}
            ratings = [RatingRow(number, *item, 0.0, 1.0, "interval", 4) for item in elos.items()]
            store.commit_iteration(
                IterationRow(number, 100 * number, NOW),
                snapshots=[row],
                rate=lambda _, ratings=ratings: ratings,  # type: ignore[misc]
            )
    return run.path


@pytest.mark.parametrize(
    ("snapshot_id", "name"),
    [
        ("latest", "main-0002"),
        ("best", "main-0001"),
        ("main-0000", "main-0000"),
        (EXPLOITER, EXPLOITER),
    ],
)
@pytest.mark.parametrize("run", ["first", "runs/first"])
def test_snapshots_are_found_by_run_and_id(
    run_folder: Path, run: str, snapshot_id: str, name: str
) -> None:
    assert find_snapshot(run, snapshot_id) == run_folder / "snapshots" / name


def test_an_unknown_snapshot_names_those_that_there_are(run_folder: Path) -> None:
    message = r"main-0000, main-0001, main-0002, .*'latest' or 'best', got 'main-002'; did you mean"
    with pytest.raises(PlayerError, match=message):
        find_snapshot("first", "main-002")


def test_an_unknown_run_names_those_that_there_are(run_folder: Path) -> None:
    with pytest.raises(RunDirError, match="did you mean 'first'"):
        load_policy("snapshot:frist/latest")


def test_a_run_without_snapshots_has_no_latest(run_folder: Path) -> None:
    empty = RunDir.create(Path("runs/empty"), "")
    Store.create(empty.database).close()
    with pytest.raises(PlayerError, match=r"\(none yet\)"):
        find_snapshot("empty", "latest")


def test_a_snapshot_text_gives_its_network(run_folder: Path) -> None:
    from policies.network import NetworkConfig, build_network

    config = NetworkConfig("column", column_features=4, hidden=8)
    weights = {name: value.numpy() for name, value in build_network(config).state_dict().items()}
    save_snapshot(
        run_folder / "snapshots" / "main-0002",
        run="first",
        snapshot_id="main-0002",
        env_steps=200,
        network=asdict(config),
        weights=weights,
        view=View("compact", action_repeat=4),
    )
    policy = load_policy("snapshot:first/latest")
    assert policy.name == "snapshot:first/main-0002"
    assert policy.view.action_repeat == 4
    observations = np.zeros((2, COMPACT_SIZE), np.uint8)
    actions, _ = policy.act(observations, None, policy.initial_state(2), np.random.default_rng(0))
    assert actions.shape == (2,)


def test_a_recorded_snapshot_whose_folder_is_gone_is_an_error(run_folder: Path) -> None:
    with pytest.raises(LeagueError, match="expected a snapshot at"):
        load_policy("snapshot:first/main-0001")
