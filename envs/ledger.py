"""What each seat did and earned, added up frame by frame.

Rewards are told from single frames, but decoding two positions a frame would cost a fifth of the
emulator's speed. So the few bytes that can matter are compared first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

import numpy as np

from envs.game.layout import (
    CELLS,
    FIELD_BASES,
    NUM_SEATS,
    NextAction,
    PlayerOffset,
    player_address,
)
from envs.game.outcome import Outcome, detect_outcome
from envs.game.state import GameState
from envs.reward import TERM_NAMES, RewardConfig, RewardTerms, reward_terms

_LINES_TO_SEND: Final = 2
"""Fewer lines by one capsule send nothing."""
_WATCHED: Final = (
    PlayerOffset.TOPPED_OUT,
    PlayerOffset.COMBO,
    PlayerOffset.VIRUSES,
)
"""Bytes of a player block that change in every frame that pays or counts anything but height:
the attack check, too, resets the combo."""
_read_watched: Final[Callable[[bytes], tuple[int, ...]]] = itemgetter(
    *(player_address(seat, offset) for seat in range(NUM_SEATS) for offset in _WATCHED)
)
_NEXT_ACTION_0, _NEXT_ACTION_1 = (
    player_address(seat, PlayerOffset.NEXT_ACTION) for seat in range(NUM_SEATS)
)
_NOTHING: Final[RewardTerms] = dict.fromkeys(TERM_NAMES, 0.0)
_FALLING: Final = int(NextAction.FALLING)
_FIELDS: Final = tuple(slice(base, base + CELLS) for base in FIELD_BASES)


@dataclass(slots=True)
class SeatTotals:
    """What one seat has done in the episode so far."""

    lines: int = 0
    """Lines cleared."""
    garbage_sent: int = 0
    """Pieces of garbage queued for the opponent."""
    capsules: int = 0
    """Capsules locked."""


class Ledger:
    """Adds up one episode. Call `start_round`, then `add_frame` after every frame."""

    def __init__(self, config: RewardConfig, solo: bool) -> None:
        self._config = config
        self._solo = solo
        self._data = b""
        self._watched: tuple[int, ...] = ()
        self._quiet_frames = 0
        self._earned: list[RewardTerms] = []
        self.totals = (SeatTotals(), SeatTotals())
        self.viruses = (0, 0)
        """Viruses left in each bottle."""

    def start_round(self, ram: np.ndarray) -> None:
        """Take the first frame of a round as the one that the next is compared with."""
        self._data = ram.tobytes()
        self._watched = _read_watched(self._data)
        self._count(GameState.from_ram(self._data))

    def add_frame(self, ram: np.ndarray) -> Outcome | None:
        """Add one frame and return how the round ended, if this frame ended it."""
        before, data = self._data, ram.tobytes()
        watched = _read_watched(data)
        self._data = data
        if before[_NEXT_ACTION_0] == _FALLING != data[_NEXT_ACTION_0]:
            self.totals[0].capsules += 1
        if before[_NEXT_ACTION_1] == _FALLING != data[_NEXT_ACTION_1]:
            self.totals[1].capsules += 1
        if watched == self._watched and not self._has_new_height(before, data):
            self._quiet_frames += 1
            return None
        self._watched = watched
        return self._add_event(GameState.from_ram(before), GameState.from_ram(data))

    def take_earned(self) -> tuple[RewardTerms, RewardTerms]:
        """Return each seat's reward terms since the last call, every name of `TERM_NAMES`."""
        quiet = self._config.per_frame * self._quiet_frames
        terms = []
        for seat in range(NUM_SEATS):
            total = _NOTHING.copy()
            total["per_frame"] = quiet
            for earned in self._earned[seat::NUM_SEATS]:
                for name, value in earned.items():
                    total[name] += value
            terms.append(total)
        self._quiet_frames = 0
        self._earned.clear()
        return terms[0], terms[1]

    def _has_new_height(self, before: bytes, data: bytes) -> bool:
        """Whether a bottle changed, where its height is paid for."""
        return bool(self._config.height) and any(before[field] != data[field] for field in _FIELDS)

    def _add_event(self, before: GameState, after: GameState) -> Outcome | None:
        outcome = detect_outcome(before, after, self._solo)
        self._earned += reward_terms(before, after, outcome, self._config)
        for totals, old, new in zip(self.totals, before.players, after.players, strict=True):
            totals.lines += max(new.combo - old.combo, 0)
            if old.next_action == NextAction.CHECK_ATTACK and old.combo >= _LINES_TO_SEND:
                totals.garbage_sent += old.combo
        self._count(after)
        return outcome

    def _count(self, state: GameState) -> None:
        self.viruses = (state.players[0].viruses, state.players[1].viruses)
