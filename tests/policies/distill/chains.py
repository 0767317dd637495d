"""Bottles in which a line lets half a lying capsule beside it fall, and some in which none does."""

from __future__ import annotations

from typing import Final, NamedTuple

from envs.game.layout import CELLS, COLUMNS, EMPTY, ROWS, Tile
from policies.distill.routine import Situation


class Chain(NamedTuple):
    """A column of colour 0, in it half a lying capsule whose other half has colour 1."""

    run: int
    """Tiles of colour 0 on top of their column."""
    below: tuple[int, ...]
    """Colours at the floor below the other half, from above."""
    linked: bool
    """Whether the two halves are of one capsule."""
    is_chain: bool
    """Whether one more tile of colour 0 starts a chain."""

    def make_situation(self, mirrored: bool) -> Situation:
        """Return the bottle, in columns 3 and 4, and a capsule of which one half has colour 0."""
        x, beside = (4, 3) if mirrored else (3, 4)
        kinds = (Tile.RIGHT, Tile.LEFT) if mirrored else (Tile.LEFT, Tile.RIGHT)
        bottle = bytearray([EMPTY]) * CELLS
        top = ROWS - self.run - 3
        for row in range(top, top + self.run):
            bottle[row * COLUMNS + x] = Tile.SINGLE
        bottle[(top + 1) * COLUMNS + x] = kinds[0] if self.linked else Tile.SINGLE
        bottle[(top + 1) * COLUMNS + beside] = (kinds[1] if self.linked else Tile.SINGLE) | 1
        for row, colour in zip(range(ROWS - len(self.below), ROWS), self.below, strict=True):
            bottle[row * COLUMNS + beside] = Tile.SINGLE | colour
        return Situation(bytes(bottle), (2, 0), 20)


CHAINS: Final = {
    "chain": Chain(3, (1, 1, 1), True, True),
    "no line": Chain(2, (1, 1, 1), True, False),
    "too few below": Chain(3, (1, 1), True, False),
    "another colour below": Chain(3, (1, 0, 1), True, False),
    "nothing falls": Chain(3, (1, 1, 1), False, False),
}
"""By what they show."""
