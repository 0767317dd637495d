from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from scipy.stats import chisquare

from league import matchmaking
from league.matchmaking import (
    DEFAULT_FLOOR,
    SAMPLERS,
    Candidates,
    FloatArray,
    Sampler,
    draw_opponents,
    opponent_probabilities,
    register_sampler,
    weigh_even_games,
    weigh_forgotten,
    weigh_losses,
    weigh_losses_capped,
)
from league.payoff import Payoff
from league.records import ResultCount

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


def expected_pfsp_probabilities(pool: Candidates) -> FloatArray:
    """35 % newest, 50 % (1 - x)^2, 15 % everyone, for no snapshot of POOL is under 0.45."""
    predicted = 1 / (1 + 10 ** ((pool.ratings - pool.learner_rating) / 400))
    squared = (1 - predicted) ** 2
    newest = np.array([0, 0, 0, 0, 1.0])
    assert predicted.min() > 0.45
    shares: FloatArray = 0.35 * newest + 0.5 * squared / squared.sum() + 0.15 / 5
    return 0.95 * shares + 0.01


EXPECTED = {
    "elo": expected_elo_probabilities(POOL, DEFAULT_FLOOR),
    "uniform": np.full(5, 0.2),
    "latest": np.array([0.01, 0.01, 0.01, 0.01, 0.96]),
    "80/20": 0.95 * np.array([0.05, 0.05, 0.05, 0.05, 0.8]) + 0.01,
    "pfsp": expected_pfsp_probabilities(POOL),
    # By ratings alone the best player is its own answer.
    "psro": 0.95 * np.array([0.04, 0.04, 0.04, 0.04, 0.84]) + 0.01,
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
    if sampler in ("elo", "uniform"):
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
    with pytest.raises(ValueError, match=r"elo, uniform, latest, .*, got 'unifrom'; did you mean"):
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


def with_results(points: list[float], games: list[float]) -> Candidates:
    return replace(POOL, points=np.array(points), games=np.array(games))


def test_the_score_moves_from_the_prediction_to_what_was_scored() -> None:
    predicted = POOL.scores
    few = with_results([0, 0, 0, 0, 0], [0, 4, 0, 0, 0]).scores
    many = with_results([0, 0, 0, 0, 0], [0, 4000, 0, 0, 0]).scores
    assert few[1] == pytest.approx(predicted[1] * 8 / 12)
    assert many[1] < 0.01
    np.testing.assert_array_equal(few[[0, 2, 3, 4]], predicted[[0, 2, 3, 4]])


def test_a_nemesis_that_ratings_do_not_see_is_drawn_more() -> None:
    before = opponent_probabilities("pfsp", POOL)
    after = opponent_probabilities("pfsp", with_results([0, 0, 2, 0, 0], [0, 0, 40, 0, 0]))
    assert after[2] > 3 * before[2]
    np.testing.assert_array_equal(
        opponent_probabilities("elo", POOL),
        opponent_probabilities("elo", with_results([0, 0, 2, 0, 0], [0, 0, 40, 0, 0])),
    )


@pytest.mark.parametrize("score", [0.0, 1.0])
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_record_of_one_kind_still_gives_probabilities(sampler: str, score: float) -> None:
    """All wins or all losses: other leagues divide nothing by nothing here."""
    games = np.full(5, 1e6)
    chances = opponent_probabilities(sampler, replace(POOL, points=score * games, games=games))
    assert chances.sum() == pytest.approx(1)
    assert np.all(chances > 0)


def test_latest_is_the_learners_own() -> None:
    exploiters = np.array([False, False, False, False, True])
    chances = opponent_probabilities("latest", replace(POOL, is_exploiter=exploiters), floor=0)
    assert chances.tolist() == [0, 0, 0, 1, 0]


def test_verification_finds_the_forgotten_and_the_unanswered() -> None:
    exploiters = np.array([False, False, True, False, False])
    seen = with_results([0, 0, 0, 9, 5], [0, 0, 90, 90, 10])
    forgotten = weigh_forgotten(replace(seen, is_exploiter=exploiters))
    assert forgotten.tolist() == [0, 0, 1, 1, 0]
    calm = with_results([90, 90, 90, 90, 90], [90, 90, 90, 90, 90])
    assert weigh_forgotten(calm).tolist() == [1, 1, 1, 1, 1]


def test_psro_draws_the_nash_of_the_results_not_of_the_ratings() -> None:
    """Rock, paper, scissors among the snapshots; the two scripted members lose to all."""
    scripted, snapshots = POOL.names[:2], POOL.names[2:]
    wins = [*pairwise((*snapshots, snapshots[0])), *product(snapshots, scripted)]
    payoff = Payoff.from_counts(ResultCount(pair, "win", 10**6) for pair in wins)
    chances = opponent_probabilities("psro", replace(POOL, payoff=payoff), floor=0)
    np.testing.assert_allclose(chances, [0.04, 0.04, *[0.04 + 0.8 / 3] * 3], atol=1e-4)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (weigh_losses, [1.0, 0.5625, 0.25, 0.0625, 0.0]),
        (weigh_even_games, [0.0, 0.1875, 0.25, 0.1875, 0.0]),
        (weigh_losses_capped, [0.5, 0.5, 0.5, 0.25, 0.0]),
    ],
)
def test_the_rules_of_prioritised_play(rule: Sampler, expected: list[float]) -> None:
    scores = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
    games = np.full(5, 1e12)
    seen = replace(POOL, points=scores * games, games=games)
    np.testing.assert_allclose(rule(seen), expected, atol=1e-6)


def test_a_user_adds_a_sampler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matchmaking, "_SAMPLERS", added := dict(SAMPLERS))
    monkeypatch.setattr(matchmaking, "SAMPLERS", added)

    @register_sampler("weakest")
    def weigh_weakest(candidates: Candidates) -> FloatArray:
        return candidates.scores

    assert opponent_probabilities("weakest", POOL).argmax() == 0
    with pytest.raises(ValueError, match="new name"):
        register_sampler("weakest")
