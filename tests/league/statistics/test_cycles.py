from __future__ import annotations

import numpy as np
import pytest

from league.ratings import Tally
from league.statistics.cycles import CycleTest, find_cycles
from league.statistics.elo import ELO_PER_NAT, sigmoid


def play_disc(
    seed: int, players: int, games: int, *, swing: float = 0.0, spread: float = 0.5
) -> list[Tally]:
    """Skill, a seat bonus, and a style on a circle; `swing` nats are what the best style gains."""
    rng = np.random.default_rng(seed)
    skill, style = rng.normal(0, spread, players), rng.uniform(0, 2 * np.pi, players)
    odds = skill[:, None] - skill[None] + swing * np.sin(style[:, None] - style[None])
    wins = rng.binomial(games, sigmoid(odds + 0.2))
    return [
        Tally(f"p{i:02d}", f"p{j:02d}", int(wins[i, j]), games - int(wins[i, j]))
        for i in range(players)
        for j in range(players)
        if i != j
    ]


def find(tallies: list[Tally], seed: int = 0, simulations: int = 60) -> CycleTest:
    return find_cycles(tallies, rng=np.random.default_rng(seed), simulations=simulations)


def rock_paper_scissors(games: int) -> list[Tally]:
    beats = [("rock", "scissors"), ("paper", "rock"), ("scissors", "paper")]
    won = games * 3 // 8
    rest = games // 2 - won
    # Both seats: otherwise a seat bonus would explain it all.
    return [tally for a, b in beats for tally in (Tally(a, b, won, rest), Tally(b, a, rest, won))]


def test_rock_paper_scissors_is_no_ladder() -> None:
    found = find(rock_paper_scissors(80))
    assert (found.degrees, found.bootstrapped) == (1, False)
    assert found.p_value < 1e-6
    assert found.cyclic_share == pytest.approx(1.0, abs=0.02)
    (triple,) = found.triples
    assert triple.names in {
        ("paper", "rock", "scissors"),
        ("rock", "scissors", "paper"),
        ("scissors", "paper", "rock"),
    }
    assert triple.swing == pytest.approx(3 * ELO_PER_NAT * np.log(60.5 / 20.5), rel=1e-6)


def test_few_games_prove_no_cycle() -> None:
    found = find(rock_paper_scissors(6))
    assert found.bootstrapped
    assert found.p_value > 0.05
    assert found.triples == ()


@pytest.mark.parametrize("games", [6, 100])
def test_a_ladder_is_called_cyclic_as_rarely_as_promised(games: int) -> None:
    """B5, size; with small match-ups the chi-squared would be wrong, hence simulated logs."""
    found = [find(play_disc(seed, 8, games), seed) for seed in range(40)]
    assert {one.bootstrapped for one in found} == {games == 6}
    assert sum(one.p_value < 0.05 for one in found) <= 6
    assert sum(one.p_value < 0.01 for one in found) <= 2
    assert np.mean([one.cyclic_share for one in found]) < 0.1


def test_cycles_are_found_in_time() -> None:
    """B5, power: a swing of 12 % in score among 16 players, 30 games per match-up."""
    found = [
        find(play_disc(seed, 16, 15, swing=0.5, spread=1.0), seed, simulations=40)
        for seed in range(12)
    ]
    assert sum(one.p_value < 0.05 for one in found) >= 11


def test_the_cyclic_share_grows_with_the_swing() -> None:
    shares = [
        np.mean([find(play_disc(s, 8, 300, swing=w)).cyclic_share for s in range(8)])
        for w in (0.0, 0.25, 1.0)
    ]
    assert shares[0] < 0.02 < shares[1] < 0.3 < shares[2]


def test_a_seat_bonus_is_no_cycle() -> None:
    tallies = [Tally(a, b, 700, 300) for a in "xyz" for b in "xyz" if a != b]
    assert find(tallies).p_value > 0.9


def test_games_that_go_together_prove_less() -> None:
    once = find(rock_paper_scissors(40))
    doubled = find_cycles(rock_paper_scissors(40), rng=np.random.default_rng(0), dispersion=2.0)
    assert doubled.statistic == pytest.approx(once.statistic / 2)
    assert doubled.p_value > once.p_value


@pytest.mark.parametrize("tallies", [[], [Tally("a", "b", 9, 1)], [Tally("a", "b", 9, 1)] * 2])
def test_two_players_make_no_cycle(tallies: list[Tally]) -> None:
    found = find(tallies)
    assert (found.degrees, found.p_value, found.cyclic_share) == (0, 1.0, 0.0)


def test_a_tree_of_match_ups_leaves_nothing_to_test() -> None:
    found = find([Tally("a", "b", 5, 5), Tally("b", "c", 9, 1), Tally("c", "d", 2, 8)])
    assert (found.degrees, found.p_value) == (0, 1.0)
