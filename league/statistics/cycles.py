"""Is there more to the results than one number per player? A test, a share, and the cycles.

Bradley-Terry predicts every match-up from two ratings. Where rock beats scissors that fails: the
likelihood-ratio test says how surely, the cyclic share says how much, the triples say who.

Source: Hunter (2004) for the model; Jiang et al. (2011), "Statistical ranking and combinatorial
Hodge theory", for the split into a gradient and a cyclic part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, norm

from league.ratings import make_outcomes
from league.statistics.bradley_terry import (
    Links,
    Outcomes,
    free_parameters,
    log_likelihood,
    log_odds,
    maximise_likelihood,
)
from league.statistics.elo import ELO_PER_NAT, sigmoid
from league.statistics.tallies import Tally, add_up

FloatArray = NDArray[np.float64]

SMALL_CELL: Final = 10.0
"""Expected wins or losses below which the chi-squared approximation is not trusted."""
_NO_LINKS: Final = Links(np.zeros(0, np.int64), np.zeros(0, np.int64))
_RIDGE: Final = 1e-3
"""Imagined wins and losses per match-up: keeps swept ones finite, too small to be seen."""
_NEWTON_STEPS: Final = 60


@dataclass(frozen=True, slots=True)
class Triple:
    """Three players, each of whom beats the next."""

    names: tuple[str, str, str]
    swing: float
    """Elo points: the three differences added up, 0 if ratings told everything."""
    p_value: float
    """Of the swing, corrected for the number of triples looked at (Bonferroni)."""


@dataclass(frozen=True, slots=True)
class CycleTest:
    """Goodness of fit of Bradley-Terry with a seat term."""

    statistic: float
    """Twice the log likelihood ratio of the saturated model."""
    degrees: int
    """Its degrees of freedom: match-ups played beyond what ratings can explain."""
    p_value: float
    """Chance of such a statistic if ratings told everything; 1 where nothing can be tested."""
    bootstrapped: bool
    """Whether the p-value comes from simulated logs, as it does where match-ups are small."""
    cyclic_share: float
    """Share of the variance of log odds that no ratings explain, without the noise's part; 0..1."""
    triples: tuple[Triple, ...]
    """Significant cycles of three at 5 %, the surest first."""


def find_cycles(
    tallies: Iterable[Tally],
    *,
    rng: np.random.Generator,
    dispersion: float = 1.0,
    simulations: int = 200,
) -> CycleTest:
    """Test whether the results are more than ratings and a seat bonus can explain.

    Args:
        tallies: Decisive games, as for `league.ratings.fit_ratings`.
        rng: Draws the simulated logs.
        dispersion: `Ratings.dispersion`; games that go together are less evidence.
        simulations: Logs to simulate where match-ups are small.

    Returns:
        The test; with fewer than three players there is nothing to find.
    """
    counts = add_up(tallies)
    names = tuple(sorted({name for seating in counts for name in seating[:2]}))
    index = {name: position for position, name in enumerate(names)}
    rows = make_outcomes(counts, index)
    table = _Table(len(names), rows)
    statistic, odds = table.statistic(rows)
    statistic /= dispersion
    degrees = table.degrees
    games = rows.won + rows.lost
    chance = sigmoid(odds)
    cells = np.bincount(table.edge, games * np.minimum(chance, 1 - chance), len(table.ends))
    small = degrees > 0 and bool(np.any(cells < SMALL_CELL))
    p_value = float(chi2.sf(statistic, degrees)) if degrees else 1.0
    if small:
        drawn = [
            table.statistic(replace(rows, won=won, lost=games - won))[0]
            for won in rng.binomial(games.astype(np.int64), chance, (simulations, len(games)))
        ]
        p_value = float((1 + np.sum(np.array(drawn) >= statistic)) / (1 + simulations))
    return CycleTest(
        statistic=statistic,
        degrees=degrees,
        p_value=p_value,
        bootstrapped=small,
        cyclic_share=table.cyclic_share(rows, dispersion),
        triples=table.list_triples(rows, names, dispersion),
    )


