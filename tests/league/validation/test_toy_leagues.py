"""Group B and D: leagues whose truth is a formula, through the manager of a real run."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from league.bench.toy_games import ROCK_PAPER_SCISSORS, DiscGame, MatrixGame
from league.bench.toy_league import ANCHOR, ToyLeague, ToySettings, run_toy_league
from league.matchmaking import SAMPLERS
from league.payoff import Payoff
from league.ratings import Tally, fit_ratings
from league.statistics.cycles import find_cycles
from tests.league.validation.synthetic import chance

SHORT = ToySettings(updates=150, snapshot_every=15)


def exploitability_of_the_pool(game: MatrixGame, league: ToyLeague) -> float:
    mixture = league.nash_of_the_pool()
    actions = sum(share * game.policy(league.players[one]) for one, share in mixture.items())
    return game.exploitability(np.asarray(actions))


@pytest.mark.parametrize("matchmaking", ["latest", "pfsp"])
def test_the_nash_of_a_rock_paper_scissors_pool_is_safe(matchmaking: str) -> None:
    """B1: whatever its latest member does."""
    game = MatrixGame(ROCK_PAPER_SCISSORS)
    league = run_toy_league(game, ToySettings(updates=250, matchmaking=matchmaking), seed=0)
    assert exploitability_of_the_pool(game, league) <= 0.02


def test_latest_without_entropy_runs_in_circles() -> None:
    """B1, the negative control: no pool in the draw and no entropy make an easy prey."""
    game = MatrixGame(ROCK_PAPER_SCISSORS)
    league = run_toy_league(game, ToySettings(updates=400, matchmaking="latest"), seed=0)
    assert game.exploitability(game.policy(league.main)) > 0.5


def test_the_mix_with_entropy_settles() -> None:
    """B1: small steps, often frozen, and an entropy bonus: the latest itself is safe."""
    game = MatrixGame(ROCK_PAPER_SCISSORS, step=0.2, entropy=0.5, noise=0.01)
    settings = ToySettings(updates=200, snapshot_every=10, matchmaking="pfsp")
    league = run_toy_league(game, settings, seed=0)
    assert game.exploitability(game.policy(league.main)) <= 0.10


def test_stakes_are_found_by_a_league() -> None:
    """B2: payoffs 1, 2, 3; the pool's Nash plays 1/2, 1/3, 1/6 within 0.03."""
    stakes = np.array([[0, -1, 2], [1, 0, -3], [-2, 3, 0]]) / 3
    game = MatrixGame(stakes)
    league = run_toy_league(game, ToySettings(updates=240, snapshot_every=6), seed=0)
    mixture = league.nash_of_the_pool()
    actions = sum(share * game.policy(league.players[one]) for one, share in mixture.items())
    np.testing.assert_allclose(actions, [3 / 6, 2 / 6, 1 / 6], atol=0.03)


@pytest.mark.slow
def test_the_mix_remembers_what_latest_forgets() -> None:
    """B3: the lowest score against its own past, over 4 seeds of the disc game."""
    worst = {
        matchmaking: np.mean(
            [
                run_toy_league(
                    DiscGame(), ToySettings(updates=400, matchmaking=matchmaking), seed
                ).worst_score_against_the_past()
                for seed in range(4)
            ]
        )
        for matchmaking in ("latest", "uniform")
    }
    assert worst["latest"] < 0.40
    assert worst["uniform"] >= 0.47


def test_clones_move_ratings_but_not_nash_averages() -> None:
    """B4: three more rocks put paper far above scissors on the ladder only."""
    names = ["rock", "rock 2", "rock 3", "rock 4", "paper", "scissors"]
    kinds = [0, 0, 0, 0, 1, 2]
    tallies = [
        Tally(names[i], names[j], 50 + 20 * int(points), 50 - 20 * int(points))
        for i, a in enumerate(kinds)
        for j, b in enumerate(kinds)
        if i != j
        for points in [ROCK_PAPER_SCISSORS[a, b]]
    ]
    ratings = fit_ratings(tallies, anchor="rock")
    assert ratings["paper"].elo - ratings["scissors"].elo > 100
    found = find_cycles(tallies, rng=np.random.default_rng(0))
    assert found.p_value < 1e-3
    assert {triple.names[0] for triple in found.triples} <= set(names)
    assert len(found.triples) == 4


@pytest.mark.parametrize("matchmaking", SAMPLERS)
def test_games_are_logged_as_often_as_they_were_drawn_for(matchmaking: str) -> None:
    """D6: logged games of each member within binomial limits of the shares it had."""
    league = run_toy_league(
        DiscGame(), ToySettings(updates=150, snapshot_every=30, matchmaking=matchmaking), seed=1
    )
    logged = Counter(league.drawn)
    games_per_slot = len(league.drawn) / (4 * len(league.shares))
    for name in {name for shares in league.shares for name in shares}:
        shares = np.array([update.get(name, 0.0) for update in league.shares])
        expected, spread = 4 * shares.sum(), np.sqrt(4 * (shares * (1 - shares)).sum())
        assert abs(logged[name] / games_per_slot - expected) < 4 * spread + 1e-9, name


