from __future__ import annotations

import numpy as np
import pytest

from league.statistics.nash import exploitability, nash_average

ROCK_PAPER_SCISSORS = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], np.float64)


def test_rock_paper_scissors_is_even() -> None:
    average = nash_average(ROCK_PAPER_SCISSORS)
    np.testing.assert_allclose(average.mixture, 1 / 3, atol=1e-6)
    np.testing.assert_allclose(average.skill, 0, atol=1e-6)


def test_stakes_move_the_mixture() -> None:
    """Payoffs 1, 2, 3: the known solution plays each by the stake of the other two's game."""
    biased = np.array([[0, -1, 2], [1, 0, -3], [-2, 3, 0]], np.float64)
    np.testing.assert_allclose(nash_average(biased).mixture, [3 / 6, 2 / 6, 1 / 6], atol=1e-5)


def test_clones_share_what_their_kind_gets() -> None:
    """B4: a player that enters four times changes nobody's skill."""
    clones = np.array([0, 0, 0, 0, 1, 2])
    average = nash_average(ROCK_PAPER_SCISSORS[np.ix_(clones, clones)])
    np.testing.assert_allclose(average.mixture, [*[1 / 12] * 4, 1 / 3, 1 / 3], atol=1e-6)
    np.testing.assert_allclose(average.skill, 0, atol=1e-6)


def test_a_ladder_is_won_by_its_top() -> None:
    strength = np.arange(5.0)
    average = nash_average(np.tanh(strength[:, None] - strength[None]))
    np.testing.assert_allclose(average.mixture, [0, 0, 0, 0, 1], atol=1e-6)
    np.testing.assert_allclose(average.skill, np.tanh(strength - 4), atol=1e-6)


def test_a_known_mix_of_a_two_by_two_game() -> None:
    """B6: made symmetric by averaging over both seats, whose first mixes (0.375, 0.625)."""
    stakes = np.array([[3.0, -2.0], [-2.0, 1.0]])
    plans = [(first, second) for first in (0, 1) for second in (0, 1)]
    points = np.array([[stakes[a, d] - stakes[c, b] for c, d in plans] for a, b in plans])
    mixture = nash_average(points).mixture
    assert mixture[:2].sum() == pytest.approx(0.375, abs=1e-5)


def test_equal_players_are_drawn_alike() -> None:
    np.testing.assert_allclose(nash_average(np.zeros((4, 4))).mixture, 0.25)
    assert nash_average(np.zeros((0, 0))).mixture.shape == (0,)


@pytest.mark.parametrize("players", [2, 5, 16, 40])
def test_nobody_gains_on_the_mixture(players: int) -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        table = rng.normal(size=(players, players))
        table = table - table.T
        average = nash_average(table)
        assert average.mixture.sum() == pytest.approx(1)
        assert np.all(average.mixture >= 0)
        assert exploitability(average.mixture, table) < 1e-5


def test_only_the_antisymmetric_part_counts() -> None:
    noise = np.random.default_rng(0).normal(size=(3, 3))
    average = nash_average(ROCK_PAPER_SCISSORS + noise + noise.T)
    np.testing.assert_allclose(average.mixture, 1 / 3, atol=1e-5)


@pytest.mark.parametrize("table", [np.zeros(3), np.zeros((2, 3)), np.full((2, 2), np.nan)])
def test_no_square_table_is_refused(table: np.ndarray) -> None:
    with pytest.raises(ValueError, match="square table"):
        nash_average(table)


def test_exploitability_is_what_the_best_answer_gains() -> None:
    assert exploitability([1, 0, 0], ROCK_PAPER_SCISSORS) == 1
    assert exploitability([0.5, 0.5, 0], ROCK_PAPER_SCISSORS) == 0.5
    assert exploitability([1 / 3] * 3, ROCK_PAPER_SCISSORS) == pytest.approx(0)