class _Table:
    """The match-ups of a log: edges of a graph of players, each with several rows."""

    def __init__(self, players: int, rows: Outcomes) -> None:
        self._players = players
        low, high = np.minimum(rows.i, rows.j), np.maximum(rows.i, rows.j)
        pairs = np.stack([low, high], axis=1)
        self.ends, edge = np.unique(pairs, axis=0, return_inverse=True)
        """Players of each match-up, shape (e, 2)."""
        self.edge = edge.reshape(-1)
        """Match-up of each row, shape (m,)."""
        self._sign = np.where(rows.i == low, 1.0, -1.0)
        self._free = (
            free_parameters(players, rows, _NO_LINKS, 0) if players else np.zeros(0, np.int64)
        )
        ratings = int(np.sum(self._free < players))
        self.degrees = max(len(self.ends) - ratings, 0)

    def statistic(self, rows: Outcomes) -> tuple[float, FloatArray]:
        """Return twice the log likelihood ratio, and the log odds of every row under ratings."""
        if not self.degrees:
            return 0.0, np.zeros(len(rows.i))
        half = np.full(len(self.ends), _RIDGE / 2)
        held = Outcomes(
            i=np.concatenate([rows.i, self.ends[:, 0]]),
            j=np.concatenate([rows.j, self.ends[:, 1]]),
            covariates=np.pad(rows.covariates, ((0, len(half)), (0, 0))),
            won=np.concatenate([rows.won, half]),
            lost=np.concatenate([rows.lost, half]),
            scale=rows.scale,
        )
        theta, beta, _ = maximise_likelihood(self._players, held, _NO_LINKS, self._free)
        odds = log_odds(theta, beta, rows)
        offset = rows.covariates @ beta
        gaps = self._fit_edges(rows, offset, theta[self.ends[:, 0]] - theta[self.ends[:, 1]])
        saturated = offset + self._sign * gaps[self.edge]
        return 2 * (log_likelihood(saturated, rows) - log_likelihood(odds, rows)), odds

    def cyclic_share(self, rows: Outcomes, dispersion: float) -> float:
        """Return the cyclic part of the log odds' variance, with the sampling noise taken off."""
        if not self.degrees:
            return 0.0
        gaps, variance = self._smoothed_edges(rows, dispersion)
        incidence = np.zeros((len(gaps), self._players))
        each = np.arange(len(gaps))
        incidence[each, self.ends[:, 0]], incidence[each, self.ends[:, 1]] = 1.0, -1.0
        explained = incidence @ np.linalg.pinv(incidence)
        rest = gaps - explained @ gaps
        cyclic = rest @ rest - (1 - np.diag(explained)) @ variance
        total = gaps @ gaps - variance.sum()
        return float(np.clip(cyclic / total, 0.0, 1.0)) if total > 0 else 0.0

    def list_triples(
        self, rows: Outcomes, names: tuple[str, ...], dispersion: float
    ) -> tuple[Triple, ...]:
        """Return the significant cycles of three."""
        gaps, variance = self._smoothed_edges(rows, dispersion)
        known: Mapping[tuple[int, int], int] = {
            (int(a), int(b)): edge for edge, (a, b) in enumerate(self.ends)
        }
        found = []
        looked_at = 0
        for a, b, c in combinations(range(self._players), 3):
            if not {(a, b), (b, c), (a, c)} <= known.keys():
                continue
            looked_at += 1
            sides = [known[a, b], known[b, c], known[a, c]]
            steps = gaps[sides] * np.array([1.0, 1.0, -1.0])
            if not (np.all(steps > 0) or np.all(steps < 0)):
                continue
            error = float(np.sqrt(variance[sides].sum()))
            order = (a, b, c) if steps[0] > 0 else (a, c, b)
            swing = abs(float(steps.sum()))
            found.append((order, swing, 2 * float(norm.sf(swing / error))))
        triples = [
            Triple((names[a], names[b], names[c]), swing * ELO_PER_NAT, min(p * looked_at, 1.0))
            for (a, b, c), swing, p in found
            if p * looked_at < 0.05
        ]
        return tuple(sorted(triples, key=lambda one: (one.p_value, -one.swing)))

    def _smoothed_edges(self, rows: Outcomes, dispersion: float) -> tuple[FloatArray, FloatArray]:
        """Return log odds of the first of `ends` and their variance, half a game added each way."""
        count = len(self.ends)
        first = np.where(self._sign > 0, rows.won, rows.lost)
        won = np.bincount(self.edge, first, count) + 0.5
        lost = np.bincount(self.edge, rows.won + rows.lost, count) + 1.0 - won
        return np.log(won / lost), dispersion * (1 / won + 1 / lost)

    def _fit_edges(self, rows: Outcomes, offset: FloatArray, start: FloatArray) -> FloatArray:
        """Fit the log odds of every match-up by itself, the covariates' part given."""
        gaps = start.copy()
        games = rows.won + rows.lost
        for _ in range(_NEWTON_STEPS):
            chance = sigmoid(offset + self._sign * gaps[self.edge])
            pull = sigmoid(gaps)
            slope = _RIDGE * (0.5 - pull)
            np.add.at(slope, self.edge, self._sign * (rows.won - games * chance))
            curve = _RIDGE * pull * (1 - pull)
            np.add.at(curve, self.edge, games * chance * (1 - chance))
            step = np.clip(slope / curve, -2.0, 2.0)
            gaps = gaps + step
            if np.max(np.abs(step)) < 1e-9:
                break
        return gaps
