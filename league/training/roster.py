"""Who main meets in an iteration, and who sits where in each episode.

Everything random about an episode is a function of (run seed, iteration, runner, episode number),
so a resumed run draws on without any stored generator, and no Python `hash` is involved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from envs.game.setup import NUM_SEEDS
from league.rng import make_rng

Weights = dict[str, np.ndarray]
"""Parameters of a network by name, as in its `state_dict`."""

MAIN: Final = "main"
"""The player that learns, and the module that holds its weights."""

_SLOT_PREFIX: Final = "opp_"
_SCRIPTED_PREFIX: Final = "scripted_"


def slot_module(slot: int) -> str:
    """Return the module id of an opponent slot: `opp_0`, `opp_1`, ..."""
    return f"{_SLOT_PREFIX}{slot}"


def scripted_module(name: str) -> str:
    """Return the module id that plays the scripted policy `name`."""
    return f"{_SCRIPTED_PREFIX}{name}"


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
    """Share of episodes in which `main` sits in both seats and learns from both."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.self_play <= 1.0:
            raise ValueError(f"expected self_play in 0..1, got {self.self_play!r}")
        if not self.opponents and self.self_play < 1.0:
            raise ValueError("expected at least one opponent in the roster, got none")

    def module_of(self, slot: int | None) -> str:
        """Return the id of the module that plays in `slot`; None is self-play."""
        if slot is None:
            return MAIN
        opponent = self.opponents[slot]
        return scripted_module(opponent.player) if opponent.weights is None else slot_module(slot)

    def player_of(self, slot: int | None) -> str:
        """Return the player that holds `slot`; None is self-play."""
        return MAIN if slot is None else self.opponents[slot].player


@dataclass(frozen=True, slots=True)
class Seating:
    """The draw of one episode."""

    slot: int | None
    """Index into `Roster.opponents`; None for self-play."""
    main_seat: int
    """Seat of `main`, 0 or 1; in self-play the one whose view is reported."""
    round_seed: int
    """Seed of the round, 0..32766."""
    policy_seed: int
    """Seed of everything that policies draw in this episode."""


def draw_seating(seed: int, roster: Roster, runner: int, episode: int) -> Seating:
    """Draw whom main meets, where it sits, and the seeds of an episode.

    Args:
        seed: Seed of the run.
        roster: Whom to choose from; its iteration names the stream.
        runner: Index of the env runner: 0 in the driver, 1.. remote.
        episode: Number of the episode within iteration and runner, from 0.
    """
    rng = make_rng(seed, f"episode/{roster.iteration}/{runner}/{episode}")
    plays_itself = bool(rng.random() < roster.self_play)
    return Seating(
        slot=None if plays_itself else int(rng.integers(len(roster.opponents))),
        main_seat=int(rng.integers(2)),
        round_seed=int(rng.integers(NUM_SEEDS)),
        policy_seed=int(rng.integers(2**31)),
    )
