"""The `game` fixture: every fact test runs on the reference, the simulator and the cartridge."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.game_drivers import (
    EmulatorMachine,
    Game,
    Machine,
    ReferenceMachine,
    SimulatorMachine,
)
from tests.native import needs_native

MACHINES: dict[str, Callable[[], Machine]] = {
    "reference": ReferenceMachine,
    "simulator": SimulatorMachine,
    "emulator": EmulatorMachine,
}


@pytest.fixture(
    scope="module",
    params=[
        "reference",
        pytest.param("simulator", marks=needs_native),
        pytest.param("emulator", marks=pytest.mark.emulator),
    ],
)
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    """One machine per module: a process can hold only one emulator."""
    machine = MACHINES[request.param]()
    yield machine
    machine.close()


@pytest.fixture
def game(machine: Machine) -> Game:
    """A round at level 0, both bottles empty, both capsules at their spawn, gravity slow."""
    game = Game(machine)
    game.start()
    for seat in (0, 1):
        game.set_up_board(seat)
    return game
