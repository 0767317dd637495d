from __future__ import annotations

import math

import numpy as np
import pytest

from league.statistics.proportion import estimate_proportion


def test_wilson_interval_of_a_textbook_case() -> None:
    """Newcombe (1998): 81 of 263 gives 0.2553..0.3662."""
    line = estimate_proportion(81, 263)
    assert (line.share, line.games) == (81 / 263, 263)
    assert (line.lower, line.upper) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_nothing_and_everything_keep_their_ends() -> None:
    assert estimate_proportion(0, 10).lower == 0
    assert 0.2 < estimate_proportion(0, 10).upper < 0.35
    assert estimate_proportion(10, 10).upper == 1
    empty = estimate_proportion(0, 0)
    assert math.isnan(empty.share)
    assert (empty.lower, empty.upper) == (0, 1)


def test_intervals_cover_the_truth() -> None:
    rng = np.random.default_rng(0)
    lines = [estimate_proportion(int(count), 80) for count in rng.binomial(80, 0.2, 2000)]
    assert 0.93 < np.mean([line.lower <= 0.2 <= line.upper for line in lines]) < 0.97


@pytest.mark.parametrize(("count", "games"), [(-1, 3), (4, 3)])
def test_impossible_counts_are_refused(count: int, games: int) -> None:
    with pytest.raises(ValueError, match="0 <= count <= games"):
        estimate_proportion(count, games)
