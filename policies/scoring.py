"""What a straight drop is worth: hand weights over the bottle that it leaves behind.

The score of a bottle is a sum over its columns and rows, so a drop that clears nothing is scored
by the few columns and rows that it touches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from envs.game.capsule import SPAWN_X
from envs.game.layout import COLUMNS, EMPTY, ROWS, Tile
from policies.drops import LINE_LENGTH, Drop, has_line, place_capsule, settle_bottle

SPAWN_COLUMNS: Final = (SPAWN_X, SPAWN_X + 1)
"""Columns of a capsule that spawns; it lies in the top row."""

_COLOUR_MASK: Final = 0x0F
_KIND_MASK: Final = 0xF0
_EMPTY_CELL: Final = bytes([EMPTY])
_MAX_RUNS_COUNTED: Final = 4
"""Runs of other colours on top of one virus that still make it worse."""


@dataclass(frozen=True, slots=True)
class ScoreWeights:
    """Points for what a drop clears and for the bottle that is left.

    The default values are frozen: `greedy` plays with them and is the anchor of every rating
    ladder (1000 Elo points), so changing one would move all published ratings. A stronger
    heuristic gets a name of its own.

    Source: set by hand, then rounded from a cross-entropy search over solo rounds at levels 0-16.
    """

    virus: float = 16.0
    """Per virus cleared."""
    extra_line: float = 8.0
    """Per line after the first; two lines or more send garbage."""
    last_virus: float = 1000.0
    """For clearing the bottle."""
    blocked_spawn: float = -1000.0
    """For a bottle in which the next capsule tops out."""
    spawn_height: float = -0.5
    """Per spawn column: its cells above `safe_height`, squared."""
    safe_height: int = 9
    """Height in cells up to which the spawn is not in danger."""
    colour_change: float = -1.6
    """Per two neighbouring cells of a column that differ in colour."""
    buried_virus: float = -1.7
    """Per run of colour between a virus and the top of its column, at most four a virus."""
    covered_gap: float = -0.35
    """Per empty cell below an occupied one."""
    top_run: tuple[float, float, float] = (0.0, 1.0, 3.5)
    """For one, two, three of a colour on top of a column with room for a line."""
    top_virus_run: tuple[float, float, float] = (1.2, 4.0, 11.0)
    """The same for a run that holds a virus."""
    row_window: tuple[float, float] = (0.2, 0.6)
    """Per four cells of a row that hold two or three of one colour and nothing else."""
    row_virus_window: tuple[float, float] = (0.8, 1.8)
    """The same where one of them is a virus."""


ANCHOR_WEIGHTS: Final = ScoreWeights()


@dataclass(frozen=True, slots=True)
class BottleScore:
    """The scores of a bottle's columns and rows."""

    columns: tuple[float, ...]
    rows: tuple[float, ...]

    @property
    def total(self) -> float:
        """Sum over all columns and rows."""
        return sum(self.columns) + sum(self.rows)


def score_bottle(cells: bytes | bytearray, weights: ScoreWeights) -> BottleScore:
    """Score every column and row of a settled bottle of 128 tile bytes."""
    return BottleScore(
        columns=tuple(score_column(cells, column, weights) for column in range(COLUMNS)),
        rows=tuple(score_row(cells, row, weights) for row in range(ROWS)),
    )


def score_drop(
    cells: bytes,
    drop: Drop,
    colours: tuple[int, int],
    before: BottleScore,
    weights: ScoreWeights,
) -> float:
    """Return what a drop is worth.

    Args:
        cells: 128 tile bytes of the bottle before the drop.
        drop: Where the capsule comes to rest.
        colours: First and second colour of the capsule.
        before: `score_bottle` of `cells`.
        weights: Points.
    """
    after = place_capsule(cells, drop, colours)
    columns, rows = drop.columns, drop.rows
    if any(has_line(after[column::COLUMNS]) for column in columns) or any(
        has_line(after[row * COLUMNS : (row + 1) * COLUMNS]) for row in rows
    ):
        return _score_clear(after, weights)
    score = before.total
    for column in columns:
        score += score_column(after, column, weights) - before.columns[column]
    for row in rows:
        score += score_row(after, row, weights) - before.rows[row]
    return score + _score_spawn(after, weights)


def score_column(cells: bytes | bytearray, column: int, weights: ScoreWeights) -> float:
    """Score one column: danger to the spawn, what lies on its viruses, and the run on top."""
    occupied = cells[column::COLUMNS].lstrip(_EMPTY_CELL)
    height = len(occupied)
    if not height:
        return 0.0
    score = 0.0
    if column in SPAWN_COLUMNS and height > weights.safe_height:
        score += weights.spawn_height * (height - weights.safe_height) ** 2
    runs = changes = buried = gaps = 0
    previous = EMPTY
    for tile in occupied:
        if tile == EMPTY:
            gaps += 1
            previous = EMPTY
            continue
        colour = tile & _COLOUR_MASK
        if colour != previous:
            runs += 1
            changes += previous != EMPTY
            previous = colour
        if tile & _KIND_MASK == Tile.VIRUS:
            buried += min(runs - 1, _MAX_RUNS_COUNTED)
    score += weights.colour_change * changes + weights.covered_gap * gaps
    return score + weights.buried_virus * buried + _score_top_run(occupied, weights)


def score_row(cells: bytes | bytearray, row: int, weights: ScoreWeights) -> float:
    """Score one row: each four cells in which a line is still possible."""
    tiles = cells[row * COLUMNS : (row + 1) * COLUMNS]
    if tiles.count(EMPTY) > COLUMNS - 2:
        return 0.0
    score = 0.0
    for start in range(COLUMNS - LINE_LENGTH + 1):
        filled = tiles[start : start + LINE_LENGTH].replace(_EMPTY_CELL, b"")
        if len(filled) >= 2 and len({tile & _COLOUR_MASK for tile in filled}) == 1:
            points = weights.row_virus_window if _has_virus(filled) else weights.row_window
            score += points[min(len(filled), LINE_LENGTH - 1) - 2]
    return score


def _score_clear(after: bytearray, weights: ScoreWeights) -> float:
    """Score a drop that makes a line: what it clears, and the bottle once it is at rest."""
    settled = settle_bottle(after)
    score = score_bottle(settled.bottle, weights).total
    score += weights.virus * settled.viruses + weights.extra_line * (settled.lines - 1)
    if not _has_virus(settled.bottle):
        return score + weights.last_virus
    return score + _score_spawn(settled.bottle, weights)


def _score_top_run(occupied: bytes | bytearray, weights: ScoreWeights) -> float:
    """Score the run of one colour on top of a column, given from its top cell down."""
    colour = occupied[0] & _COLOUR_MASK
    length = 1
    while length < min(len(occupied), LINE_LENGTH - 1):
        tile = occupied[length]
        if tile == EMPTY or tile & _COLOUR_MASK != colour:
            break
        length += 1
    if ROWS - len(occupied) < LINE_LENGTH - length:
        return 0.0
    points = weights.top_virus_run if _has_virus(occupied[:length]) else weights.top_run
    return points[length - 1]


def _score_spawn(cells: bytes | bytearray, weights: ScoreWeights) -> float:
    blocked = any(cells[column] != EMPTY for column in SPAWN_COLUMNS)
    return weights.blocked_spawn if blocked else 0.0


def _has_virus(tiles: bytes | bytearray) -> bool:
    return any(tile & _KIND_MASK == Tile.VIRUS for tile in tiles)
