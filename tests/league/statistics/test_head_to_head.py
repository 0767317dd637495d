from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pytest
from scipy.stats import t as student_t

from league.statistics.elo import ELO_PER_NAT, elo_from_score, sigmoid
from league.statistics.head_to_head import elo_difference

Mode = Literal["independent", "mirrored"]


def play_pairs(rng: np.random.Generator, chance: float, pairs: int, mode: Mode) -> np.ndarray:
    games = rng.random((pairs, 2)) < chance
    if mode == "mirrored":
        games[:, 1] = games[:, 0]
    scores: np.ndarray = games.mean(axis=1)
    return scores


@pytest.mark.parametrize("mode", ["independent", "mirrored"])
@pytest.mark.parametrize("elo", [0.0, 200.0, 500.0])
@pytest.mark.parametrize("pairs", [8, 64])
def test_intervals_cover_the_truth(mode: Mode, elo: float, pairs: int) -> None:
    rng = np.random.default_rng(0)
    chance = float(sigmoid(elo / ELO_PER_NAT))
    results = [elo_difference(play_pairs(rng, chance, pairs, mode)) for _ in range(400)]
    assert np.mean([one.lower <= elo <= one.upper for one in results]) > 0.925


def test_games_as_units_would_claim_too_much() -> None:
    """Mirrored games carry the information of half as many."""
    rng = np.random.default_rng(1)
    independent = elo_difference(play_pairs(rng, 0.5, 400, "independent"))
    mirrored = elo_difference(play_pairs(rng, 0.5, 400, "mirrored"))
    ratio = (mirrored.upper - mirrored.lower) / (independent.upper - independent.lower)
    assert ratio == pytest.approx(math.sqrt(2), rel=0.1)


def test_the_half_width_of_an_even_match_is_as_planned() -> None:
    """681 / sqrt(games)."""
    rng = np.random.default_rng(2)
    result = elo_difference(play_pairs(rng, 0.5, 500, "independent"))
    assert (result.upper - result.lower) / 2 == pytest.approx(681 / math.sqrt(1000), rel=0.1)


@pytest.mark.parametrize("pairs", [1, 10, 40])
def test_a_sweep_is_bounded_on_one_side(pairs: int) -> None:
    won, lost = elo_difference(np.ones(pairs)), elo_difference(np.zeros(pairs))
    bound = 0.05 ** (1 / pairs)
    assert (won.elo, won.upper, won.score) == (math.inf, math.inf, 1.0)
    assert won.score_lower == pytest.approx(bound)
    assert won.lower == pytest.approx(elo_from_score(bound))
    assert (lost.elo, lost.lower) == (-math.inf, -math.inf)
    assert lost.upper == pytest.approx(-won.lower)


def test_seats_that_decide_every_game_do_not_make_the_result_certain() -> None:
    result = elo_difference(np.full(10, 0.5))
    assert result.elo == 0
    assert result.upper == pytest.approx(-result.lower)
    # One imagined pair of independent games leaves the information of 200 games.
    z = float(student_t.ppf(0.975, 10))
    half_width = z * math.sqrt(0.25 / 200 + z**2 / (4 * 200**2)) / (1 + z**2 / 200)
    assert result.score_upper == pytest.approx(0.5 + half_width)


def test_one_undecided_pair_says_little() -> None:
    result = elo_difference([0.5])
    assert result.lower < -200 < 200 < result.upper


@pytest.mark.parametrize("scores", [[], [1.5], [-0.1], [math.nan], [[0.5]]])
def test_impossible_scores_are_refused(scores: list[float]) -> None:
    with pytest.raises(ValueError, match=r"expected one score in 0\.\.1 per pair"):
        elo_difference(scores)
