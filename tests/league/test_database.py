"""The database file: what is damaged, foreign or meddled with is refused by name."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from league.database import SCHEMA_VERSION
from league.errors import StoreError
from league.records import Condition, GameRow, IterationRow
from league.store import Store

CONDITION = Condition((0, 0), (1, 1), "fake", 100)
GAMES = 300


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database of some 50 pages, closed."""
    path = tmp_path / "league.sqlite"
    games = [
        GameRow("evaluation", CONDITION, seed, ("a", "b"), "win", "clear", 9, replay=bytes(400))
        for seed in range(GAMES)
    ]
    with Store.create(path) as store:
        store.commit_iteration(IterationRow(0, 0, "now"), games=games)
    return path


def read_all(path: Path) -> None:
    with Store(path, read_only=True) as store:
        store.newest_iteration()
        store.snapshots()
        store.rating_history()
        store.count_results("evaluation")
        store.pairs("evaluation")
        assert len(list(store.games("evaluation"))) == store.count_games()


def change_schema(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_a_file_that_was_cut_short_is_refused(path: Path, share: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(StoreError, match=r"expected .*league\.sqlite"):
        Store(path)
    with pytest.raises(StoreError, match=r"expected .*league\.sqlite"):
        read_all(path)


def test_damage_is_named_wherever_it_is(path: Path) -> None:
    data = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = []
    for _ in range(60):
        damaged = bytearray(data)
        start = int(rng.integers(len(data) - 512))
        damaged[start : start + 512] = rng.bytes(512)
        path.write_bytes(damaged)
        try:
            Store(path).close()
            read_all(path)
        except StoreError as error:
            refused.append(str(error))
    # The rest hit the bytes of a replay, which only its own check can tell.
    assert len(refused) > 10
    assert all(str(path) in text for text in refused)


def test_text_that_is_no_json_is_named(path: Path) -> None:
    change_schema(path, "UPDATE games SET stats = '{' WHERE id = 7")
    with pytest.raises(StoreError, match=r"expected JSON in .*league\.sqlite, got '\{'"):
        read_all(path)


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        (
            "CREATE TRIGGER evil AFTER INSERT ON games BEGIN DELETE FROM ratings; END",
            "evil",
        ),
        ("CREATE VIEW evil AS SELECT * FROM games", "evil"),
        ("DROP INDEX distinct_games", "distinct_games"),
        ("ALTER TABLE games ADD COLUMN evil TEXT", "games"),
    ],
)
def test_a_schema_that_was_meddled_with_is_refused(path: Path, statement: str, name: str) -> None:
    change_schema(path, statement)
    with pytest.raises(StoreError, match=f"and nothing else in .*, got a difference in .*{name}"):
        Store(path)


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, "future", ""])
def test_another_version_is_named(path: Path, version: object) -> None:
    change_schema(path, f"UPDATE meta SET value = '{version}'")
    with pytest.raises(
        StoreError, match=f"expected schema version {SCHEMA_VERSION}, got {version}"
    ):
        Store(path, read_only=True)


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"text " * 1000),
        lambda path: path.mkdir(),
        lambda path: change_schema(path, "CREATE TABLE games (id)"),
        lambda path: change_schema(path, "CREATE TABLE meta (key, value)"),
    ],
)
def test_what_is_no_database_of_ours_is_refused(
    tmp_path: Path, make: Callable[[Path], object]
) -> None:
    path = tmp_path / "other.sqlite"
    make(path)
    for read_only in (True, False):
        with pytest.raises(StoreError, match=r"expected a .*database at .*other\.sqlite"):
            Store(path, read_only=read_only)


def test_a_log_that_a_kill_left_of_a_creation_is_not_played_into_the_new_file(
    tmp_path: Path,
) -> None:
    path = tmp_path / "league.sqlite"
    for ending in ("", "-journal"):
        (tmp_path / f".tmp-league.sqlite{ending}").write_bytes(b"left" * 300)
    with Store.create(path) as store:
        assert store.newest_iteration() is None
    assert [one.name for one in tmp_path.iterdir()] == ["league.sqlite"]
