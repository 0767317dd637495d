"""Pill Duel with its CPU at some seats, on the emulator, and what the CPU decides there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from envs.backends.retro import RetroBackend
from envs.game.layout import (
    CELLS,
    FIELD_BASES,
    FRAMES_PER_ROW,
    NO_BUTTONS,
    NUM_SEATS,
    PLAYER_BASES,
    SPEED_BASES,
    Address,
    CpuDecision,
    Mode,
    NextAction,
    PillDuelAddress,
    PlayerOffset,
    player_address,
)
from envs.game.setup import RoundSetup
from policies.distill.routine import Situation

BOTH_SEATS: Final = tuple(range(NUM_SEATS))


class CpuBackend(RetroBackend):
    """The emulator with the cartridge's own CPU at some seats; their pads are not read."""

    def __init__(
        self,
        rom: str | Path,
        seats: Sequence[int] = BOTH_SEATS,
        *,
        rendering: bool = False,
        cache_folder: Path | None = None,
    ) -> None:
        """Open the emulator and switch the machine on.

        Args:
            rom: Pill Duel's name, or the path of a cartridge with another tree.
            seats: Which seats the CPU plays.
            rendering: See `RetroBackend`.
            cache_folder: See `RetroBackend`.
        """
        super().__init__(rom, rendering=rendering, cache_folder=cache_folder)
        self._seats = tuple(seats)

    def __enter__(self) -> CpuBackend:
        return self

    def start_round(self, setup: RoundSetup) -> None:
        """Start a round; the CPU takes over with the first capsule."""
        super().start_round(setup)
        for seat in self._seats:
            self.poke(PillDuelAddress.CPU_SEATS + seat, 1)
            # The first capsule has spawned: it is asked for here, as the game does at the others.
            self.poke(PillDuelAddress.CPU_DECISION + seat, CpuDecision.ASKED)


@dataclass(frozen=True, slots=True)
class LoggedDecision:
    """A decision of the cartridge in a running game."""

    seat: int
    situation: Situation
    rotation: int
    column: int
    frames: int
    """Frames from the one in which the capsule spawned to the one in which it was decided."""


def log_decisions(
    backend: CpuBackend, setups: Sequence[RoundSetup], max_frames: int
) -> Iterator[LoggedDecision]:
    """Let the CPU play rounds with itself, and yield what it decides for each capsule.

    The first capsule of each seat is left out: it spawns before the CPU takes over.

    Args:
        backend: With the CPU at both seats.
        setups: The rounds.
        max_frames: Frames after which a round is left.
    """
    for setup in setups:
        backend.start_round(setup)
        yield from _log_round(backend, max_frames)


def _log_round(backend: CpuBackend, max_frames: int) -> Iterator[LoggedDecision]:
    spawned: dict[int, int] = {}
    before = backend.ram()
    for frame in range(max_frames):
        backend.step((NO_BUTTONS, NO_BUTTONS))
        ram = backend.ram()
        for seat in BOTH_SEATS:
            if _action(before, seat) == NextAction.SEND_PILL:
                spawned[seat] = frame
            if ram[player_address(seat, PlayerOffset.TOPPED_OUT)]:
                spawned.pop(seat, None)  # there was no room for the capsule
            made = ram[PillDuelAddress.CPU_DECISION + seat] == CpuDecision.MADE
            if made and seat in spawned:
                yield _read_decision(ram, seat, frame - spawned.pop(seat))
        if ram[Address.MODE] != Mode.PLAY or ram[PillDuelAddress.PHASE]:
            return
        before = ram


def _action(ram: np.ndarray, seat: int) -> int:
    return int(ram[player_address(seat, PlayerOffset.NEXT_ACTION)])


def _read_decision(ram: np.ndarray, seat: int, frames: int) -> LoggedDecision:
    start = FIELD_BASES[seat]
    block = ram[PLAYER_BASES[seat] :]
    index = SPEED_BASES[block[PlayerOffset.SPEED]] + int(block[PlayerOffset.SPEED_UPS])
    colours = (int(block[PlayerOffset.COLOUR_FIRST]), int(block[PlayerOffset.COLOUR_SECOND]))
    return LoggedDecision(
        seat,
        Situation(ram[start : start + CELLS].tobytes(), colours, FRAMES_PER_ROW[index]),
        int(ram[PillDuelAddress.CPU_ROTATION + seat]),
        int(ram[PillDuelAddress.CPU_COLUMN + seat]),
        frames,
    )
