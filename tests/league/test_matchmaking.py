from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chisquare

from league import matchmaking
from league.matchmaking import (
    DEFAULT_FLOOR,
    SAMPLERS,
    Candidates,
    FloatArray,
    draw_opponents,
    opponent_probabilities,
)

POOL = Candidates(
    names=("random", "greedy", "main-0000", "main-0001", "main-0002"),
    ratings=np.array([400.0, 1000.0, 500.0, 900.0, 1050.0]),
    is_snapshot=np.array([False, False, True, True, True]),
    learner_rating=1050.0,
)


def expected_elo_probabilities(pool: Candidates, floor: float) -> FloatArray:
    """The formula of the documents, written out."""
    weights = []
    for rating in pool.ratings:
        predicted = 1 / (1 + 10 ** ((rating - pool.learner_rating) / 400))
        weights.append(math.exp(-0.5 * ((predicted - 0.5) / (1 / 6)) ** 2))
    shares = np.array(weights) / sum(weights)
    return (1 - floor) * shares + floor / len(weights)


EXPECTED = {
    "elo": expected_elo_probabilities(POOL, DEFAULT_FLOOR),
    "uniform": np.full(5, 0.2),
    "latest": np.array([0.01, 0.01, 0.01, 0.01, 0.96]),
}


def test_every_registered_sampler_has_an_expectation() -> None:
    assert set(EXPECTED) == set(SAMPLERS)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_probabilities_follow_the_formula(sampler: str) -> None:
    np.testing.assert_allclose(opponent_probabilities(sampler, POOL), EXPECTED[sampler])


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_draws_follow_the_probabilities(sampler: str) -> None:
    count = 20_000
    chances = opponent_probabilities(sampler, POOL)
    drawn = draw_opponents(POOL, chances, count, np.random.default_rng(0))
    observed = [drawn.count(name) for name in POOL.names]
    assert chisquare(observed, EXPECTED[sampler] * count).pvalue > 0.001


def test_even_opponents_are_preferred() -> None:
    chances = dict(zip(POOL.names, opponent_probabilities("elo", POOL), strict=True))
    assert chances["main-0002"] > chances["greedy"] > chances["main-0001"] > chances["main-0000"]


def test_a_wider_sigma_is_less_picky() -> None:
    wide = opponent_probabilities("elo", replace(POOL, sigma=10.0), floor=0)
    np.testing.assert_allclose(wide, 0.2, atol=0.001)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("floor", [0.0, 0.05, 1.0])
def test_nobody_falls_below_the_floor(sampler: str, floor: float) -> None:
    far = replace(POOL, ratings=np.array([-9000.0, 9000.0, 0.0, 0.0, 0.0]))
    chances = opponent_probabilities(sampler, far, floor)
    assert chances.sum() == pytest.approx(1)
    assert np.all(chances >= floor / 5 - 1e-12)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_single_member_is_always_drawn(sampler: str) -> None:
    only = Candidates(("greedy",), np.array([np.nan]), np.array([False]), np.nan)
    chances = opponent_probabilities(sampler, only)
    assert draw_opponents(only, chances, 3, np.random.default_rng(0)) == ["greedy"] * 3


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_an_unrated_learner_draws_everyone_alike_or_the_newest(sampler: str) -> None:
    chances = opponent_probabilities(sampler, replace(POOL, learner_rating=np.nan))
    if sampler != "latest":
        np.testing.assert_allclose(chances, 0.2)
    assert np.all(np.isfinite(chances))


def test_an_unrated_opponent_counts_as_even() -> None:
    ratings = POOL.ratings.copy()
    ratings[0] = np.nan
    chances = opponent_probabilities("elo", replace(POOL, ratings=ratings))
    assert chances[0] == pytest.approx(chances[4])


def test_without_snapshots_latest_draws_everyone_alike() -> None:
    scripted = replace(POOL, is_snapshot=np.zeros(5, bool))
    np.testing.assert_allclose(opponent_probabilities("latest", scripted), 0.2)


def test_an_empty_pool_is_refused() -> None:
    empty = Candidates((), np.array([]), np.array([], bool), 0.0)
    for sampler in SAMPLERS:
        with pytest.raises(ValueError, match="at least one opponent"):
            opponent_probabilities(sampler, empty)


def test_an_unknown_sampler_is_named_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="elo, uniform, latest, got 'unifrom'; did you mean"):
        opponent_probabilities("unifrom", POOL)


@pytest.mark.parametrize("floor", [-0.1, 1.1, math.nan])
def test_an_impossible_floor_is_refused(floor: float) -> None:
    with pytest.raises(ValueError, match="floor"):
        opponent_probabilities("elo", POOL, floor)


@pytest.mark.parametrize("weights", [[1, 2], [1, 1, 1, 1, np.nan], [1, 1, 1, 1, -1]])
def test_a_sampler_that_misbehaves_is_named(
    weights: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = {"broken": lambda _: np.array(weights, np.float64)}
    monkeypatch.setattr(matchmaking, "SAMPLERS", broken)
    with pytest.raises(ValueError, match="5 finite weights >= 0 from 'broken'"):
        opponent_probabilities("broken", POOL)


def test_a_sampler_without_preference_leaves_everyone_alike(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(matchmaking, "SAMPLERS", {"none": lambda _: np.zeros(5)})
    np.testing.assert_allclose(opponent_probabilities("none", POOL), 0.2)
