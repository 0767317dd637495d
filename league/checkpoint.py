"""A run's checkpoint: one folder with the trainer's tensors and the league's counters as JSON.

It holds what only the next iteration needs. Games, snapshots and ratings are in the database,
which commits after the folder has its name; resume takes the newest iteration that both have.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from league.errors import LeagueError
from league.manager import PlannedPair

FORMAT: Final = "pill-league-run-1"
FILE: Final = "league.json"


class CheckpointError(LeagueError):
    """A checkpoint that is missing, broken or of another version."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come, apart from weights, games and ratings."""

    iteration: int = -1
    """Last finished iteration; 0 is the state before any training, -1 is none."""
    env_steps: int = 0
    """Env steps trained so far."""
    seconds: float = 0.0
    """Wall time of all iterations, over all processes that worked on the run."""
    manager: Mapping[str, Any] = field(default_factory=dict)
    """State of the `LeagueManager`."""
    waiting: tuple[PlannedPair, ...] = ()
    """Evaluation pairs that are planned and not recorded yet."""

    def save(self, folder: Path) -> None:
        """Write the progress into an existing folder."""
        text = json.dumps({"format": FORMAT, **asdict(self)}, indent=1)
        (folder / FILE).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the progress back.

        Raises:
            CheckpointError: It is missing, broken or of another version.
        """
        path = folder / FILE
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CheckpointError(f"expected a checkpoint at {path}: {error}") from error
        found = values.pop("format", None) if isinstance(values, dict) else None
        if found != FORMAT:
            raise CheckpointError(f"expected format {FORMAT!r} in {path}, got {found!r}")
        try:
            waiting = tuple(
                PlannedPair(**{**pair, "players": tuple(pair["players"])})
                for pair in values.pop("waiting")
            )
            return cls(**values, waiting=waiting)
        except (KeyError, TypeError) as error:
            raise CheckpointError(f"expected the fields of a checkpoint in {path}: {error}") from (
                error
            )
