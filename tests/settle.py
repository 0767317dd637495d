"""A plain model of how a bottle comes to rest, to get expected values from.

It thinks in whole pieces on a grid and knows nothing of frames, RAM or tile redraws, so it shares
no mistake with the rules under test: pieces fall a row per pass, lines clear, halves are widowed.
"""

from __future__ import annotations

from dataclasses import dataclass

from envs.game.layout import CELLS, COLUMNS, EMPTY, ROWS, Tile

_PARTNER_STEP = {Tile.TOP: (1, 0), Tile.BOTTOM: (-1, 0), Tile.LEFT: (0, 1), Tile.RIGHT: (0, -1)}

Cell = tuple[int, int]


@dataclass
class Piece:
    """A virus, a single half or a whole capsule: colours by (row, column)."""

    colours: dict[Cell, int]
    is_virus: bool = False


class Bottle:
    """A bottle as a list of pieces."""

    def __init__(self, cells: bytes) -> None:
        self.pieces: list[Piece] = []
        taken: set[Cell] = set()
        for index in range(CELLS):
            place = divmod(index, COLUMNS)
            tile = cells[index]
            if tile == EMPTY or place in taken:
                continue
            colours = {place: tile & 15}
            kind = tile & 0xF0
            if kind in _PARTNER_STEP:
                down, right = _PARTNER_STEP[Tile(kind)]
                partner = (place[0] + down, place[1] + right)
                colours[partner] = cells[partner[0] * COLUMNS + partner[1]] & 15
            taken |= set(colours)
            self.pieces.append(Piece(colours, kind == Tile.VIRUS))

    def cells(self) -> bytes:
        """Return the 128 tile bytes."""
        cells = bytearray([EMPTY]) * CELLS
        for piece in self.pieces:
            places = sorted(piece.colours)
            kinds = [Tile.VIRUS if piece.is_virus else Tile.SINGLE]
            if len(places) == 2:
                upright = places[0][1] == places[1][1]
                kinds = [Tile.TOP, Tile.BOTTOM] if upright else [Tile.LEFT, Tile.RIGHT]
            for (row, column), kind in zip(places, kinds, strict=True):
                cells[row * COLUMNS + column] = kind | piece.colours[row, column]
        return bytes(cells)

    def grid(self) -> dict[Cell, int]:
        """Return the colour of every occupied cell."""
        return {place: colour for piece in self.pieces for place, colour in piece.colours.items()}

    def fall_one_row(self) -> bool:
        """Let every unsupported piece sink one row; tell if any did."""
        occupied = set(self.grid())
        moved = False
        for piece in sorted(self.pieces, key=lambda piece: -max(row for row, _ in piece.colours)):
            own = set(piece.colours)
            below = {(row + 1, column) for row, column in own}
            free = all(row < ROWS for row, _ in below) and not (below - own) & occupied
            if free and not piece.is_virus:
                piece.colours = {(r + 1, c): colour for (r, c), colour in piece.colours.items()}
                occupied = occupied - own | below
                moved = True
        return moved

    def find_lines(self) -> list[set[Cell]]:
        """Return the maximal runs of four or more equal colours."""
        grid = self.grid()
        rows = [[(row, column) for column in range(COLUMNS)] for row in range(ROWS)]
        columns = [[(row, column) for row in range(ROWS)] for column in range(COLUMNS)]
        lines = []
        for places in rows + columns:
            run: list[Cell] = []
            for place in [*places, None]:
                if place in grid and run and grid[run[0]] == grid[place]:
                    run.append(place)
                    continue
                if len(run) >= 4:
                    lines.append(set(run))
                run = [place] if place in grid else []
        return lines

    def remove(self, places: set[Cell]) -> None:
        """Take cells away; a capsule that loses one half becomes a single."""
        for piece in self.pieces:
            piece.colours = {k: v for k, v in piece.colours.items() if k not in places}
        self.pieces = [piece for piece in self.pieces if piece.colours]


@dataclass(frozen=True)
class Settled:
    """What happens after a lock."""

    cells: bytes
    passes: tuple[int, ...]
    """Fall passes with movement: before the first line, then after each clearing round."""
    lines: int


def settle(cells: bytes) -> Settled:
    """Bring a bottle to rest."""
    bottle, passes, lines = Bottle(cells), [0], 0
    while True:
        while bottle.fall_one_row():
            passes[-1] += 1
        found = bottle.find_lines()
        if not found:
            return Settled(bottle.cells(), tuple(passes), lines)
        lines += len(found)
        bottle.remove(set().union(*found))
        passes.append(0)


@dataclass(frozen=True)
class Drop:
    """A capsule that stands on something, ready to lock."""

    x: int
    y: int
    rotation: int
    colours: tuple[int, int]


def list_drops(cells: bytes, colours: tuple[int, int]) -> list[Drop]:
    """Return every straight drop of a capsule, level and upright, below the two top rows."""
    tops = [
        next((row for row in range(ROWS) if cells[row * COLUMNS + column] != EMPTY), ROWS)
        for column in range(COLUMNS)
    ]
    drops = []
    for x in range(COLUMNS):
        for rotation in (0, 1):
            top = min(tops[x : x + 2]) if rotation == 0 else tops[x]
            if top > 2 and (rotation == 1 or x < COLUMNS - 1):
                drops.append(Drop(x, ROWS - top, rotation, colours))
    return drops


def stamp(cells: bytes, drop: Drop) -> bytes:
    """Return the bottle with the capsule locked."""
    new = bytearray(cells)
    pivot = (ROWS - 1 - drop.y) * COLUMNS + drop.x
    kinds = (Tile.BOTTOM, Tile.TOP) if drop.rotation else (Tile.LEFT, Tile.RIGHT)
    other = pivot - COLUMNS if drop.rotation else pivot + 1
    new[pivot], new[other] = kinds[0] | drop.colours[0], kinds[1] | drop.colours[1]
    return bytes(new)
