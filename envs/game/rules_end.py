"""The end of a round and of a set: crowns, waits, announcements, and player 1's START.

Where the console is within an end is `PillDuelAddress.PHASE`; the frames left are
`Address.WAIT_FRAMES`. So RAM alone decides what comes next.

Source: `docs/game.md`, section on the end of a round.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from envs.game import scratch
from envs.game.layout import (
    COLUMNS,
    EMPTY,
    FIELD_BASES,
    NUM_SEATS,
    Address,
    Button,
    Mode,
    PillDuelAddress,
    PlayerOffset,
    player_address,
)

CLEAR_FRAMES: Final = 64
REDRAW_FRAMES: Final = 16
TOP_OUT_FRAMES: Final = 64
SET_END_FRAMES: Final = 128
PAUSE_ENABLED: Final = 1

_PAGE: Final = 256
_GLYPH_A: Final = 0x0A
_WORD_CELL: Final = 6 * COLUMNS
"""First cell of the row that shows a word in each bottle."""


class ClearPhase(IntEnum):
    """`PHASE` in mode 4."""

    RUNNING = 0
    CLEARED = 1
    ANNOUNCED = 2
    RESTED = 3
    START = 4
    WIPED = 5


class TopOutPhase(IntEnum):
    """`PHASE` in mode 5."""

    SEEN = 0
    FALLEN = 1
    ANNOUNCED = 2
    START = 3


class EndPhase(IntEnum):
    """`PHASE` in mode 7."""

    WAIT = 0
    START = 1


def count_active_seats(ram: bytearray) -> int:
    """Return how many seats can end the round: 1 in a solo round, else 2."""
    return 1 if ram[PillDuelAddress.SOLO] else NUM_SEATS


def check_round_end(ram: bytearray) -> None:
    """After both players' actions: start the end of the round if one of them ended it.

    A round that was cleared in the frame of a top-out is shown as cleared first.
    """
    seats = range(count_active_seats(ram))
    if any(ram[player_address(seat, PlayerOffset.VIRUSES)] == 0 for seat in seats):
        ram[Address.PAUSE_ENABLED] = 0
        _enter(ram, Mode.PLAY, ClearPhase.CLEARED, CLEAR_FRAMES)
    else:
        _check_top_out(ram)


def end_set(ram: bytearray) -> None:
    """A player reached the crowns needed: go to the end screen at once."""
    ram[Address.PAUSE_ENABLED] = 0
    _enter(ram, Mode.END, EndPhase.WAIT, SET_END_FRAMES)


def run_clear(ram: bytearray) -> None:
    """Mode 4 after a clear, one frame."""
    phase = ram[PillDuelAddress.PHASE]
    if phase == ClearPhase.START:
        if ram[Address.PAD1_PRESSED] == Button.START:
            wipe_bottles(ram)
            _redraw(ram)
            _enter(ram, Mode.PLAY, ClearPhase.WIPED, REDRAW_FRAMES)
        return
    if not _wait_is_over(ram):
        return
    if phase == ClearPhase.WIPED:
        ram[PillDuelAddress.PHASE] = ClearPhase.RUNNING
        # A top-out in the frame of the clear is found only now, and pays a second crown.
        _check_top_out(ram)
        if ram[Address.MODE] != Mode.TOP_OUT:
            ram[Address.MODE] = Mode.SETUP
        return
    _enter(ram, Mode.PLAY, phase + 1, REDRAW_FRAMES)
    if phase == ClearPhase.CLEARED:
        _announce_clear(ram)


def run_top_out(ram: bytearray) -> None:
    """Mode 5, one frame."""
    phase = ram[PillDuelAddress.PHASE]
    if phase == TopOutPhase.SEEN:
        _enter(ram, Mode.TOP_OUT, TopOutPhase.FALLEN, TOP_OUT_FRAMES)
    elif phase == TopOutPhase.START:
        if ram[Address.PAD1_PRESSED] == Button.START:
            ram[PillDuelAddress.PHASE] = 0
            ram[Address.MODE] = Mode.SETUP
    elif _wait_is_over(ram):
        ram[PillDuelAddress.PHASE] = phase + 1
        if phase == TopOutPhase.FALLEN:
            ram[Address.WAIT_FRAMES] = REDRAW_FRAMES
            failed = ram[Address.WHO_FAILED]
            _show_result(ram, 3 - failed if failed else 0)
            if any(_has_won_set(ram, seat) for seat in range(NUM_SEATS)):
                end_set(ram)


def run_end(ram: bytearray) -> None:
    """Mode 7, one frame."""
    if ram[PillDuelAddress.PHASE] == EndPhase.START:
        if ram[Address.PAD1_PRESSED] == Button.START:
            ram[PillDuelAddress.PHASE] = 0
            ram[Address.MODE] = Mode.OPTIONS
    elif _wait_is_over(ram):
        ram[PillDuelAddress.PHASE] = EndPhase.START
        _show_words(ram, "  GAME  ", "  OVER  ")


def wipe_bottles(ram: bytearray) -> None:
    """Fill both bottles' pages with empty cells."""
    start = FIELD_BASES[0]
    ram[start : start + NUM_SEATS * _PAGE] = bytes([EMPTY]) * NUM_SEATS * _PAGE


