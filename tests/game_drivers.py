"""One way to drive the game for fact tests: reference, simulator and cartridge behind one class.

A fact test crafts a position by writing RAM, runs frames, and reads RAM; it never knows which of
them it talks to.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from envs.backends.boot import walk_to_setup
from envs.backends.retro import RetroBackend
from envs.backends.simulator import SimulatorBackend
from envs.game.layout import (
    CELLS,
    EMPTY,
    FIELD_BASES,
    Address,
    Button,
    NextAction,
    PillDuelAddress,
    PlayerOffset,
    player_address,
)
from envs.game.position import parse_bottle
from envs.game.rules import ReferenceGame
from envs.game.setup import RoundSetup
from envs.game.state import GameState, PlayerState, encode_bcd

EMPTY_BOTTLE = bytes([EMPTY]) * CELLS
NONE = 0
"""A pad with nothing pressed."""


class Machine(Protocol):
    """What runs the game."""

    def start(self, setup: RoundSetup) -> None:
        """Start a round; returns at the first frame on which every active seat can act."""
        ...

    def enter_setup(self, setup: RoundSetup) -> None:
        """Go to the frame before set-up runs, with the set-up's RNG word and frame counter."""
        ...

    def set_ram(self, values: dict[int, int]) -> None:
        """Write bytes by address."""
        ...

    def step(self, pads: tuple[int, int]) -> None:
        """Run one frame."""
        ...

    def ram(self) -> np.ndarray:
        """Return the RAM image, uint8 (2048,)."""
        ...

    def close(self) -> None:
        """Release what is held."""
        ...


class ReferenceMachine:
    """The reference rules."""

    def __init__(self) -> None:
        self._game = ReferenceGame.from_setup(RoundSetup())

    def start(self, setup: RoundSetup) -> None:
        self._game = ReferenceGame.from_setup(setup)

    def enter_setup(self, setup: RoundSetup) -> None:
        self._game = ReferenceGame.at_entry(setup)

    def set_ram(self, values: dict[int, int]) -> None:
        self._game.set_ram(values)

    def step(self, pads: tuple[int, int]) -> None:
        self._game.step(pads)

    def ram(self) -> np.ndarray:
        return self._game.ram()

    def close(self) -> None:
        pass


class SimulatorMachine:
    """The native simulator."""

    def __init__(self) -> None:
        self._backend = SimulatorBackend(rendering=False)

    def start(self, setup: RoundSetup) -> None:
        self._backend.start_round(setup)

    def enter_setup(self, setup: RoundSetup) -> None:
        self._backend.enter_setup(setup)

    def set_ram(self, values: dict[int, int]) -> None:
        for address, value in values.items():
            self._backend.poke(address, value)

    def step(self, pads: tuple[int, int]) -> None:
        self._backend.step(pads)

    def ram(self) -> np.ndarray:
        return self._backend.ram()

    def close(self) -> None:
        pass


class EmulatorMachine:
    """The cartridge on Stable-Retro, picture off."""

    def __init__(self) -> None:
        self._backend = RetroBackend(rendering=False)
        self._power_on = self._backend.save()
        self._started: dict[RoundSetup, bytes] = {}

    def start(self, setup: RoundSetup) -> None:
        if setup in self._started:
            self._backend.load(self._started[setup])
            return
        self._backend.start_round(setup)
        self._started[setup] = self._backend.save()

    def enter_setup(self, setup: RoundSetup) -> None:
        self._backend.load(self._power_on)
        walk_to_setup(self._backend, setup.levels, setup.speeds)
        self.set_ram(
            {
                Address.RNG_HIGH: setup.entry_word >> 8,
                Address.RNG_LOW: setup.entry_word & 0xFF,
                Address.FRAME_COUNTER: setup.entry_frame_counter,
                PillDuelAddress.SOLO: int(setup.solo),
            }
        )

    def set_ram(self, values: dict[int, int]) -> None:
        for address, value in values.items():
            self._backend.poke(address, value)

    def step(self, pads: tuple[int, int]) -> None:
        self._backend.step(pads)

    def ram(self) -> np.ndarray:
        return self._backend.ram()

    def close(self) -> None:
        self._backend.close()


