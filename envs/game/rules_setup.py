"""Modes 3 and 8: the set-up of a round and the intro in which the viruses appear.

Source: `docs/game.md`, section on set-up; the draws themselves are in `envs.game.setup`.
"""

from __future__ import annotations

from typing import Final

from envs.game import scratch
from envs.game.layout import (
    CELLS,
    COLUMNS,
    FIELD_BASES,
    NUM_SEATS,
    PLAYER_BASES,
    PLAYER_BLOCK_SIZE,
    RESERVE_BASE,
    RESERVE_SIZE,
    SCRATCH_BASE,
    Address,
    Mode,
    NextAction,
    PillDuelAddress,
    PlayerOffset,
    Tile,
    player_address,
)
from envs.game.rules_end import PAUSE_ENABLED, wipe_bottles
from envs.game.rules_versus import draw_capsule
from envs.game.setup import (
    CAPSULES_DRAWN_BY_SETUP,
    INTRO_WAIT_FRAMES,
    attempt_virus,
    count_viruses,
    fill_reserve,
)
from envs.game.state import decode_bcd, encode_bcd

_CLEARED_BY_SETUP: Final = (
    scratch.GRAVITY_COUNTER,
    scratch.COMBO,
    scratch.RUN_TOTAL,
    scratch.GARBAGE_OUT,
    scratch.PLACED_STEP,
    scratch.TOPPED_OUT,
    scratch.STATUS,
    scratch.CAPSULES_LOW,
    scratch.CAPSULES_HIGH,
    scratch.RESERVE_INDEX,
    scratch.SPEED_UPS,
    scratch.SPEED_UPS_COPY,
    scratch.VIRUSES,
)
"""What a new round resets; the rest of the scratch block (DAS, attack colours) lives on."""

_KEPT: Final = (
    (Address.SAVED_CROWNS, PlayerOffset.CROWNS),
    (Address.SAVED_LEVELS, PlayerOffset.LEVEL),
    (Address.SAVED_SPEEDS, PlayerOffset.SPEED),
)


def run_setup(ram: bytearray) -> None:
    """Mode 3, one frame: the reserve, the first two capsules, both players' blocks."""
    for address in _CLEARED_BY_SETUP:
        ram[address] = 0
    ram[Address.WHO_FAILED] = ram[Address.WHO_CLEARED] = 0
    ram[Address.PAUSED] = ram[PillDuelAddress.PHASE] = 0
    ram[Address.IN_LEVEL] = 1
    ram[Address.PAUSE_ENABLED] = PAUSE_ENABLED
    ram[scratch.NEXT_ACTION] = NextAction.SEND_PILL
    reserve, word = fill_reserve(_read_word(ram))
    ram[RESERVE_BASE : RESERVE_BASE + RESERVE_SIZE] = reserve.tobytes()
    _write_word(ram, word)
    for _ in range(CAPSULES_DRAWN_BY_SETUP):
        draw_capsule(ram)
    ram[scratch.CAPSULES_LOW] = 1
    _save_kept(ram)
    for seat in range(NUM_SEATS):
        _copy_scratch_to(ram, seat)
    _restore_kept(ram)
    for seat in range(NUM_SEATS):
        level = ram[player_address(seat, PlayerOffset.LEVEL)]
        ram[player_address(seat, PlayerOffset.VIRUSES_TO_PLACE)] = count_viruses(level)
    wipe_bottles(ram)
    ram[Address.MODE] = Mode.INTRO
    ram[Address.WAIT_FRAMES] = 0


def run_intro(ram: bytearray) -> None:
    """Mode 8: one virus attempt per player and frame, then a wait."""
    if ram[Address.WAIT_FRAMES]:
        ram[Address.WAIT_FRAMES] -= 1
        if ram[Address.WAIT_FRAMES] == 0:
            ram[Address.MODE] = Mode.PLAY
        return
    levels = [ram[player_address(seat, PlayerOffset.LEVEL)] for seat in range(NUM_SEATS)]
    _save_kept(ram)
    _place_virus(ram, 0, FIELD_BASES if levels[0] == levels[1] else FIELD_BASES[:1])
    if levels[0] == levels[1]:
        _copy_scratch_to(ram, 1)
    else:
        _place_virus(ram, 1, FIELD_BASES[1:])
    _restore_kept(ram)
    to_place = [player_address(seat, PlayerOffset.VIRUSES_TO_PLACE) for seat in range(NUM_SEATS)]
    if not any(ram[address] for address in to_place):
        ram[Address.WAIT_FRAMES] = INTRO_WAIT_FRAMES
        for base in (SCRATCH_BASE, *PLAYER_BASES):
            ram[base + PlayerOffset.STATUS] = scratch.REDRAW_ALL


def copy_to_scratch(ram: bytearray, seat: int) -> None:
    """Make `seat` the player being processed."""
    base = PLAYER_BASES[seat]
    ram[SCRATCH_BASE : SCRATCH_BASE + PLAYER_BLOCK_SIZE] = ram[base : base + PLAYER_BLOCK_SIZE]
    ram[Address.PRESSED] = ram[Address.PAD1_PRESSED + seat]
    ram[Address.HELD] = ram[Address.PAD1_HELD + seat]
    ram[Address.FIELD_POINTER_LOW] = 0
    ram[Address.FIELD_POINTER_HIGH] = FIELD_BASES[seat] >> 8


def copy_from_scratch(ram: bytearray, seat: int) -> None:
    """Store the processed player's block."""
    _copy_scratch_to(ram, seat)


def _place_virus(ram: bytearray, seat: int, fields: tuple[int, ...]) -> None:
    """Make one attempt for `seat`; a virus goes to the same cell of every one of `fields`."""
    copy_to_scratch(ram, seat)
    todo = ram[scratch.VIRUSES_TO_PLACE]
    if todo:
        bottle = ram[fields[0] : fields[0] + CELLS]
        placed, word = attempt_virus(bottle, ram[scratch.LEVEL], todo, _read_word(ram))
        _write_word(ram, word)
        if placed is not None:
            cell, colour = placed
            for field in fields:
                ram[field + cell] = Tile.VIRUS | colour
            ram[scratch.VIRUSES] = encode_bcd(decode_bcd(ram[scratch.VIRUSES]) + 1)
            ram[scratch.STATUS] = cell // COLUMNS
            ram[scratch.VIRUSES_TO_PLACE] = todo - 1
    _copy_scratch_to(ram, seat)


def _copy_scratch_to(ram: bytearray, seat: int) -> None:
    base = PLAYER_BASES[seat]
    ram[base : base + PLAYER_BLOCK_SIZE] = ram[SCRATCH_BASE : SCRATCH_BASE + PLAYER_BLOCK_SIZE]


def _save_kept(ram: bytearray) -> None:
    for saved, offset in _KEPT:
        for seat in range(NUM_SEATS):
            ram[saved + seat] = ram[player_address(seat, offset)]


def _restore_kept(ram: bytearray) -> None:
    for saved, offset in _KEPT:
        for seat in range(NUM_SEATS):
            ram[player_address(seat, offset)] = ram[saved + seat]


def _read_word(ram: bytearray) -> int:
    return ram[Address.RNG_HIGH] << 8 | ram[Address.RNG_LOW]


def _write_word(ram: bytearray, word: int) -> None:
    ram[Address.RNG_HIGH], ram[Address.RNG_LOW] = word >> 8, word & 0xFF
