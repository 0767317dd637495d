"""Runs single routines of the built cartridge on py65, by the names in its label file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from py65.devices.mpu6502 import MPU
from py65.memory import ObservableMemory

from envs.game.layout import PLAYER_BASES, RAM_SIZE, PlayerOffset

CARTRIDGE = Path(__file__).resolve().parents[2] / "integrations" / "PillDuel-Nes-v0"
INES_HEADER_BYTES = 16
ROM_START = 0x8000
RETURN_ADDRESS = 0x7FFF
PPU_STATUS = 0x2002
DEC_ABSOLUTE = 0xCE
CYCLE_LIMIT = 200_000


def read_labels(path: Path = CARTRIDGE / "rom.mlb") -> dict[str, int]:
    """Read the Mesen label file: CPU addresses by routine name."""
    labels = {}
    for line in path.read_text().splitlines():
        _, offset, name = line.split(":")
        labels[name] = ROM_START + int(offset, 16)
    return labels


@dataclass(frozen=True, slots=True)
class Result:
    """What a routine left behind."""

    a: int
    x: int
    y: int
    carry: bool
    cycles: int


class Console:
    """A 6502 with the cartridge's program, its RAM, and nothing else of the machine."""

    def __init__(self) -> None:
        self.memory = ObservableMemory()
        program = (CARTRIDGE / "rom.nes").read_bytes()[INES_HEADER_BYTES:][:0x8000]
        self.memory.write(ROM_START, list(program))
        self.labels = read_labels()
        # py65 1.2 counts DEC absolute as 3 cycles; the 6502 takes 6.
        MPU.cycletime[DEC_ABSOLUTE] = 6

    def call(self, name: str, *, a: int = 0, x: int = 0, y: int = 0) -> Result:
        """Run a routine from its label to its return.

        Raises:
            AssertionError: It did not return within `CYCLE_LIMIT` cycles.
        """
        mpu = MPU(memory=self.memory, pc=self.labels[name])
        mpu.a, mpu.x, mpu.y = a, x, y
        return self._run_until_return(mpu, name, RETURN_ADDRESS - 1, 0xFD)

    def interrupt(self, name: str) -> Result:
        """Run an interrupt handler to its RTI, which also takes the status off the stack."""
        self.memory[0x01FD] = 0
        mpu = MPU(memory=self.memory, pc=self.labels[name])
        return self._run_until_return(mpu, name, RETURN_ADDRESS, 0xFC)

    def _run_until_return(self, mpu: MPU, name: str, address: int, stack: int) -> Result:
        mpu.sp = stack
        self.memory[0x01FE] = address & 0xFF
        self.memory[0x01FF] = address >> 8
        while mpu.pc != RETURN_ADDRESS:
            mpu.step()
            assert mpu.processorCycles < CYCLE_LIMIT, f"{name} does not return"
        return Result(mpu.a, mpu.x, mpu.y, bool(mpu.p & 1), mpu.processorCycles)

    def run_to(self, start: str, stop: str) -> None:
        """Run from one label until another is reached; the PPU is always in vertical blank."""
        self.memory.subscribe_to_read([PPU_STATUS], lambda address: 0x80)
        mpu = MPU(memory=self.memory, pc=self.labels[start])
        while mpu.pc != self.labels[stop]:
            mpu.step()
            assert mpu.processorCycles < CYCLE_LIMIT, f"{start} does not reach {stop}"

    def read(self, address: int, size: int) -> np.ndarray:
        """Return `size` bytes as uint8."""
        return np.array(self.memory[address : address + size], dtype=np.uint8)

    def ram(self) -> np.ndarray:
        """Return the CPU RAM, uint8 of shape (2048,)."""
        return self.read(0, RAM_SIZE)

    def write(self, address: int, values: np.ndarray | bytes | list[int]) -> None:
        """Write bytes from `address` on."""
        self.memory.write(address, [int(value) for value in values])

    def write_player(self, seat: int, offset: PlayerOffset, value: int) -> None:
        """Write one byte of a player block."""
        self.memory[PLAYER_BASES[seat] + offset] = value
