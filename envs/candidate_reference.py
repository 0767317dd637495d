"""The features of candidates, computed plainly: the definition that the native code is held to.

Slow (about a millisecond per row), for tests, for reading, and for machines without a compiler.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from envs.candidates import FEATURE_INDEX, FEATURES, NUM_FEATURES
from envs.game.capsule import SPAWN_X, is_vertical
from envs.game.layout import COLUMNS, EMPTY, ROWS, Tile
from envs.game.placement import decode_pose

LINE: Final = 4
_SPAWN_COLUMNS: Final = (SPAWN_X, SPAWN_X + 1)
_NO_COLOUR: Final = -1

Cell = tuple[int, int]
"""Row, 0 on top, and column."""


@dataclass(frozen=True, slots=True)
class Board:
    """A bottle as two small grids."""

    colours: np.ndarray
    """int8 (16, 8), `_NO_COLOUR` where a cell is empty."""
    viruses: np.ndarray
    """bool (16, 8)."""

    @classmethod
    def from_tiles(cls, tiles: bytes) -> Board:
        """Read 128 tile bytes of a bottle in which nothing is being cleared."""
        grid = np.frombuffer(tiles, np.uint8).reshape(ROWS, COLUMNS)
        colours = np.where(grid == EMPTY, _NO_COLOUR, grid & 0x0F).astype(np.int8)
        return cls(colours, (grid & 0xF0) == Tile.VIRUS)

    def height(self, column: int) -> int:
        """Return the height of a column."""
        rows = np.flatnonzero(self.colours[:, column] != _NO_COLOUR)
        return ROWS - int(rows[0]) if len(rows) else 0

    def is_occupied(self, row: int, column: int) -> bool:
        """Return whether a cell holds something."""
        return bool(self.colours[row, column] != _NO_COLOUR)

    def run(self, cell: Cell, step: Cell) -> list[Cell]:
        """Return the cells of the run through `cell` along `step`."""
        colour = self.colours[cell]
        back = _walk(cell, (-step[0], -step[1]))
        cells = [cell]
        for direction in (_walk(cell, step), back):
            for other in direction:
                if self.colours[other] != colour:
                    break
                cells.append(other)
        return cells

    def count_viruses(self, cells: list[Cell]) -> int:
        """Return how many of `cells` are viruses."""
        return sum(bool(self.viruses[cell]) for cell in cells)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a lock leads to."""

    tiles: bytes
    """The settled bottle."""
    lines: int
    rounds: int
    frames: int
    """From the lock to control of the next capsule."""


def describe_candidate(
    tiles: bytes,
    colours: tuple[int, int],
    next_colours: tuple[int, int],
    pose: int,
    lock_frames: int,
    outcome: Outcome,
) -> np.ndarray:
    """Return the features of one candidate.

    Args:
        tiles: 128 tile bytes of the bottle before the lock.
        colours: First and second colour of the capsule.
        next_colours: Of the next capsule.
        pose: Where it locks.
        lock_frames: Frames to the lock.
        outcome: What the rules make of it.

    Returns:
        uint8 (NUM_FEATURES,).
    """
    before = Board.from_tiles(tiles)
    after = Board.from_tiles(outcome.tiles)
    values: dict[str, int] = {"lock_frames": lock_frames, "settle_frames": outcome.frames}
    values |= _describe_landing(before, tiles, colours, next_colours, pose)
    cells_before = int((before.colours != _NO_COLOUR).sum()) + len(decode_pose(pose).cells(colours))
    values |= {
        "viruses_cleared": int(before.viruses.sum() - after.viruses.sum()),
        "cells_cleared": cells_before - int((after.colours != _NO_COLOUR).sum()),
        "rounds": outcome.rounds,
        "lines": outcome.lines,
        "clears_bottle": not after.viruses.any(),
        "blocks_spawn": any(after.height(column) == ROWS for column in _SPAWN_COLUMNS),
    }
    values |= _describe_settled(after)
    values |= _describe_next(after, next_colours)
    row = np.zeros(NUM_FEATURES, np.uint8)
    for name, value in values.items():
        index = FEATURE_INDEX[name]
        row[index] = min(int(value), FEATURES[index].high)
    return row


def _walk(cell: Cell, step: Cell) -> Iterator[Cell]:
    """Yield the cells of the bottle that follow `cell` along `step`."""
    row, column = cell[0] + step[0], cell[1] + step[1]
    while 0 <= row < ROWS and 0 <= column < COLUMNS:
        yield row, column
        row, column = row + step[0], column + step[1]