def _check_top_out(ram: bytearray) -> None:
    failed = [bool(ram[player_address(seat, PlayerOffset.TOPPED_OUT)]) for seat in range(NUM_SEATS)]
    if not any(failed):
        return
    ram[Address.WHO_FAILED] = 0
    if not all(failed):
        loser = failed.index(True)
        ram[Address.WHO_FAILED] = loser + 1
        ram[player_address(1 - loser, PlayerOffset.CROWNS)] += 1
    ram[Address.PAUSE_ENABLED] = 0
    ram[Address.MODE] = Mode.TOP_OUT
    ram[PillDuelAddress.PHASE] = TopOutPhase.SEEN


def _has_won_set(ram: bytearray, seat: int) -> bool:
    return ram[player_address(seat, PlayerOffset.CROWNS)] >= ram[Address.CROWNS_NEEDED]


def _announce_clear(ram: bytearray) -> None:
    cleared = [ram[player_address(seat, PlayerOffset.VIRUSES)] == 0 for seat in range(NUM_SEATS)]
    winner = 0 if all(cleared) else cleared.index(True) + 1
    ram[Address.WHO_CLEARED] = winner
    _show_result(ram, winner)


def _show_result(ram: bytearray, winner: int) -> None:
    """Show who won: player 1 or 2, or 0 for a draw."""
    if winner == 0:
        _show_words(ram, "  DRAW  ", "  DRAW  ")
    else:
        words = ("  WIN   ", "  LOSE  ")
        _show_words(ram, words[winner - 1], words[2 - winner])


def _show_words(ram: bytearray, first: str, second: str) -> None:
    for field, word in zip(FIELD_BASES, (first, second), strict=True):
        start = field + _WORD_CELL
        ram[start : start + COLUMNS] = bytes(
            EMPTY if letter == " " else ord(letter) - ord("A") + _GLYPH_A for letter in word
        )
    _redraw(ram)


def _wait_is_over(ram: bytearray) -> bool:
    ram[Address.WAIT_FRAMES] -= 1
    return ram[Address.WAIT_FRAMES] == 0


def _enter(ram: bytearray, mode: Mode, phase: int, frames: int) -> None:
    ram[Address.MODE] = mode
    ram[PillDuelAddress.PHASE] = phase
    ram[Address.WAIT_FRAMES] = frames


def _redraw(ram: bytearray) -> None:
    for seat in range(NUM_SEATS):
        ram[player_address(seat, PlayerOffset.STATUS)] = scratch.REDRAW_ALL
