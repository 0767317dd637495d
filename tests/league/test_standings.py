from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from league.records import Condition, GameRow, IterationRow, Result, SnapshotRow, utc_now
from league.standings import (
    describe_standings,
    rate_players,
    rate_players_by_condition,
    rating_rows,
    read_standings,
)
from league.statistics.elo import ELO_PER_NAT, sigmoid
from league.store import Store

TRUTH = {"random": 300.0, "greedy": 1000.0, "main-0000": 350.0, "main-0001": 800.0}
CONDITION = Condition((0, 0), (1, 1), "retro", 36_000)


def make_games(rng: np.random.Generator, pairs: int) -> list[GameRow]:
    names = sorted(TRUTH)
    rows = []
    for number in range(pairs):
        first, second = rng.choice(names, 2, replace=False).tolist()
        for players in ((first, second), (second, first)):
            gap = (TRUTH[players[0]] - TRUTH[players[1]]) / ELO_PER_NAT
            result: Result = "win" if rng.random() < sigmoid(gap) else "loss"
            rows.append(
                GameRow("evaluation", CONDITION, number, players, result, "clear", 900, pair=number)
            )
    return rows


def make_snapshot(number: int) -> SnapshotRow:
    parent = f"main-{number - 1:04d}" if number else None
    return SnapshotRow(f"main-{number:04d}", "main", parent, number * 100, 0, "00", utc_now(), {})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(tmp_path / "league.sqlite")


def commit(store: Store, games: list[GameRow], iteration: int = 0) -> None:
    store.commit_iteration(
        IterationRow(iteration, 100 * iteration, utc_now()),
        snapshots=[make_snapshot(number) for number in range(2)] if iteration == 0 else [],
        games=games,
        rate=lambda inside: rating_rows(iteration, rate_players(inside, "greedy")),
    )


def test_ratings_are_fitted_from_the_log_inside_the_commit(store: Store) -> None:
    commit(store, make_games(np.random.default_rng(0), 150))
    ratings = rate_players(store, "greedy")
    assert [row.elo for row in store.ratings()] == [line.elo for line in ratings.ladder()]
    for name, truth in TRUTH.items():
        line = ratings[name]
        assert line.lower - 1 <= truth <= line.upper + 1


def test_the_fit_knows_parents_and_pairs(store: Store) -> None:
    """Mirrored pairs, and a newcomer whose few wins count less than its parent's record."""
    seats = (("main-0000", "greedy"), ("greedy", "main-0000"))
    games = [
        GameRow(
            "evaluation",
            CONDITION,
            seed,
            players,
            "win" if (seed % 2 == 0) == (players[0] == "main-0000") else "loss",
            "clear",
            900,
            pair=seed,
        )
        for seed in range(100)
        for players in seats
    ]
    games.append(GameRow("evaluation", CONDITION, 0, ("main-0001", "greedy"), "win", "clear", 900))
    commit(store, games)
    ratings = rate_players(store, "greedy")
    assert ratings.dispersion > 1.7
    assert ratings["main-0001"].elo < 1300


def test_training_games_never_rate(store: Store) -> None:
    games = make_games(np.random.default_rng(0), 50)
    flattering = [
        GameRow("train", CONDITION, seed, ("main-0001", "greedy"), "win", "clear", 900)
        for seed in range(500)
    ]
    commit(store, games)
    before = rate_players(store, "greedy").elo
    commit(store, flattering, iteration=1)
    np.testing.assert_array_equal(rate_players(store, "greedy").elo, before)


def test_the_ladder_is_read_back_in_order_with_its_records(store: Store) -> None:
    commit(store, make_games(np.random.default_rng(1), 150))
    standings = read_standings(store)
    assert [one.player for one in standings] == ["greedy", "main-0001", "main-0000", "random"]
    assert [one.rank for one in standings] == [1, 2, 3, 4]
    assert [one.env_steps for one in standings] == [None, 100, 0, None]
    assert sum(one.record.wins for one in standings) == 300
    assert standings[0].lower == standings[0].elo == 1000


def test_open_ends_are_null_in_json(store: Store) -> None:
    games = [
        GameRow("evaluation", CONDITION, seed, ("main-0000", "greedy"), "loss", "top_out", 900)
        for seed in range(10)
    ]
    commit(store, games)
    worst = describe_standings(read_standings(store))[-1]
    assert json.loads(json.dumps(worst, allow_nan=False)) == worst
    assert worst["player"] == "main-0000"
    assert (worst["kind"], worst["lower"], worst["losses"]) == ("at_most", None, 10)
    assert math.isfinite(worst["upper"])


def test_an_unrated_run_has_an_empty_ladder(store: Store) -> None:
    assert read_standings(store) == []


def test_every_condition_has_a_ladder_of_its_own(store: Store) -> None:
    games = make_games(np.random.default_rng(0), 60)
    high = Condition((20, 20), (2, 2), "retro", 36_000)
    reversed_games = [
        replace(row, condition=high, result="loss" if row.result == "win" else "win", pair=None)
        for row in games
    ]
    commit(store, [*games, *reversed_games])
    low, upside_down = rate_players_by_condition(store, "greedy")
    assert (low.condition, upside_down.condition) == (CONDITION, high)
    np.testing.assert_array_equal(low.ratings.names, upside_down.ratings.names)
    np.testing.assert_allclose(low.ratings.elo - 1000, 1000 - upside_down.ratings.elo, atol=40)
    assert low.ratings.games.sum() == upside_down.ratings.games.sum() == 240
