"""Straight drops of a capsule: where it can land and what the bottle looks like afterwards.

Pure functions on the 128 tile bytes of one bottle, cheap enough to try every drop of a capsule in
well under a millisecond. They follow the same rules as `envs.game.rules`, which stays the
reference: a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from envs.game.capsule import NUM_ROTATIONS, is_vertical, place_halves
from envs.game.layout import CELLS, COLUMNS, EMPTY, ROWS, Tile

LINE_LENGTH: Final = 4
"""Cells of one colour in a row or column that clear."""

_EMPTY_CELL: Final = bytes([EMPTY])
_COLOUR_MASK: Final = 0x0F
_KIND_MASK: Final = 0xF0
# The cell that holds the other half, relative to a half of this kind.
_PARTNER_OFFSET: Final = {
    int(Tile.TOP): COLUMNS,
    int(Tile.BOTTOM): -COLUMNS,
    int(Tile.LEFT): 1,
    int(Tile.RIGHT): -1,
}


@dataclass(frozen=True, slots=True)
class Drop:
    """The pose in which a straight drop ends."""

    rotation: int
    """0..3: 0 and 2 lie, 1 and 3 stand."""
    column: int
    """Column of the pivot: the left half, or both halves of a standing capsule."""
    row: int
    """Row of the pivot, 0 on top: the lower half of a standing capsule."""

    @property
    def columns(self) -> range:
        """Columns that the capsule covers."""
        return range(self.column, self.column + (1 if is_vertical(self.rotation) else 2))

    @property
    def rows(self) -> range:
        """Rows that the capsule covers, inside the bottle."""
        top = max(0, self.row - 1) if is_vertical(self.rotation) else self.row
        return range(top, self.row + 1)


@dataclass(frozen=True, slots=True)
class Settled:
    """A bottle in which nothing falls or clears any more."""

    bottle: bytes
    """128 tile bytes, row by row from the top."""
    lines: int
    """Lines cleared on the way; two or more send garbage."""
    viruses: int
    """Viruses cleared on the way."""


def find_column_tops(bottle: bytes) -> list[int]:
    """Return the row of the highest occupied cell of each column; `ROWS` where it is empty."""
    return [ROWS - len(bottle[column::COLUMNS].lstrip(_EMPTY_CELL)) for column in range(COLUMNS)]


def list_drops(tops: list[int], *, one_colour: bool) -> Iterator[Drop]:
    """Yield every pose in which a capsule dropped from the top row comes to rest.

    Args:
        tops: Row of the highest occupied cell by column, from `find_column_tops`.
        one_colour: True where both halves have one colour; rotations 2 and 3 then repeat 0 and 1.
    """
    for rotation in range(2 if one_colour else NUM_ROTATIONS):
        if is_vertical(rotation):
            for column in range(COLUMNS):
                if tops[column] > 0:
                    yield Drop(rotation, column, tops[column] - 1)
        else:
            for column in range(COLUMNS - 1):
                top = min(tops[column], tops[column + 1])
                if top > 0:
                    yield Drop(rotation, column, top - 1)


def place_capsule(bottle: bytes, drop: Drop, colours: tuple[int, int]) -> bytearray:
    """Return the bottle with a capsule stamped at `drop`, before anything clears.

    A standing capsule in the top row loses its upper half, and the lower one is then a single.

    Args:
        bottle: 128 tile bytes.
        drop: Where the capsule comes to rest.
        colours: First and second colour of the capsule, 0..2.
    """
    stamped = bytearray(bottle)
    halves = place_halves(drop.column, ROWS - 1 - drop.row, drop.rotation, colours)
    for cell, tile in halves:
        stamped[cell] = tile if len(halves) == 2 else Tile.SINGLE | tile & _COLOUR_MASK
    return stamped


def settle_bottle(bottle: bytearray) -> Settled:
    """Clear lines and let halves fall until the bottle is at rest; `bottle` is used up."""
    lines = viruses = 0
    while True:
        matched, new_lines = _find_lines(bottle)
        if not new_lines:
            return Settled(bytes(bottle), lines, viruses)
        lines += new_lines
        viruses += sum(bottle[cell] & _KIND_MASK == Tile.VIRUS for cell in matched)
        _remove_cells(bottle, matched)
        while _let_fall(bottle):
            pass


def has_line(cells: bytes | bytearray) -> bool:
    """Tell whether a row or column of tile bytes holds four of one colour side by side."""
    run, previous = 0, EMPTY
    for tile in cells:
        colour = tile if tile == EMPTY else tile & _COLOUR_MASK
        run = run + 1 if colour == previous else 1
        if run == LINE_LENGTH and colour != EMPTY:
            return True
        previous = colour
    return False


def _find_lines(bottle: bytearray) -> tuple[set[int], int]:
    """Return the cells of every line, and how many lines there are."""
    matched: set[int] = set()
    lines = 0
    rows = [range(row * COLUMNS, (row + 1) * COLUMNS) for row in range(ROWS)]
    columns = [range(column, CELLS, COLUMNS) for column in range(COLUMNS)]
    for cells in rows + columns:
        if has_line(bottle[cells.start : cells.stop : cells.step]):
            for run in _split_runs(bottle, cells):
                matched.update(run)
                lines += 1
    return matched, lines


def _split_runs(bottle: bytearray, cells: range) -> Iterator[range]:
    """Yield each maximal run of one colour along `cells` that is long enough to clear."""
    start = 0
    for end in range(1, len(cells) + 1):
        tile = bottle[cells[start]]
        if end < len(cells) and _same_colour(tile, bottle[cells[end]]):
            continue
        if tile != EMPTY and end - start >= LINE_LENGTH:
            yield cells[start:end]
        start = end


def _same_colour(tile: int, other: int) -> bool:
    return EMPTY not in (tile, other) and (tile ^ other) & _COLOUR_MASK == 0


def _remove_cells(bottle: bytearray, matched: set[int]) -> None:
    """Empty the matched cells; a half that loses its partner becomes a single."""
    for cell in matched:
        offset = _PARTNER_OFFSET.get(bottle[cell] & _KIND_MASK)
        if offset is not None and cell + offset not in matched:
            colour = bottle[cell + offset] & _COLOUR_MASK
            bottle[cell + offset] = Tile.SINGLE | colour
    for cell in matched:
        bottle[cell] = EMPTY


def _let_fall(bottle: bytearray) -> bool:
    """Move every unsupported half down one row; tell whether anything moved."""
    moved = False
    for cell in range(CELLS - COLUMNS - 1, -1, -1):
        kind = bottle[cell] & _KIND_MASK
        below = cell + COLUMNS
        if bottle[cell] == EMPTY or bottle[below] != EMPTY or kind in (Tile.VIRUS, Tile.LEFT):
            continue
        if kind == Tile.RIGHT:
            # The pair is handled at its right half, which the scan meets first.
            if bottle[below - 1] != EMPTY:
                continue
            bottle[below - 1], bottle[cell - 1] = bottle[cell - 1], EMPTY
        bottle[below], bottle[cell] = bottle[cell], EMPTY
        moved = True
    return moved
