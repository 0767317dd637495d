"""One-sided bounds for players whom the games bound on one side only, such as the undefeated.

A rating has a finite maximum-likelihood value only where wins lead from a player to the anchor
and back; elsewhere the fitted number rests on the prior, and this module says what the games
alone support: "at least" or "at most" so much, or nothing.

Source: Ford (1957) for the condition; the bound is the exact binomial one ("40 wins of 40 give
p >= 0.05^(1/40)") with every opponent at its own strength.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.sparse.csgraph import breadth_first_order, connected_components

from league.statistics.elo import ELO_PER_NAT

FloatArray = NDArray[np.float64]

Kind = Literal["interval", "at_least", "at_most", "unlinked"]
"""`interval`: wins lead to the anchor and back, both ends are known. `at_least`: it was never
beaten from the anchor's side. `at_most`: it never beat anyone on the anchor's side. `unlinked`:
no chain of wins connects it with the anchor in either direction."""

_CONFIDENCE: Final = 0.95
_Z: Final = 1.6448536269514722
"""Standard normal quantile of a one-sided 95 % bound."""
_SEARCH: Final = 40_000.0
"""Elo points; further than any bound that a log of real games can give."""


@dataclass(frozen=True, slots=True)
class Win:
    """Games that one player won against another in the same seats."""

    winner: int
    loser: int
    bonus: float
    """Elo points that the winner's seat was worth."""
    count: int


def classify_players(count: int, wins: Sequence[Win], anchor: int) -> tuple[Kind, ...]:
    """Return what the games say about each of `count` players relative to the anchor."""
    beats = np.zeros((count, count))
    for win in wins:
        beats[win.winner, win.loser] = 1
    below = set(breadth_first_order(beats, anchor, return_predecessors=False).tolist())
    above = set(breadth_first_order(beats.T, anchor, return_predecessors=False).tolist())
    kinds: dict[tuple[bool, bool], Kind] = {
        (True, True): "interval",
        (True, False): "at_least",
        (False, True): "at_most",
        (False, False): "unlinked",
    }
    return tuple(kinds[player in above, player in below] for player in range(count))


def one_sided_bounds(
    elo: FloatArray,
    covariance: FloatArray,
    wins: Sequence[Win],
    kinds: Sequence[Kind],
    games_per_evidence: int,
) -> tuple[FloatArray, FloatArray]:
    """Return lower and upper 95 % bounds, infinite on the sides that the games leave open.

    Args:
        elo: Fitted Elo points, shape (n,).
        covariance: Of the fit, Elo points squared, shape (n, n).
        wins: All decisive games.
        kinds: What `classify_players` returned; players of kind `interval` get no bound here.
        games_per_evidence: 2 where games were played in pairs, whose games may go together.

    Returns:
        Two arrays of shape (n,), Elo points.
    """
    lower, upper = np.full(len(elo), -np.inf), np.full(len(elo), np.inf)
    from_below = _Side(elo, covariance, wins, kinds, "at_least", games_per_evidence)
    # Seen upside down, a player that never won is undefeated.
    flipped = [Win(win.loser, win.winner, win.bonus, win.count) for win in wins]
    from_above = _Side(-elo, covariance, flipped, kinds, "at_most", games_per_evidence)
    for player, kind in enumerate(kinds):
        if kind == "at_least":
            lower[player] = from_below.bound(player)
        elif kind == "at_most":
            upper[player] = -from_above.bound(player)
    return lower, upper


class _Side:
    """Lower bounds of all players of one kind, each built on the bounds of those it beat."""

    def __init__(
        self,
        elo: FloatArray,
        covariance: FloatArray,
        wins: Sequence[Win],
        kinds: Sequence[Kind],
        kind: Kind,
        games_per_evidence: int,
    ) -> None:
        self._elo = elo
        self._covariance = covariance
        self._kinds = kinds
        self._kind = kind
        self._games_per_evidence = games_per_evidence
        beats = np.zeros((len(elo), len(elo)))
        for win in wins:
            beats[win.winner, win.loser] = 1
        _, self._group = connected_components(beats, directed=True, connection="strong")
        # Wins over players that are themselves open on the far side say nothing here.
        self._wins = [win for win in wins if kinds[win.loser] in ("interval", kind)]
        self._known: dict[int, float] = {}

    def bound(self, player: int) -> float:
        """Return the lower bound of `player`, in Elo points.

        Players that beat each other in a circle move together: their wins over the rest bound
        them as a group, to which their distances inside the group are added.
        """
        if player not in self._known:
            evidence = [win for win in self._wins if self._leaves_group(win, player)]
            # An opponent with a bound of its own stands at that bound, others at their rating.
            positions = [
                self.bound(win.loser)
                if self._kinds[win.loser] == self._kind
                else float(self._elo[win.loser])
                for win in evidence
            ]
            self._known[player] = self._solve(player, evidence, np.array(positions))
        return self._known[player]

    def _leaves_group(self, win: Win, player: int) -> bool:
        group = self._group
        return bool(group[win.winner] == group[player] and group[win.loser] != group[player])

    def _solve(self, player: int, evidence: Sequence[Win], positions: FloatArray) -> float:
        counts = np.array([win.count for win in evidence]) / self._games_per_evidence
        bonuses = np.array([win.bonus for win in evidence])
        winners = self._elo[[win.winner for win in evidence]]
        gaps = (winners - positions + bonuses) / ELO_PER_NAT

        def excess(shift: float) -> float:
            log_chance = -np.logaddexp(0, -(gaps + shift / ELO_PER_NAT))
            return float(counts @ log_chance) - math.log(1 - _CONFIDENCE)

        shift = float(brentq(excess, -_SEARCH, _SEARCH))
        weights = counts * np.exp(-np.logaddexp(0, gaps + shift / ELO_PER_NAT))
        error = self._spread(player, evidence, weights / weights.sum())
        drop = max(-shift, 0.0)
        rise = max(shift, 0.0)
        bound = float(self._elo[player]) + rise - math.hypot(drop, error)
        return min(bound, float(self._elo[player]))

    def _spread(self, player: int, evidence: Sequence[Win], weights: FloatArray) -> float:
        """Return the one-sided error of where the opponents, as weighted, stand."""
        contrast = np.zeros(len(self._elo))
        contrast[player] = 1.0
        for win, weight in zip(evidence, weights, strict=True):
            contrast[win.winner] -= weight
            if self._kinds[win.loser] == "interval":
                contrast[win.loser] += weight
        return _Z * math.sqrt(max(float(contrast @ self._covariance @ contrast), 0.0))
