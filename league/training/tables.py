"""Game tables: many two-seat games side by side, as the sampler sees them.

A table runs its games from decision to decision. Seats are numbered through, 2 * game + seat, and
what an end shows is already the start of the next game. The simulator, the emulator and
third-party PettingZoo games each fill this interface, so one sampler trains on all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from envs.game.layout import NUM_SEATS
from envs.reward import RewardConfig
from envs.starts import EpisodeStart
from policies.base import Policy

Inputs = Mapping[str, np.ndarray]
"""What a network takes, by column; row i belongs to seat i of those that were asked for."""

FRAMES_PER_DISCOUNT: Final = 60
"""Frames over which a return is discounted by gamma once."""


DrawStart = Callable[[], EpisodeStart]
"""Draws the start of the next game that a table begins."""


@dataclass(frozen=True, slots=True)
class SeatCounts:
    """What a seat did in a game."""

    viruses: int = 0
    lines: int = 0
    garbage_sent: int = 0
    capsules: int = 0
    volleys: int = 0
    """Capsules that queued garbage for the opponent."""


@dataclass(frozen=True, slots=True)
class EndedGame:
    """A game that is over."""

    game: int
    """Its place at the table, where the next game has begun already."""
    start: EpisodeStart
    winner_seat: int | None
    """None on a draw and at the frame limit."""
    end_reason: str
    """See `envs.game.outcome.EndReason`."""
    frames: int
    seats: tuple[SeatCounts, SeatCounts]


@dataclass(frozen=True, slots=True)
class TableStep:
    """What a step did. The arrays may be overwritten by the next one."""

    frames: np.ndarray
    """int32 (games,): frames that passed."""
    rewards: np.ndarray
    """float32 (games, 2): what they paid each seat."""
    ended: tuple[EndedGame, ...]
    """Games that are over, in the order of the table."""


class GameTable(Protocol):
    """Games that run side by side from decision to decision."""

    @property
    def games(self) -> int:
        """How many games there are."""
        ...

    @property
    def has_masks(self) -> bool:
        """Whether what is legal differs from decision to decision."""
        ...

    def reset(self, draw_start: DrawStart) -> None:
        """Begin all games; `draw_start` is asked for every game from now on."""
        ...

    def find_start(self, game: int) -> EpisodeStart:
        """Return how the running game began."""
        ...

    def list_due(self) -> np.ndarray:
        """Return the seats that must decide, ascending int64 (n,)."""
        ...

    def observe(self, seats: np.ndarray) -> Inputs:
        """Return the network's inputs for some due seats, as arrays of their own."""
        ...

    def count_viruses(self, seats: np.ndarray) -> np.ndarray | None:
        """Return the viruses left in each due seat's bottle; None in games that have none."""
        ...

    def find_actions(self, seats: np.ndarray, choices: np.ndarray) -> np.ndarray:
        """Return the actions that a network's choices for due seats stand for, int64 (n,)."""
        ...

    def ask_policy(self, policy: Policy, seats: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the actions of a scripted policy for due seats, int64 (n,)."""
        ...

    def set_reward(self, reward: RewardConfig) -> None:
        """Pay by other weights from the next step on."""
        ...

    def step(self, seats: np.ndarray, actions: np.ndarray) -> TableStep:
        """Play the actions of all due seats, to the next decision of each game.

        Args:
            seats: All due seats.
            actions: Their actions, int64 (n,).
        """
        ...

    def close(self) -> None:
        """Release the games; safe to call twice."""
        ...


def list_seats(game: int) -> list[int]:
    """Return the numbers of a game's seats."""
    return [NUM_SEATS * game + seat for seat in range(NUM_SEATS)]
