from __future__ import annotations

import getpass
import json
import math
import platform
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from league.payoff import Payoff, Record
from league.records import (
    Condition,
    GameRow,
    IterationRow,
    RatingRow,
    ResultCount,
    SnapshotRow,
    utc_now,
)
from league.standings import Standing, read_standings
from league.store import Store
from league.tracking import (
    CompositeTracker,
    JsonlTracker,
    WatchfulTracker,
    log_final_tables,
    rating_metrics,
)
from league.tracking.alarms import PATIENCE
from league.tracking.metrics import METRICS, STEP_METRIC
from league.tracking.weights_and_biases import WandbTracker, hide_paths
from tests.league.wandb_reader import (
    holds_word,
    read_definitions,
    read_history,
    read_records,
    read_runs,
)

CONDITION = Condition((0, 0), (1, 1), "retro", 36_000)


def read_jsonl(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _return_rows(rows: list[RatingRow], _: Store) -> list[RatingRow]:
    return rows


def fill_store(store: Store) -> None:
    """Three iterations with ratings that need every digit of a float."""
    for number in range(3):
        name = f"main-{number:04d}"
        rows = [
            RatingRow(number, "greedy", 1000.0, 1000.0, 1000.0, "interval", 8),
            *(
                RatingRow(
                    number, f"main-{k:04d}", 900 / (k + 1.1), -math.inf, 950 + k / 3, "at_most", 8
                )
                for k in range(number + 1)
            ),
        ]
        store.commit_iteration(
            IterationRow(number, 4096 * number, utc_now()),
            snapshots=[SnapshotRow(name, "main", None, 4096 * number, number, "00", utc_now(), {})],
            games=[GameRow("evaluation", CONDITION, number, (name, "greedy"), "loss", "clear", 9)],
            rate=partial(_return_rows, rows),
        )


def log_history(tracker: CompositeTracker, store: Store) -> None:
    by_step: dict[int, list[RatingRow]] = {}
    for env_steps, row in store.rating_history():
        by_step.setdefault(env_steps, []).append(row)
    for env_steps, rows in by_step.items():
        tracker.log(env_steps, rating_metrics(rows))


def curves(rows: Sequence[dict[str, object]]) -> set[tuple[object, str, object]]:
    return {
        (row[STEP_METRIC], name.removeprefix("elo/"), value)
        for row in rows
        for name, value in row.items()
        if name.startswith("elo/")
    }


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store.create(tmp_path / "league.sqlite")
    fill_store(store)
    return store


def test_wandb_and_jsonl_hold_the_ratings_of_the_database(store: Store, tmp_path: Path) -> None:
    jsonl = tmp_path / "metrics.jsonl"
    wandb = WandbTracker(
        tmp_path,
        mode="offline",
        project="tests",
        name="curves",
        config={"run": {"seed": 3, "root": str(tmp_path)}},
    )
    tracker = CompositeTracker([JsonlTracker(jsonl), wandb])
    log_history(tracker, store)
    log_final_tables(
        tracker, read_standings(store), Payoff.from_counts(store.count_results("evaluation"))
    )
    tracker.close()
    truth = {(steps, row.player, row.elo) for steps, row in store.rating_history()}
    assert len(truth) == 9
    history = read_history(tmp_path)
    assert curves(history) == truth
    assert curves(read_jsonl(jsonl)) == truth
    # Open ends of intervals are not drawn.
    assert not any("elo_lower/main-0000" in row for row in history)
    for table in ("standings", "elo_curve", "payoff"):
        assert any(row.get(f"tables/{table}/_type") == "html-file" for row in history)
    for part in (
        platform.node(),
        str(tmp_path),
        str(Path.cwd()),
        getpass.getuser() + "@",
        "pytest",
    ):
        assert not holds_word(read_records(tmp_path), part), part
    assert holds_word(read_records(tmp_path), "curves"), "what is recorded is found"


def test_every_curve_is_drawn_against_env_steps(tmp_path: Path) -> None:
    tracker = WandbTracker(tmp_path, mode="offline", project="tests", name="axes", config={})
    tracker.log(4096, {"play/score": 0.5})
    tracker.close()
    axes = read_definitions(tmp_path)
    for metric in METRICS:
        assert axes[metric.name] == (None if metric.name == STEP_METRIC else STEP_METRIC)


def test_a_resumed_run_joins_its_group(tmp_path: Path) -> None:
    for part in ("first", "second"):
        (tmp_path / part).mkdir()
        tracker = WandbTracker(
            tmp_path / part, mode="offline", project="tests", name="long", config={}
        )
        tracker.log(0, {"league/elo": 1.0})
        tracker.close()
    first, second = (read_runs(tmp_path / part)[0] for part in ("first", "second"))
    assert first.run_group == second.run_group == "long"
    assert first.run_id != second.run_id
    assert (first.job_type, first.host) == ("train", "")


def test_paths_are_no_part_of_what_is_shown() -> None:
    config = {
        "run": {"name": "mine", "root": "runs", "init": "/home/me/w", "seed": 3},
        "levels": [1, 2],
        "other": {"file": "~/x", "share": 0.5, "text": "a/b"},
    }
    assert hide_paths(config) == {
        "run": {"name": "mine", "seed": 3},
        "levels": [1, 2],
        "other": {"share": 0.5, "text": "a/b"},
    }


def test_dead_training_is_warned_of_once_and_drawn(tmp_path: Path) -> None:
    path, warnings = tmp_path / "metrics.jsonl", list[str]()
    tracker = WatchfulTracker(CompositeTracker([JsonlTracker(path)]), warnings.append)
    for iteration in range(PATIENCE + 3):
        tracker.log(iteration, {"policy/entropy_ratio": 1.0, "play/clears": 2})
    assert len(warnings) == 1
    assert warnings[0].startswith("warning: entropy ratio above 0.98 for 10 iterations")
    tracker.log(99, {"policy/entropy_ratio": 0.5})
    tracker.close()
    rung = [line.get("alarm/entropy") for line in read_jsonl(path)]
    assert rung == [None] * (PATIENCE - 1) + [1.0] * 4 + [0.0]


def test_jsonl_goes_on_after_a_line_that_was_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    first = JsonlTracker(path)
    first.log(0, {"league/elo": 1.5})
    first.close()
    with path.open("a") as file:
        file.write('{"league/env_st')
    second = JsonlTracker(path)
    second.log(10, {"league/elo": 2.5, "elo_lower/a": math.nan})
    second.log_table("payoff", ["player", "a"], [["a", None]])
    second.close()
    assert read_jsonl(path) == [
        {STEP_METRIC: 0, "league/elo": 1.5},
        {STEP_METRIC: 10, "league/elo": 2.5},
        {"table": "payoff", "columns": ["player", "a"], "rows": [["a", None]]},
    ]


def test_only_names_of_the_table_are_accepted(tmp_path: Path) -> None:
    jsonl = JsonlTracker(tmp_path / "metrics.jsonl")
    tracker = CompositeTracker([jsonl])
    for metric in METRICS:
        tracker.log(0, {metric.name.replace("*", "main-0001"): 1.0})
    with pytest.raises(ValueError, match="'leage/elo'; did you mean 'league/elo'"):
        tracker.log(0, {"leage/elo": 1.0})
    tracker.close()
    assert len(read_jsonl(tmp_path / "metrics.jsonl")) == len(METRICS)


def test_every_metric_has_a_meaning_and_a_name_of_its_own() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    assert all(metric.meaning for metric in METRICS)


def test_the_payoff_table_shows_scores(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    counts = [ResultCount(("a", "b"), "win", 3), ResultCount(("b", "a"), "win", 1)]
    tracker = JsonlTracker(path)
    log_final_tables(tracker, [], Payoff.from_counts(counts))
    tracker.close()
    assert read_jsonl(path)[-1] == {
        "table": "payoff",
        "columns": ["player", "a", "b"],
        "rows": [["a", None, 0.75], ["b", 0.25, None]],
    }


def test_the_elo_curve_is_mains(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    nothing = Record(0, 0, 0, 0)
    standings = [
        Standing(1, "main_exploiter_1-0000", 1200.0, 1.0, 2.0, "interval", nothing, 5, "exploiter"),
        Standing(2, "main-0001", 1100.0, 1.0, 2.0, "interval", nothing, 5, "main"),
        Standing(3, "greedy", 1000.0, 1.0, 2.0, "interval", nothing, None, None),
        Standing(4, "main-0000", 900.0, 1.0, 2.0, "interval", nothing, 0, "main"),
    ]
    tracker = JsonlTracker(path)
    log_final_tables(tracker, standings, Payoff.from_counts([]))
    tracker.close()
    tables = {str(line["table"]): line["rows"] for line in read_jsonl(path)}
    assert tables["elo_curve"] == [
        ["main-0000", 0, 900.0, 1.0, 2.0],
        ["main-0001", 5, 1100.0, 1.0, 2.0],
    ]


def test_the_page_has_the_table() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "tracking.md").read_text()
    for metric in METRICS:
        assert f"| `{metric.name}` | {metric.unit} | {metric.meaning} | " in page
