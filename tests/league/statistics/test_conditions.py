from __future__ import annotations

import numpy as np
import pytest

from league.records import Condition, ConditionCount, ResultCount
from league.statistics.conditions import estimate_handicaps, rate_conditions
from league.statistics.elo import ELO_PER_NAT, sigmoid

TRUTH = {"greedy": 1000.0, "main": 1150.0, "search": 1300.0}


def play(
    seed: int, levels: tuple[int, int], games: int, *, scale: float = 1.0, cost: float = 0.0
) -> list[ConditionCount]:
    """Play every seating; `scale` stretches the differences, `cost` is Elo per level above."""
    rng = np.random.default_rng(seed)
    condition = Condition(levels, (1, 1), "fake", 1000)
    counts = []
    for left, right in ((a, b) for a in TRUTH for b in TRUTH if a != b):
        gap = scale * (TRUTH[left] - TRUTH[right]) + 25 - cost * (levels[0] - levels[1])
        wins = int(rng.binomial(games, sigmoid(gap / ELO_PER_NAT)))
        for result, number in (("win", wins), ("loss", games - wins), ("draw", games // 4)):
            count = ResultCount((left, right), result, number)  # type: ignore[arg-type]
            counts.append(ConditionCount(condition, count))
    return counts


def test_every_even_condition_has_a_ladder_of_its_own() -> None:
    """At level 20 the same players lie twice as far apart; one fit over both would tell neither."""
    counts = [
        *play(0, (0, 0), 400),
        *play(1, (20, 20), 400, scale=2.0),
        *play(2, (5, 0), 400, cost=300),
    ]
    low, high = rate_conditions(counts, anchor="greedy")
    assert (low.condition.levels, high.condition.levels) == ((0, 0), (20, 20))
    for fit, expected in ((low, 1300.0), (high, 1600.0)):
        line = fit.ratings["search"]
        assert line.lower < expected < line.upper
        assert line.upper - line.lower < 150
        assert fit.ratings["greedy"].elo == 1000
        assert fit.draws.share == pytest.approx(0.2)


def test_a_handicap_is_recovered_in_elo() -> None:
    """A6: 60 Elo per level, beside a seat bonus of 25."""
    inside = []
    for seed in range(30):
        counts = [
            *play(3 * seed, (0, 0), 60),
            *play(3 * seed + 1, (4, 0), 60, cost=60),
            *play(3 * seed + 2, (0, 2), 60, cost=60),
        ]
        (handicap,) = estimate_handicaps(counts, anchor="greedy")
        inside.append(handicap.lower < 60 < handicap.upper)
        assert handicap.upper - handicap.lower < 30
        assert handicap.games == 2 * 6 * 60
    assert np.mean(inside) >= 0.85


def test_a_handicap_tells_the_stronger_player() -> None:
    """Who gives levels away and breaks even is stronger, not equal."""
    counts = play(0, (4, 0), 500, cost=60) + play(1, (0, 4), 500, cost=60)
    (handicap,) = estimate_handicaps(counts, anchor="greedy")
    assert handicap.elo_per_level == pytest.approx(60, abs=8)


def test_even_games_tell_nothing_about_levels() -> None:
    assert estimate_handicaps(play(0, (3, 3), 50), anchor="greedy") == []
    assert rate_conditions([], anchor="greedy") == []
