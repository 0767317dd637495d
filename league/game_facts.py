"""What each seat did in a recorded game, read from its replay on the native simulator.

Works for every record with a replay, whichever backend or loop played it, so that evaluation and
the games of a run are measured alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from envs.backends.simulator import SimulatorBackend
from envs.game.layout import (
    FRAME_RATE,
    NUM_SEATS,
    Address,
    Mode,
    NextAction,
    PlayerOffset,
    player_address,
)
from envs.game.setup import RoundSetup
from league.tracking.play_facts import PHASES, PhaseCounts, SeatPlay, find_phase
from policies.replay import decode_pads

FIRST_MINUTE: Final = round(60 * FRAME_RATE)
"""Frames."""

TopOutCause = Literal["garbage", "stalled", "stacked"]
TOP_OUT_CAUSES: Final[tuple[TopOutCause, ...]] = ("garbage", "stalled", "stacked")
"""`garbage`: the opponent attacked during the seat's last `RECENT_CAPSULES` capsules. `stalled`:
no attack, and no virus cleared by the last `STALL_CAPSULES`. `stacked`: neither."""
RECENT_CAPSULES: Final = 5
STALL_CAPSULES: Final = 40

_CHUNK: Final = 4096
"""Frames whose RAM is held at a time."""
_LINES_FOR_GARBAGE: Final = 2
_OFFSETS: Final = (
    PlayerOffset.NEXT_ACTION,
    PlayerOffset.VIRUSES,
    PlayerOffset.COMBO,
    PlayerOffset.TOPPED_OUT,
)
_WATCHED: Final = [
    int(Address.MODE),
    *(int(player_address(seat, offset)) for seat in range(NUM_SEATS) for offset in _OFFSETS),
]


@dataclass(frozen=True, slots=True)
class SeatFacts:
    """What one seat did in one game."""

    play: SeatPlay
    viruses_first_minute: int
    """Viruses cleared in the first minute of play."""
    cause: TopOutCause | None
    """Why it topped out; None where it did not."""


def read_facts(
    setup: RoundSetup, replay: bytes, simulator: SimulatorBackend
) -> tuple[SeatFacts, SeatFacts]:
    """Play a replay and return what each seat did; an inert seat did nothing.

    Args:
        setup: The round.
        replay: Pads of every frame, `policies.replay`.
        simulator: Opened without rendering; plays the round.
    """
    watched = _watch(setup, replay, simulator)
    seats = [_SeatWatch(watched, seat) for seat in range(NUM_SEATS)]
    first = seats[0].tell(seats[1], solo=setup.solo)
    return first, seats[1].tell(seats[0], solo=setup.solo)


def _watch(setup: RoundSetup, replay: bytes, simulator: SimulatorBackend) -> np.ndarray:
    """Return the watched bytes before the first frame and after each, uint8 (frames + 1, 9)."""
    simulator.start_round(setup)
    pads = decode_pads(replay)
    first = simulator.ram()[None, _WATCHED]
    chunks = (pads[start : start + _CHUNK] for start in range(0, len(pads), _CHUNK))
    return np.concatenate([first, *(simulator.trace(chunk)[:, _WATCHED] for chunk in chunks)])


class _SeatWatch:
    """The watched bytes of one seat."""

    def __init__(self, watched: np.ndarray, seat: int) -> None:
        columns = watched[:, 1 + seat * len(_OFFSETS) :].T
        action, viruses, self._combo, topped_out = columns[: len(_OFFSETS)]
        self._viruses = (viruses >> 4).astype(np.int64) * 10 + (viruses & 15)
        self._topped_out = bool(topped_out[-1])
        self._is_attack_check = action == NextAction.CHECK_ATTACK
        falling = (action == NextAction.FALLING) & (watched[:, 0] == Mode.PLAY)
        before = np.concatenate([[False], falling[:-1]])
        self._starts = np.flatnonzero(falling & ~before)
        """Frames in which a capsule came under control."""
        last = self._starts[-1:]
        self._is_open = bool(len(last) and (action[last[0] :] == NextAction.FALLING).all())
        """Whether the last capsule never locked; the mode may have changed while it fell."""

    def tell(self, opponent: _SeatWatch, *, solo: bool) -> SeatFacts:
        frames = len(self._viruses) - 1
        left = self._viruses[self._starts]
        cleared = left - np.append(left[1:], self._viruses[-1:])[: len(left)]
        phases = find_phase(left)
        locked = phases[: len(phases) - self._is_open]
        play = SeatPlay(
            frames=frames,
            capsules=_count(locked, np.ones(len(locked))),
            viruses=_count(phases, cleared),
            volleys=len(self.attack_frames),
            solo=solo,
        )
        minute = int(self._viruses[0] - self._viruses[min(FIRST_MINUTE, frames)])
        inert = not len(self._starts)
        return SeatFacts(play, 0 if inert else minute, self._find_cause(opponent, cleared))

    @property
    def attack_frames(self) -> np.ndarray:
        """Frames before which the seat queued garbage, int64 (n,)."""
        sends = self._is_attack_check & (self._combo >= _LINES_FOR_GARBAGE)
        return np.flatnonzero(sends[:-1])

    def _find_cause(self, opponent: _SeatWatch, cleared: np.ndarray) -> TopOutCause | None:
        if not self._topped_out or not len(self._starts):
            return None
        recent = self._starts[-RECENT_CAPSULES:][0]
        if (opponent.attack_frames >= recent).any():
            return "garbage"
        enough = len(cleared) >= STALL_CAPSULES
        return "stalled" if enough and not cleared[-STALL_CAPSULES:].any() else "stacked"


def _count(phases: np.ndarray, weights: np.ndarray) -> PhaseCounts:
    counts = np.bincount(phases, weights, minlength=len(PHASES)).astype(np.int64)
    return int(counts[0]), int(counts[1]), int(counts[2])
