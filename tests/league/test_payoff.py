from __future__ import annotations

import math

import numpy as np
import pytest

from league.payoff import Payoff, Record, decisive_pairs, pair_scores
from league.ratings import DecisivePair, Tally
from league.records import PairRow, ResultCount

COUNTS = [
    ResultCount(("a", "b"), "win", 3),
    ResultCount(("a", "b"), "loss", 1),
    ResultCount(("b", "a"), "win", 2),
    ResultCount(("b", "a"), "draw", 4),
    ResultCount(("a", "b"), "stopped", 5),
    ResultCount(("c", "a"), "draw", 1),
]
PAIRS = [
    PairRow(0, ("a", "b"), ("win", "loss")),
    PairRow(1, ("b", "a"), ("win", "win")),
    PairRow(2, ("a", "b"), ("win", "draw")),
    PairRow(3, ("a", "b"), ("stopped", "win")),
    PairRow(4, ("a", "b"), ("stopped", "stopped")),
    PairRow(5, ("a", "c"), ("loss", "loss")),
]


@pytest.fixture
def payoff() -> Payoff:
    return Payoff.from_counts(COUNTS)


def test_decisive_games_become_tallies_by_seat(payoff: Payoff) -> None:
    assert payoff.tallies() == [Tally("a", "b", 3, 1), Tally("b", "a", 2, 0)]


def test_records_add_up_both_seats(payoff: Payoff) -> None:
    assert payoff.record_of("a", "b") == Record(3, 4, 3, 5)
    assert payoff.record_of("b", "a") == Record(3, 4, 3, 5)
    assert payoff.record_of("a") == Record(3, 5, 3, 5)
    assert payoff.record_of("c") == Record(0, 1, 0, 0)


def test_scores_are_antisymmetric_and_leave_stopped_games_out(payoff: Payoff) -> None:
    scores = payoff.scores()
    assert scores[0, 1] == payoff.record_of("a", "b").score == 0.5
    assert scores[0, 2] == 0.5
    np.testing.assert_allclose(
        scores + scores.T, [[np.nan, 1, 1], [1, np.nan, np.nan], [1, np.nan, np.nan]]
    )


def test_a_score_without_games_is_not_a_number() -> None:
    assert math.isnan(Record(0, 0, 0, 7).score)
    assert Record(3, 2, 0, 9).score == 0.8


def test_counts_may_come_in_parts_and_in_any_order(payoff: Payoff) -> None:
    halves = [
        ResultCount(count.players, count.result, part)
        for count in reversed(COUNTS)
        for part in (count.games // 2, count.games - count.games // 2)
    ]
    again = Payoff.from_counts(halves)
    assert again.names == payoff.names
    np.testing.assert_array_equal(again.wins, payoff.wins)
    np.testing.assert_array_equal(again.stopped, payoff.stopped)


def test_no_games_make_an_empty_payoff() -> None:
    payoff = Payoff.from_counts([])
    assert (payoff.names, payoff.tallies(), payoff.scores().shape) == ((), [], (0, 0))


def test_unknown_names_are_refused(payoff: Payoff) -> None:
    with pytest.raises(KeyError, match="nobody"):
        payoff.record_of("a", "nobody")


def test_decisive_pairs_are_those_with_two_winners() -> None:
    assert decisive_pairs(PAIRS) == [
        DecisivePair("a", "b", (True, False)),
        DecisivePair("b", "a", (True, True)),
        DecisivePair("a", "c", (False, False)),
    ]


def test_pair_scores_are_from_the_first_view_whoever_sat_left() -> None:
    assert pair_scores(PAIRS, "a", "b").tolist() == [0.5, 0.0, 0.75, 1.0]
    assert pair_scores(PAIRS, "b", "a").tolist() == [0.5, 1.0, 0.25, 0.0]
    assert pair_scores(PAIRS, "b", "c").tolist() == []


def test_blended_scores_lie_between_prediction_and_result(payoff: Payoff) -> None:
    predicted = np.array([[0.5, 0.9, 0.7], [0.1, 0.5, 0.6], [0.3, 0.4, 0.5]])
    blended = payoff.blended_scores(predicted, 2.0)
    assert blended[0, 1] == pytest.approx((5 + 2 * 0.9) / (10 + 2))
    assert blended[1, 2] == 0.6
    np.testing.assert_allclose(blended + blended.T, 1)


def test_a_payoff_among_others_keeps_counts_and_order(payoff: Payoff) -> None:
    chosen = payoff.among(["c", "nobody", "a"])
    assert chosen.names == ("c", "nobody", "a")
    assert chosen.draws[0, 2] == 1
    assert chosen.record_of("nobody") == Record(0, 0, 0, 0)
    assert chosen.record_of("a") == payoff.record_of("a", "c")


def test_the_draw_rate_is_told_apart(payoff: Payoff) -> None:
    rate = payoff.draw_rate()
    assert (rate.share, rate.games) == (5 / 11, 11)
    assert rate.lower < 5 / 11 < rate.upper
