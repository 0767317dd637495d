"""What a learner scored lately: results by opponent that fade as the learner changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

HALF_LIFE: Final = 20
"""Updates of the learner after which a game counts half."""
_FORGOTTEN: Final = 1e-3
"""Games; an opponent with less is dropped."""

GameScore = tuple[str, float | None]
"""Opponent, and the learner's score: 1, 0.5 or 0; None for a game without a result."""


class RecentResults:
    """Fading counts of games and points against every opponent."""

    def __init__(self) -> None:
        self._points: dict[str, float] = {}
        self._games: dict[str, float] = {}

    def update(self, results: Iterable[GameScore]) -> None:
        """Let what is known fade by one update of the learner, then count new games."""
        fade = 0.5 ** (1 / HALF_LIFE)
        for counts in (self._points, self._games):
            for name in counts:
                counts[name] *= fade
        for name in [name for name, games in self._games.items() if games < _FORGOTTEN]:
            del self._points[name], self._games[name]
        for name, score in results:
            if score is not None:
                self._points[name] = self._points.get(name, 0.0) + score
                self._games[name] = self._games.get(name, 0.0) + 1.0

    def clear(self) -> None:
        """Forget everything, as after a reset of the learner."""
        self._points.clear()
        self._games.clear()

    def points(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Return the wins plus half of the draws against each, shape (n,)."""
        return np.array([self._points.get(name, 0.0) for name in names])

    def games(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Return the games against each, shape (n,)."""
        return np.array([self._games.get(name, 0.0) for name in names])

    def state_dict(self) -> dict[str, Any]:
        """Return the counts as JSON types."""
        return {"points": dict(self._points), "games": dict(self._games)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put the counts back as `state_dict` saw them."""
        self._points, self._games = dict(state["points"]), dict(state["games"])
