"""Where the two halves of a capsule lie, for each of its four rotations.

The pivot is the bottom-left cell (x, y), y counted from the bottom row. One cell above the top row
is a legal place for the upper half of a vertical capsule; it has no cell index.

Source: `docs/game.md`, rotation and lock.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from envs.game.layout import COLUMNS, ROWS, Tile

NUM_ROTATIONS: Final = 4
SPAWN_X: Final = 3
SPAWN_Y: Final = ROWS - 1


class HalfPlace(NamedTuple):
    """Place of one half relative to the pivot, and the tile it becomes."""

    right: int
    up: int
    tile: Tile


HALVES: Final[tuple[tuple[HalfPlace, HalfPlace], ...]] = (
    (HalfPlace(0, 0, Tile.LEFT), HalfPlace(1, 0, Tile.RIGHT)),
    (HalfPlace(0, 0, Tile.BOTTOM), HalfPlace(0, 1, Tile.TOP)),
    (HalfPlace(1, 0, Tile.RIGHT), HalfPlace(0, 0, Tile.LEFT)),
    (HalfPlace(0, 1, Tile.TOP), HalfPlace(0, 0, Tile.BOTTOM)),
)
"""By rotation: the place of the half with the first colour, then of the second."""


def is_vertical(rotation: int) -> bool:
    """Whether the halves lie above each other."""
    return rotation & 1 == 1


def cell_index(x: int, y: int) -> int:
    """Return the cell index of column `x`, height `y`; negative above the top row."""
    return (ROWS - 1 - y) * COLUMNS + x


def place_halves(
    x: int, y: int, rotation: int, colours: tuple[int, int]
) -> tuple[tuple[int, int], ...]:
    """Return (cell, tile byte) of each half that lies inside the bottle, first colour first."""
    return tuple(
        (cell_index(x + half.right, y + half.up), half.tile | colour)
        for half, colour in zip(HALVES[rotation], colours, strict=True)
        if y + half.up < ROWS
    )
