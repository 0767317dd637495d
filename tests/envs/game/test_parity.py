"""The reference and the cartridge, frame by frame: every documented byte of RAM is equal."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from envs.game.layout import (
    ATTACK_COLOURS_SIZE,
    CELLS,
    FIELD_BASES,
    PLAYER_BASES,
    RAM_SIZE,
    RESERVE_BASE,
    Address,
    Button,
    Mode,
    NextAction,
    PlayerOffset,
)
from envs.game.outcome import detect_outcome
from envs.game.position import format_position
from envs.game.setup import RoundSetup
from envs.game.state import GameState
from tests.game_drivers import EmulatorMachine, Game, Machine, ReferenceMachine
from tests.random_rounds import make_setup, random_pads

pytestmark = pytest.mark.emulator

NOT_COMPARED = (
    Address.SPRITES,  # the picture
    Address.NMI_DONE,  # between program and NMI
    Address.FIELD_POINTER_LOW,  # left wherever the last write was
    Address.OPTIONS_CURSOR,  # menus
)
COMPARED = np.array(
    [
        *(int(address) for address in Address if address not in NOT_COMPARED),
        *(base + offset for base in PLAYER_BASES for offset in PlayerOffset),
        *(
            base + PlayerOffset.ATTACK_COLOURS + slot
            for base in PLAYER_BASES
            for slot in range(1, ATTACK_COLOURS_SIZE)
        ),
        *(base + cell for base in FIELD_BASES for cell in range(CELLS)),
        *range(RESERVE_BASE, RAM_SIZE),
    ]
)
NEARLY_CLEAR = "/".join(["8"] * 15 + ["YYY5"])
SET_FRAMES = 20_000


class BothMachines:
    """The reference and the cartridge as one machine that compares them after every frame."""

    def __init__(self) -> None:
        self._reference = ReferenceMachine()
        self._cartridge = EmulatorMachine()

    def start(self, setup: RoundSetup) -> None:
        self._reference.start(setup)
        self._cartridge.start(setup)
        self._compare()

    def enter_setup(self, setup: RoundSetup) -> None:
        self._reference.enter_setup(setup)
        self._cartridge.enter_setup(setup)

    def set_ram(self, values: dict[int, int]) -> None:
        self._reference.set_ram(values)
        self._cartridge.set_ram(values)

    def step(self, pads: tuple[int, int]) -> None:
        self._reference.step(pads)
        self._cartridge.step(pads)
        self._compare()

    def ram(self) -> np.ndarray:
        return self._reference.ram()

    def close(self) -> None:
        self._cartridge.close()

    def _compare(self) -> None:
        expected, found = self._reference.ram(), self._cartridge.ram()
        differ = COMPARED[expected[COMPARED] != found[COMPARED]]
        if len(differ):
            values = [f"${a:04X}: {expected[a]:02X} and {found[a]:02X}" for a in differ]
            line = format_position(GameState.from_ram(expected))
            pytest.fail(f"reference and cartridge differ at {', '.join(values)} in {line}")


@pytest.fixture(scope="module")
def both() -> Iterator[Machine]:
    machine = BothMachines()
    yield machine
    machine.close()


def is_over(machine: Machine, solo: bool = False) -> bool:
    return detect_outcome(None, GameState.from_ram(machine.ram()), solo) is not None


@pytest.mark.parametrize("seed", range(100, 108))
def test_random_rounds_are_equal(both: Machine, seed: int) -> None:
    both.start(make_setup(seed))
    for pads in random_pads(seed):
        if is_over(both):
            break
        both.step(pads)


@pytest.mark.parametrize("levels", [(4, 4), (20, 7)])
def test_set_up_is_equal(both: Machine, levels: tuple[int, int]) -> None:
    both.enter_setup(RoundSetup(levels=levels, rng_word=0x1234))
    while GameState.from_ram(both.ram()).mode != Mode.PLAY:
        both.step((0, 0))


def test_solo_rounds_are_equal(both: Machine) -> None:
    both.start(RoundSetup(levels=(9, 3), solo=True))
    for pads in random_pads(3):
        if is_over(both, solo=True):
            return
        both.step(pads)


@pytest.mark.parametrize("seed", range(3))
def test_whole_sets_are_equal(both: Machine, seed: int) -> None:
    """Rounds that end in every way, player 1's START, pauses, up to the third crown."""
    rng = np.random.default_rng(seed)
    game = Game(both)
    both.start(make_setup(seed))
    for frame, pads in zip(range(SET_FRAMES), random_pads(seed), strict=False):
        state = game.state()
        if state.mode == Mode.OPTIONS:
            assert max(player.crowns for player in state.players) >= 3
            return
        if is_over(both) or state.paused:
            both.step((Button.START if frame % 2 else 0, pads[1]))
        elif rng.random() < 0.002:
            both.step((Button.START, pads[1]))
        else:
            if state.both_can_act() and rng.random() < 0.01:
                force_an_end(game, rng)
            both.step(pads)
    pytest.fail(f"expected a set to end within {SET_FRAMES} frames")


def force_an_end(game: Game, rng: np.random.Generator) -> None:
    """Let each seat clear, top out or play on, by chance."""
    for seat in (0, 1):
        fate = rng.integers(4)
        if fate == 0:
            game.set_up_board(seat, NEARLY_CLEAR, viruses=3)
            game.place_capsule(seat, 3, 0, 0, (0, 1))
            game.write_player(seat, gravity_counter=0xF0)
        elif fate == 1:
            game.write(FIELD_BASES[seat] + 3, 0xD0)
            game.write_player(seat, next_action=NextAction.SEND_PILL)
