from __future__ import annotations

import math

import numpy as np
import pytest

from league.ratings import Tally, fit_ratings
from league.statistics.elo import ELO_PER_NAT, sigmoid
from league.statistics.rating_bounds import Win, classify_players


def sweep(winner: str, loser: str, games: int) -> list[Tally]:
    """Win `games` games, half of them from each seat."""
    return [Tally(winner, loser, games // 2, 0), Tally(loser, winner, 0, games // 2)]


def even(first: str, second: str, games: int) -> list[Tally]:
    quarter = games // 4
    return [Tally(first, second, quarter, quarter), Tally(second, first, quarter, quarter)]


def test_players_are_told_apart_by_chains_of_wins() -> None:
    anchor, above, top, inside, below, beside = range(6)
    wins = [
        Win(winner, loser, 0.0, 1)
        for winner, loser in (
            (above, anchor),
            (top, above),
            (inside, anchor),
            (anchor, inside),
            (anchor, below),
            (beside, below),
        )
    ]
    assert classify_players(6, wins, anchor) == (
        "interval",
        "at_least",
        "at_least",
        "interval",
        "at_most",
        "unlinked",
    )


def test_a_chain_of_sweeps_adds_up_its_bounds() -> None:
    ratings = fit_ratings([*sweep("b", "g", 40), *sweep("c", "b", 40)], anchor="g")
    assert ratings["b"].lower == pytest.approx(1444, abs=2)
    assert ratings["c"].lower == pytest.approx(1888, abs=3)
    assert ratings["c"].upper == math.inf


def test_a_chain_of_defeats_mirrors_a_chain_of_sweeps() -> None:
    ratings = fit_ratings([*sweep("g", "b", 40), *sweep("b", "c", 40)], anchor="g")
    assert ratings["b"].upper == pytest.approx(556, abs=2)
    assert ratings["c"].upper == pytest.approx(112, abs=3)
    assert ratings["c"].lower == -math.inf


def test_a_group_that_never_lost_is_bounded_together() -> None:
    """Two even players whose 40 wins over the anchor are shared."""
    tallies = [*even("b", "c", 4000), *sweep("b", "g", 20), *sweep("c", "g", 20)]
    ratings = fit_ratings(tallies, anchor="g")
    for player in ("b", "c"):
        assert ratings[player].kind == "at_least"
        assert 1390 < ratings[player].lower < 1445


def test_opponents_of_uncertain_strength_lower_the_bound() -> None:
    precise = fit_ratings([*even("b", "g", 4000), *sweep("c", "b", 40)], anchor="g")
    vague = fit_ratings([*even("b", "g", 8), *sweep("c", "b", 40)], anchor="g")
    assert precise["c"].lower == pytest.approx(1444, abs=5)
    assert vague["c"].lower < precise["c"].lower - 30


def test_bounds_hold_as_often_as_they_say() -> None:
    """A strong player with 20 games: the interval, one-sided or not, holds in 95 % of runs."""
    rng = np.random.default_rng(0)
    for gap in (300.0, 500.0):
        hits = []
        for _ in range(300):
            left, right = rng.binomial(10, sigmoid(gap / ELO_PER_NAT), size=2).tolist()
            tallies = [Tally("a", "g", left, 10 - left), Tally("g", "a", 10 - right, right)]
            line = fit_ratings(tallies, anchor="g")["a"]
            hits.append(line.lower <= 1000 + gap <= line.upper)
        assert np.mean(hits) > 0.93


def test_a_bound_is_never_above_the_rating() -> None:
    tallies = [*even("old", "g", 4000), *sweep("new", "g", 400)]
    line = fit_ratings(tallies, anchor="g", parents={"new": "old"})["new"]
    assert line.lower <= line.elo
