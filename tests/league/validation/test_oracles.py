"""The same numbers from code that is not ours: choix and OpenSpiel, where they are installed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from league.ratings import Tally, fit_ratings
from league.statistics.nash import nash_average
from tests.league.validation.synthetic import draw_truth, name, play

ELO_PER_NAT = 173.7177927613007


def make_log() -> list[Tally]:
    """About 14,000 games of 16 players, as often from either seat."""
    rng = np.random.default_rng(0)
    return play(rng, draw_truth(rng, 16), 60)


def fitted(tallies: list[Tally]) -> np.ndarray:
    elo = fit_ratings(tallies, anchor=name(0)).elo
    return np.asarray(elo - elo.mean())


def test_ratings_agree_with_choix() -> None:
    """A8: iterative Luce spectral ranking."""
    choix = pytest.importorskip("choix", reason="needs the extra `test`")
    tallies = make_log()
    games = [
        pair
        for one in tallies
        for pair, count in (
            ((int(one.seat_0[1:]), int(one.seat_1[1:])), one.wins_0),
            ((int(one.seat_1[1:]), int(one.seat_0[1:])), one.wins_1),
        )
        for _ in range(count)
    ]
    theirs = choix.ilsr_pairwise(16, games) * ELO_PER_NAT
    assert np.max(np.abs(fitted(tallies) - (theirs - theirs.mean()))) < 1.5


def test_ratings_agree_with_openspiel() -> None:
    """A8: minorisation-maximisation."""
    elo: Any = pytest.importorskip(
        "open_spiel.python.algorithms.elo", reason="needs the extra `test`"
    )
    tallies = make_log()
    wins = np.zeros((16, 16), int)
    for one in tallies:
        i, j = int(one.seat_0[1:]), int(one.seat_1[1:])
        wins[i, j] += one.wins_0
        wins[j, i] += one.wins_1
    theirs = elo.compute_ratings_from_matrices(
        wins, max_iterations=100_000, convergence_delta=1e-12
    )
    assert np.max(np.abs(fitted(tallies) - (theirs - theirs.mean()))) < 1.5


@pytest.mark.parametrize(("name_of_game", "rounds", "bound"), [("kuhn_poker", 12, 0.1)])
def test_the_pools_nash_can_hardly_be_exploited(
    name_of_game: str, rounds: int, bound: float
) -> None:
    """B7: best responses join a pool; OpenSpiel measures what our Nash mixture of it loses."""
    pyspiel: Any = pytest.importorskip("pyspiel", reason="needs the extra `test`")
    from open_spiel.python import policy as policies
    from open_spiel.python.algorithms import (
        best_response,
        expected_game_score,
        exploitability,
        policy_aggregator,
    )

    game = pyspiel.load_game(name_of_game)
    aggregator = policy_aggregator.PolicyAggregator(game)
    pool: list[Any] = [policies.UniformRandomPolicy(game)]
    start = exploitability.nash_conv(game, pool[0])

    def score(first: Any, second: Any) -> float:
        """Points of `first`, averaged over both seats: the game itself favours one."""
        values = (
            expected_game_score.policy_value(game.new_initial_state(), seats)[seat]
            for seat, seats in enumerate(((first, second), (second, first)))
        )
        return float(sum(values)) / 2

    for _ in range(rounds):
        table = np.array([[score(a, b) for b in pool] for a in pool])
        weights = nash_average(table).mixture
        mixture = aggregator.aggregate([0, 1], [pool, pool], [weights, weights])
        answer = policies.TabularPolicy(game)
        for seat in (0, 1):
            best = best_response.BestResponsePolicy(game, seat, mixture)
            for key, index in answer.state_lookup.items():
                state = answer.states[index]
                if state.current_player() == seat:
                    row = np.zeros(game.num_distinct_actions())
                    row[best.best_response_action(key)] = 1.0
                    answer.action_probability_array[index] = row
        pool.append(answer)
    table = np.array([[score(a, b) for b in pool] for a in pool])
    weights = nash_average(table).mixture
    mixture = aggregator.aggregate([0, 1], [pool, pool], [weights, weights])
    assert start > 0.9
    assert exploitability.nash_conv(game, mixture) < bound
