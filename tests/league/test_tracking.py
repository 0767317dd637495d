from __future__ import annotations

import getpass
import json
import math
import platform
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from league.payoff import Payoff
from league.records import (
    Condition,
    GameRow,
    IterationRow,
    RatingRow,
    ResultCount,
    SnapshotRow,
    utc_now,
)
from league.standings import read_standings
from league.store import Store
from league.tracking import (
    METRICS,
    STEP_METRIC,
    CompositeTracker,
    JsonlTracker,
    WandbTracker,
    log_final_tables,
    rating_metrics,
)
from tests.league.wandb_reader import read_history, read_records

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
        tmp_path, mode="offline", project="tests", name="curves", config={"run": {"seed": 3}}
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
        assert part.encode() not in read_records(tmp_path), part


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
