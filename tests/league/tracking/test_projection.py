"""`league track`: what W&B and TensorBoard show comes from the run's own files alone."""

from __future__ import annotations

import json
import platform
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from league.cli import main
from league.commands.track import TENSORBOARD_FOLDER
from league.config import render_config
from league.payoff import Payoff
from league.records import (
    Condition,
    GameRow,
    IterationRow,
    RatingRow,
    Result,
    SnapshotRow,
    utc_now,
)
from league.rundir import RunDir
from league.settings import RunConfig, RunSettings
from league.standings import read_standings
from league.store import Store
from league.tracking import CompositeTracker, JsonlTracker, log_final_tables, rating_metrics
from league.tracking.metrics import STEP_METRIC
from league.tracking.projection import ProjectionError, project_run, read_lines
from league.tracking.tensorboard import EVENT_FILE
from tests.league.tensorboard_reader import read_scalars, read_texts
from tests.league.wandb_reader import holds_word, read_history, read_records, read_runs

ITERATIONS = 4
CONDITION = Condition((0, 0), (1, 1), "simulator", 36_000)


class Recorder:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.points: list[tuple[int, dict[str, float]]] = []
        self.tables: dict[str, Any] = {}

    def log(self, env_steps: int, metrics: Any) -> None:
        self.points.append((env_steps, dict(metrics)))

    def log_table(self, name: str, columns: Any, rows: Any) -> None:
        self.tables[name] = (list(columns), [list(row) for row in rows])

    def close(self) -> None:
        """Nothing to close."""


def rate(iteration: int, _: Store) -> list[RatingRow]:
    return [
        RatingRow(iteration, name, elo + iteration / 3, elo - 50.0, elo + 70.0, "interval", 8)
        for name, elo in (("greedy", 1000.0), ("main-0000", 900.0))
    ]


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    """A run of four iterations, its curves logged as the loop does."""
    config = RunConfig(run=RunSettings(name="told", root=str(tmp_path)))
    run_dir = RunDir.create(tmp_path / "told", render_config(config))
    tracker = CompositeTracker([JsonlTracker(run_dir.metrics)])
    with Store.create(run_dir.database) as store:
        for number in range(ITERATIONS):
            snapshot = SnapshotRow("main-0000", "main", None, 0, 0, "00", utc_now(), {})
            result: Result = "win" if number == 2 else "loss"
            players = ("main-0000", "greedy")
            game = GameRow("evaluation", CONDITION, number, players, result, "clear", 900)
            store.commit_iteration(
                IterationRow(number, 100 * number, utc_now()),
                snapshots=[snapshot] if number == 0 else [],
                games=[game],
                rate=partial(rate, number),
            )
            metrics = {"league/iteration": number, "play/score": number / 7, "train/kl": 0.01}
            rated = rate(number, store)
            tracker.log(100 * number, {**metrics, **rating_metrics(rated)})
        log_final_tables(
            tracker, read_standings(store), Payoff.from_counts(store.count_results("evaluation"))
        )
    tracker.close()
    return run_dir


def project(run: RunDir) -> tuple[Recorder, list[str]]:
    recorder = Recorder()
    with Store(run.database, read_only=True) as store:
        unknown = project_run(run, store, recorder)
    return recorder, unknown


def read_truth(run: RunDir) -> list[tuple[int, dict[str, float]]]:
    """Return what the loop logged, read without the code under test."""
    lines = [json.loads(line) for line in run.metrics.read_text().splitlines()]
    points = [line for line in lines if "table" not in line]
    return [(line.pop(STEP_METRIC), line) for line in points]


def test_the_whole_course_comes_back(run: RunDir) -> None:
    recorder, unknown = project(run)
    assert recorder.points == read_truth(run)
    assert unknown == []
    tables = [json.loads(line) for line in run.metrics.read_text().splitlines()]
    logged = {line["table"]: (line["columns"], line["rows"]) for line in tables if "table" in line}
    assert recorder.tables == logged
    assert set(logged) == {"standings", "elo_curve", "payoff"}


