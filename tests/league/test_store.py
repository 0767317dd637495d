from __future__ import annotations

import math
import multiprocessing
import os
import signal
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from league.database import SCHEMA_VERSION
from league.errors import StoreError
from league.records import (
    Condition,
    GameRow,
    IterationRow,
    PairRow,
    RatingRow,
    Result,
    ResultCount,
    SnapshotRow,
)
from league.store import Store

CONDITION = Condition((0, 5), (1, 2), "retro", 36_000)


def game(
    seed: int = 1, players: tuple[str, str] = ("a", "b"), result: Result = "win", **changes: object
) -> GameRow:
    row = GameRow("evaluation", CONDITION, seed, players, result, "clear", 1200, policy_seed=0)
    return replace(row, **changes)  # type: ignore[arg-type]


def iteration(number: int) -> IterationRow:
    return IterationRow(number, 100 * number, "2026-01-01T00:00:00+00:00")


def snapshot(number: int) -> SnapshotRow:
    parent = f"main-{number - 1:04d}" if number else None
    steps = 100 * number
    created = "2026-01-01T00:00:00+00:00"
    view = {"observation": "compact", "stack": 1}
    return SnapshotRow(f"main-{number:04d}", "main", parent, steps, number, "ab", created, view)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "league.sqlite"


def test_rows_come_back_as_they_went_in(path: Path) -> None:
    full = game(
        pair=3,
        stats={"viruses": [4, 0]},
        versions={"core": "fceumm"},
        replay=b"\x01\x02",
        policy_seed=None,
    )
    rating = RatingRow(1, "a", 1012.25, 990.5, math.inf, "at_least", 4)
    with Store.create(path) as store:
        store.commit_iteration(iteration(0), snapshots=[snapshot(0)])
        ids = store.commit_iteration(
            iteration(1), snapshots=[snapshot(1)], games=[full], rate=lambda _: [rating]
        )
    with Store(path, read_only=True) as store:
        assert store.newest_iteration() == iteration(1)
        assert store.snapshots() == [snapshot(0), snapshot(1)]
        assert list(store.games("evaluation")) == [(ids[0], full)]
        assert list(store.games("train")) == []
        assert store.ratings() == [rating]
        assert store.rating_history() == [(100, rating)]


def test_a_new_database_is_empty(path: Path) -> None:
    with Store.create(path) as store:
        assert store.newest_iteration() is None
        assert (store.snapshots(), store.ratings(), store.count_games()) == ([], [], 0)
        assert store.next_pair() == 0


def test_game_ids_are_never_given_twice(path: Path) -> None:
    with Store.create(path) as store:
        first = store.commit_iteration(iteration(0), games=[game(1), game(2)])
    with Store(path) as store:
        second = store.commit_iteration(iteration(1), games=[game(3)])
        assert store.count_games() == 3
    assert len({*first, *second}) == 3
    assert max(first) < min(second)
    with sqlite3.connect(path) as tampered:
        tampered.execute("DELETE FROM games WHERE id = ?", second)
    tampered.close()
    with Store(path) as store:
        third = store.commit_iteration(iteration(2), games=[game(4)])
    assert min(third) > max(second)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 2},
        {"players": ("b", "a")},
        {"condition": replace(CONDITION, levels=(0, 6))},
        {"condition": replace(CONDITION, backend="simulator")},
        {"condition": replace(CONDITION, episode="set")},
        {"policy_seed": 5},
        {"policy_seed": None},
    ],
)
def test_different_games_are_accepted(path: Path, change: dict[str, object]) -> None:
    with Store.create(path) as store:
        store.commit_iteration(iteration(0), games=[game(), replace(game(), **change)])  # type: ignore[arg-type]
        assert store.count_games("evaluation") == 2


def test_the_same_deterministic_game_is_refused(path: Path) -> None:
    with Store.create(path) as store:
        store.commit_iteration(iteration(0), games=[game()])
        repeated = game(result="loss", pair=9, purpose="match")
        with pytest.raises(StoreError, match=r"'a' against 'b' on seed 0x0001"):
            store.commit_iteration(iteration(1), games=[game(7), repeated])
        assert store.count_games() == 1
        assert store.newest_iteration() == iteration(0)


def test_games_that_no_seed_replays_are_never_repetitions(path: Path) -> None:
    trained = game(purpose="train", policy_seed=None)
    with Store.create(path) as store:
        store.commit_iteration(iteration(0), games=[trained, trained])
        assert store.count_games("train") == 2


