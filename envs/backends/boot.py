"""From power-on to the first frame of play, and from one round to the next, on any cartridge.

Closed loop: every press is chosen from the RAM and its effect is waited for, so the walk does not
depend on how many frames a menu takes. It knows no emulator; it needs `step` and `ram`.

Source: `docs/game.md`, section menus.
"""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np

from envs.backends.base import BackendError
from envs.game.layout import (
    CROWNS_TO_WIN,
    NO_BUTTONS,
    NUM_SEATS,
    Address,
    Button,
    Mode,
    NextAction,
    PlayerOffset,
    Speed,
    player_address,
)
from envs.game.outcome import detect_outcome
from envs.game.state import GameState

BOOT_FRAME_CAP: Final = 1800
"""Frames that the walk from power-on to set-up may take."""
START_FRAME_CAP: Final = 1200
"""Frames from set-up to play: a screen upload, under 300 virus attempts, and the intro wait."""
ROUND_END_FRAME_CAP: Final = 600
"""Frames from the end of a round to set-up, START included."""
REACTION_FRAMES: Final = 40
"""Frames that a press may take to show in RAM before it is tried again; the slowest menus that
this walk promises to drive take 30."""

TWO_PLAYERS: Final = 2
MUSIC_OFF: Final = 2
_LEVEL_SECTION, _SPEED_SECTION, _MUSIC_SECTION = range(3)

Pads = tuple[int, int]
_RELEASED: Final[Pads] = (NO_BUTTONS, NO_BUTTONS)
_PRESS_START: Final[Pads] = (Button.START, NO_BUTTONS)

_LEVELS: Final = tuple(player_address(seat, PlayerOffset.LEVEL) for seat in range(NUM_SEATS))
_SPEEDS: Final = tuple(player_address(seat, PlayerOffset.SPEED) for seat in range(NUM_SEATS))
_NEXT_ACTIONS: Final = tuple(
    player_address(seat, PlayerOffset.NEXT_ACTION) for seat in range(NUM_SEATS)
)


class Console(Protocol):
    """The part of a backend that the walk needs."""

    def step(self, pads: tuple[int, int]) -> None:
        """Run one frame with both pads."""
        ...

    def ram(self) -> np.ndarray:
        """Return the CPU RAM, uint8 (2048,)."""
        ...


class SavingConsole(Console, Protocol):
    """A console that can also go back in time."""

    def save(self) -> bytes:
        """Return a savestate."""
        ...

    def load(self, savestate: bytes) -> None:
        """Continue from a savestate."""
        ...


def walk_to_setup(
    console: Console,
    levels: tuple[int, int],
    speeds: tuple[Speed, Speed],
    frame_cap: int = BOOT_FRAME_CAP,
) -> int:
    """Walk from power-on through title and options to set-up, music off.

    Stops at the end of the frame in which the mode became `Mode.SETUP`; the next frame runs
    set-up, so values written to RAM now are what the round is drawn from.

    Args:
        console: A machine that was just switched on.
        levels: Virus level of each seat, 0..20.
        speeds: Speed of each seat.
        frame_cap: Frames after which to give up.

    Returns:
        Frames that the walk took.

    Raises:
        BackendError: Set-up was not reached within `frame_cap`; names the last mode seen.
    """
    walk = _Walk(console, frame_cap)
    while (mode := walk.read(Address.MODE)) != Mode.SETUP:
        if walk.holding:
            walk.step(_RELEASED)
        elif mode == Mode.TITLE:
            _leave_title(walk)
        elif mode == Mode.OPTIONS:
            _work_options(walk, levels, speeds)
        else:
            walk.step(_RELEASED)
    return walk.frames


def run_to_control(console: Console, solo: bool, frame_cap: int = START_FRAME_CAP) -> int:
    """Run frames with no buttons until every active seat can act, and return how many.

    Args:
        console: A machine in set-up, in the intro or between two capsules.
        solo: Only player 1 plays.
        frame_cap: Frames after which to give up.

    Raises:
        BackendError: It did not happen within `frame_cap`; names the last mode seen.
    """
    walk = _Walk(console, frame_cap)
    while not can_all_act(walk.ram, solo):
        walk.step(_RELEASED)
    return walk.frames


def can_all_act(ram: np.ndarray, solo: bool) -> bool:
    """Return whether a round is running in which every active seat has a falling capsule."""
    if ram[Address.MODE] != Mode.PLAY or ram[_NEXT_ACTIONS[0]] != NextAction.FALLING:
        return False
    return solo or bool(ram[_NEXT_ACTIONS[1]] == NextAction.FALLING)


def walk_to_next_setup(console: SavingConsole, solo: bool) -> None:
    """Go from the end of a round to the set-up of the next, as soon as the console allows it.

    Args:
        console: A machine on which a round of an unfinished set has just ended.
        solo: Only player 1 plays.

    Raises:
        BackendError: No round has ended, the set is over, or set-up was not reached.
    """
    _check_round_over(console.ram(), solo)
    while (mode := console.ram()[Address.MODE]) != Mode.SETUP:
        # The original is said to show its end screen after every top-out, not only the last.
        if mode not in (Mode.PLAY, Mode.TOP_OUT, Mode.END):
            raise BackendError(f"expected another round after START, got mode {_name_mode(mode)}")
        _tap_start_early(console)


