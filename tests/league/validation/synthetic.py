"""Pools of players whose true strength is known, and how often intervals hold the truth.

The generator shares nothing with the fit but the logistic curve.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from league.ratings import DecisivePair, Ratings, Tally, fit_ratings

Truth = np.ndarray


@dataclass(frozen=True)
class Log:
    """The games of one pool."""

    truth: Truth
    """Elo points; player 0 is the anchor, at 1000."""
    tallies: list[Tally]
    pairs: tuple[DecisivePair, ...] = ()
    parents: dict[str, str] | None = None


def name(index: int) -> str:
    return f"p{index:02d}"


def chance(gap: float | np.ndarray) -> np.ndarray:
    """Elo's curve, written anew."""
    return np.asarray(1 / (1 + 10 ** (-np.asarray(gap) / 400)))


def draw_truth(rng: np.random.Generator, players: int, sd: float = 200) -> Truth:
    truth = rng.normal(0, sd, players)
    return np.asarray(truth + 1000 - truth[0])


def seatings(players: int, reach: int = 1000) -> list[tuple[int, int]]:
    return [
        (i, j) for i in range(players) for j in range(players) if i != j and abs(i - j) <= reach
    ]


def play(
    rng: np.random.Generator,
    truth: Truth,
    games: int,
    *,
    who: list[tuple[int, int]] | None = None,
    seat: float = 0.0,
    levels: tuple[float, ...] = (0.0,),
    level_cost: float = 0.0,
) -> list[Tally]:
    tallies = []
    for i, j in who or seatings(len(truth)):
        above = float(rng.choice(levels))
        gap = truth[i] - truth[j] + seat - level_cost * above
        wins = int(rng.binomial(games, chance(gap)))
        tallies.append(Tally(name(i), name(j), wins, games - wins, above))
    return tallies


def even_pool(rng: np.random.Generator) -> Log:
    truth = draw_truth(rng, 16)
    return Log(truth, play(rng, truth, 7))


def flat_draws(rng: np.random.Generator) -> Log:
    """A fifth of all games is drawn whoever plays; draws are left out."""
    truth = draw_truth(rng, 16)
    tallies = []
    for i, j in seatings(16):
        decisive = int(rng.binomial(50, 0.8))
        wins = int(rng.binomial(decisive, chance(truth[i] - truth[j])))
        tallies.append(Tally(name(i), name(j), wins, decisive - wins))
    return Log(truth, tallies)


def davidson_draws(rng: np.random.Generator) -> Log:
    """Even games are drawn more often: win : draw : loss = e^(x/2) : 0.5 : e^(-x/2)."""
    truth = draw_truth(rng, 16)
    tallies = []
    for i, j in seatings(16):
        odds = 10 ** ((truth[i] - truth[j]) / 800)
        shares = np.array([odds, 0.5, 1 / odds])
        wins, _, losses = rng.multinomial(50, shares / shares.sum())
        tallies.append(Tally(name(i), name(j), int(wins), int(losses)))
    return Log(truth, tallies)


def seat_bonus(rng: np.random.Generator) -> Log:
    """Half of the players nearly always sit left, where 60 Elo are given away."""
    truth = draw_truth(rng, 12)
    left = [(i, j) for i, j in seatings(12) if i % 2 == 0]
    right = [(i, j) for i, j in seatings(12) if i % 2 == 1]
    tallies = play(rng, truth, 16, who=left, seat=60) + play(rng, truth, 2, who=right, seat=60)
    return Log(truth, tallies)


def handicaps(rng: np.random.Generator) -> Log:
    truth = draw_truth(rng, 12)
    levels = (-4.0, -2.0, 0.0, 2.0, 4.0)
    return Log(truth, play(rng, truth, 12, seat=30, levels=levels, level_cost=60))


def ladder_of_1000(rng: np.random.Generator) -> Log:
    truth = np.linspace(1000, 2000, 24)
    return Log(truth, play(rng, truth, 50, who=seatings(24, reach=4)))


