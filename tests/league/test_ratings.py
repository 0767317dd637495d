"""Synthetic pools with known truth; A1, A2, ... are the letters of the validation plan."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import numpy as np
import pytest

from league.ratings import DecisivePair, Ratings, Tally, expected_score, fit_ratings
from league.statistics.elo import ELO_PER_NAT, sigmoid

Truth = np.ndarray


def name(index: int) -> str:
    return f"p{index:02d}"


def draw_truth(rng: np.random.Generator, players: int, sd: float = 200) -> Truth:
    truth: Truth = rng.normal(0, sd, players)
    truth += 1000 - truth[0]
    return truth


def all_seatings(players: int, reach: int = 1000) -> list[tuple[int, int]]:
    return [
        (i, j) for i in range(players) for j in range(players) if i != j and abs(i - j) <= reach
    ]


def play(
    rng: np.random.Generator,
    truth: Truth,
    games: int,
    *,
    seatings: Sequence[tuple[int, int]] | None = None,
    seat_bonus: float = 0.0,
) -> list[Tally]:
    """Play `games` decisive games per seating."""
    tallies = []
    for i, j in seatings or all_seatings(len(truth)):
        wins = int(rng.binomial(games, sigmoid((truth[i] - truth[j] + seat_bonus) / ELO_PER_NAT)))
        tallies.append(Tally(name(i), name(j), wins, games - wins))
    return tallies


def covered_differences(ratings: Ratings, truth: Truth) -> list[bool]:
    hits = []
    for i in range(len(truth)):
        for j in range(i):
            difference, error = ratings.difference(name(i), name(j))
            hits.append(abs(difference - (truth[i] - truth[j])) <= 1.96 * error)
    return hits


def covered_intervals(ratings: Ratings, truth: Truth) -> list[bool]:
    lines = [ratings[name(i)] for i in range(1, len(truth))]
    return [line.lower <= truth[i] <= line.upper for i, line in enumerate(lines, start=1)]


def test_true_ratings_are_recovered() -> None:
    """A1: 16 players, 1,680 games."""
    errors, slopes = [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        truth = draw_truth(rng, 16)
        elo = fit_ratings(play(rng, truth, 7), anchor="p00").elo
        errors.append(math.sqrt(np.mean((elo - truth - np.mean(elo - truth)) ** 2)))
        slopes.append(np.polyfit(truth, elo, 1)[0])
    assert np.mean(errors) < 32
    assert 0.95 < np.mean(slopes) < 1.05


def test_intervals_of_differences_cover_the_truth() -> None:
    """A2: 95 % intervals over 200 pools."""
    hits: list[bool] = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        truth = draw_truth(rng, 16)
        hits += covered_differences(fit_ratings(play(rng, truth, 7), anchor="p00"), truth)
    assert 0.93 < np.mean(hits) < 0.97


def test_draws_do_not_shrink_the_scale() -> None:
    """A3: draws as half a win would; decisive games alone leave the draw rate free."""
    fair: list[bool] = []
    half_a_win: list[bool] = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        truth = draw_truth(rng, 16)
        decisive = play(rng, truth, 40)
        drawn = [Tally(one.seat_0, one.seat_1, 5, 5) for one in decisive]
        fair += covered_differences(fit_ratings(decisive, anchor="p00"), truth)
        mutant = fit_ratings([*decisive, *drawn], anchor="p00")
        half_a_win += covered_differences(mutant, truth)
    assert np.mean(fair) > 0.93
    assert np.mean(half_a_win) < 0.6


def test_a_long_ladder_keeps_its_length() -> None:
    """A4: 24 players over 3,000 Elo who meet only their neighbours."""
    truth = np.linspace(1000, 4000, 24)
    hits: list[bool] = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        tallies = play(rng, truth, 10, seatings=all_seatings(24, reach=4))
        hits += covered_intervals(fit_ratings(tallies, anchor="p00"), truth)
    assert np.mean(hits) > 0.9


def test_the_seat_bonus_is_recovered() -> None:
    """A6."""
    rng = np.random.default_rng(0)
    ratings = fit_ratings(play(rng, draw_truth(rng, 16), 40, seat_bonus=30), anchor="p00")
    assert abs(ratings.seat_bonus - 30) < 1.96 * ratings.seat_bonus_sd
    assert ratings.seat_bonus_sd < 6


def test_a_player_who_always_sits_left_is_not_flattered() -> None:
    rng = np.random.default_rng(1)
    truth = draw_truth(rng, 8)
    left_only = [seats for seats in all_seatings(8) if seats[1] != 3]
    tallies = play(rng, truth, 200, seatings=left_only, seat_bonus=120)
    line = fit_ratings(tallies, anchor="p00")[name(3)]
    assert line.lower < truth[3] < line.upper
    assert line.upper - line.lower < 100


def test_the_order_of_the_log_does_not_matter() -> None:
    """A7, with the counts split into single games besides."""
    rng = np.random.default_rng(2)
    tallies = play(rng, draw_truth(rng, 6), 5)
    singles = [
        Tally(one.seat_0, one.seat_1, won, 1 - won)
        for one in tallies
        for won in [1] * one.wins_0 + [0] * one.wins_1
    ]
    random.Random(0).shuffle(singles)
    whole, split = fit_ratings(tallies, anchor="p00"), fit_ratings(singles, anchor="p00")
    assert whole.names == split.names
    np.testing.assert_array_equal(whole.elo, split.elo)
    np.testing.assert_array_equal(whole.covariance, split.covariance)


def test_two_players_match_the_closed_form() -> None:
    """75 of 100 against the anchor: 400 log10(75.1 / 25.1), with the 0.2 pseudo-game."""
    ratings = fit_ratings([Tally("a", "g", 37, 13), Tally("g", "a", 12, 38)], anchor="g")
    assert ratings["a"].elo == pytest.approx(1000 + 400 * math.log10(75.1 / 25.1), abs=0.5)
    assert ratings["a"].games == ratings["g"].games == 100
    # 1 / (n p q) nats squared, with the seat term all but independent.
    expected_sd = ELO_PER_NAT / math.sqrt(100.2 * 0.7495 * 0.2505)
    assert ratings.difference("a", "g")[1] == pytest.approx(expected_sd, rel=0.01)


def test_the_anchor_stands_where_it_is_put() -> None:
    rng = np.random.default_rng(3)
    tallies = play(rng, draw_truth(rng, 5), 20)
    first = fit_ratings(tallies, anchor="p02")
    second = fit_ratings(tallies, anchor="p04", anchor_rating=0.0)
    assert first["p02"].elo == first["p02"].lower == first["p02"].upper == 1000
    assert second["p04"].elo == 0
    shift = first.elo - second.elo
    np.testing.assert_allclose(shift, shift[0], atol=1e-6)
    assert first.difference("p00", "p01")[1] == pytest.approx(second.difference("p00", "p01")[1])


def test_an_undefeated_player_is_finite_and_bounded_from_below() -> None:
    """A5: 40-0 gives p >= 0.05^(1/40), which is +444 Elo."""
    ratings = fit_ratings(
        [Tally("a", "g", 20, 0), Tally("g", "a", 0, 20), Tally("g", "b", 3, 0)], anchor="g"
    )
    best, worst = ratings["a"], ratings["b"]
    assert math.isfinite(best.elo)
    assert (best.kind, best.upper) == ("at_least", math.inf)
    assert best.lower == pytest.approx(1444, abs=5)
    assert (worst.kind, worst.lower) == ("at_most", -math.inf)
    assert worst.elo <= worst.upper < 1000 + 100


def test_an_unconnected_component_is_flagged_and_harmless() -> None:
    connected = [Tally("a", "g", 6, 4), Tally("g", "a", 5, 5)]
    island = [Tally("x", "y", 7, 3), Tally("y", "x", 4, 6)]
    ratings = fit_ratings([*connected, *island], anchor="g")
    alone = fit_ratings(connected, anchor="g")
    assert ratings["x"].kind == ratings["y"].kind == "unlinked"
    assert (ratings["x"].lower, ratings["x"].upper) == (-math.inf, math.inf)
    assert ratings["x"].elo > ratings["y"].elo
    assert ratings["a"].elo == pytest.approx(alone["a"].elo, abs=2)


def test_an_anchor_without_games_stands_alone() -> None:
    ratings = fit_ratings([], anchor="g")
    assert [line.name for line in ratings.ladder()] == ["g"]
    assert ratings["g"].elo == 1000


def test_a_parent_pulls_a_newcomer_only_while_it_has_few_games() -> None:
    base = [Tally("old", "g", 500, 500), Tally("g", "old", 500, 500)]
    few = [*base, Tally("new", "g", 4, 0)]
    many = [*base, Tally("new", "g", 760, 240), Tally("g", "new", 240, 760)]
    free, linked = (
        fit_ratings(few, anchor="g", parents=p)["new"].elo for p in ({}, {"new": "old"})
    )
    assert 1000 < linked < free
    free, linked = (
        fit_ratings(many, anchor="g", parents=p)["new"].elo for p in ({}, {"new": "old"})
    )
    assert linked == pytest.approx(free, abs=2)


def test_a_link_reaches_over_an_unrated_parent() -> None:
    tallies = [Tally("s0", "g", 50, 50), Tally("s2", "g", 5, 0)]
    linked = fit_ratings(tallies, anchor="g", parents={"s2": "s1", "s1": "s0"})
    direct = fit_ratings(tallies, anchor="g", parents={"s2": "s0"})
    assert linked["s2"].elo == direct["s2"].elo


@pytest.mark.parametrize(("mirrored", "dispersion"), [(False, 1.0), (True, 2.0)])
def test_pairs_that_repeat_themselves_widen_the_intervals(
    mirrored: bool, dispersion: float
) -> None:
    """A9: deterministic policies may play the same game from both seats."""
    hits: list[bool] = []
    measured = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        truth = draw_truth(rng, 8)
        tallies, pairs = [], []
        for i in range(8):
            for j in range(i):
                chance = float(sigmoid((truth[i] - truth[j]) / ELO_PER_NAT))
                for _ in range(12):
                    first = bool(rng.random() < chance)
                    second = first if mirrored else bool(rng.random() < chance)
                    tallies.append(Tally(name(i), name(j), int(first), int(not first)))
                    tallies.append(Tally(name(j), name(i), int(not second), int(second)))
                    pairs.append(DecisivePair(name(i), name(j), (first, second)))
        ratings = fit_ratings(tallies, anchor="p00", pairs=pairs)
        hits += covered_differences(ratings, truth)
        measured.append(ratings.dispersion)
    assert 0.93 < np.mean(hits) < 0.97
    assert np.mean(measured) == pytest.approx(dispersion, rel=0.05)


def test_a_large_pool_is_fitted_from_counts_in_no_time() -> None:
    """200 players, 60,000 games: seconds would mean that games and not counts are fitted."""
    rng = np.random.default_rng(4)
    truth = draw_truth(rng, 200, sd=300)
    seatings = [seats for seats in all_seatings(200) if rng.random() < 0.1]
    tallies = play(rng, truth, 15, seatings=seatings)
    elo = fit_ratings(tallies, anchor="p00").elo
    order = [int(player[1:]) for player in sorted(name(i) for i in range(200))]
    assert np.corrcoef(elo, truth[order])[0, 1] > 0.98


def test_expected_scores_are_logistic_with_400_points() -> None:
    scores = expected_score([1000, 1400], [1000.0])
    np.testing.assert_allclose(scores, [[0.5], [10 / 11]])
    with pytest.raises(ValueError, match="finite"):
        expected_score([math.nan], [0.0])


@pytest.mark.parametrize("tally", [Tally("a", "a", 1, 0), Tally("a", "b", -1, 0)])
def test_impossible_counts_are_refused(tally: Tally) -> None:
    with pytest.raises(ValueError, match="expected"):
        fit_ratings([tally], anchor="a")


def test_an_unrated_name_is_refused_but_can_be_asked_for() -> None:
    ratings = fit_ratings([], anchor="g")
    with pytest.raises(KeyError, match="nobody"):
        ratings["nobody"]
    assert math.isnan(ratings.elo_of("nobody"))