def test_an_iteration_is_all_or_nothing(path: Path) -> None:
    def fail(store: Store) -> list[RatingRow]:
        assert store.count_games() == 1
        raise KeyError("ratings")

    with Store.create(path) as store:
        with pytest.raises(KeyError):
            store.commit_iteration(iteration(0), snapshots=[snapshot(0)], games=[game()], rate=fail)
        assert store.newest_iteration() is None
        assert (store.snapshots(), store.count_games()) == ([], 0)
        store.commit_iteration(iteration(0), snapshots=[snapshot(0)], games=[game()])
        assert store.count_games() == 1


def test_iterations_and_snapshots_are_recorded_once(path: Path) -> None:
    with Store.create(path) as store:
        store.commit_iteration(iteration(0), snapshots=[snapshot(0)])
        with pytest.raises(StoreError, match="nothing was written"):
            store.commit_iteration(iteration(0))
        with pytest.raises(StoreError, match="nothing was written"):
            store.commit_iteration(iteration(1), snapshots=[snapshot(0)])


def _commit_and_die(path: Path) -> None:
    def die(_: Store) -> list[RatingRow]:
        os.kill(os.getpid(), signal.SIGKILL)
        return []

    Store(path).commit_iteration(iteration(1), games=[game(2)], rate=die)


def test_a_kill_inside_an_iteration_leaves_nothing_of_it(path: Path) -> None:
    with Store.create(path) as store:
        store.commit_iteration(iteration(0), games=[game(1)])
    process = multiprocessing.get_context("spawn").Process(target=_commit_and_die, args=(path,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    with Store(path) as store:
        assert store.newest_iteration() == iteration(0)
        store.commit_iteration(iteration(1), games=[game(2)])
        assert store.count_games() == 2


def test_a_reader_sees_the_last_commit_while_another_writes(path: Path) -> None:
    with Store.create(path) as writer, Store(path, read_only=True) as reader:
        writer.commit_iteration(iteration(0), games=[game()])
        assert reader.count_games() == 1
        with pytest.raises(StoreError, match="readonly"):
            reader.commit_iteration(iteration(1))


def test_results_are_counted_by_seating(path: Path) -> None:
    games = [
        game(1),
        game(2),
        game(3, result="draw"),
        game(4, ("b", "a")),
        game(5, purpose="match"),
    ]
    with Store.create(path) as store:
        store.commit_iteration(iteration(0), games=games)
        assert store.count_results("evaluation") == [
            ResultCount(("a", "b"), "draw", 1),
            ResultCount(("a", "b"), "win", 2),
            ResultCount(("b", "a"), "win", 1),
        ]


def test_pairs_are_told_from_the_view_of_who_sat_left_first(path: Path) -> None:
    games = [
        game(1, ("a", "b"), "win", pair=0),
        game(1, ("b", "a"), "win", pair=0),
        game(2, ("b", "a"), "draw", pair=1),
        game(2, ("a", "b"), "stopped", pair=1),
        game(3, ("a", "b"), "win", pair=2),
        game(4, ("a", "b"), "win"),
    ]
    with Store.create(path) as store:
        store.commit_iteration(iteration(0), games=games)
        assert store.pairs("evaluation") == [
            PairRow(0, ("a", "b"), ("win", "loss")),
            PairRow(1, ("b", "a"), ("draw", "stopped")),
        ]
        assert store.next_pair() == 3


def test_missing_foreign_and_newer_databases_are_named(tmp_path: Path, path: Path) -> None:
    with pytest.raises(StoreError, match=r"found none"):
        Store(path)
    text = tmp_path / "notes.txt"
    text.write_text("not a database, and long enough to be read as one" * 10)
    with pytest.raises(StoreError, match=r"expected a league database at .*notes\.txt"):
        Store(text)
    foreign = tmp_path / "foreign.sqlite"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE meta (key, value)")
    connection.close()
    with pytest.raises(StoreError, match="foreign"):
        Store(foreign)
    Store.create(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = '99'")
    connection.close()
    with pytest.raises(StoreError, match=f"expected schema version {SCHEMA_VERSION}, got 99"):
        Store(path)


def test_an_existing_database_is_not_overwritten(path: Path) -> None:
    Store.create(path).close()
    with pytest.raises(StoreError, match="resume"):
        Store.create(path)


def test_what_a_kill_left_of_a_creation_is_no_obstacle(path: Path) -> None:
    path.with_name(f".tmp-{path.name}").write_bytes(b"half a database")
    with Store.create(path) as store:
        assert store.newest_iteration() is None
    assert [one.name for one in path.parent.iterdir()] == [path.name]
