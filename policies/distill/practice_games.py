"""Games against `greedy` that go on for ever: whoever practises chooses for seat 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from envs.backends.native_duel import (
    GREEDY,
    MAX_CANDIDATES,
    OUTSIDE,
    ROUTINE,
    Duels,
    list_candidates,
    read_positions,
)
from envs.backends.native_vector import EVENTS
from envs.game.layout import CELLS, COLUMNS, EMPTY, FIELD_BASES, NUM_SEATS, ROWS, Speed
from policies.distill.play import count_start_viruses, draw_starts, play_on

LEVELS: Final = (5, 5, 10)
"""Of the games, in turn: level 5 is the harder one to win."""
NUM_SUMMARY: Final = 6
"""Numbers that sum up how a game stands."""

_VIRUSES: Final = EVENTS.index("viruses")
_AHEAD: Final = 0.3
"""Reward for clearing a whole bottle more than the opponent; a game won or lost is 1."""
_MANY_VIRUSES: Final = 20
_MANY_TILES: Final = 60


@dataclass(frozen=True, slots=True)
class Choice:
    """What each game offers; arrays are by game."""

    features: np.ndarray
    """uint8 (games, 30, features)."""
    is_candidate: np.ndarray
    """bool (games, 30)."""
    summary: np.ndarray
    """float32 (games, `NUM_SUMMARY`): how the game stands, which the tree does not see."""
    poses: np.ndarray
    """int64 (games, 30)."""


class PracticeGames:
    """Games side by side; one that ends starts anew with another set-up."""

    def __init__(self, games: int, rng: np.random.Generator, *, threads: int | None = 1) -> None:
        """Start them.

        Args:
            games: How many.
            rng: Source of set-ups.
            threads: Threads that share the games.
        """
        self._rng = rng
        self._levels = np.resize(LEVELS, games)
        starts = self._draw(np.arange(games))
        self._duels = Duels(starts, threads=threads)
        self._duels.seats["control"] = [OUTSIDE, GREEDY]
        self._duels.seats["manner"] = ROUTINE
        self._duels.waiting[:, 0] = True
        self._viruses = count_start_viruses(starts)
        self._cleared = np.zeros((games, NUM_SEATS))

    def look(self) -> Choice:
        """Return what may be chosen now."""
        images = self._duels.images
        positions = read_positions(images, 0)
        candidates, counts = list_candidates(positions)
        poses = (
            candidates["rotation"].astype(np.int64) * CELLS
            + candidates["row"].astype(np.int64) * COLUMNS
            + candidates["column"]
        )
        is_candidate = np.arange(MAX_CANDIDATES) < counts[:, None]
        return Choice(candidates["features"], is_candidate, self._sum_up(images), poses)

    def play(self, poses: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Play each game to its next choice.

        Args:
            poses: int64 (games,), where the capsules go.

        Returns:
            Rewards, float32 (games,), which games ended, and which of these were won, both bool.
        """
        duels = self._duels
        duels.seats["pose"][:, 0] = poses
        play_on(duels)
        ended, won = duels.reasons != 0, duels.winners == 0
        cleared = duels.totals[:, :, _VIRUSES] / self._viruses[:, None]
        gains = cleared - self._cleared
        rewards = _AHEAD * (gains[:, 0] - gains[:, 1])
        rewards += ended * (won.astype(np.float64) - (duels.winners == 1))
        self._cleared = cleared
        self._restart(np.flatnonzero(ended))
        return rewards.astype(np.float32), ended, won

    def close(self) -> None:
        """End the threads; safe to call twice."""
        self._duels.close()

    def _draw(self, rows: np.ndarray) -> np.ndarray:
        levels = self._levels[rows].tolist()
        return draw_starts(self._rng, len(rows), levels, (Speed.MED,), solo=False)

    def _restart(self, rows: np.ndarray) -> None:
        if not len(rows):
            return
        starts = self._draw(rows)
        self._duels.restart(rows, starts)
        self._viruses[rows] = count_start_viruses(starts)
        self._cleared[rows] = 0.0

    def _sum_up(self, images: np.ndarray) -> np.ndarray:
        columns = []
        for seat, base in enumerate(FIELD_BASES):
            tiles = images[:, base : base + CELLS].reshape(-1, ROWS, COLUMNS) != EMPTY
            left = 1.0 - self._cleared[:, seat]
            columns += [left, left * self._viruses / _MANY_VIRUSES]
            columns.append(tiles.sum(axis=(1, 2)) / _MANY_TILES)
        return np.stack(columns, axis=1).astype(np.float32)