def final_crowns(state: GameState) -> tuple[int, int]:
    """Return both seats' crowns as they will be when the end of this round is through.

    The console pays a clear at once, and pays it again after START if the opponent topped out in
    the same frame.

    Args:
        state: The frame in which a round ended.
    """
    left, right = state.players
    paid_twice = state.mode == Mode.PLAY
    return (
        left.crowns + (paid_twice and bool(right.topped_out)),
        right.crowns + (paid_twice and bool(left.topped_out)),
    )


class _Walk:
    """Steps a console under a frame cap and remembers the RAM of the last frame."""

    def __init__(self, console: Console, frame_cap: int) -> None:
        self._console = console
        self._frame_cap = frame_cap
        self.frames = 0
        self.ram = console.ram()
        self.holding = False

    def read(self, address: int) -> int:
        return int(self.ram[address])

    def step(self, pads: Pads) -> None:
        if self.frames >= self._frame_cap:
            raise BackendError(
                f"expected the game to get on within {self._frame_cap} frames, "
                f"last mode seen {_name_mode(self.read(Address.MODE))}; "
                "check that the ROM is an accepted dump (see ROM_README.md)"
            )
        self._console.step(pads)
        self.ram = self._console.ram()
        self.frames += 1
        self.holding = pads != _RELEASED

    def press(self, pads: Pads, *addresses: int) -> None:
        """Press for one frame, then wait until every one of `addresses` has a new value.

        Gives up when no menu is that slow: the press was lost, and the caller decides anew.
        """
        before = [self.read(address) for address in addresses]
        self.step(pads)
        for _ in range(REACTION_FRAMES):
            if all(self.read(a) != old for a, old in zip(addresses, before, strict=True)):
                return
            self.step(_RELEASED)


def _leave_title(walk: _Walk) -> None:
    """Make one press towards a two-player game."""
    if walk.read(Address.NUM_PLAYERS) != TWO_PLAYERS:
        walk.press((Button.DOWN, NO_BUTTONS), Address.NUM_PLAYERS)
    else:
        walk.press(_PRESS_START, Address.MODE)


def _work_options(walk: _Walk, levels: tuple[int, int], speeds: tuple[Speed, Speed]) -> None:
    """Make one press towards the wanted options, or START once they are set."""
    if any(walk.read(address) != level for address, level in zip(_LEVELS, levels, strict=True)):
        _adjust(walk, _LEVEL_SECTION, _LEVELS, levels)
    elif any(walk.read(address) != speed for address, speed in zip(_SPEEDS, speeds, strict=True)):
        _adjust(walk, _SPEED_SECTION, _SPEEDS, speeds)
    elif walk.read(Address.MUSIC) != MUSIC_OFF:
        _adjust(walk, _MUSIC_SECTION, (Address.MUSIC,), (MUSIC_OFF,))
    else:
        walk.press(_PRESS_START, Address.MODE)


def _adjust(
    walk: _Walk, section: int, addresses: tuple[int, ...], targets: tuple[int, ...]
) -> None:
    """Make one press: towards `section`, or in it towards `targets`, every player at once."""
    cursor = walk.read(Address.OPTIONS_CURSOR)
    if cursor != section:
        towards = Button.DOWN if cursor < section else Button.UP
        walk.press((towards, NO_BUTTONS), Address.OPTIONS_CURSOR)
        return
    pads = [int(NO_BUTTONS)] * NUM_SEATS
    pressed = []
    for seat, (address, target) in enumerate(zip(addresses, targets, strict=True)):
        if (value := walk.read(address)) != target:
            pads[seat] = Button.RIGHT if value < target else Button.LEFT
            pressed.append(address)
    walk.press((pads[0], pads[1]), *pressed)


def _check_round_over(ram: np.ndarray, solo: bool) -> None:
    state = GameState.from_ram(ram)
    if detect_outcome(None, state, solo) is None:
        raise BackendError(
            f"expected a round that has ended, got mode {_name_mode(state.mode)} with "
            "viruses left on both sides; call next_round only after the end of a round"
        )
    if max(crowns := final_crowns(state)) >= CROWNS_TO_WIN:
        raise BackendError(
            f"expected a set with rounds left, got one that ends with crowns {crowns[0]} to "
            f"{crowns[1]}; call start_round"
        )


def _tap_start_early(console: SavingConsole) -> None:
    """Leave the mode by player 1's START, pressed on the first frame that accepts it.

    No byte of the documented RAM map tells which frame that is. So the wait is played twice, with
    START tapped on the even and on the odd frames: the run that leaves first met it.
    """
    before = console.save()
    frames_even = _tap_start(console, phase=0)
    after_even = console.save()
    console.load(before)
    if _tap_start(console, phase=1) > frames_even:
        console.load(after_even)


def _tap_start(console: Console, phase: int) -> int:
    """Tap START every second frame until the mode changes, and return the frames it took."""
    walk = _Walk(console, ROUND_END_FRAME_CAP)
    mode = walk.read(Address.MODE)
    while walk.read(Address.MODE) == mode:
        walk.step(_PRESS_START if walk.frames % 2 == phase else _RELEASED)
    return walk.frames


def _name_mode(value: int) -> str:
    known = {int(mode): mode.name for mode in Mode}
    return f"{value} ({known[value]})" if value in known else str(value)
