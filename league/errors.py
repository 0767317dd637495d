"""The errors of the league core; each says what was expected, what came, where, and what to do."""

from __future__ import annotations

from collections.abc import Sequence


class LeagueError(Exception):
    """Base of all errors that `league` raises on purpose."""


class ConfigError(LeagueError):
    """A configuration that cannot run; carries every problem found, not only the first."""

    def __init__(self, source: str, problems: Sequence[str]) -> None:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__("\n  ".join([f"{source}: {count}", *problems]))
        self.problems = tuple(problems)
        """One line per problem, each beginning with the full key path."""


class StoreError(LeagueError):
    """A database that cannot be opened, or a row that it refuses."""


class RunDirError(LeagueError):
    """A run folder that is missing, foreign, in use or already there."""


class WriteError(LeagueError):
    """A change to a run's files that the system refuses, or that would overwrite something."""