def slope_of_a_null_run(seed: int, gate: str = "time") -> tuple[float, float, ToyLeague]:
    """Return the Elo gained per snapshot by players that are all the same, and its error."""
    league = run_toy_league(
        DiscGame(),
        ToySettings(updates=300, snapshot_every=15, matchmaking="pfsp", snapshot_gate=gate),
        seed,
        learn=lambda player, opponents, rng: player,
    )
    ratings = league.ratings
    assert ratings is not None
    order = [ratings.names.index(name) for name in league.manager.pool.snapshots]
    elo, covariance = ratings.elo[order], ratings.covariance[np.ix_(order, order)]
    weights = np.arange(len(order)) - (len(order) - 1) / 2
    weights /= weights @ weights
    return float(weights @ elo), float(np.sqrt(weights @ covariance @ weights)), league


def test_identical_policies_gain_nothing() -> None:
    """D2: the interval of the inflation per snapshot holds 0, and the mean over runs too."""
    slopes, inside = [], []
    for seed in range(5):
        slope, error, league = slope_of_a_null_run(seed)
        slopes.append(slope)
        inside.append(abs(slope) < 1.96 * error)
        assert len(league.manager.pool.snapshots) == 21
    assert sum(inside) >= 4
    assert abs(np.mean(slopes)) < 2.5 * np.std(slopes, ddof=1) / np.sqrt(len(slopes)) + 0.5


def test_identical_policies_are_not_promoted_early() -> None:
    """D2: the gate errs in 5 % of its tests; a peeked window would promote nearly always."""
    timed = slope_of_a_null_run(0)[2].manager.pool.snapshots
    gated = slope_of_a_null_run(0, gate="gsprt")[2].manager.pool.snapshots
    assert len(timed) <= len(gated) <= len(timed) + 2


def test_promotion_games_never_rate_what_they_promoted() -> None:
    """Training games steer the gate; the ratings rest on the planned pairs alone, all played."""
    settings = ToySettings(updates=200, snapshot_every=40, snapshot_gate="gsprt", pairs=3)
    league = run_toy_league(DiscGame(skill_step=1.0), settings, seed=0)
    snapshots = league.manager.pool.snapshots
    assert len(snapshots) > 200 // 40 + 1
    assert league.ratings is not None
    rated = sum(count.games for count in league.counts)
    opponents = [min(number, 2) + 1 for number in range(len(snapshots))]
    assert rated == 2 * 3 * sum(opponents) == int(league.ratings.games.sum()) // 2
    assert "main" not in league.ratings.names


def test_ratings_of_a_toy_league_hold_the_truth() -> None:
    """The whole way from draws to intervals, where skill alone decides."""
    inside = []
    for seed in range(8):
        league = run_toy_league(DiscGame(swing=0.0), SHORT, seed)
        assert league.ratings is not None
        for first, second in pairwise([ANCHOR, *league.manager.pool.snapshots]):
            a, b = league.players[first], league.players[second]
            truth = 400 * np.log10(np.e) * float(a[0] - b[0])
            gap, error = league.ratings.difference(first, second)
            inside.append(abs(gap - truth) < 1.96 * error)
    assert 0.9 < np.mean(inside) <= 1.0
    assert chance(0.0) == 0.5


def test_the_same_seed_makes_the_same_league() -> None:
    first, again, other = (run_toy_league(DiscGame(), SHORT, seed) for seed in (3, 3, 4))
    assert first.drawn == again.drawn != other.drawn
    assert first.counts == again.counts
    assert first.ratings is not None
    assert again.ratings is not None
    np.testing.assert_array_equal(first.ratings.elo, again.ratings.elo)


def test_a_frozen_exploiter_is_what_won() -> None:
    """D3, D8: its snapshot is the exploiter before the reset, and no later update touches it."""
    league = run_toy_league(
        DiscGame(), ToySettings(updates=200, main_exploiters=1, matchmaking="pfsp"), seed=0
    )
    exploiters = [name for name in league.players if league.manager.pool.is_exploiter(name)]
    assert exploiters
    own = [league.players[name] for name in league.manager.pool.snapshots_of_main()]
    for name in exploiters:
        assert all(np.any(league.players[name] != player) for player in own)


def test_payoffs_of_the_toy_are_the_counted_games() -> None:
    league = run_toy_league(DiscGame(), SHORT, 0)
    payoff = Payoff.from_counts(league.counts)
    assert set(payoff.names) == {ANCHOR, *league.manager.pool.snapshots}
