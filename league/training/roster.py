"""Who learns in an iteration and whom it meets, and who sits where in each game.

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
"""The player that learns, unless a roster names another, and the module that holds its weights."""

INERT: Final = "inert"
"""Who sits in a bottle that takes no part: the opponent of a solo game."""


@dataclass(frozen=True, slots=True)
class Opponent:
    """One entry of a roster."""

    player: str
    """Name in the league: a snapshot, a scripted policy, or another learner."""
    weights: Weights | None = None
    """Weights of a network; None for scripted players."""
    is_live: bool = False
    """Whether it goes on learning, so that its weights change under its name."""


@dataclass(frozen=True, slots=True)
class Roster:
    """Who learns in one iteration, and whom it meets.

    Raises:
        ValueError: There is nobody to play, the learner is among its opponents, or `self_play` is
            not in 0..1.
    """

    iteration: int
    opponents: tuple[Opponent, ...]
    """One per slot, equally likely; a player may hold several slots."""
    self_play: float = 0.0
    """Share of games against somebody in which the learner has both seats and learns from both."""
    learner: str = MAIN
    """Who learns; each learner has games of its own, which wait while another one learns."""
    is_anew: bool = False
    """Whether the learner has taken other weights: it drops its running games and begins new
    ones."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.self_play <= 1.0:
            raise ValueError(f"expected self_play in 0..1, got {self.self_play!r}")
        if not self.opponents and self.self_play < 1.0:
            raise ValueError("expected at least one opponent in the roster, got none")
        if any(opponent.player == self.learner for opponent in self.opponents):
            raise ValueError(
                f"expected opponents other than the learner {self.learner!r}; what it plays "
                "against itself is self_play"
            )


@dataclass(frozen=True, slots=True)
class Seating:
    """Who sits where in a game."""

    learner: str
    """Player that learns."""
    opponent: str
    """Player that it meets; the learner itself in self-play."""
    main_seat: int
    """Seat of the learner, 0 or 1; in self-play the one whose view is reported."""

    @property
    def players(self) -> tuple[str, str]:
        """Players by seat."""
        players = (self.learner, self.opponent)
        return players if self.main_seat == 0 else players[::-1]


def draw_seating(rng: np.random.Generator, roster: Roster, *, solo: bool) -> Seating:
    """Draw whom the learner meets and where it sits.

    Args:
        rng: The stream of all seatings of an iteration and runner.
        roster: Whom to choose from.
        solo: Seat 1 is inert: the learner plays alone in seat 0.
    """
    if solo:
        return Seating(roster.learner, INERT, 0)
    plays_itself = bool(rng.random() < roster.self_play)
    slot = 0 if plays_itself else int(rng.integers(len(roster.opponents)))
    opponent = roster.learner if plays_itself else roster.opponents[slot].player
    return Seating(roster.learner, opponent, int(rng.integers(NUM_SEATS)))
