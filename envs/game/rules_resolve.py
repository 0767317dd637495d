"""What follows a lock: falling pieces, lines, cleared cells, widowed halves.

One step of the placed pipeline runs per frame, on the scratch block of the player being processed
and that player's field in a RAM image.

Source: `docs/game.md`, sections on matching, clearing and falling.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from envs.game import scratch
from envs.game.layout import (
    ATTACK_COLOURS_SIZE,
    CELLS,
    COLUMNS,
    EMPTY,
    ROWS,
    Address,
    NextAction,
    Tile,
)
from envs.game.state import decode_bcd, encode_bcd

LINE_LENGTH: Final = 4
"""Equal colours in a row or column that make a line."""

_PAGE: Final = 256
_CLEARED: Final = int(Tile.CLEARED)
_MATCHED: Final = int(Tile.MATCHED)
_FIRST_FIXED_TILE: Final = 0xA0
"""Tile bytes from here on do not fall: matched, viruses, empty."""
_ROW_LINES: Final = tuple(range(row * COLUMNS, (row + 1) * COLUMNS) for row in range(ROWS))
_COLUMN_LINES: Final = tuple(range(column, CELLS, COLUMNS) for column in range(COLUMNS))
_PARTNERS: Final = {
    int(Tile.TOP): (COLUMNS, int(Tile.BOTTOM)),
    int(Tile.BOTTOM): (-COLUMNS, int(Tile.TOP)),
    int(Tile.LEFT): (1, int(Tile.RIGHT)),
    int(Tile.RIGHT): (-1, int(Tile.LEFT)),
}
"""By kind of half: distance to its partner's cell, and the kind expected there."""

_STEP_AFTER_MATCH: Final = 1


def run_placed(ram: bytearray, field: int) -> None:
    """Run one frame of the placed pipeline."""
    _STEPS[ram[scratch.PLACED_STEP]](ram, field)


def run_fall_pass(ram: bytearray, field: int) -> bool:
    """Empty cleared cells and let every unsupported piece sink one row; tell if any did.

    A horizontal capsule needs both cells under it; viruses never move.
    """
    moved = False
    stays = ram[Address.NO_FALL] != 0
    for cell in range(field + CELLS - 1, field - 1, -1):
        if ram[cell] < _CLEARED:
            continue
        ram[cell] = EMPTY
        above = cell - COLUMNS
        if stays or above < field or ram[above] >= _FIRST_FIXED_TILE:
            continue
        kind = ram[above] & 0xF0
        if kind == Tile.LEFT:
            continue
        if kind == Tile.RIGHT:
            if ram[cell - 1] < _CLEARED:
                continue
            ram[cell - 1] = ram[above - 1]
            ram[above - 1] = EMPTY
        ram[cell] = ram[above]
        ram[above] = EMPTY
        moved = True
    return moved


def _advance(ram: bytearray, field: int) -> None:
    ram[scratch.PLACED_STEP] += 1


def _start(ram: bytearray, field: int) -> None:
    ram[scratch.SCORE_MULTIPLIER] = 0
    ram[scratch.PLACED_STEP] += 1


def _fall(ram: bytearray, field: int) -> None:
    # The bottle is redrawn a row a frame, and pieces wait for it.
    if ram[scratch.STATUS] != scratch.IDLE:
        return
    moved = run_fall_pass(ram, field)
    ram[scratch.STATUS] = scratch.REDRAW_ALL
    if not moved:
        ram[scratch.PLACED_STEP] += 1


def _reset_match(ram: bytearray, field: int) -> None:
    ram[scratch.MATCHED] = ram[scratch.RUN_TOTAL] = 0
    ram[scratch.PLACED_STEP] += 1


def _scan_rows(ram: bytearray, field: int) -> None:
    _mark_lines(ram, field, _ROW_LINES)
    ram[scratch.PLACED_STEP] += 1


def _scan_columns(ram: bytearray, field: int) -> None:
    _mark_lines(ram, field, _COLUMN_LINES)
    ram[scratch.PLACED_STEP] += 1


def _update_field(ram: bytearray, field: int) -> None:
    """Turn matched cells into cleared ones and halves without partner into singles."""
    for cell in range(CELLS - 1, -1, -1):
        tile = ram[field + cell]
        kind = tile & 0xF0
        if kind == _MATCHED:
            ram[field + cell] = tile | _CLEARED
        elif kind in _PARTNERS:
            distance, partner = _PARTNERS[kind]
            if ram[field + (cell + distance) % _PAGE] & 0xF0 != partner:
                ram[field + cell] = Tile.SINGLE | tile & 0x0F
    ram[scratch.STATUS] = scratch.REDRAW_ALL
    if ram[scratch.MATCHED]:
        ram[scratch.PLACED_STEP] = _STEP_AFTER_MATCH
    else:
        ram[scratch.PLACED_STEP] += 1


def _finish(ram: bytearray, field: int) -> None:
    ram[scratch.PLACED_STEP] = 0
    ram[scratch.NEXT_ACTION] = NextAction.CHECK_ATTACK


_STEPS: Final[tuple[Callable[[bytearray, int], None], ...]] = (
    _start,
    _advance,
    _advance,
    _fall,
    _reset_match,
    _scan_rows,
    _scan_columns,
    _update_field,
    _finish,
)


def _mark_lines(ram: bytearray, field: int, lines: tuple[range, ...]) -> None:
    """Mark every maximal run of equal colours, in order of the lines and along each."""
    for cells in lines:
        start = 0
        while start < len(cells):
            tile = ram[field + cells[start]]
            end = start + 1
            if tile < _CLEARED:
                colour = tile & 0x0F
                while end < len(cells) and ram[field + cells[end]] & 0x0F == colour:
                    end += 1
                if end - start >= LINE_LENGTH:
                    _mark_line(ram, field, cells[start:end], colour)
            start = end


def _mark_line(ram: bytearray, field: int, cells: range, colour: int) -> None:
    ram[scratch.MATCHED] += 1
    ram[scratch.COMBO] += 1
    if ram[scratch.COMBO] <= ATTACK_COLOURS_SIZE:
        ram[scratch.ATTACK_COLOURS + ram[scratch.COMBO] - 1] = colour
    ram[scratch.LAST_RUN] = len(cells) - 1
    ram[scratch.RUN_TOTAL] += len(cells)
    ram[scratch.LAST_CHAIN_ROW] = cells[0] // COLUMNS
    for cell in cells:
        if ram[field + cell] & 0xF0 == Tile.VIRUS:
            _remove_virus(ram)
        ram[field + cell] = _MATCHED | colour


def _remove_virus(ram: bytearray) -> None:
    """Count a virus down; the last one wins the round in this very frame."""
    ram[scratch.VIRUSES] = encode_bcd(decode_bcd(ram[scratch.VIRUSES]) - 1)
    ram[scratch.STATUS] = scratch.REDRAW_ALL
    if ram[scratch.VIRUSES] == 0:
        ram[scratch.CROWNS] += 1
