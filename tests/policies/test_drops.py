"""Straight drops and what becomes of the bottle, held against the reference rules."""

from __future__ import annotations

import numpy as np
import pytest

from envs.game.layout import CELLS, COLUMNS, EMPTY, ROWS, NextAction, Tile
from envs.game.position import format_bottle, parse_bottle
from envs.game.setup import fill_reserve, place_viruses, seed_to_word
from policies.drops import (
    Drop,
    find_column_tops,
    has_line,
    list_drops,
    place_capsule,
    settle_bottle,
)
from tests.game_drivers import Game, ReferenceMachine

EMPTY_ROWS = "8/" * 12


def settle(text: str) -> tuple[str, int, int]:
    settled = settle_bottle(bytearray(parse_bottle(text)))
    return format_bottle(settled.bottle), settled.lines, settled.viruses


def test_column_tops_are_the_highest_occupied_cells() -> None:
    bottle = parse_bottle("8/" * 14 + "1r6/Y7")
    assert find_column_tops(bottle) == [15, 14, *[16] * 6]


def test_an_empty_bottle_has_every_drop_once() -> None:
    drops = list(list_drops([ROWS] * COLUMNS, one_colour=False))
    assert len(drops) == len(set(drops)) == 2 * 7 + 2 * 8
    assert {drop.row for drop in drops} == {ROWS - 1}


def test_one_coloured_capsules_have_no_repeated_drops() -> None:
    drops = list(list_drops([ROWS] * COLUMNS, one_colour=True))
    assert {drop.rotation for drop in drops} == {0, 1}


def test_full_columns_take_no_capsule() -> None:
    tops = [ROWS] * COLUMNS
    tops[5] = 0
    columns = {(drop.rotation, drop.column) for drop in list_drops(tops, one_colour=True)}
    assert columns.isdisjoint({(1, 5), (0, 4), (0, 5)})


def test_lying_capsule_rests_on_the_higher_column() -> None:
    tops = [ROWS, 9, *[ROWS] * 6]
    lying = [drop for drop in list_drops(tops, one_colour=True) if drop.rotation == 0]
    rows = {drop.column: drop.row for drop in lying}
    assert rows == {0: 8, 1: 8, 2: 15, 3: 15, 4: 15, 5: 15, 6: 15}


@pytest.mark.parametrize(
    ("rotation", "cells"),
    [
        (0, {121: Tile.LEFT | 1, 122: Tile.RIGHT | 2}),
        (1, {121: Tile.BOTTOM | 1, 113: Tile.TOP | 2}),
        (2, {121: Tile.LEFT | 2, 122: Tile.RIGHT | 1}),
        (3, {121: Tile.BOTTOM | 2, 113: Tile.TOP | 1}),
    ],
)
def test_halves_lie_as_the_rotation_says(rotation: int, cells: dict[int, int]) -> None:
    stamped = place_capsule(bytes([EMPTY]) * CELLS, Drop(rotation, 1, 15), (1, 2))
    assert {cell: tile for cell, tile in enumerate(stamped) if tile != EMPTY} == cells


def test_standing_capsule_in_the_top_row_loses_its_upper_half() -> None:
    stamped = place_capsule(bytes([EMPTY]) * CELLS, Drop(1, 0, 0), (1, 2))
    assert [tile & 15 for tile in stamped if tile != EMPTY] == [1]


def test_covered_columns_and_rows() -> None:
    assert (Drop(0, 2, 9).columns, Drop(0, 2, 9).rows) == (range(2, 4), range(9, 10))
    assert (Drop(1, 2, 9).columns, Drop(1, 2, 9).rows) == (range(2, 3), range(8, 10))
    assert Drop(1, 2, 0).rows == range(1)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [("YyYy4", True), ("yyy1y3", False), ("2rbbbb1", True), ("8", False), ("rrr5", False)],
)
def test_lines_need_four_of_a_colour_side_by_side(cells: str, expected: bool) -> None:
    row = parse_bottle("8/" * 15 + cells)[-COLUMNS:]
    assert has_line(row) is expected


def test_a_line_clears_and_counts_its_viruses() -> None:
    assert settle("8/" * 15 + "YyYy4") == ("8/" * 15 + "8", 1, 2)


def test_a_long_line_is_one_line() -> None:
    assert settle("8/" * 15 + "yyyyyy2") == ("8/" * 15 + "8", 1, 0)


def test_crossing_lines_both_count() -> None:
    text = EMPTY_ROWS + "r7/r7/r7/rrrr4"
    assert settle(text) == (EMPTY_ROWS + "8/8/8/8", 2, 0)


def test_a_half_that_loses_its_partner_falls_alone() -> None:
    text = "8/" * 13 + "8/rrr<r>b3/8"
    assert settle(text) == ("8/" * 13 + "8/8/4b3", 1, 0)


def test_a_pair_falls_only_together() -> None:
    text = "8/" * 12 + "<y>b6/bbbb4/1R6/8"
    assert settle(text) == ("8/" * 12 + "8/<y>b6/1R6/8", 1, 0)


def test_cascades_are_counted_too() -> None:
    text = "8/" * 13 + "3y4/bbbb4/yyy1Y3"
    assert settle(text) == ("8/" * 15 + "8", 2, 1)


def play_out(game: Game, cells: bytes, drop: Drop, colours: tuple[int, int]) -> tuple[bytes, int]:
    """Lock the capsule at `drop` under the reference rules: the bottle at rest, and the lines."""
    game.start()
    game.set_up_board(0, cells)
    game.place_capsule(0, drop.column, ROWS - 1 - drop.row, drop.rotation, colours)
    game.lock_now(0)
    lines = 0
    while game.player(0).next_action == NextAction.PLACED:
        lines = game.player(0).combo
        game.step()
    return game.player(0).cells, max(lines, game.player(0).combo)


def test_settling_agrees_with_the_reference_rules() -> None:
    game = Game(ReferenceMachine())
    rng = np.random.default_rng(5)
    compared = cleared = 0
    for seed in range(6):
        reserve, word = fill_reserve(seed_to_word(seed))
        cells = place_viruses((8, 8), word).fields[0].tobytes()
        for capsule in reserve[:25]:
            colours = divmod(int(capsule), 3)
            drops = list(list_drops(find_column_tops(cells), one_colour=colours[0] == colours[1]))
            outcomes = [settle_bottle(place_capsule(cells, drop, colours)) for drop in drops]
            # Drops that clear most, or any other one: random play alone would hardly clear.
            best = max(range(len(drops)), key=lambda i: (outcomes[i].lines, rng.random()))
            expected, lines = play_out(game, cells, drops[best], colours)
            assert format_bottle(outcomes[best].bottle) == format_bottle(expected)
            assert outcomes[best].lines == lines
            compared, cleared = compared + 1, cleared + (lines > 0)
            cells = outcomes[best].bottle
            if cells[3] != EMPTY or cells[4] != EMPTY:
                break
    assert compared > 100
    assert cleared > 15
