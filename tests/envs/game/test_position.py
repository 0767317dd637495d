"""The one-line text form of a position."""

from __future__ import annotations

import numpy as np
import pytest

from envs.game.layout import EMPTY, RAM_SIZE, Colour, Tile
from envs.game.position import format_bottle, format_position, parse_bottle, parse_position
from envs.game.state import GameState

EMPTY_BOTTLE = "/".join(["8"] * 16)


def random_state(seed: int) -> GameState:
    """A decoded RAM image of random bytes with BCD counters and flags a console could hold."""
    ram = np.random.default_rng(seed).integers(0, 256, RAM_SIZE).astype(np.uint8)
    ram[[0x55, 0x61]] %= 3
    return GameState.from_ram(ram)


@pytest.mark.parametrize("seed", range(30))
def test_any_state_survives_the_line(seed: int) -> None:
    state = random_state(seed)
    line = format_position(state)
    assert "\n" not in line
    assert parse_position(line) == state
    assert format_position(parse_position(line)) == line


def test_every_tile_of_a_round_has_its_own_short_text() -> None:
    tiles = [tile | colour for tile in Tile for colour in Colour]
    cells = bytes([*tiles, *[EMPTY] * (128 - len(tiles))])
    text = format_bottle(cells)
    assert "?" not in text
    assert parse_bottle(text) == cells
    assert text.startswith("^y^r^b_y_r_b<y<r/<b>y>r>byrb*y/*r*bYRB~y~r~b/8/8")


def test_bottle_text_is_read_from_the_top_row() -> None:
    cells = parse_bottle("/".join(["8"] * 14 + ["2<y>r4", "R6Y"]))
    assert cells[14 * 8 : 14 * 8 + 4] == bytes([EMPTY, EMPTY, Tile.LEFT | 0, Tile.RIGHT | 1])
    assert cells[120] == Tile.VIRUS | 1
    assert cells[127] == Tile.VIRUS | 0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (" | ", " / ", "expected 3 parts"),
        ("mode=", "mood=", "expected the words mode frame"),
        (EMPTY_BOTTLE, "8/8", "expected 16 bottle rows, got 2"),
        (EMPTY_BOTTLE, EMPTY_BOTTLE[:-1] + "7", "expected 8 cells in bottle row 15, got 7"),
        (EMPTY_BOTTLE, EMPTY_BOTTLE[:-1] + "7k", "expected a cell in bottle row 15, got 'k'"),
        ("capsule=yy", "capsule=y", "expected capsule to be 2 colours"),
        ("x=0", "x=-1", "expected x to be a number"),
    ],
)
def test_broken_lines_name_part_and_line(old: str, new: str, message: str) -> None:
    ram = np.zeros(RAM_SIZE, np.uint8)
    ram[0x0400:0x0600] = EMPTY
    line = format_position(GameState.from_ram(ram)).replace(old, new)
    with pytest.raises(ValueError, match=message) as error:
        parse_position(line)
    assert repr(line) in str(error.value)
