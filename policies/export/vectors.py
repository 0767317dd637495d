"""Inputs that try a whole tree: feature rows for every leaf and every split, and bottles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from envs.game.layout import CELLS, COLUMNS, EMPTY, FRAMES_PER_ROW, NUM_COLOURS, ROWS, Tile
from policies.distill.routine import Situation
from policies.distill.spec import DEPTH, FEATURES, NUM_FEATURES
from policies.distill.tree import Leaf, Node

_BYTE: Final = 256
_RANDOM_TILES: Final = (Tile.VIRUS, Tile.SINGLE, Tile.TOP, Tile.BOTTOM, Tile.LEFT, Tile.RIGHT)
_KIND_MASK: Final = 0xF0
_SPAWN_CELLS: Final = (3, 4)
_FASTEST: Final = 15
"""Gravity index of the slowest speed of a round; every index from it on occurs."""


def draw_rows(tree: Node, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return feature rows that together end at every leaf that can be reached.

    For each leaf there is a row on each edge of its box, so both sides of every threshold are met;
    the others are drawn, half within the features' ranges and half from all bytes. The depth, which
    scores are reckoned with, is always within its range.

    Returns:
        uint8 (n, features), n at least `count`.
    """
    edges = [row for low, high in _list_boxes(tree) for row in _list_edges(low, high)]
    inside = np.stack([rng.integers(one.low, one.high + 1, count // 2) for one in FEATURES], axis=1)
    anything = rng.integers(0, _BYTE, (count - count // 2, NUM_FEATURES))
    anything[:, DEPTH] = inside[: len(anything), DEPTH]
    return np.concatenate([np.array(edges), inside, anything]).astype(np.uint8)


def count_leaves_hit(tree: Node, rows: np.ndarray) -> tuple[int, int]:
    """Return how many leaves and how many sides of splits rows meet."""
    if isinstance(tree, Leaf):
        return int(len(rows) > 0), 0
    below = rows[:, tree.feature] < tree.threshold
    left, right = (
        count_leaves_hit(tree.left, rows[below]),
        count_leaves_hit(tree.right, rows[~below]),
    )
    sides = int(below.any()) + int((~below).any())
    return left[0] + right[0], sides + left[1] + right[1]


def count_leaves_possible(tree: Node) -> tuple[int, int]:
    """Return how many leaves and sides of splits some row of bytes can meet."""
    boxes = list(_list_boxes(tree))
    rows = np.array([low for low, _ in boxes], np.uint8)
    return count_leaves_hit(tree, rows)


def draw_situations(count: int, rng: np.random.Generator) -> Iterator[Situation]:
    """Yield random bottles, from almost empty to almost full, at every falling speed."""
    for _ in range(count):
        bottle = np.full((ROWS, COLUMNS), EMPTY, np.uint8)
        filled = rng.random((ROWS, COLUMNS)) < rng.random() * 0.8
        filled[: int(rng.integers(0, ROWS))] &= rng.random(COLUMNS) < rng.random() ** 2
        tiles = rng.choice(_RANDOM_TILES, (ROWS, COLUMNS)) | rng.integers(
            0, NUM_COLOURS, (ROWS, COLUMNS)
        )
        bottle[filled] = tiles[filled]
        cut_at_walls(bottle)
        cells = bottle.reshape(CELLS)
        cells[list(_SPAWN_CELLS)] = EMPTY
        first, second = rng.integers(0, NUM_COLOURS, 2).tolist()
        frames = FRAMES_PER_ROW[int(rng.integers(_FASTEST, len(FRAMES_PER_ROW)))]
        yield Situation(cells.tobytes(), (first, second), frames)


def cut_at_walls(bottle: np.ndarray) -> None:
    """Make singles of halves whose other halves would lie outside of the bottle.

    Args:
        bottle: uint8 (16, 8) of tile bytes, changed in place.
    """
    for column, kind in ((0, Tile.RIGHT), (COLUMNS - 1, Tile.LEFT)):
        cells = bottle[:, column]
        cells[cells & _KIND_MASK == kind] += Tile.SINGLE - kind


def _list_boxes(tree: Node) -> Iterator[tuple[list[int], list[int]]]:
    """Yield the least and greatest feature values that lead to each leaf."""

    def walk(node: Node, low: list[int], high: list[int]) -> Iterator[tuple[list[int], list[int]]]:
        if any(least > most for least, most in zip(low, high, strict=True)):
            return
        if isinstance(node, Leaf):
            yield low, high
            return
        below, above = high.copy(), low.copy()
        below[node.feature] = min(high[node.feature], node.threshold - 1)
        above[node.feature] = max(low[node.feature], node.threshold)
        yield from walk(node.left, low, below)
        yield from walk(node.right, above, high)

    low, high = [0] * NUM_FEATURES, [_BYTE - 1] * NUM_FEATURES
    low[DEPTH], high[DEPTH] = FEATURES[DEPTH].low, FEATURES[DEPTH].high
    yield from walk(tree, low, high)


def _list_edges(low: list[int], high: list[int]) -> Iterator[list[int]]:
    """Yield both corners of a box, and its low corner with each feature at its greatest."""
    yield low
    yield high
    for feature in range(NUM_FEATURES):
        edge = low.copy()
        edge[feature] = high[feature]
        yield edge
