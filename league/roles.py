"""Exploiters: learners that are there to find weaknesses, and what happens when they found one.

A main exploiter plays main alone; a league exploiter plays the whole pool. When one wins clearly,
or has tried long enough, it is frozen into the pool and starts anew. Pure logic over counts: it
trains nothing and holds no weights.

Source: Vinyals et al. (2019), roles and reset rules; a start from a recent snapshot of main
besides the first one, because late exploiters never catch up from scratch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from league.matchmaking import (
    Candidates,
    draw_opponents,
    normalise_weights,
    weigh_even_games,
    weigh_losses_capped,
)
from league.recent import GameScore, RecentResults
from league.statistics.proportion import estimate_proportion

Role = Literal["main", "main_exploiter", "league_exploiter"]

MAIN: Final = "main"
"""The learner that everything is about; as an opponent, main with the weights it has now."""
BEATS_MAIN: Final = 0.60
"""Lower end of the 95 % interval of an exploiter's score at which it has found something."""
MIN_GAMES: Final = 64
"""Games before the score of an exploiter counts."""
HOPELESS: Final = 0.15
"""Score against main under which a main exploiter learns against main's past instead."""
LEAGUE_RESET: Final = 0.25
"""Chance that a league exploiter starts anew when it was frozen; a main exploiter always does."""
FROM_FIRST: Final = 0.5
"""Chance that a reset goes to main's first snapshot; otherwise it is one of the newest."""
_RECENT: Final = 4
"""From how many of main's newest snapshots a reset draws."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Who learns in an iteration, and whom it meets."""

    learner: str
    """`main`, or the name of an exploiter."""
    opponents: tuple[str, ...]
    """One per slot: members of the pool, or `main` as it is now."""
    start_from: str | None
    """Snapshot whose weights the learner takes before it trains, with a fresh optimiser; None to
    go on with its own."""


class Exploiter:
    """One exploiter between two resets."""

    def __init__(self, name: str, role: Role, *, max_env_steps: int) -> None:
        """Start without weights; `begin` says whose it takes.

        Args:
            name: Its snapshots are called `name-0000`, `name-0001`, ...
            role: `main_exploiter` or `league_exploiter`.
            max_env_steps: Env steps after which it is frozen, whatever it scores.

        Raises:
            ValueError: Another role, or no env steps.
        """
        if role not in ("main_exploiter", "league_exploiter"):
            raise ValueError(f"expected main_exploiter or league_exploiter, got {role!r}")
        if max_env_steps < 1:
            raise ValueError(f"expected max_env_steps >= 1, got {max_env_steps!r}")
        self.name = name
        self._role = role
        self._max_env_steps = max_env_steps
        self._recent = RecentResults()
        self._start: str | None = None
        self._pending = False
        self._env_steps = 0
        self._points = 0.0
        self._games = 0

    @property
    def start(self) -> str | None:
        """Snapshot that it last started from; None before its first turn."""
        return self._start

    @property
    def goes_on(self) -> bool:
        """Whether it trains on with weights of its own; otherwise it takes those of `start`."""
        return self._start is not None and not self._pending

    @property
    def share(self) -> float:
        """Share of its env steps that are done since it last started or was frozen, 0..1."""
        return min(self._env_steps / self._max_env_steps, 1.0)

    def begin(self, snapshots: Sequence[str], rng: np.random.Generator) -> None:
        """Draw the snapshot of main to start from, and forget all results.

        Args:
            snapshots: Main's, in the order of their birth, at least one.
            rng: Draws it.
        """
        from_first = rng.random() < FROM_FIRST
        recent = snapshots[-_RECENT:]
        self._start = snapshots[0] if from_first else recent[int(rng.integers(len(recent)))]
        self._pending = True
        self._recent.clear()
        self._forget_score()

    def take_start(self) -> str | None:
        """Return the snapshot to load before the next training; None if it has been taken."""
        start = self._start if self._pending else None
        self._pending = False
        return start

    def choose_opponents(
        self, candidates: Candidates, count: int, floor: float, rng: np.random.Generator
    ) -> list[str]:
        """Draw opponents by the rule of its role.

        Args:
            candidates: The pool, with this exploiter's own results.
            count: Slots.
            floor: As in `opponent_probabilities`, for a league exploiter.
            rng: Draws them.
        """
        if self._role == "league_exploiter":
            chances = normalise_weights(weigh_losses_capped, candidates, floor, name=self._role)
            return draw_opponents(candidates, chances, count, rng)
        past = candidates.own_snapshots.astype(np.float64)
        if not self._is_hopeless() or not past.any():
            return [MAIN] * count
        weights = weigh_even_games(candidates) * past
        return draw_opponents(candidates, weights / weights.sum(), count, rng)

    def recent(self, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return its fading points and games against each, two arrays of shape (n,)."""
        return self._recent.points(names), self._recent.games(names)

    def record(self, results: Iterable[GameScore], env_steps: int) -> None:
        """Count the games of an iteration, and the env steps it took."""
        results = list(results)
        self._recent.update(results)
        self._env_steps += env_steps
        for opponent, score in results:
            # A main exploiter that practises on main's past has not beaten main by that.
            if score is not None and (self._role == "league_exploiter" or opponent == MAIN):
                self._points += score
                self._games += 1

    def is_freeze_due(self) -> bool:
        """Whether it has found something, or tried long enough."""
        if self._env_steps >= self._max_env_steps:
            return True
        if self._games < MIN_GAMES:
            return False
        return estimate_proportion(self._points, self._games).lower >= BEATS_MAIN

    def freeze(self, snapshots: Sequence[str], rng: np.random.Generator) -> None:
        """Go on after its weights were stored: anew from a snapshot of main, or as it is.

        Args:
            snapshots: Main's, in the order of their birth.
            rng: Draws whether, and from which.
        """
        if self._role == "main_exploiter" or rng.random() < LEAGUE_RESET:
            self.begin(snapshots, rng)
        else:
            self._forget_score()

    def state_dict(self) -> dict[str, Any]:
        """Return what the next iteration depends on, as JSON types."""
        return {
            "recent": self._recent.state_dict(),
            "start": self._start,
            "pending": self._pending,
            "env_steps": self._env_steps,
            "points": self._points,
            "games": self._games,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was taken."""
        self._recent.load_state_dict(state["recent"])
        self._start, self._pending = state["start"], state["pending"]
        self._env_steps, self._points, self._games = (
            state["env_steps"],
            state["points"],
            state["games"],
        )

    def _is_hopeless(self) -> bool:
        points, games = (float(array[0]) for array in self.recent([MAIN]))
        return games >= MIN_GAMES / 4 and points / games < HOPELESS

    def _forget_score(self) -> None:
        self._env_steps, self._points, self._games = 0, 0.0, 0