def _describe_landing(
    before: Board,
    tiles: bytes,
    colours: tuple[int, int],
    next_colours: tuple[int, int],
    pose: int,
) -> dict[str, int]:
    """Describe the landing cells."""
    where = decode_pose(pose)
    placed_tiles = bytearray(tiles)
    for index, tile in where.cells(colours):
        placed_tiles[index] = tile
    placed = Board.from_tiles(bytes(placed_tiles))
    upright = is_vertical(where.rotation)
    pivot = (where.row, where.column)
    other = (where.row - 1, where.column) if upright else (where.row, where.column + 1)
    cells = [pivot] if other[0] < 0 else [pivot, other]
    halves = [_describe_half(placed, cell) for cell in cells]
    values = {
        f"{name}_{key}": value
        for name, half in zip(("pivot", "other"), halves, strict=False)
        for key, value in half.items()
    }
    lost: dict[str, int] = dict.fromkeys(halves[0], 0)
    first, second = halves[0], halves[1] if len(halves) == 2 else lost
    for key in ("run_down", "run_across"):
        values[f"{key}_most"] = max(first[key], second[key])
        values[f"{key}_least"] = min(first[key], second[key])
    matched = [half["run_down"] > 1 or half["run_across"] > 1 for half in halves]
    floors = [half["under"] == 0 for half in halves]
    top_row = min(cell[0] for cell in cells)
    middle = 2 * where.column + (0 if upright else 1) - (COLUMNS - 1)
    return values | {
        "matched_halves": sum(matched),
        "wasted_halves": sum(
            not match and not floor for match, floor in zip(matched, floors, strict=True)
        ),
        "covered_viruses": sum(half["under"] == 4 for half in halves),
        "covered_cells": sum(half["under"] == 3 for half in halves),
        "gaps": first["gap"] + second["gap"],
        "top_height": ROWS - top_row,
        "blocked_viruses": (first["nearest"] == 2) + (not upright and second["nearest"] == 2),
        "reached_viruses": sum(half["nearest"] == 1 for half in halves),
        "between": first["between"] + second["between"],
        "upright": upright,
        "one_colour": colours[0] == colours[1],
        "from_middle": abs(middle),
        "next_same": sum(colour == other for colour in colours for other in next_colours),
        "left_step": _measure_step(before, where.column - 1, top_row),
        "right_step": _measure_step(before, where.column + (1 if upright else 2), top_row),
    }


def _describe_half(placed: Board, cell: Cell) -> dict[str, int]:
    """Describe one half in the placed bottle."""
    colour = placed.colours[cell]
    down, across = placed.run(cell, (1, 0)), placed.run(cell, (0, 1))
    below = list(_walk(cell, (1, 0)))
    occupied = [other for other in below if placed.colours[other] != _NO_COLOUR]
    viruses = [other for other in below if placed.viruses[other]]
    same = [other for other in viruses if placed.colours[other] == colour]
    nearest = viruses[0] if viruses else None
    return {
        "run_down": min(len(down), LINE),
        "run_down_viruses": min(placed.count_viruses(down), LINE),
        "run_across": min(len(across), LINE),
        "run_across_viruses": min(placed.count_viruses(across), LINE),
        "under": _name_under(placed, cell),
        "gap": below.index(occupied[0]) if occupied else len(below),
        "viruses_below": len(viruses),
        "same_below": len(same),
        "nearest": 0 if nearest is None else 1 if nearest in same else 2,
        "between": sum(
            nearest is not None and other < nearest and placed.colours[other] != colour
            for other in occupied
        ),
        "height": ROWS - cell[0],
        "room_across": 1 + sum(_count_room(placed, cell, side) for side in (-1, 1)),
    }


def _name_under(placed: Board, cell: Cell) -> int:
    under = (cell[0] + 1, cell[1])
    if under[0] == ROWS:
        return 0
    if placed.colours[under] == _NO_COLOUR:
        return 5
    if placed.colours[under] == placed.colours[cell]:
        return 1 if placed.viruses[under] else 2
    return 4 if placed.viruses[under] else 3


def _count_room(placed: Board, cell: Cell, side: int) -> int:
    room = 0
    for other in _walk(cell, (0, side)):
        if placed.colours[other] not in (_NO_COLOUR, placed.colours[cell]):
            break
        room += 1
    return room


def _measure_step(before: Board, column: int, top_row: int) -> int:
    height = before.height(column) if 0 <= column < COLUMNS else ROWS
    return ROWS + height - (ROWS - top_row)


def _describe_settled(after: Board) -> dict[str, int]:
    """Describe the settled bottle."""
    heights = [after.height(column) for column in range(COLUMNS)]
    occupied = after.colours != _NO_COLOUR
    above, under = after.colours[:-1], after.colours[1:]
    changes = (above != under) & (above != _NO_COLOUR) & (under != _NO_COLOUR)
    values = {
        "viruses_left": int(after.viruses.sum()),
        "max_height": max(heights),
        "height_squares": sum(height**2 for height in heights) // ROWS,
        "spawn_height": sum(max(heights[column] - 8, 0) ** 2 for column in _SPAWN_COLUMNS),
        "high_stack": max(max(heights) - 10, 0) ** 2,
        "colour_changes": int(changes.sum()),
        "holes": sum(heights) - int(occupied.sum()),
        "loose_cells": int((occupied & ~after.viruses).sum()),
    }
    return (
        values | _describe_viruses(after) | _describe_tops(after, heights) | _count_windows(after)
    )


