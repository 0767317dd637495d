"""Ratings with honest intervals: a Bradley-Terry fit over counts of decisive games.

    from league.ratings import Tally, fit_ratings
    ratings = fit_ratings([Tally("main-0001", "greedy", wins_0=7, wins_1=5)], anchor="greedy")

Draws and games without a winner do not enter: given a decisive game, the model is right whatever
the draw rate, while counting a draw as half a win shrinks the scale. Needs numpy and scipy only;
knows nothing of games, policies or where counts come from.

Source: Bradley and Terry (1952); Hunter (2004), "MM algorithms for generalized Bradley-Terry
models", for existence; the choices of prior are held by `tests/league/test_ratings.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from league.statistics.bradley_terry import Links, Outcomes, free_parameters, maximise_likelihood
from league.statistics.elo import ELO_PER_NAT, expected_score, sigmoid
from league.statistics.head_to_head import EloDifference, elo_difference
from league.statistics.rating_bounds import Kind, Win, classify_players, one_sided_bounds
from league.statistics.tallies import DecisivePair, Seating, Tally, add_up

__all__ = [
    "ANCHOR_RATING",
    "DecisivePair",
    "EloDifference",
    "Rating",
    "Ratings",
    "Tally",
    "elo_difference",
    "expected_score",
    "fit_ratings",
]

FloatArray = NDArray[np.float64]

ANCHOR_RATING: Final = 1000.0
SEAT_SD: Final = 100.0
"""Elo points: standard deviation of the seat bonus around 0, where the games say nothing."""
LEVEL_SD: Final = 400.0
"""Elo points per level: the same of the handicap."""
PSEUDO_GAMES: Final = 0.2
"""Imagined games per played match-up, half won by each; keeps undefeated players finite."""
Z95: Final = 1.959963984540054
"""Standard normal quantile of a two-sided 95 % interval."""

_PRIOR_PAIRS: Final = 20
"""Weight, in pairs, of the assumption that the two games of a pair are independent."""


@dataclass(frozen=True, slots=True)
class Rating:
    """One line of the ladder."""

    name: str
    elo: float
    """Elo points; the fitted value, kept finite by the prior."""
    lower: float
    upper: float
    """Elo points: 95 % interval. One end is infinite where the games bound one side only, then
    the other end is a one-sided 95 % bound; both are where they bound neither."""
    kind: Kind
    """What the games say: see `league.statistics.rating_bounds.Kind`."""
    games: int
    """Decisive games that it rests on."""


@dataclass(frozen=True, slots=True)
class Ratings:
    """A joint fit of n players, ordered by name."""

    names: tuple[str, ...]
    anchor: str
    elo: FloatArray
    """Elo points, shape (n,)."""
    covariance: FloatArray
    """Elo points squared, shape (n, n); zero for the anchor."""
    lower: FloatArray
    upper: FloatArray
    """Elo points, shape (n,): ends of the 95 % intervals."""
    kinds: tuple[Kind, ...]
    games: NDArray[np.int64]
    """Decisive games per player, shape (n,)."""
    seat_bonus: float
    """Elo points that sitting in seat 0 is worth."""
    seat_bonus_sd: float
    """Elo points: standard error of `seat_bonus`."""
    level_cost: float | None
    """Elo points that one virus level above the opponent costs; None without such games."""
    level_cost_sd: float | None
    """Elo points: standard error of `level_cost`."""
    dispersion: float
    """Variance of pair scores over that of independent games; 1 where no pairs were given."""

    def __getitem__(self, name: str) -> Rating:
        if name not in self.names:
            raise KeyError(f"expected a rated player, got {name!r}; rated: {list(self.names)}")
        index = self.names.index(name)
        return Rating(
            name,
            float(self.elo[index]),
            float(self.lower[index]),
            float(self.upper[index]),
            self.kinds[index],
            int(self.games[index]),
        )

    def elo_of(self, name: str) -> float:
        """Return the Elo points of a player, NaN if it is not rated."""
        return float(self.elo[self.names.index(name)]) if name in self.names else math.nan

    def difference(self, first: str, second: str) -> tuple[float, float]:
        """Return `first` minus `second` and its standard error, both in Elo points.

        Uses the joint covariance: players with common opponents differ by less than their own
        intervals suggest.
        """
        i, j = self.names.index(first), self.names.index(second)
        variance = self.covariance[i, i] + self.covariance[j, j] - 2 * self.covariance[i, j]
        return float(self.elo[i] - self.elo[j]), math.sqrt(max(float(variance), 0.0))

    def predicted_scores(self) -> FloatArray:
        """Return each row player's chance against each column player in a decisive game.

        Returns:
            Shape (n, n), with neither seat nor level in anyone's favour.
        """
        return expected_score(self.elo, self.elo)

    def ladder(self) -> list[Rating]:
        """Return all players, the highest rating first."""
        return sorted((self[name] for name in self.names), key=lambda one: (-one.elo, one.name))


def fit_ratings(
    tallies: Iterable[Tally],
    *,
    anchor: str,
    anchor_rating: float = ANCHOR_RATING,
    parents: Mapping[str, str] | None = None,
    pairs: Sequence[DecisivePair] = (),
) -> Ratings:
    """Fit all ratings at once.

    Args:
        tallies: Decisive games; match-ups may come in any order and more than once.
        anchor: Player whose rating is fixed.
        anchor_rating: Elo points of the anchor.
        parents: Snapshot -> the snapshot that it grew from; links whose ends are not both known
            from games are followed up to the next parent that is.
        pairs: The same games as pairs where they were played so. Their scatter sets the width of
            the intervals, and a sweep counts as one piece of evidence instead of two.

    Returns:
        Ratings of the anchor and of everybody who played.

    Raises:
        ValueError: A policy met itself, or a count is negative.
    """
    counts = add_up(tallies)
    names = tuple(sorted({anchor, *(name for seating in counts for name in seating[:2])}))
    index = {name: position for position, name in enumerate(names)}
    rows, links = _make_rows(counts, index), _make_links(parents or {}, index)
    free = free_parameters(len(names), rows, links, index[anchor])
    theta, beta, covariance = maximise_likelihood(len(names), rows, links, free)
    theta += anchor_rating / ELO_PER_NAT
    dispersion = _estimate_dispersion(pairs, index, theta, beta, len(free))
    covariance *= dispersion * ELO_PER_NAT**2
    elo, effects = theta * ELO_PER_NAT, beta * ELO_PER_NAT
    size = len(names)
    wins = _list_wins(counts, index, effects)
    kinds = classify_players(size, wins, index[anchor])
    lower, upper = _find_intervals(
        elo, covariance[:size, :size], wins, kinds, games_per_evidence=2 if pairs else 1
    )
    errors = np.sqrt(np.diag(covariance)[size:])
    handicapped = len(effects) > 1
    return Ratings(
        names=names,
        anchor=anchor,
        elo=elo,
        covariance=covariance[:size, :size],
        lower=lower,
        upper=upper,
        kinds=kinds,
        games=_count_games(counts, index),
        seat_bonus=float(effects[0]),
        seat_bonus_sd=float(errors[0]),
        level_cost=float(-effects[1]) if handicapped else None,
        level_cost_sd=float(errors[1]) if handicapped else None,
        dispersion=dispersion,
    )


def make_outcomes(counts: Mapping[Seating, tuple[int, int]], index: Mapping[str, int]) -> Outcomes:
    """Return decisive games as rows of the likelihood, without any prior.

    Args:
        counts: From `league.statistics.tallies.add_up`.
        index: Position of every player.

    Returns:
        One row per seating. The first covariate is the seat; the levels are a second one, where
        any game had a handicap.
    """
    ends = np.array([(index[a], index[b]) for a, b, _ in counts], np.int64).reshape(-1, 2)
    won = np.array(list(counts.values()), np.float64).reshape(-1, 2)
    levels = np.array([above for *_, above in counts], np.float64)
    covariates = np.stack([np.ones(len(levels)), levels], axis=1)
    used = 1 + bool(np.any(levels))
    scale = np.array([SEAT_SD, LEVEL_SD])[:used] / ELO_PER_NAT
    return Outcomes(ends[:, 0], ends[:, 1], covariates[:, :used], won[:, 0], won[:, 1], scale)


def _make_rows(counts: Mapping[Seating, tuple[int, int]], index: Mapping[str, int]) -> Outcomes:
    """Return the rows of the games, and a weak prior that holds every played match-up together."""
    rows = make_outcomes(counts, index)
    played = sorted({(min(a, b), max(a, b)) for a, b, _ in counts})
    ends = np.array([(index[a], index[b]) for a, b in played], np.int64).reshape(-1, 2)
    half = np.full(len(played), PSEUDO_GAMES / 2)
    return Outcomes(
        i=np.concatenate([rows.i, ends[:, 0]]),
        j=np.concatenate([rows.j, ends[:, 1]]),
        covariates=np.concatenate([rows.covariates, np.zeros((len(played), len(rows.scale)))]),
        won=np.concatenate([rows.won, half]),
        lost=np.concatenate([rows.lost, half]),
        scale=rows.scale,
    )


def _make_links(parents: Mapping[str, str], index: Mapping[str, int]) -> Links:
    links = []
    for child in sorted(set(parents) & set(index)):
        parent: str | None = parents[child]
        while parent is not None and parent not in index:
            parent = parents.get(parent)
        if parent is not None:
            links.append((index[child], index[parent]))
    ends = np.array(links, np.int64).reshape(-1, 2)
    return Links(ends[:, 0], ends[:, 1])


def _find_intervals(
    elo: FloatArray,
    covariance: FloatArray,
    wins: Sequence[Win],
    kinds: Sequence[Kind],
    games_per_evidence: int,
) -> tuple[FloatArray, FloatArray]:
    """Return the ends of all 95 % intervals: normal ones, or bounds where a side is open."""
    lower, upper = one_sided_bounds(elo, covariance, wins, kinds, games_per_evidence)
    half_width = Z95 * np.sqrt(np.diag(covariance))
    inside = np.array([kind == "interval" for kind in kinds])
    return np.where(inside, elo - half_width, lower), np.where(inside, elo + half_width, upper)


def _estimate_dispersion(
    pairs: Sequence[DecisivePair],
    index: Mapping[str, int],
    theta: FloatArray,
    beta: FloatArray,
    num_parameters: int,
) -> float:
    """Return the variance of pair scores relative to independent games, shrunk towards 1.

    Two deterministic policies that treat the seats alike play the same game twice: then it is 2.
    A seed that favours one seat makes it less than 1.
    """
    if not pairs:
        return 1.0
    i = np.array([index[pair.first] for pair in pairs])
    j = np.array([index[pair.second] for pair in pairs])
    won = np.array([pair.first_won for pair in pairs], np.float64)
    gaps = (theta[i] - theta[j])[:, None] + beta[0] * np.array([1.0, -1.0])
    if len(beta) > 1:
        gaps = gaps + beta[1] * np.array([pair.levels_above for pair in pairs])
    chance = sigmoid(gaps)
    scatter = float(np.sum((won - chance).sum(axis=1) ** 2))
    independent = float(np.sum(chance * (1 - chance)))
    prior = _PRIOR_PAIRS * independent / len(pairs)
    # Fitted parameters take up scatter, as in any regression.
    left = max(1 - num_parameters / len(pairs), 0.5)
    return (scatter / left + prior) / (independent + prior)


def _list_wins(
    counts: Mapping[Seating, tuple[int, int]], index: Mapping[str, int], effects: FloatArray
) -> list[Win]:
    wins = []
    for (a, b, levels_above), (wins_0, wins_1) in counts.items():
        bonus = float(effects[0])
        if len(effects) > 1:
            bonus += float(effects[1]) * levels_above
        wins.append(Win(index[a], index[b], bonus, wins_0))
        wins.append(Win(index[b], index[a], -bonus, wins_1))
    return [win for win in wins if win.count]


def _count_games(
    counts: Mapping[Seating, tuple[int, int]], index: Mapping[str, int]
) -> NDArray[np.int64]:
    games = np.zeros(len(index), np.int64)
    for seating, wins in counts.items():
        for name in seating[:2]:
            games[index[name]] += sum(wins)
    return games