class Game:
    """A machine with the words that fact tests use."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def start(self, **setup: object) -> None:
        """Start a round of `RoundSetup(**setup)`."""
        self.machine.start(RoundSetup(**setup))  # type: ignore[arg-type]

    def step(self, left: int = NONE, right: int = NONE) -> None:
        """Run one frame."""
        self.machine.step((int(left), int(right)))

    def step_seat(self, seat: int, pad: int) -> None:
        """Run one frame with only `seat` pressing."""
        self.machine.step((int(pad), NONE) if seat == 0 else (NONE, int(pad)))

    def state(self) -> GameState:
        """Return the decoded RAM."""
        return GameState.from_ram(self.machine.ram())

    def player(self, seat: int) -> PlayerState:
        """Return one seat of the decoded RAM."""
        return self.state().players[seat]

    def read(self, address: int) -> int:
        """Return one byte of RAM."""
        return int(self.machine.ram()[address])

    def read_player(self, seat: int, offset: PlayerOffset) -> int:
        """Return one byte of a player block."""
        return self.read(player_address(seat, offset))

    def write(self, address: int, value: int) -> None:
        """Write one byte of RAM."""
        self.machine.set_ram({int(address): int(value)})

    def write_player(self, seat: int, **values: int) -> None:
        """Write bytes of a player block; names are those of `PlayerOffset`, in lower case."""
        self.machine.set_ram(
            {
                int(player_address(seat, PlayerOffset[name.upper()])): int(value)
                for name, value in values.items()
            }
        )

    def write_attack_colours(self, seat: int, colours: tuple[int, ...]) -> None:
        """Write the colours of a seat's queued attack, from the first on."""
        first = player_address(seat, PlayerOffset.ATTACK_COLOURS)
        self.machine.set_ram({first + place: colour for place, colour in enumerate(colours)})

    def write_bottle(self, seat: int, bottle: bytes | str) -> None:
        """Write a bottle, as 128 tile bytes or as the text of a position line."""
        cells = parse_bottle(bottle) if isinstance(bottle, str) else bottle
        self.machine.set_ram({FIELD_BASES[seat] + cell: tile for cell, tile in enumerate(cells)})

    def next_frame_counter(self, value: int) -> None:
        """Make the coming frame run with `$43` = `value`."""
        self.write(Address.FRAME_COUNTER, (value - 1) & 0xFF)

    def place_capsule(
        self,
        seat: int,
        x: int,
        y: int,
        rotation: int = 0,
        colours: tuple[int, int] = (0, 1),
    ) -> None:
        """Put the falling capsule somewhere, its gravity just reset."""
        self.write_player(
            seat,
            x=x,
            y=y,
            rotation=rotation,
            colour_first=colours[0],
            colour_second=colours[1],
            gravity_counter=0,
            next_action=NextAction.FALLING,
        )

    def set_up_board(
        self, seat: int, bottle: bytes | str = EMPTY_BOTTLE, viruses: int = 40
    ) -> None:
        """Give a seat a bottle, slow gravity, and a virus count that does not end the round."""
        self.write_bottle(seat, bottle)
        self.write_player(seat, viruses=encode_bcd(viruses), speed=0, speed_ups=0)

    def lock_now(self, seat: int) -> None:
        """Run the frame in which the falling capsule locks; it must already stand on something."""
        self.write_player(seat, gravity_counter=0xF0)
        self.step()
        assert self.player(seat).next_action == NextAction.PLACED

    def run_until_action(self, seat: int, action: NextAction, pad: int = NONE) -> int:
        """Run frames until `seat`'s next action is `action`; return how many."""
        for frames in range(1, 2000):
            self.step_seat(seat, pad)
            if self.player(seat).next_action == action:
                return frames
        raise AssertionError(f"expected next action {action!r} within 2000 frames")

    def run_to_control(self, seat: int) -> int:
        """Return the frames from now to the first frame in which `seat` moves a capsule again."""
        return self.run_until_action(seat, NextAction.FALLING) + 1

    def press_start(self, frames: int = 400) -> None:
        """Tap player 1's START until the mode changes."""
        mode = self.state().mode
        for frame in range(frames):
            self.step(Button.START if frame % 2 else NONE)
            if self.state().mode != mode:
                return
        raise AssertionError(f"expected mode {mode} to end within {frames} frames")