def _describe_viruses(after: Board) -> dict[str, int]:
    """Describe what lies on the viruses."""
    values = {"buried": 0, "buried_runs": 0, "open_viruses": 0}
    for cell in np.argwhere(after.viruses).tolist():
        row, column = cell
        above = after.colours[:row, column]
        others = int(((above != _NO_COLOUR) & (above != after.colours[row, column])).sum())
        occupied = [(other, column) for other in range(row + 1) if after.is_occupied(other, column)]
        runs = {min(after.run(other, (1, 0))) for other in occupied}
        values["buried"] += min(others, 6)
        values["buried_runs"] += min(len(runs) - 1, 4)
        values["open_viruses"] += others == 0
    return values


def _describe_tops(after: Board, heights: list[int]) -> dict[str, int]:
    """Count the runs on top of columns that have room to become a line."""
    names = ("top_virus_one", "top_virus_two", "top_virus_three", "top_two", "top_three")
    values = dict.fromkeys(names, 0)
    for column, height in enumerate(heights):
        if not height:
            continue
        run = after.run((ROWS - height, column), (1, 0))
        if ROWS - height < LINE - len(run):
            continue
        size = ("one", "two", "three")[min(len(run), 3) - 1]
        name = f"top_virus_{size}" if after.count_viruses(run) else f"top_{size}"
        if name in values:
            values[name] += 1
    return values


def _count_windows(after: Board) -> dict[str, int]:
    """Count four neighbouring cells of a row that hold two or three of one colour alone."""
    values = dict.fromkeys(("row_virus_two", "row_virus_three", "row_two", "row_three"), 0)
    for row in range(ROWS):
        for first in range(COLUMNS - LINE + 1):
            window = after.colours[row, first : first + LINE]
            filled = window[window != _NO_COLOUR]
            if len(filled) not in (2, 3) or len(set(filled.tolist())) != 1:
                continue
            kind = "row_virus" if after.viruses[row, first : first + LINE].any() else "row"
            values[f"{kind}_{'two' if len(filled) == 2 else 'three'}"] += 1
    return values


def _describe_next(after: Board, colours: tuple[int, int]) -> dict[str, int]:
    """Describe what the next capsule can do on the settled bottle."""
    drops = [_judge_drop(after, cells) for cells in _list_drops(after, colours)]
    viruses_left = int(after.viruses.sum())
    most = max((drop.viruses for drop in drops), default=0)
    return {
        "next_lines": max((drop.lines for drop in drops), default=0),
        "next_viruses": most,
        "next_clears_bottle": 0 < most == viruses_left,
        "next_virus_run": max((drop.virus_run for drop in drops), default=0),
        "next_runs": max((drop.runs for drop in drops), default=0),
        "next_wasted": min((drop.wasted for drop in drops), default=2),
        "next_fits": sum(not drop.wasted and not drop.covers_virus for drop in drops),
    }


def _list_drops(after: Board, colours: tuple[int, int]) -> Iterator[dict[Cell, int]]:
    """Yield the colours of both cells of each drop; a capsule of one colour has two rotations."""
    orders = {colours, colours[::-1]}
    for column in range(COLUMNS):
        lower = ROWS - after.height(column) - 1
        if lower >= 1:
            for first, second in orders:
                yield {(lower, column): first, (lower - 1, column): second}
        if column + 1 < COLUMNS:
            row = min(lower, ROWS - after.height(column + 1) - 1)
            if row >= 0:
                for first, second in orders:
                    yield {(row, column): first, (row, column + 1): second}


@dataclass(frozen=True, slots=True)
class _Drop:
    lines: int
    viruses: int
    """In these lines."""
    virus_run: int
    runs: int
    wasted: int
    covers_virus: bool


def _judge_drop(after: Board, cells: dict[Cell, int]) -> _Drop:
    colours = after.colours.copy()
    for cell, colour in cells.items():
        colours[cell] = colour
    placed = Board(colours, after.viruses)
    of_halves = [[placed.run(cell, step) for step in ((1, 0), (0, 1))] for cell in cells]
    longest = [max(len(run) for run in runs) for runs in of_halves]
    runs = {
        (step, frozenset(run))
        for half in of_halves
        for step, run in zip(("down", "across"), half, strict=True)
    }
    lines = [list(run) for _, run in runs if len(run) >= LINE]
    with_virus = [run for _, run in runs if placed.count_viruses(list(run))]
    on_floor = [row == ROWS - 1 for row, _ in cells]
    return _Drop(
        lines=len(lines),
        viruses=sum(placed.count_viruses(line) for line in lines),
        virus_run=min(max(map(len, with_virus), default=0), LINE),
        runs=sum(min(length, LINE) for length in longest),
        wasted=sum(
            length == 1 and not floor for length, floor in zip(longest, on_floor, strict=True)
        ),
        covers_virus=any(_name_under(placed, cell) == 4 for cell in cells),
    )