def ladder_of_3000(rng: np.random.Generator) -> Log:
    """24 players over 3,000 Elo who meet only their neighbours, 20 games each."""
    truth = np.linspace(1000, 4000, 24)
    return Log(truth, play(rng, truth, 10, who=seatings(24, reach=4)))


def star(rng: np.random.Generator) -> Log:
    """Everyone met the anchor and nobody else."""
    truth = draw_truth(rng, 10, sd=150)
    who = [(i, j) for i, j in seatings(10) if 0 in (i, j)]
    return Log(truth, play(rng, truth, 40, who=who))


def lineage(rng: np.random.Generator) -> Log:
    """Snapshots as a run makes them: each meets the anchor, its parent and the first one."""
    truth = 1000 + np.concatenate([[0.0], -250 + np.cumsum(rng.normal(40, 60, 14))])
    who = []
    for child in range(1, len(truth)):
        for other in {0, 1, child - 1} - {child}:
            who += [(child, other), (other, child)]
    parents = {name(child): name(child - 1) for child in range(2, len(truth))}
    return Log(truth, play(rng, truth, 16, who=who), parents=parents)


def mirrored_pairs(rng: np.random.Generator) -> Log:
    """Deterministic players that treat the seats alike play every game of a pair twice."""
    return _play_pairs(rng, lambda won, luck: (won, won))


def lucky_seats(rng: np.random.Generator) -> Log:
    """Every third seed is won by the left seat, whoever sits there."""
    return _play_pairs(rng, lambda won, luck: (True, False) if luck else None)


def _play_pairs(
    rng: np.random.Generator, rule: Callable[[bool, bool], tuple[bool, bool] | None]
) -> Log:
    truth = draw_truth(rng, 8, sd=0.01 if rule(True, True) == (True, False) else 200)
    tallies, pairs = [], []
    for i in range(8):
        for j in range(i):
            for _ in range(24):
                first, second = (bool(rng.random() < chance(truth[i] - truth[j])) for _ in "ab")
                won = rule(first, bool(rng.random() < 1 / 3)) or (first, second)
                tallies.append(Tally(name(i), name(j), int(won[0]), int(not won[0])))
                tallies.append(Tally(name(j), name(i), int(not won[1]), int(won[1])))
                pairs.append(DecisivePair(name(i), name(j), won))
    return Log(truth, tallies, tuple(pairs))


SCENARIOS: dict[str, Callable[[np.random.Generator], Log]] = {
    scenario.__name__: scenario
    for scenario in (
        even_pool,
        flat_draws,
        davidson_draws,
        seat_bonus,
        handicaps,
        ladder_of_1000,
        ladder_of_3000,
        star,
        lineage,
        mirrored_pairs,
        lucky_seats,
    )
}


def fit(log: Log) -> Ratings:
    return fit_ratings(log.tallies, anchor=name(0), parents=log.parents, pairs=log.pairs)


def covered_differences(ratings: Ratings, truth: Truth) -> list[bool]:
    """Whether the 95 % interval of each difference holds the true one."""
    hits = []
    for i in range(len(truth)):
        for j in range(i):
            difference, error = ratings.difference(name(i), name(j))
            hits.append(bool(abs(difference - (truth[i] - truth[j])) <= 1.96 * error))
    return hits


def measure_coverage(scenario: str, pools: int) -> tuple[float, float]:
    """Return the share of intervals that hold the truth: of differences, and on the ladder."""
    differences: list[bool] = []
    lines: list[bool] = []
    for seed in range(pools):
        log = SCENARIOS[scenario](np.random.default_rng([seed, len(scenario)]))
        ratings = fit(log)
        differences += covered_differences(ratings, log.truth)
        for index in range(1, len(log.truth)):
            line = ratings[name(index)]
            lines.append(line.lower <= log.truth[index] <= line.upper)
    return float(np.mean(differences)), float(np.mean(lines))
