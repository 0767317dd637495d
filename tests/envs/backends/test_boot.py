"""The walk from power-on to set-up, on menus of every slowness."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest

from envs.backends.base import BackendError
from envs.backends.boot import can_all_act, run_to_control, walk_to_next_setup, walk_to_setup
from envs.game.layout import (
    RAM_SIZE,
    Address,
    Button,
    Mode,
    NextAction,
    PlayerOffset,
    Speed,
    player_address,
)

LEVELS = tuple(player_address(seat, PlayerOffset.LEVEL) for seat in range(2))
SPEEDS = tuple(player_address(seat, PlayerOffset.SPEED) for seat in range(2))


class FakeMenus:
    """Menus as in `docs/game.md`, that see every press `delay` frames late.

    `players` is the number of players that the title starts with; `lost` press edges are ignored
    at first, as by a machine that is still booting.
    """

    def __init__(self, delay: int = 0, players: int = 1, lost: int = 0) -> None:
        self.memory = np.zeros(RAM_SIZE, np.uint8)
        self.memory[Address.NUM_PLAYERS] = players
        for address in SPEEDS:
            self.memory[address] = Speed.MED
        self.pressed_in_setup = False
        self._lost = lost
        self._held = (0, 0)
        self._pipeline = deque([(0, 0)] * delay)
        self._load_frames = 5

    def ram(self) -> np.ndarray:
        return self.memory.copy()

    def step(self, pads: tuple[int, int]) -> None:
        edges = (pads[0] & ~self._held[0], pads[1] & ~self._held[1])
        self._held = pads
        if any(edges) and self._lost:
            self._lost -= 1
            edges = (0, 0)
        self._pipeline.append(edges)
        self._run_mode(self._pipeline.popleft())

    def _run_mode(self, pressed: tuple[int, int]) -> None:
        mode = self.memory[Address.MODE]
        if mode == Mode.TITLE:
            self._run_title(pressed[0])
        elif mode == Mode.OPTIONS:
            self._run_options(pressed)
        elif mode == Mode.TO_LEVEL:
            self._load_frames -= 1
            if self._load_frames == 0:
                self.memory[Address.MODE] = Mode.SETUP
        elif mode == Mode.SETUP:
            self.pressed_in_setup = True

    def _run_title(self, pressed: int) -> None:
        if pressed == Button.DOWN:
            self.memory[Address.NUM_PLAYERS] = 2
        elif pressed == Button.UP:
            self.memory[Address.NUM_PLAYERS] = 1
        elif pressed == Button.START:
            self.memory[Address.MODE] = Mode.OPTIONS

    def _run_options(self, pressed: tuple[int, int]) -> None:
        cursor = self.memory[Address.OPTIONS_CURSOR]
        if pressed[0] == Button.START:
            self.memory[Address.MODE] = Mode.TO_LEVEL
        elif pressed[0] in (Button.UP, Button.DOWN):
            step = 1 if pressed[0] == Button.DOWN else -1
            self.memory[Address.OPTIONS_CURSOR] = min(max(int(cursor) + step, 0), 2)
        for seat, button in enumerate(pressed):
            address, highest = self._option(int(cursor), seat)
            step = {Button.RIGHT: 1, Button.LEFT: -1}.get(Button(button), 0)
            self.memory[address] = min(max(int(self.memory[address]) + step, 0), highest)

    def _option(self, cursor: int, seat: int) -> tuple[int, int]:
        if cursor == 0:
            return LEVELS[seat], 20
        return (SPEEDS[seat], 2) if cursor == 1 else (Address.MUSIC, 2)


def check_options(console: FakeMenus, levels: tuple[int, int], speeds: tuple[int, int]) -> None:
    memory = console.memory
    assert memory[Address.MODE] == Mode.SETUP
    assert not console.pressed_in_setup, "set-up ran before the walk stopped"
    assert memory[Address.NUM_PLAYERS] == 2
    assert tuple(memory[list(LEVELS)]) == levels
    assert tuple(memory[list(SPEEDS)]) == speeds
    assert memory[Address.MUSIC] == 2


@pytest.mark.parametrize("delay", [0, 1, 2, 5, 13, 29, 30])
def test_walk_sets_every_option_however_late_menus_react(delay: int) -> None:
    console = FakeMenus(delay)
    frames = walk_to_setup(console, (20, 7), (Speed.HI, Speed.LOW))
    check_options(console, (20, 7), (Speed.HI, Speed.LOW))
    assert frames <= 1800


def test_walk_does_not_press_what_is_already_set() -> None:
    console = FakeMenus(players=2)
    frames = walk_to_setup(console, (0, 0), (Speed.MED, Speed.MED))
    check_options(console, (0, 0), (Speed.MED, Speed.MED))
    assert frames < 40


def test_walk_presses_again_when_presses_are_lost() -> None:
    console = FakeMenus(lost=3)
    walk_to_setup(console, (2, 2), (Speed.MED, Speed.MED))
    check_options(console, (2, 2), (Speed.MED, Speed.MED))


def test_walk_gives_up_at_the_cap_and_names_the_last_mode() -> None:
    with pytest.raises(BackendError, match=r"within 1800 frames, last mode seen 0 \(TITLE\)"):
        walk_to_setup(FakeMenus(lost=10_000), (0, 0), (Speed.MED, Speed.MED))


def test_unknown_mode_is_named_by_its_number() -> None:
    console = FakeMenus()
    console.memory[Address.MODE] = 0x77
    with pytest.raises(BackendError, match="last mode seen 119;"):
        walk_to_setup(console, (0, 0), (Speed.MED, Speed.MED), frame_cap=50)


def test_run_to_control_gives_up_and_names_the_last_mode() -> None:
    console = FakeMenus()
    console.memory[Address.MODE] = Mode.INTRO
    with pytest.raises(BackendError, match=r"within 10 frames, last mode seen 8 \(INTRO\)"):
        run_to_control(console, solo=False, frame_cap=10)


@pytest.mark.parametrize(
    ("actions", "both", "solo"),
    [
        ((NextAction.FALLING, NextAction.FALLING), True, True),
        ((NextAction.FALLING, NextAction.PLACED), False, True),
        ((NextAction.PLACED, NextAction.FALLING), False, False),
    ],
)
def test_who_must_be_able_to_act(
    actions: tuple[NextAction, NextAction], both: bool, solo: bool
) -> None:
    ram = np.zeros(RAM_SIZE, np.uint8)
    ram[Address.MODE] = Mode.PLAY
    for seat, action in enumerate(actions):
        ram[player_address(seat, PlayerOffset.NEXT_ACTION)] = action
    assert can_all_act(ram, solo=False) is both
    assert can_all_act(ram, solo=True) is solo
    ram[Address.MODE] = Mode.INTRO
    assert not can_all_act(ram, solo=True)


class FakeRoundEnd:
    """An ended round that takes START from frame `first` on and then needs 16 more frames."""

    def __init__(self, first: int, crowns: int = 1, viruses: int = 0) -> None:
        self.first = first
        self.frame = 0
        self.accepted = -1
        self.memory = np.zeros(RAM_SIZE, np.uint8)
        self.memory[Address.MODE] = Mode.PLAY
        self.memory[player_address(0, PlayerOffset.VIRUSES)] = viruses
        self.memory[player_address(1, PlayerOffset.VIRUSES)] = 4
        self.memory[player_address(0, PlayerOffset.CROWNS)] = crowns

    def ram(self) -> np.ndarray:
        return self.memory.copy()

    def step(self, pads: tuple[int, int]) -> None:
        if self.accepted < 0 and self.frame >= self.first and pads[0] == Button.START:
            self.accepted = self.frame
        if 0 <= self.accepted == self.frame - 16:
            self.memory[Address.MODE] = Mode.SETUP
        self.frame += 1

    def save(self) -> bytes:
        return bytes([self.frame, self.accepted & 0xFF]) + self.memory.tobytes()

    def load(self, savestate: bytes) -> None:
        self.frame, accepted = savestate[:2]
        self.accepted = accepted if accepted < 0xFF else -1
        self.memory = np.frombuffer(savestate[2:], np.uint8).copy()


@pytest.mark.parametrize("first", [0, 1, 96, 97])
def test_start_is_pressed_on_the_first_frame_that_accepts_it(first: int) -> None:
    console = FakeRoundEnd(first)
    walk_to_next_setup(console, solo=False)
    assert console.memory[Address.MODE] == Mode.SETUP
    assert console.accepted == first


def test_next_round_is_refused_while_a_round_runs() -> None:
    with pytest.raises(BackendError, match="expected a round that has ended"):
        walk_to_next_setup(FakeRoundEnd(0, viruses=4), solo=False)


def test_next_round_is_refused_after_the_third_crown() -> None:
    with pytest.raises(BackendError, match="crowns 3 to 0; call start_round"):
        walk_to_next_setup(FakeRoundEnd(0, crowns=3), solo=False)
