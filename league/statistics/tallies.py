"""The evidence that ratings rest on: decisive games, added up by seating or listed by pair.

Draws are no part of it: see `league.ratings` for why.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tally:
    """Decisive games of two policies in fixed seats."""

    seat_0: str
    """Policy in the left seat."""
    seat_1: str
    """Policy in the right seat."""
    wins_0: int
    """Games won by the left seat."""
    wins_1: int
    """Games won by the right seat."""
    levels_above: float = 0.0
    """Virus levels that the left seat played above the right one; 0 without a handicap."""


@dataclass(frozen=True, slots=True)
class DecisivePair:
    """Two decisive games on one seed with the seats swapped."""

    first: str
    """Policy that sat in seat 0 in the pair's first game."""
    second: str
    """Policy that sat in seat 1 in the pair's first game."""
    first_won: tuple[bool, bool]
    """Whether `first` won each of the two games."""
    levels_above: tuple[float, float] = (0.0, 0.0)
    """Virus levels that `first` played above `second`, by game."""


Seating = tuple[str, str, float]
"""The two players by seat, and the levels that the left one played above the right one."""


def add_up(tallies: Iterable[Tally]) -> dict[Seating, tuple[int, int]]:
    """Return wins by seating in a fixed order, so that the order of the log cannot matter.

    Raises:
        ValueError: A policy met itself, or a count is negative.
    """
    counts: dict[Seating, tuple[int, int]] = {}
    for tally in tallies:
        if tally.seat_0 == tally.seat_1:
            raise ValueError(f"expected two different players, got {tally.seat_0!r} twice")
        if min(tally.wins_0, tally.wins_1) < 0:
            raise ValueError(f"expected counts >= 0, got {tally}")
        seating = (tally.seat_0, tally.seat_1, float(tally.levels_above))
        wins_0, wins_1 = counts.get(seating, (0, 0))
        counts[seating] = (wins_0 + tally.wins_0, wins_1 + tally.wins_1)
    return dict(sorted(counts.items()))
