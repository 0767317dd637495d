"""The reference rules: the game frame by frame over a RAM image, in plain Python.

Written from the facts in `docs/game.md` alone, without the cartridge's source, so that the two can
be held against each other byte by byte. Covers the modes from the set-up of a round (3) to player
1's START after it; menus belong to the cartridge. Knows no RL.

Speed is not its purpose: tens of thousands of frames per second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from envs.game.layout import (
    CROWNS_TO_WIN,
    FIELD_BASES,
    NUM_SEATS,
    RAM_SIZE,
    Address,
    Button,
    Mode,
    NextAction,
    PillDuelAddress,
    PlayerOffset,
    player_address,
)
from envs.game.rules_control import run_falling
from envs.game.rules_end import (
    ClearPhase,
    check_round_end,
    count_active_seats,
    end_set,
    run_clear,
    run_end,
    run_top_out,
    wipe_bottles,
)
from envs.game.rules_resolve import run_placed
from envs.game.rules_setup import copy_from_scratch, copy_to_scratch, run_intro, run_setup
from envs.game.rules_versus import run_attack_check, run_spawn
from envs.game.scratch import CROWNS, IDLE, NEXT_ACTION
from envs.game.setup import RoundSetup
from envs.game.state import PAUSED_VALUE, GameState

MUSIC_OFF: Final = 2
SOFT_RESET: Final = Button.A | Button.B | Button.SELECT | Button.START
_IN_LEVEL: Final = 1

_STATUS: Final = tuple(int(player_address(seat, PlayerOffset.STATUS)) for seat in range(NUM_SEATS))


class ReferenceGame:
    """One game for two pads, stepped a frame at a time.

    Attributes other than the RAM image do not exist: two games with equal RAM play alike.
    """

    def __init__(self, ram: np.ndarray | bytes) -> None:
        """Start from a RAM image (uint8 of shape (2048,), copied).

        Raises:
            ValueError: The image has another size.
        """
        self._ram = bytearray(ram if isinstance(ram, bytes) else ram.tobytes())
        if len(self._ram) != RAM_SIZE:
            raise ValueError(f"expected a RAM image of {RAM_SIZE} bytes, got {len(self._ram)}")

    @classmethod
    def from_setup(cls, setup: RoundSetup) -> ReferenceGame:
        """Return a game at the first frame on which every active seat can act."""
        game = cls.at_entry(setup)
        while not game.state().both_can_act(setup.solo):
            game.step((0, 0))
        return game

    @classmethod
    def at_entry(cls, setup: RoundSetup) -> ReferenceGame:
        """Return a game that is about to set up the round (mode 3)."""
        ram = bytearray(RAM_SIZE)
        ram[Address.MODE] = Mode.SETUP
        ram[Address.RNG_HIGH], ram[Address.RNG_LOW] = divmod(setup.entry_word, 256)
        ram[Address.FRAME_COUNTER] = setup.entry_frame_counter
        ram[Address.NUM_PLAYERS] = NUM_SEATS
        ram[Address.CROWNS_NEEDED] = CROWNS_TO_WIN
        ram[Address.MUSIC] = MUSIC_OFF
        ram[Address.IN_LEVEL] = _IN_LEVEL
        ram[PillDuelAddress.SOLO] = int(setup.solo)
        for seat in range(NUM_SEATS):
            ram[player_address(seat, PlayerOffset.LEVEL)] = setup.levels[seat]
            ram[player_address(seat, PlayerOffset.SPEED)] = setup.speeds[seat]
        wipe_bottles(ram)
        return cls(bytes(ram))

    def step(self, pads: tuple[int, int]) -> None:
        """Run one frame with the pad bytes of both players.

        Raises:
            ValueError: The program is in a menu, which the reference does not play.
        """
        ram = self._ram
        mode = ram[Address.MODE]
        if mode not in _MODES:
            modes = ", ".join(str(int(known)) for known in _MODES)
            raise ValueError(f"expected mode {modes} (a round), got mode {mode}")
        _run_nmi(ram, pads)
        _MODES[mode](ram)

    def ram(self) -> np.ndarray:
        """Return the RAM image, uint8 of shape (2048,), as a copy."""
        return np.frombuffer(bytes(self._ram), np.uint8).copy()

    def set_ram(self, values: dict[int, int]) -> None:
        """Write bytes by address.

        Raises:
            ValueError: An address is outside the RAM or a value is no byte.
        """
        for address, value in values.items():
            if not 0 <= address < RAM_SIZE or not 0 <= value <= 0xFF:
                raise ValueError(
                    f"expected an address below {RAM_SIZE} and a byte, got {value} at {address}"
                )
            self._ram[address] = value

    def state(self) -> GameState:
        """Return the decoded game."""
        return GameState.from_ram(bytes(self._ram))


def _run_nmi(ram: bytearray, pads: tuple[int, int]) -> None:
    """Redraw a row of each bottle, count the frame, read the pads."""
    for status in _STATUS:
        if ram[status] != IDLE:
            ram[status] = (ram[status] - 1) & 0xFF
    ram[Address.FRAME_COUNTER] = (ram[Address.FRAME_COUNTER] + 1) & 0xFF
    for seat, pad in enumerate(pads):
        ram[Address.PAD1_PRESSED + seat] = pad & ~ram[Address.PAD1_HELD + seat] & 0xFF
        ram[Address.PAD1_HELD + seat] = pad


def _run_play(ram: bytearray) -> None:
    if ram[Address.PAUSED] == PAUSED_VALUE:
        _check_pause(ram)
        return
    if ram[PillDuelAddress.PHASE] != ClearPhase.RUNNING:
        run_clear(ram)
        return
    for seat in range(NUM_SEATS):
        copy_to_scratch(ram, seat)
        if seat < count_active_seats(ram):
            _ACTIONS[ram[NEXT_ACTION]](ram, FIELD_BASES[seat])
        copy_from_scratch(ram, seat)
        # Tested before the other player acts: at equal crowns player 1 wins the set.
        if ram[CROWNS] >= ram[Address.CROWNS_NEEDED]:
            end_set(ram)
            return
    check_round_end(ram)
    _check_pause(ram)


def _run_step_action(ram: bytearray, field: int) -> None:
    ram[NEXT_ACTION] = NextAction.SEND_PILL


def _run_pill_sent(ram: bytearray, field: int) -> None:
    ram[NEXT_ACTION] = NextAction.FALLING


def _check_pause(ram: bytearray) -> None:
    """Player 1's START pauses and goes on; all four buttons together reset to the title."""
    if ram[Address.PAD1_HELD] == SOFT_RESET:
        for address in (Address.PAUSED, Address.IN_LEVEL, Address.PAUSE_ENABLED):
            ram[address] = 0
        ram[PillDuelAddress.PHASE] = 0
        ram[Address.MODE] = Mode.TITLE
    elif ram[Address.PAUSE_ENABLED] and ram[Address.PAD1_PRESSED] == Button.START:
        ram[Address.PAUSED] ^= PAUSED_VALUE
        ram[Address.IN_LEVEL] ^= _IN_LEVEL


_ACTIONS: Final[dict[int, Callable[[bytearray, int], None]]] = {
    NextAction.FALLING: run_falling,
    NextAction.PLACED: run_placed,
    NextAction.CHECK_ATTACK: run_attack_check,
    NextAction.PILL_SENT: _run_pill_sent,
    NextAction.STEP: _run_step_action,
    NextAction.SEND_PILL: run_spawn,
}

_MODES: Final[dict[int, Callable[[bytearray], None]]] = {
    Mode.SETUP: run_setup,
    Mode.INTRO: run_intro,
    Mode.PLAY: _run_play,
    Mode.TOP_OUT: run_top_out,
    Mode.END: run_end,
}
