"""Golden cascades: a bottle, a drop that sets it off, and how it comes to rest.

One line each in `tests/golden/cascades.txt`: bottle, drop, fall passes, lines, bottle at rest.
Found by random search and judged by `tests.settle`; `pytest --update-golden` makes them anew.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from envs.game.layout import CELLS, EMPTY, Tile
from envs.game.position import format_bottle, parse_bottle
from tests.settle import Bottle, Drop, Settled, list_drops, settle, stamp

CASCADES_FILE = Path(__file__).parent / "golden" / "cascades.txt"
_COLOURS = "yrb"
_LINE = re.compile(
    r"(?P<cells>\S+) x=(?P<x>\d) y=(?P<y>\d+) rotation=(?P<rotation>\d)"
    r" capsule=(?P<capsule>[yrb]{2}) passes=(?P<passes>[\d,]+) lines=(?P<lines>\d+) (?P<rest>\S+)"
)
_SPAWN_CELLS = slice(3, 5)


@dataclass(frozen=True)
class Cascade:
    """A resting bottle, the drop, and the rest that follows."""

    cells: bytes
    drop: Drop
    settled: Settled


def format_cascade(cascade: Cascade) -> str:
    """Return the line of `cascade`."""
    drop, settled = cascade.drop, cascade.settled
    capsule = "".join(_COLOURS[colour] for colour in drop.colours)
    passes = ",".join(str(count) for count in settled.passes)
    return (
        f"{format_bottle(cascade.cells)} x={drop.x} y={drop.y} rotation={drop.rotation} "
        f"capsule={capsule} passes={passes} lines={settled.lines} {format_bottle(settled.cells)}"
    )


@cache
def read_cascades() -> tuple[Cascade, ...]:
    """Return the cascades of the golden file."""
    return tuple(_parse(line) for line in CASCADES_FILE.read_text().splitlines())


def write_cascades(count: int) -> None:
    """Make the golden file: one, two and three clearing rounds in turn."""
    cascades = [_find(seed, 1 + seed % 3) for seed in range(count)]
    CASCADES_FILE.parent.mkdir(exist_ok=True)
    CASCADES_FILE.write_text("".join(f"{format_cascade(cascade)}\n" for cascade in cascades))
    read_cascades.cache_clear()


def _parse(line: str) -> Cascade:
    match = _LINE.fullmatch(line)
    assert match is not None, line
    first, second = (_COLOURS.index(letter) for letter in match["capsule"])
    drop = Drop(int(match["x"]), int(match["y"]), int(match["rotation"]), (first, second))
    passes = tuple(int(count) for count in match["passes"].split(","))
    settled = Settled(parse_bottle(match["rest"]), passes, int(match["lines"]))
    return Cascade(parse_bottle(match["cells"]), drop, settled)


def _find(seed: int, clearing_rounds: int) -> Cascade:
    rng = np.random.default_rng(seed)
    while True:
        cells = _fill_without_lines(rng)
        colours = (int(rng.integers(3)), int(rng.integers(3)))
        for drop in list_drops(cells, colours):
            settled = settle(stamp(cells, drop))
            spawn_is_free = settled.cells[_SPAWN_CELLS] == bytes([EMPTY, EMPTY])
            if len(settled.passes) - 1 == clearing_rounds and spawn_is_free:
                return Cascade(cells, drop, settled)


def _fill_without_lines(rng: np.random.Generator) -> bytes:
    cells = bytearray([EMPTY]) * CELLS
    for index in rng.choice(range(CELLS // 2, CELLS), 10, replace=False):
        cells[index] = Tile.VIRUS | int(rng.integers(3))
    if Bottle(bytes(cells)).find_lines():
        return _fill_without_lines(rng)
    board = bytes(cells)
    for _ in range(int(rng.integers(12, 26))):
        drops = list_drops(board, (int(rng.integers(3)), int(rng.integers(3))))
        if not drops:
            break
        after = settle(stamp(board, drops[int(rng.integers(len(drops)))]))
        if not after.lines:
            board = after.cells
    return board
