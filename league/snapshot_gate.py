"""The gate that freezes main: enough games since the last snapshot, or clearly stronger than it.

It looks at training games, which no rating uses: the games that promoted a snapshot never rate it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from league.statistics.sequential import SequentialTest

MIN_SCORES: Final = 64
"""Games against the newest snapshot before the test may stop."""


class SnapshotGate:
    """Collects main's games since its newest snapshot."""

    def __init__(self, kind: Literal["time", "gsprt"], elo: float, min_games: int) -> None:
        """Start empty.

        Args:
            kind: `time` never calls main stronger.
            elo: Elo points above the newest snapshot that the test is for.
            min_games: Games, against whomever, that a snapshot needs.
        """
        self._kind = kind
        self._min_games = min_games
        self._test = SequentialTest(0.0, elo, min_samples=MIN_SCORES)
        self._scores: list[float] = []
        self._games = 0

    @property
    def has_games(self) -> bool:
        """Whether there were enough games since the last snapshot."""
        return self._games >= self._min_games

    def add(self, scores: Sequence[float | None], games: int) -> None:
        """Count an iteration.

        Args:
            scores: Against the newest snapshot: 1, 0.5, 0, or None without a result.
            games: Games against anyone, these included.
        """
        if self._test.judge(self._scores) in ("not_stronger", "inconclusive"):
            # Main has learned since: a new test begins, with its own error rate.
            self._scores.clear()
        self._games += games
        self._scores += [score for score in scores if score is not None]

    def is_stronger(self) -> bool:
        """Whether main is stronger than its newest snapshot beyond doubt."""
        if self._kind != "gsprt" or not self.has_games:
            return False
        return self._test.judge(self._scores) == "stronger"

    def clear(self) -> None:
        """Begin again, with a new snapshot to beat."""
        self._scores.clear()
        self._games = 0

    def state_dict(self) -> dict[str, Any]:
        """Return the games as JSON types."""
        return {"scores": list(self._scores), "games": self._games}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put the games back as `state_dict` saw them."""
        self._scores, self._games = list(state["scores"]), state["games"]
