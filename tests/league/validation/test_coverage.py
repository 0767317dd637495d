"""Group A: 95 % intervals hold the truth in 95 % of cases, whatever made the games."""

from __future__ import annotations

import numpy as np
import pytest

from league.ratings import Tally, fit_ratings
from tests.league.validation.synthetic import (
    SCENARIOS,
    covered_differences,
    draw_truth,
    measure_coverage,
    name,
    play,
)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_intervals_of_differences_cover_the_truth(scenario: str) -> None:
    differences, _ = measure_coverage(scenario, pools=30)
    assert 0.93 <= differences <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_intervals_cover_the_truth_over_many_pools(scenario: str) -> None:
    differences, lines = measure_coverage(scenario, pools=400)
    assert 0.93 <= differences <= 0.97
    assert 0.93 <= lines <= 0.97


def test_an_undefeated_player_does_not_break_the_others() -> None:
    """A5: never beaten, never won, one game, nobody in common: all finite or open on a side."""
    rng = np.random.default_rng(0)
    truth = draw_truth(rng, 8)
    tallies = [
        *play(rng, truth, 20),
        Tally("best", name(1), 30, 0),
        Tally(name(2), "worst", 30, 0),
        Tally("once", name(3), 1, 0),
        Tally("island", "other island", 3, 4),
    ]
    ratings = fit_ratings(tallies, anchor=name(0))
    assert np.all(np.isfinite(ratings.elo))
    assert np.mean(covered_differences(ratings, truth)) > 0.9
    kinds = [ratings[player].kind for player in ("best", "worst", "once", "island")]
    assert kinds == ["at_least", "at_most", "at_least", "unlinked"]
