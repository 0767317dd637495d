"""The machines that play a trace: the cartridge on its emulator, the reference, the simulator."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Protocol

import numpy as np

from envs.backends.boot import run_to_control, walk_to_setup
from envs.backends.integrations import PILL_DUEL
from envs.backends.reference import ReferenceBackend
from envs.backends.retro import RetroBackend
from envs.backends.simulator import SimulatorBackend
from envs.game.layout import COMPARED_ADDRESSES, RAM_SIZE, Address, PillDuelAddress
from envs.game.setup import RoundSetup
from league.parity.trace import Start, Trace


class Machine(Protocol):
    """Plays traces."""

    @property
    def name(self) -> str:
        """Name for the report."""
        ...

    def play(self, trace: Trace) -> np.ndarray:
        """Return the RAM after each frame of the trace's pads, uint8 (frames, 2048)."""
        ...


class SimulatorMachine:
    """A build of the simulator."""

    def __init__(self, library: ctypes.CDLL | None = None, name: str = "simulator") -> None:
        """Use a build of the simulator; default: the installed one."""
        self.name = name
        self.backend = SimulatorBackend(rendering=False, library=library)

    def begin(self, start: Start) -> np.ndarray:
        """Go to a start and return the RAM there, uint8 (2048,)."""
        if start.image is None:
            self.backend.enter_setup(start.setup)
        else:
            self.backend.load_ram(start.image)
        return self.backend.ram()

    def play(self, trace: Trace) -> np.ndarray:
        """Play a trace; see `Machine.play`."""
        self.begin(trace.start)
        return self.backend.trace(trace.pads)


class ReferenceMachine:
    """The reference rules in Python."""

    name = "reference"

    def play(self, trace: Trace) -> np.ndarray:
        """Play a trace; see `Machine.play`."""
        backend = ReferenceBackend(rendering=False)
        if trace.start.image is None:
            backend.enter_setup(trace.start.setup)
        else:
            backend.load_ram(trace.start.image)
        images = np.empty((len(trace), RAM_SIZE), np.uint8)
        for frame, (first, second) in enumerate(trace.pads.tolist()):
            backend.step((first, second))
            images[frame] = backend.ram()
        return images


class CartridgeMachine:
    """A cartridge on FCEUmm; one can be open in a process."""

    def __init__(self, rom: str | Path = PILL_DUEL) -> None:
        """Switch the cartridge on, picture off.

        Raises:
            BackendError: The emulator cannot be opened, or the ROM is not there.
        """
        self.name = "cartridge"
        self.backend = RetroBackend(rom, rendering=False)
        self._power_on = self.backend.save()
        self._entries: dict[tuple[object, ...], bytes] = {}

    def play(self, trace: Trace) -> np.ndarray:
        """Play a trace; see `Machine.play`."""
        self.enter_setup(trace.start.setup)
        if trace.start.image is not None:
            run_to_control(self.backend, trace.start.setup.solo)
            self._write(trace.start.image)
        return self.run(trace.pads)

    def enter_setup(self, setup: RoundSetup) -> None:
        """Go to the entry of a round: the next frame runs set-up."""
        key = (setup.levels, setup.speeds)
        if key not in self._entries:
            self.backend.load(self._power_on)
            walk_to_setup(self.backend, setup.levels, setup.speeds)
            self._entries[key] = self.backend.save()
        self.backend.load(self._entries[key])
        self.backend.poke(Address.RNG_HIGH, setup.entry_word >> 8)
        self.backend.poke(Address.RNG_LOW, setup.entry_word & 0xFF)
        self.backend.poke(Address.FRAME_COUNTER, setup.entry_frame_counter)
        if setup.solo:
            self.backend.poke(PillDuelAddress.SOLO, 1)

    def run(self, pads: np.ndarray) -> np.ndarray:
        """Run a script and return the RAM after each frame, uint8 (frames, 2048)."""
        images = np.empty((len(pads), RAM_SIZE), np.uint8)
        step, ram = self.backend.step, self.backend.ram
        for frame, (first, second) in enumerate(pads.tolist()):
            step((first, second))
            images[frame] = ram()
        return images

    def close(self) -> None:
        """Switch it off; safe to call twice."""
        self.backend.close()

    def _write(self, image: np.ndarray) -> None:
        """Make the compared RAM that of `image`."""
        now = self.backend.ram()
        for address in COMPARED_ADDRESSES:
            if now[address] != image[address]:
                self.backend.poke(address, int(image[address]))
