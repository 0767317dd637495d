"""What a drop is worth."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envs.game.layout import COLUMNS, ROWS
from envs.game.position import parse_bottle
from policies.drops import Drop, find_column_tops, list_drops, place_capsule
from policies.scoring import (
    ANCHOR_WEIGHTS,
    ScoreWeights,
    score_bottle,
    score_column,
    score_drop,
    score_row,
)

NOTHING = ScoreWeights(
    virus=0.0,
    extra_line=0.0,
    last_virus=0.0,
    blocked_spawn=0.0,
    spawn_height=0.0,
    safe_height=8,
    colour_change=0.0,
    buried_virus=0.0,
    covered_gap=0.0,
    top_run=(0.0, 0.0, 0.0),
    top_virus_run=(0.0, 0.0, 0.0),
    row_window=(0.0, 0.0),
    row_virus_window=(0.0, 0.0),
)


def only(**weights: object) -> ScoreWeights:
    return replace(NOTHING, **weights)  # type: ignore[arg-type]


def column_score(text: str, weights: ScoreWeights, column: int = 0) -> float:
    """Score a column given from the top down, `.` for an empty cell."""
    cells = bytearray(parse_bottle("8/" * 15 + "8"))
    for offset, sign in enumerate(reversed(text)):
        if sign != ".":
            tile = parse_bottle("8/" * 15 + f"{sign}7")[-COLUMNS]
            cells[(ROWS - 1 - offset) * COLUMNS + column] = tile
    return score_column(cells, column, weights)


def row_score(text: str, weights: ScoreWeights) -> float:
    return score_row(parse_bottle("8/" * 15 + text), ROWS - 1, weights)


def test_an_empty_bottle_is_worth_nothing() -> None:
    assert score_bottle(parse_bottle("8/" * 15 + "8"), ANCHOR_WEIGHTS).total == 0


@pytest.mark.parametrize(("column", "expected"), [(2, 0.0), (3, -4.0), (4, -4.0), (5, 0.0)])
def test_only_the_spawn_columns_may_not_grow(column: int, expected: float) -> None:
    weights = only(spawn_height=-1.0)
    assert column_score("rb" * 5, weights, column) == expected


def test_colour_changes_are_counted_between_neighbours() -> None:
    assert column_score("rrb.yB", only(colour_change=-1.0)) == -2


def test_each_virus_counts_the_runs_above_it() -> None:
    assert column_score("rrbYY", only(buried_virus=-1.0)) == -4


def test_gaps_below_an_occupied_cell_count() -> None:
    assert column_score("r..b", only(covered_gap=-1.0)) == -2


@pytest.mark.parametrize(
    ("text", "expected"), [("rb", 1.0), ("rrb", 2.0), ("rrrb", 3.0), ("rRb", 20.0), ("r.r", 1.0)]
)
def test_the_run_on_top_counts_by_length_and_virus(text: str, expected: float) -> None:
    weights = only(top_run=(1.0, 2.0, 3.0), top_virus_run=(10.0, 20.0, 30.0))
    assert column_score(text, weights) == expected


def test_a_run_without_room_for_its_line_counts_nothing() -> None:
    weights = only(top_run=(1.0, 2.0, 3.0))
    assert column_score("rr" + "by" * 6, weights) == 2
    assert column_score("rr" + "by" * 6 + "b", weights) == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [("rr6", 1.0), ("rrr5", 3.0), ("r1R1b3", 10.0), ("rRr1b3", 20.0), ("rb6", 0.0), ("r7", 0)],
)
def test_row_windows_hold_one_colour_and_nothing_else(text: str, expected: float) -> None:
    assert row_score(text, only(row_window=(1.0, 2.0), row_virus_window=(10.0, 20.0))) == expected


def test_a_drop_without_a_line_changes_the_score_by_what_it_touches() -> None:
    cells = parse_bottle("8/" * 12 + "3Y4/1b2R3/1B2b3/2Y1R2y")
    before = score_bottle(cells, ANCHOR_WEIGHTS)
    for drop in list_drops(find_column_tops(cells), one_colour=False):
        after = score_bottle(place_capsule(cells, drop, (0, 1)), ANCHOR_WEIGHTS).total
        assert score_drop(cells, drop, (0, 1), before, ANCHOR_WEIGHTS) == pytest.approx(after)


def test_clearing_pays_by_virus_line_and_end() -> None:
    weights = only(virus=1.0, extra_line=10.0, last_virus=100.0)

    def score(text: str, drop: Drop, colours: tuple[int, int]) -> float:
        cells = parse_bottle(text)
        return score_drop(cells, drop, colours, score_bottle(cells, weights), weights)

    one_left = "8/" * 12 + "8/r7/r6Y/R7"
    assert score(one_left, Drop(1, 0, 12), (1, 1)) == 1
    assert score("8/" * 13 + "r7/r7/R7", Drop(1, 0, 12), (1, 1)) == 101
    both_lines = "8/" * 12 + "8/rb6/rb5Y/RB6"
    assert score(both_lines, Drop(0, 0, 12), (1, 2)) == 12


def test_blocking_the_spawn_is_punished() -> None:
    cells = parse_bottle("8/" * 15 + "Y7")
    weights = only(blocked_spawn=-5.0)
    before = score_bottle(cells, weights)
    assert score_drop(cells, Drop(0, 2, 0), (0, 1), before, weights) == -5
    assert score_drop(cells, Drop(0, 1, 0), (0, 1), before, weights) == 0
