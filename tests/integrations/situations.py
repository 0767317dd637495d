"""Situations that the CPU opponent decides in: bottles, colours and speeds of every kind."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from envs.game.layout import (
    COLUMNS,
    EMPTY,
    FRAMES_PER_ROW,
    MAX_SPEED_UPS,
    NUM_COLOURS,
    ROWS,
    SPEED_BASES,
    Tile,
)
from policies.distill.routine import Situation
from policies.export.vectors import cut_at_walls

_KINDS = (Tile.TOP, Tile.BOTTOM, Tile.LEFT, Tile.RIGHT, Tile.SINGLE, Tile.VIRUS, Tile.VIRUS)
_TILES = np.array([kind | colour for kind in _KINDS for colour in range(NUM_COLOURS)], np.uint8)
_HOLES = 0.15


def draw_situations(rng: np.random.Generator, count: int) -> Iterator[Situation]:
    """Yield situations with room for the capsule: scattered, piled high and piled low."""
    for index in range(count):
        if index % 3 == 0:
            bottle = _scatter(rng, rng.random())
        else:
            bottle = _pile(rng, ROWS if index % 3 == 1 else ROWS // 2)
        bottle[0, 3:5] = EMPTY
        cut_at_walls(bottle)
        first, second = rng.integers(0, NUM_COLOURS, 2).tolist()
        base = int(rng.choice(SPEED_BASES))
        speed_ups = int(rng.choice([0, 0, 10, 20, 30, 40, MAX_SPEED_UPS]))
        yield Situation(bottle.tobytes(), (first, second), FRAMES_PER_ROW[base + speed_ups])


def fill_bottle(virus_row: int) -> bytes:
    """Return a bottle with two empty rows, in which every pose is a candidate.

    The lower the row of viruses, the longer is every look down a column.
    """
    board = np.full((ROWS, COLUMNS), EMPTY, np.uint8)
    board[2:] = Tile.SINGLE | (np.add.outer(np.arange(ROWS - 2), np.arange(COLUMNS)) % NUM_COLOURS)
    board[virus_row] = Tile.VIRUS | np.arange(COLUMNS) % NUM_COLOURS
    return board.tobytes()


def hang_capsules() -> bytes:
    """Return a bottle at rest in which the looks for what a line lets fall are longest.

    Three capsules lie on each of four viruses, and one half of each hangs over an empty column.
    """
    board = np.full((ROWS, COLUMNS), EMPTY, np.uint8)
    board[2:5, 0::2], board[2:5, 1::2] = Tile.LEFT | 1, Tile.RIGHT | 2
    board[5, 0::2] = board[-1, 1::2] = Tile.VIRUS
    return board.tobytes()


def _scatter(rng: np.random.Generator, density: float) -> np.ndarray:
    board = rng.choice(_TILES, (ROWS, COLUMNS))
    board[rng.random((ROWS, COLUMNS)) >= density] = EMPTY
    return board


def _pile(rng: np.random.Generator, limit: int) -> np.ndarray:
    """Columns without an end in the air, often of two colours, with holes."""
    board = np.full((ROWS, COLUMNS), EMPTY, np.uint8)
    for column in range(COLUMNS):
        height = int(rng.integers(0, limit))
        tiles = rng.choice(_TILES, height)
        if rng.random() < 0.5:
            tiles = tiles & 0xF0 | rng.integers(0, 2, height).astype(np.uint8)
        tiles[rng.random(height) < _HOLES] = EMPTY
        board[ROWS - height :, column] = tiles
    return board