def test_without_json_lines_the_database_still_has_the_ratings(run: RunDir) -> None:
    truth = read_truth(run)
    run.metrics.unlink()
    recorder, _ = project(run)
    assert [steps for steps, _ in recorder.points] == [0, 100, 200, 300]
    for (_, shown), (_, logged) in zip(recorder.points, truth, strict=True):
        expected = {name: value for name, value in logged.items() if name.startswith("elo")}
        assert shown == expected | {"league/iteration": shown["league/iteration"]}


def test_a_line_that_a_kill_cut_short_is_made_up_for(run: RunDir) -> None:
    text = run.metrics.read_text().splitlines()
    run.metrics.write_text("\n".join(text[: ITERATIONS - 1]) + "\n" + text[ITERATIONS - 1][:20])
    recorder, _ = project(run)
    assert len(recorder.points) == ITERATIONS
    assert "play/score" not in recorder.points[-1][1]
    assert recorder.points[-1][1]["elo/greedy"] == 1001.0


def test_names_of_another_version_are_left_out_and_told(run: RunDir) -> None:
    text = run.metrics.read_text()
    run.metrics.write_text(text.replace('"train/kl"', '"train/old_name"'))
    recorder, unknown = project(run)
    assert unknown == ["train/old_name"]
    assert all("train/old_name" not in metrics for _, metrics in recorder.points)


@pytest.mark.parametrize("broken", ["{", "[1]", '{"league/elo": 1}'])
def test_broken_lines_are_named(run: RunDir, broken: str) -> None:
    run.metrics.write_text(run.metrics.read_text().replace("\n", f"\n{broken}\n", 1))
    with pytest.raises(ProjectionError, match=r"line 2 of .*metrics\.jsonl, got .*take the line"):
        read_lines(run.metrics)


def league(*arguments: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["league", *arguments])
        with pytest.raises(SystemExit) as exit_info:
            main()
    return int(exit_info.value.code or 0)


def test_tensorboard_is_rebuilt_from_the_run(
    run: RunDir, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert league("track", str(run.path), "--to", "tensorboard") == 0
    folder = run.path / TENSORBOARD_FOLDER
    assert capsys.readouterr().out == f"tensorboard --logdir {folder}\n" * 2
    assert [path.name for path in folder.iterdir()] == [EVENT_FILE], "the second time replaces it"
    points = {
        (steps, name, value)
        for steps, metrics in read_truth(run)
        for name, value in metrics.items()
    }
    shown = read_scalars(folder / EVENT_FILE)
    assert len(shown) == len(points)
    assert {(steps, name) for steps, name, _ in shown} == {point[:2] for point in points}
    values = {point[:2]: point[2] for point in points}
    assert all(value == pytest.approx(values[steps, name]) for steps, name, value in shown)
    texts = read_texts(folder / EVENT_FILE)
    assert texts["tables/payoff/text_summary"].splitlines()[0] == "| player | greedy | main-0000 |"
    data = (folder / EVENT_FILE).read_bytes()
    for part in (platform.node(), str(run.path)):
        assert not holds_word(data, part), part


def test_wandb_is_rebuilt_from_the_run(
    run: RunDir, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "shown"
    folder.mkdir()
    assert league("track", str(run.path), "--to", "wandb", "--folder", str(folder)) == 0
    assert capsys.readouterr().out.startswith("wandb sync ")
    rows = [row for row in read_history(folder) if STEP_METRIC in row]
    shown = [
        (
            row[STEP_METRIC],
            {name: row[name] for name in row if name[0] != "_" and name != STEP_METRIC},
        )
        for row in rows
    ]
    assert shown == read_truth(run)
    (record,) = read_runs(folder)
    assert (record.run_group, record.job_type, record.project) == ("told", "rebuild", "pill-league")
    for part in (platform.node(), str(tmp_path), "--folder"):
        assert not holds_word(read_records(folder), part), part


def test_bad_requests_are_refused(run: RunDir, capsys: pytest.CaptureFixture[str]) -> None:
    assert league("track", str(run.path), "--to", "wand") == 2
    assert league("track", str(run.path), "--to", "tensorboard", "--online") == 2
    assert league("track", "no-such-run", "--to", "wandb") == 2
    assert "expected a run in" in capsys.readouterr().err
