"""Who main meets in an iteration, and who sits where in each game.

What is random comes from streams that are named by run seed, iteration and runner: a resumed run
draws on without any stored generator, and no Python `hash` is involved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from envs.game.layout import NUM_SEATS

Weights = dict[str, np.ndarray]
"""Parameters of a network by name, as in its `state_dict`."""

MAIN: Final = "main"
"""The player that learns, and the module that holds its weights."""

INERT: Final = "inert"
"""Who sits in a bottle that takes no part: the opponent of a solo game."""


@dataclass(frozen=True, slots=True)
class Opponent:
    """One entry of a roster."""

    player: str
    """Name in the league: a snapshot or a scripted policy."""
    weights: Weights | None = None
    """Weights of a snapshot; None for scripted players."""


@dataclass(frozen=True, slots=True)
class Roster:
    """Whom `main` meets in one iteration.

    Raises:
        ValueError: There is nobody to play, or `self_play` is not in 0..1.
    """

    iteration: int
    opponents: tuple[Opponent, ...]
    """One per slot, equally likely; a player may hold several slots."""
    self_play: float = 0.0
    """Share of games against somebody in which `main` sits in both seats and learns from both."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.self_play <= 1.0:
            raise ValueError(f"expected self_play in 0..1, got {self.self_play!r}")
        if not self.opponents and self.self_play < 1.0:
            raise ValueError("expected at least one opponent in the roster, got none")


@dataclass(frozen=True, slots=True)
class Seating:
    """Who sits where in a game."""

    opponent: str
    """Player that `main` meets; `main` itself in self-play."""
    main_seat: int
    """Seat of `main`, 0 or 1; in self-play the one whose view is reported."""

    @property
    def players(self) -> tuple[str, str]:
        """Players by seat."""
        return (MAIN, self.opponent) if self.main_seat == 0 else (self.opponent, MAIN)


def draw_seating(rng: np.random.Generator, roster: Roster, *, solo: bool) -> Seating:
    """Draw whom main meets and where it sits.

    Args:
        rng: The stream of all seatings of an iteration and runner.
        roster: Whom to choose from.
        solo: Seat 1 is inert: `main` plays alone in seat 0.
    """
    if solo:
        return Seating(INERT, 0)
    plays_itself = bool(rng.random() < roster.self_play)
    slot = 0 if plays_itself else int(rng.integers(len(roster.opponents)))
    opponent = MAIN if plays_itself else roster.opponents[slot].player
    return Seating(opponent, int(rng.integers(NUM_SEATS)))
