"""What a candidate looks like to the tree: nine small numbers, in plain Python.

The reference that native code and the cartridge are tested against; `docs/distillation.md` is its
text and `spec.py` names the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from envs.game.capsule import is_vertical
from envs.game.layout import COLUMNS, EMPTY, ROWS, Tile
from policies.distill.routine import Situation
from policies.distill.spec import LETS_FALL, LINE_LENGTH
from policies.drops import Drop, find_column_tops

_KIND_MASK: Final = 0xF0
_COLOUR_MASK: Final = 0x03


@dataclass(frozen=True, slots=True)
class _Scan:
    """What a half finds that comes to lie on a column."""

    run: int = 1
    covers_virus: bool = False
    covers_tile: bool = False
    blocked: bool = False
    matched: bool = False
    between: int = 0


def describe_candidate(situation: Situation, drop: Drop) -> tuple[int, ...]:
    """Return the features of a candidate, in the order of `spec.FEATURES`."""
    tops = find_column_tops(situation.bottle)
    first, second = situation.colours if drop.rotation < 2 else situation.colours[::-1]
    if is_vertical(drop.rotation):
        lower, upper = _scan_upright(situation.bottle, tops, drop.column, (first, second))
        return _merge(lower, upper, tops[drop.column], 1)
    left, right = _scan_flat(situation.bottle, tops, drop.column, (first, second))
    return _merge(left, right, min(tops[drop.column], tops[drop.column + 1]), 0)


def _merge(one: _Scan, other: _Scan, depth: int, upright: int) -> tuple[int, ...]:
    return (
        max(one.run, other.run),
        min(one.run, other.run),
        one.covers_virus + other.covers_virus,
        one.covers_tile + other.covers_tile,
        depth,
        upright,
        one.blocked + other.blocked,
        one.matched + other.matched,
        one.between + other.between,
    )


def _scan_flat(
    bottle: bytes, tops: list[int], x: int, colours: tuple[int, int]
) -> tuple[_Scan, _Scan]:
    """Scan for the left and the right half of a lying capsule.

    A half over a lower column hangs, unless the other one completes a line: then it falls.
    """
    left, right = (_scan(bottle, tops[x + i], x + i, colours[i], False) for i in (0, 1))
    if tops[x] > tops[x + 1] and right.run < LINE_LENGTH:
        left = _scan(bottle, tops[x], x, colours[0], True)
    if tops[x + 1] > tops[x] and left.run < LINE_LENGTH:
        right = _scan(bottle, tops[x + 1], x + 1, colours[1], True)
    return left, right


def _scan_upright(
    bottle: bytes, tops: list[int], x: int, colours: tuple[int, int]
) -> tuple[_Scan, _Scan]:
    """Scan for the lower and the upper half of a standing capsule."""
    lower = _scan(bottle, tops[x], x, colours[0], False)
    if colours[0] == colours[1]:
        lower = replace(lower, run=lower.run + 1)
        return lower, replace(lower, covers_virus=False, covers_tile=False, blocked=False)
    upper = _scan(bottle, tops[x], x, colours[1], True)
    found = upper.blocked or upper.matched
    return lower, replace(upper, covers_tile=True, between=upper.between + found, blocked=False)


def _scan(bottle: bytes, top: int, x: int, colour: int, hangs: bool) -> _Scan:
    """Look down a column for a half that comes to lie above row `top`."""
    column = bottle[x::COLUMNS]
    row = top
    if not hangs:
        while row < ROWS and column[row] != EMPTY and column[row] & _COLOUR_MASK == colour:
            row += 1
    scan = _Scan(run=1 + row - top)
    if scan.run >= LINE_LENGTH and any(_lets_fall(bottle, at, x) for at in range(top, row)):
        scan = replace(scan, run=scan.run + LETS_FALL)
    if any(_is_virus(tile) for tile in column[top:row]):
        return replace(scan, matched=True)
    if not hangs and row == top and row < ROWS:
        covers_virus = _is_virus(column[row])
        scan = replace(scan, covers_virus=covers_virus, covers_tile=not covers_virus)
    between = 0
    for tile in column[row:]:
        if tile == EMPTY:
            continue
        same = tile & _COLOUR_MASK == colour
        if _is_virus(tile):
            return replace(scan, matched=same, blocked=not same, between=between)
        between += not same
    return scan


def _lets_fall(bottle: bytes, row: int, x: int) -> bool:
    """Does a tile that goes leave half a lying capsule, above three tiles of that half's colour?"""
    kind = bottle[row * COLUMNS + x] & _KIND_MASK
    if kind not in (Tile.LEFT, Tile.RIGHT):
        return False
    beside = x + 1 if kind == Tile.LEFT else x - 1
    colour = bottle[row * COLUMNS + beside] & _COLOUR_MASK
    below = [tile for tile in bottle[beside::COLUMNS][row + 1 :] if tile != EMPTY]
    wanted = LINE_LENGTH - 1
    return [tile & _COLOUR_MASK for tile in below[:wanted]] == [colour] * wanted


def _is_virus(tile: int) -> bool:
    return tile & _KIND_MASK == Tile.VIRUS
