"""The loop of a run: what an iteration leaves behind, and that no stop or kill is noticed later."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from league import freezing, learners, loop
from league.checkpoint import FILE, CheckpointError, Progress
from league.learning_settings import PhaseSettings, TrainingSettings
from league.settings import (
    EvaluationSettings,
    LeagueSettings,
    RunConfig,
    RunSettings,
)
from league.snapshots import (
    MANIFEST_FILE,
    WEIGHTS_FILE,
    SnapshotError,
    read_manifest,
    read_weights,
)
from league.store import Store
from tests.league.loop_fakes import STEPS_PER_ITERATION, Bench, FakeEvaluator, FakeTrainer

TOTAL = 1000


def make_config(
    *, wait: bool = True, max_minutes: float = 0.0, self_play: float = 0.0
) -> RunConfig:
    return RunConfig(
        run=RunSettings(name="loop", seed=3),
        solo=PhaseSettings(learning_rate=1e-3, final_learning_rate=0.0),
        training=TrainingSettings(total_env_steps=TOTAL, max_minutes=max_minutes, solo=1.0),
        league=LeagueSettings(slots=3, snapshot_every=300, self_play=self_play),
        evaluation=EvaluationSettings(
            opponents=("random", "greedy"), pairs=2, past_snapshots=1, wait=wait
        ),
    )


def make_bench(path: Path, **settings: Any) -> Bench:
    return Bench(path, make_config(**settings))


def read_everything(path: Path) -> dict[str, Any]:
    """All that a run has on record, without wall times."""
    with Store(path / "league.sqlite", read_only=True) as store:
        snapshots = [
            (row.id, row.parent, row.env_steps, row.iteration, row.sha256)
            for row in store.snapshots()
        ]
        return {
            "newest": store.newest_iteration().iteration,  # type: ignore[union-attr]
            "snapshots": snapshots,
            "evaluation": list(store.games("evaluation")),
            "train": list(store.games("train")),
            "ratings": store.rating_history(),
        }


def test_a_run_trains_to_its_end(tmp_path: Path) -> None:
    bench = make_bench(tmp_path / "run")
    assert bench.run()
    assert [iteration for iteration, *_ in bench.trainer.asked] == [
        2,
        3,
        4,
        6,
        7,
        8,
        10,
        11,
        12,
        14,
    ]
    assert bench.statuses[-1].env_steps == TOTAL
    assert bench.statuses[-1].share == 1.0
    assert bench.statuses[-1].waiting_pairs == 0


def test_snapshots_are_spread_over_the_run_and_frozen(tmp_path: Path) -> None:
    bench = make_bench(tmp_path / "run")
    bench.run()
    with bench.open_store() as store:
        rows = store.snapshots()
    assert [row.env_steps for row in rows] == [0, 300, 600, 900, 1000]
    assert [row.parent for row in rows] == [None, *(row.id for row in rows[:-1])]
    assert len({row.sha256 for row in rows}) == len(rows)
    for row in rows:
        assert read_manifest(bench.run_dir.snapshot(row.id)).weights_sha256 == row.sha256
    last = read_weights(bench.run_dir.snapshot(rows[-1].id))
    assert last["total"][0] == bench.trainer.total


def test_snapshots_that_only_time_has_parted_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "LAST_GAP", 0.4)
    bench = make_bench(tmp_path / "run")
    bench.run()
    with bench.open_store() as store:
        assert [row.env_steps for row in store.snapshots()] == [0, 300, 600, 1000]


def test_every_snapshot_meets_its_opponents(tmp_path: Path) -> None:
    bench = make_bench(tmp_path / "run")
    bench.run()
    record = read_everything(bench.path)
    met: dict[str, set[str]] = {}
    for _, row in record["evaluation"]:
        for one, other in (row.players, row.players[::-1]):
            met.setdefault(one, set()).add(other)
    assert met["main-0000"] == {"random", "greedy", "main-0001"}
    assert met["main-0004"] == {"random", "greedy", "main-0003"}
    assert len(record["evaluation"]) == 2 * 2 * (2 + 3 * 4)
    pairs = [row.pair for _, row in record["evaluation"]]
    assert pairs == [pair for pair in range(len(pairs) // 2) for _ in range(2)]


def test_ratings_are_logged_where_they_are_recorded(tmp_path: Path) -> None:
    bench = make_bench(tmp_path / "run")
    bench.run()
    logged = [
        (steps, name.removeprefix("elo/"), value)
        for steps, metrics in bench.tracker.logged
        for name, value in metrics.items()
        if name.startswith("elo/")
    ]
    recorded = [
        (steps, row.player, row.elo) for steps, row in read_everything(bench.path)["ratings"]
    ]
    assert sorted(logged) == sorted(recorded)
    newest = bench.tracker.logged[-1][1]
    assert newest["league/elo"] == newest["elo/main-0004"]


def test_learning_rate_falls_with_the_steps(tmp_path: Path) -> None:
    bench = make_bench(tmp_path / "run")
    bench.run()
    rates = [rate for _, _, rate, _ in bench.trainer.asked]
    assert rates == pytest.approx([1e-3 * (1 - done / 10) for done in range(10)])


def test_the_share_of_self_play_reaches_the_trainer(tmp_path: Path) -> None:
    bench = make_bench(tmp_path / "run", self_play=0.25)
    bench.run(3)
    assert bench.trainer.asked[0][3] == 0.25


def test_training_games_are_logged_but_never_rated(tmp_path: Path) -> None:
    bench = make_bench(tmp_path / "run")
    bench.run()
    record = read_everything(bench.path)
    assert len(record["train"]) == TOTAL // STEPS_PER_ITERATION
    assert {"main"} <= set(record["train"][0][1].players)
    assert "main" not in {row.player for _, row in record["ratings"]}


@pytest.mark.parametrize("stop_after", range(1, 16))
def test_a_stopped_run_goes_on_as_if_nothing_had_happened(tmp_path: Path, stop_after: int) -> None:
    whole = make_bench(tmp_path / "whole")
    assert whole.run()
    parts = make_bench(tmp_path / "parts")
    finished = parts.run(stop_after)
    first = parts.trainer.asked
    again = parts.again()
    assert again.run()
    assert finished == (again.trainer.asked == [])
    assert first + again.trainer.asked == whole.trainer.asked
    assert read_everything(parts.path) == read_everything(whole.path)


@pytest.mark.parametrize(
    "broken",
    [
        "freezing.save_snapshot",
        "learners.TrainerState.save",
        "loop.Store.commit_iteration",
        "loop.RunDir.prune_checkpoints",
    ],
)
@pytest.mark.parametrize("call", [1, 2, 3, 4])
def test_a_kill_costs_at_most_the_unfinished_iteration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str, call: int
) -> None:
    whole = make_bench(tmp_path / "whole")
    whole.run()
    parts = make_bench(tmp_path / "parts")
    with monkeypatch.context() as patch:
        _kill_at(patch, broken, call)
        with pytest.raises(_KilledError):
            parts.run()
    again = parts.again()
    assert again.run()
    assert read_everything(parts.path) == read_everything(whole.path)
    assert sorted(path.name for path in again.run_dir.snapshots.iterdir()) == [
        f"main-{number:04d}" for number in range(5)
    ]
    assert len(again.run_dir.list_checkpoints()) == 2


class _KilledError(BaseException):
    """Stands for the end of the process; nothing may catch it."""


def _kill_at(patch: pytest.MonkeyPatch, name: str, call: int) -> None:
    """Let the process "die" right after the given call of a durable operation."""
    module, *parts, attribute = name.split(".")
    owner: Any = {"freezing": freezing, "learners": learners, "loop": loop}[module]
    for part in parts:
        owner = getattr(owner, part)
    original, calls = getattr(owner, attribute), iter(range(1, 1000))

    def die(*arguments: Any, **named: Any) -> Any:
        number = next(calls)
        if number == call and attribute == "commit_iteration":
            # A commit is all or nothing, so its kill comes before it.
            raise _KilledError
        result = original(*arguments, **named)
        if number == call:
            raise _KilledError
        return result

    patch.setattr(owner, attribute, die)


def test_evaluation_goes_on_beside_training(tmp_path: Path) -> None:
    bench = make_bench(tmp_path / "run", wait=False)
    bench.evaluator = FakeEvaluator(speed=1)
    assert bench.run()
    assert [iteration for iteration, *_ in bench.trainer.asked] == list(range(1, 11))
    waited = make_bench(tmp_path / "waited")
    waited.run()
    assert bench.evaluator.played == waited.evaluator.played


@pytest.mark.parametrize("stop_after", [1, 5, 12, 14])
def test_planned_games_survive_a_stop(tmp_path: Path, stop_after: int) -> None:
    bench = make_bench(tmp_path / "run", wait=False)
    bench.evaluator = FakeEvaluator(speed=1)
    bench.run(stop_after)
    again = bench.again()
    assert again.run()
    whole = make_bench(tmp_path / "whole", wait=False)
    whole.run()
    assert bench.evaluator.played + again.evaluator.played == whole.evaluator.played
    ids = [game_id for game_id, _ in read_everything(bench.path)["evaluation"]]
    assert len(ids) == len(set(ids)) == 2 * len(whole.evaluator.played)


def test_a_finished_run_has_nothing_left_to_do(tmp_path: Path) -> None:
    bench = make_bench(tmp_path / "run")
    bench.run(5)
    with bench.open_store() as store:
        assert not loop.is_complete(bench.config, bench.run_dir, store)
    bench.again().run()
    with bench.open_store() as store:
        assert loop.is_complete(bench.config, bench.run_dir, store)
    before = read_everything(bench.path)
    again = bench.again()
    assert again.run()
    assert again.trainer.asked == []
    assert read_everything(bench.path) == before


def test_minutes_end_the_training_and_spread_the_snapshots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 100_000, 12))
    monkeypatch.setattr("time.monotonic", lambda: float(next(clock)))
    bench = make_bench(tmp_path / "run", max_minutes=1.0, wait=False)
    assert bench.run()
    assert bench.statuses[-1].env_steps < TOTAL
    with bench.open_store() as store:
        assert [row.env_steps for row in store.snapshots()] == [0, 200, 400]


def test_an_error_in_training_ends_the_run_and_keeps_what_was_done(tmp_path: Path) -> None:
    bench = make_bench(tmp_path / "run")
    bench.trainer = FakeTrainer(fail_at=4)
    with pytest.raises(RuntimeError, match="broke on purpose"):
        bench.run()
    whole = make_bench(tmp_path / "whole")
    whole.run()
    assert bench.again().run()
    assert read_everything(bench.path) == read_everything(whole.path)


def test_a_replaced_snapshot_is_refused(tmp_path: Path) -> None:
    bench = make_bench(tmp_path / "run")
    bench.run(6)
    folder = bench.run_dir.snapshots
    shutil.rmtree(folder / "main-0001")
    shutil.copytree(folder / "main-0000", folder / "main-0001")
    with pytest.raises(SnapshotError, match="the folder was replaced"):
        bench.again().run()


def test_damaged_weights_are_refused_before_training_goes_on(tmp_path: Path) -> None:
    bench = make_bench(tmp_path / "run")
    bench.run(6)
    path = bench.run_dir.snapshot("main-0001") / WEIGHTS_FILE
    path.write_bytes(path.read_bytes()[:-1])
    again = bench.again()
    with pytest.raises(SnapshotError, match=r"main-0001/weights\.safetensors.* cut short"):
        again.run()
    assert again.trainer.asked == []


def test_a_league_state_of_another_version_is_refused(tmp_path: Path) -> None:
    bench = make_bench(tmp_path / "run")
    bench.run(6)
    folder = bench.run_dir.checkpoint(bench.run_dir.list_checkpoints()[-1])
    progress = Progress.load(folder)
    (folder / FILE).unlink()
    replace(progress, manager={}).save(folder)
    with pytest.raises(CheckpointError, match=f"as this version keeps it in {folder}"):
        bench.again().run()


def test_a_missing_snapshot_is_refused(tmp_path: Path) -> None:
    bench = make_bench(tmp_path / "run")
    bench.run(6)
    (bench.run_dir.snapshot("main-0001") / MANIFEST_FILE).unlink()
    with pytest.raises(SnapshotError, match="found no manifest"):
        bench.again().run()


def test_a_checkpoint_of_another_iteration_is_refused(tmp_path: Path) -> None:
    bench = make_bench(tmp_path / "run")
    bench.run(5)
    older, newest = map(bench.run_dir.checkpoint, bench.run_dir.list_checkpoints())
    shutil.rmtree(newest)
    shutil.copytree(older, newest)
    with pytest.raises(CheckpointError, match=r"expected iteration 4 in .*, got 3"):
        bench.again().run()
