"""Online Elo: a curve for watching a run, never a published rating.

It depends on the order of the games and on K, and has no interval; `league.ratings` is what a
ladder prints. Wherever these numbers are shown they are called "online".

Source: Elo (1978).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from league.statistics.elo import ELO_PER_NAT, sigmoid

K: Final = 16.0
"""Elo points that a game can move a rating by, at the most."""
START: Final = 1000.0


class OnlineElo:
    """Ratings that move after every game."""

    def __init__(self, *, anchor: str, k: float = K, start: float = START) -> None:
        """Start with nobody rated.

        Args:
            anchor: Player that stays at `start`.
            k: Elo points per game, above 0.
            start: Elo points of the anchor and of newcomers without a parent.

        Raises:
            ValueError: `k` is not above 0.
        """
        if not k > 0:
            raise ValueError(f"expected k > 0, got {k!r}")
        self._anchor = anchor
        self._k = k
        self._start = start
        self._elo: dict[str, float] = {}

    def __getitem__(self, name: str) -> float:
        return self._elo.get(name, self._start)

    def enter(self, name: str, parent: str | None) -> None:
        """Let a newcomer start where its parent stands."""
        self._elo[name] = self[parent] if parent is not None else self._start

    def add(self, first: str, second: str, score: float) -> None:
        """Count a game; `score` is that of `first`: 1, 0.5 or 0."""
        expected = float(sigmoid((self[first] - self[second]) / ELO_PER_NAT))
        change = self._k * (score - expected)
        for name, by in ((first, change), (second, -change)):
            self._elo[name] = self[name] + (0.0 if name == self._anchor else by)


def trace_online_elo(
    games: Iterable[tuple[str, str, float]], *, anchor: str, player: str, k: float = K
) -> list[float]:
    """Return the online Elo of one player after each of the games, in their order."""
    elo = OnlineElo(anchor=anchor, k=k)
    curve = []
    for first, second, score in games:
        elo.add(first, second, score)
        curve.append(elo[player])
    return curve
