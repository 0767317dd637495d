"""The cartridge's decision, or a walk of its tree alone, on a bare 6502 (py65); cycles counted.

Runs the code of the ROM itself, from a label to its return, on what lies in RAM.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from envs.backends.integrations import INES_HEADER_SIZE
from envs.game.layout import (
    FIELD_BASES,
    FRAMES_PER_ROW,
    MAX_SPEED_UPS,
    PLAYER_BASES,
    SPEED_BASES,
    PillDuelAddress,
    PlayerOffset,
)
from policies.distill.routine import Situation
from policies.export.cartridge import PROGRAM_START, read_labels

CYCLE_LIMIT: Final = 45_000
"""Cycles that a decision may take; a frame has 29,780."""
FEATURES_ADDRESS: Final = 0xB0
"""Where the cartridge keeps a candidate's features: `cpu_work` in its sources."""

_PROGRAM_SIZE: Final = 0x8000
_DECIDE, _WALK = "cpu_decide", "walk_tree"
_DEC_ABSOLUTE: Final = 0xCE
_RETURN_ADDRESS: Final = 0x7FFF
_STACK_TOP: Final = 0xFD
_RUNAWAY_CYCLES: Final = 500_000


class ProcessorError(RuntimeError):
    """The decision cannot be run; the message says why."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the cartridge decided."""

    rotation: int
    column: int
    cycles: int
    """From the first instruction through the return."""


@dataclass(frozen=True, slots=True)
class Walk:
    """Where a walk of the cartridge's tree ended."""

    score: int
    """Of the candidate, 73..162."""
    cycles: int
    """From the first instruction through the return."""


class Processor:
    """A 6502 with a cartridge's program and RAM, and nothing else of the machine."""

    def __init__(self, rom: bytes) -> None:
        """Load a cartridge.

        Args:
            rom: Pill Duel with any tree, an iNES file.

        Raises:
            ProcessorError: The package py65 is missing.
        """
        try:
            from py65.devices.mpu6502 import MPU
        except ImportError as error:
            raise ProcessorError(
                "expected the package py65, which runs the cartridge's code; "
                "install it with `pip install py65`"
            ) from error
        # py65 1.2 counts DEC absolute as 3 cycles; the 6502 takes 6. The table is the class's.
        self._mpu: Any = MPU()
        self._mpu.cycletime = list(MPU.cycletime)
        self._mpu.cycletime[_DEC_ABSOLUTE] = 6
        program = rom[INES_HEADER_SIZE:][:_PROGRAM_SIZE]
        self.memory: list[int] = self._mpu.memory
        self.memory[PROGRAM_START : PROGRAM_START + len(program)] = list(program)
        self._labels = read_labels()

    def decide(self, situation: Situation, seat: int = 0) -> Decision:
        """Run one decision.

        Args:
            situation: What the falling capsule of a seat meets.
            seat: 0 or 1: whose bottle it is.

        Raises:
            ValueError: No speed of the game takes that many frames a row.
            ProcessorError: The code does not return.
        """
        speed, speed_ups = _find_speed(situation.frames_per_row)
        block = PLAYER_BASES[seat]
        start = FIELD_BASES[seat]
        self.memory[start : start + len(situation.bottle)] = list(situation.bottle)
        self.memory[block + PlayerOffset.COLOUR_FIRST] = situation.colours[0]
        self.memory[block + PlayerOffset.COLOUR_SECOND] = situation.colours[1]
        self.memory[block + PlayerOffset.SPEED] = speed
        self.memory[block + PlayerOffset.SPEED_UPS] = speed_ups
        cycles = self._call(_DECIDE, seat)
        return Decision(
            self.memory[PillDuelAddress.CPU_ROTATION + seat],
            self.memory[PillDuelAddress.CPU_COLUMN + seat],
            cycles,
        )

    def walk(self, features: Sequence[int]) -> Walk:
        """Run the tree's walk alone.

        Args:
            features: One byte each, in the order of `policies.distill.spec.FEATURES`.

        Raises:
            ProcessorError: The code does not return.
        """
        self.memory[FEATURES_ADDRESS : FEATURES_ADDRESS + len(features)] = list(features)
        cycles = self._call(_WALK, 0)
        return Walk(int(self._mpu.a), cycles)

    def _call(self, name: str, x: int) -> int:
        """Run a routine to its return, and return its cycles."""
        mpu = self._mpu
        mpu.pc, mpu.x, mpu.sp, mpu.processorCycles = self._labels[name], x, _STACK_TOP, 0
        returns_to = _RETURN_ADDRESS - 1
        self.memory[0x1FE], self.memory[0x1FF] = returns_to & 0xFF, returns_to >> 8
        while mpu.pc != _RETURN_ADDRESS:
            mpu.step()
            if mpu.processorCycles > _RUNAWAY_CYCLES:
                raise ProcessorError(
                    f"expected {name} to return within {_RUNAWAY_CYCLES} cycles, it did not; the "
                    "tree's page is damaged"
                )
        return int(mpu.processorCycles)


def _find_speed(frames_per_row: int) -> tuple[int, int]:
    """Return a speed and a number of speed-ups at which a row takes so many frames."""
    for speed, base in enumerate(SPEED_BASES):
        for speed_ups in range(MAX_SPEED_UPS + 1):
            if FRAMES_PER_ROW[base + speed_ups] == frames_per_row:
                return speed, speed_ups
    slowest = FRAMES_PER_ROW[SPEED_BASES[0]]
    raise ValueError(
        f"expected frames_per_row as some speed of the game has it, 1..{slowest}, "
        f"got {frames_per_row!r}"
    )
