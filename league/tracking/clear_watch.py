"""Notes when training first clears solo rounds: the plainest sign of how fast a run learns."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from league.durable import replace_file
from league.training.report import TrainingGame

LEVEL: Final = 10
"""Virus level of the rounds that count."""
SHARE: Final = 0.8
"""Share of them that must be cleared."""
WINDOW: Final = 50
"""How many of the newest rounds are looked at."""


@dataclass(frozen=True, slots=True)
class FirstClears:
    """When the share was reached first, in training rounds, in which `main` still explores."""

    env_steps: int
    """Decisions trained on."""
    seconds: float
    """Wall time of training, all else that the run did meanwhile included."""

    def describe(self) -> str:
        """Return one line for people."""
        return (
            f"{SHARE:.0%} of solo rounds at level {LEVEL} cleared first after "
            f"{self.env_steps:,} decisions, {self.seconds:.0f} s"
        )


class ClearWatch:
    """Looks at the newest whole solo rounds of training; what it found is kept in a file."""

    def __init__(self, path: Path) -> None:
        """Watch for a run.

        Args:
            path: Where the finding is kept.
        """
        self._path = path
        self._newest: deque[bool] = deque(maxlen=WINDOW)

    @property
    def found(self) -> FirstClears | None:
        """When it was, or None."""
        if not self._path.exists():
            return None
        return FirstClears(**json.loads(self._path.read_text(encoding="utf-8")))

    def add(self, games: Iterable[TrainingGame], env_steps: int, seconds: float) -> None:
        """Take the games of an iteration."""
        for game in games:
            is_solo = game.play is not None and game.play.solo
            if is_solo and game.level == LEVEL and not game.thinned:
                self._newest.append(game.winner_seat == game.main_seat)
        full = len(self._newest) == WINDOW
        if full and sum(self._newest) >= SHARE * WINDOW and not self._path.exists():
            found = FirstClears(env_steps, round(seconds, 1))
            replace_file(self._path, json.dumps(asdict(found)).encode())
