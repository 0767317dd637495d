"""Starts that chance brings about too rarely: attacks, draws, ends of sets, top speed.

Each function edits a RAM image of a round at the first frame of control. Scenery is made of
viruses, which never fall.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from envs.game.layout import (
    ATTACK_COLOURS_SIZE,
    CELLS,
    COLUMNS,
    EMPTY,
    FIELD_BASES,
    MAX_SPEED_UPS,
    NUM_COLOURS,
    NUM_SEATS,
    ROWS,
    Address,
    Button,
    PlayerOffset,
    Speed,
    Tile,
    player_address,
)
from envs.game.setup import RoundSetup
from envs.game.state import encode_bcd

_O = PlayerOffset
Image = np.ndarray
Edit = Callable[[Image, np.random.Generator], None]

_SPAWN: Final = (3, 4)
"""Columns of a capsule that spawns."""


def craft_attack(ram: Image, rng: np.random.Generator) -> None:
    """Both capsules make two to six lines when they fall straight down."""
    for seat in range(NUM_SEATS):
        _put_lines(ram, seat, rng, lines=int(rng.integers(2, 7)))


def craft_stacked_attack(ram: Image, rng: np.random.Generator) -> None:
    """A seat that has garbage queued is about to queue more; the other's capsule falls slowly."""
    seat = int(rng.integers(NUM_SEATS))
    _put_lines(ram, seat, rng, lines=int(rng.integers(2, 5)))
    _write(ram, seat, _O.GARBAGE_OUT, int(rng.integers(2, 5)))
    _write(ram, seat, _O.SPEED_UPS, 30)
    _write(ram, 1 - seat, _O.SPEED, Speed.LOW)
    _put_attack_colours(ram, seat, rng)


def craft_answered_attack(ram: Image, rng: np.random.Generator) -> None:
    """A volley is under way that makes lines where it lands, and so sends one back."""
    seat = int(rng.integers(NUM_SEATS))
    colours = [int(colour) for colour in rng.permutation(NUM_COLOURS)[:2]]
    row = int(rng.integers(8, ROWS - 2))
    _empty(ram, seat)
    # Pairs of columns: a volley of four meets both colours in turn, wherever it begins.
    for column in range(COLUMNS):
        for below in range(3):
            _put_virus(ram, seat, row + below, column, colours[column // 2 % 2])
    _count_viruses(ram, seat)
    _write(ram, 1 - seat, _O.GARBAGE_OUT, int(rng.integers(3, 7)))
    for slot in range(ATTACK_COLOURS_SIZE):
        _write(ram, 1 - seat, _O.ATTACK_COLOURS + slot, colours[slot % 2])
    # On its way down the capsule must not make a line of its own.
    _write(ram, seat, _O.COLOUR_FIRST, 3 - sum(colours))
    _write(ram, seat, _O.COLOUR_SECOND, 3 - sum(colours))


def craft_crowded_top(ram: Image, rng: np.random.Generator) -> None:
    """A volley is under way to a bottle whose top row is occupied beside the spawn."""
    seat = int(rng.integers(NUM_SEATS))
    _empty(ram, seat)
    for column in range(COLUMNS):
        if column not in _SPAWN and rng.random() < 0.8:
            for row in range(int(rng.integers(1, 4))):
                _put_virus(ram, seat, row, column, (row + column) % NUM_COLOURS)
    left = FIELD_BASES[seat]
    if rng.random() < 0.5:
        ram[left : left + 2] = Tile.LEFT, Tile.RIGHT | 1
    _count_viruses(ram, seat)
    _write(ram, 1 - seat, _O.GARBAGE_OUT, int(rng.integers(2, 6)))
    _put_attack_colours(ram, 1 - seat, rng)


def craft_double_clear(ram: Image, rng: np.random.Generator) -> None:
    """Both capsules clear the last viruses, in the same frame if both seats press alike."""
    colours = rng.permutation(NUM_COLOURS)
    for seat in range(NUM_SEATS):
        _empty(ram, seat)
        _put_row_line(ram, seat, ROWS - 1, int(colours[0]), int(colours[1]))
        _count_viruses(ram, seat)
        _use_capsule(ram, seat, int(colours[0]), int(colours[1]))


def craft_clear(ram: Image, rng: np.random.Generator) -> None:
    """One capsule clears the last viruses; the other bottle is about to overflow."""
    craft_double_clear(ram, rng)
    seat = int(rng.integers(NUM_SEATS))
    _empty(ram, seat)
    _put_spawn_pile(ram, seat, int(rng.integers(1, 6)), int(rng.integers(NUM_COLOURS)))
    _count_viruses(ram, seat)


def craft_double_top_out(ram: Image, rng: np.random.Generator) -> None:
    """Both bottles overflow, in the same frame if both seats press alike."""
    row, colour = int(rng.integers(1, 5)), int(rng.integers(NUM_COLOURS))
    first, second = rng.integers(NUM_COLOURS, size=2)
    for seat in range(NUM_SEATS):
        _empty(ram, seat)
        _put_spawn_pile(ram, seat, row, colour)
        _count_viruses(ram, seat)
        _use_capsule(ram, seat, int(first), int(second))


def craft_top_speed(ram: Image, rng: np.random.Generator) -> None:
    """The speed is one step below its highest; the next step is one to three capsules away."""
    for seat in range(NUM_SEATS):
        _write(ram, seat, _O.SPEED_UPS, MAX_SPEED_UPS - 1)
        _write(ram, seat, _O.CAPSULES_LOW, 0x90 + int(rng.integers(7, 10)))
        _write(ram, seat, _O.CAPSULES_HIGH, encode_bcd(int(rng.choice([4, 9, 99]))))


def craft_scatter(ram: Image, rng: np.random.Generator) -> None:
    """Bottles full of holes and overhangs, with a few halves that lost their other half."""
    for seat in range(NUM_SEATS):
        _empty(ram, seat)
        for cell in range(3 * COLUMNS, CELLS):
            if rng.random() < 0.35:
                kind = Tile.VIRUS if rng.random() < 0.5 else Tile.SINGLE
                ram[FIELD_BASES[seat] + cell] = kind | int(rng.integers(NUM_COLOURS))
        _count_viruses(ram, seat)


@dataclass(frozen=True, slots=True)
class Crafted:
    """An edit, and how the first capsules after it are to be played."""

    edit: Edit
    pad: int = int(Button.DOWN)
    """Held until the capsule locks."""
    mirrored: bool = False
    """Both seats press alike all the time."""


CRAFTED: Final[dict[str, Crafted]] = {
    "attack": Crafted(craft_attack),
    "stacked attack": Crafted(craft_stacked_attack, pad=0),
    "answered attack": Crafted(craft_answered_attack),
    "crowded top": Crafted(craft_crowded_top),
    "double clear": Crafted(craft_double_clear, mirrored=True),
    "clear": Crafted(craft_clear),
    "double top-out": Crafted(craft_double_top_out, mirrored=True),
    "top speed": Crafted(craft_top_speed),
    "scatter": Crafted(craft_scatter),
}
"""Crafted starts by name."""


def draw_setup(rng: np.random.Generator) -> RoundSetup:
    """Draw a set-up: all levels and speeds, often the same for both seats; some solo."""
    levels = rng.integers(21, size=2)
    speeds = rng.integers(3, size=2)
    if rng.random() < 0.5:
        levels[1] = levels[0]
        speeds[1] = speeds[0]
    return RoundSetup(
        levels=(int(levels[0]), int(levels[1])),
        speeds=(Speed(int(speeds[0])), Speed(int(speeds[1]))),
        rng_word=int(rng.integers(2, 0x10000)),
        frame_offset=int(rng.integers(1000)),
        solo=bool(rng.random() < 0.05),
    )


def craft_image(ram: Image, name: str, rng: np.random.Generator) -> Image:
    """Return `ram` edited for what `name` names in `CRAFTED`, often close to the end of a set.

    Args:
        ram: A round at the first frame of control, uint8 (2048,).
        name: A key of `CRAFTED`.
        rng: Draws the details.
    """
    image = ram.copy()
    crowns = rng.integers(3, size=NUM_SEATS)
    for seat in range(NUM_SEATS):
        _write(image, seat, _O.CROWNS, int(crowns[seat]))
        _write(image, seat, _O.SPEED, Speed.HI)
    image[Address.FRAME_COUNTER] = rng.integers(256)
    CRAFTED[name].edit(image, rng)
    return image


def _put_lines(ram: Image, seat: int, rng: np.random.Generator, lines: int) -> None:
    """Make a capsule that falls straight down make 2 to 6 lines.

    Two lie across and two stand below it; the fifth and sixth are there already, in the bottom
    row, and wait for the next look at the bottle.
    """
    first, second, other = (int(colour) for colour in rng.permutation(NUM_COLOURS))
    row = int(rng.integers(6, ROWS - 4))
    _empty(ram, seat)
    _put_row_line(ram, seat, row, first, second)
    for column, colour, makes_line in ((3, first, lines > 2), (4, second, lines > 3)):
        for below in range(1, 4):
            _put_virus(ram, seat, row + below, column, colour if makes_line else other)
    for waits, columns, colour in ((lines > 4, (0, 4), other), (lines > 5, (4, 8), first)):
        for column in range(*columns) if waits else ():
            _put_virus(ram, seat, ROWS - 1, column, colour)
    # So that the round goes on.
    for column in (0, COLUMNS - 1):
        _put_virus(ram, seat, row + 1, column, other)
    _count_viruses(ram, seat)
    _use_capsule(ram, seat, first, second)


def _put_row_line(ram: Image, seat: int, row: int, first: int, second: int) -> None:
    """Leave out the two cells of a row that a falling capsule fills to two lines."""
    for column in range(3):
        _put_virus(ram, seat, row, column, first)
        _put_virus(ram, seat, row, COLUMNS - 1 - column, second)


def _put_spawn_pile(ram: Image, seat: int, row: int, colour: int) -> None:
    """Fill the spawn columns from the floor up to `row`, in changing colours."""
    for place in range(row, ROWS):
        for column in _SPAWN:
            _put_virus(ram, seat, place, column, (colour + place // 2 + column) % NUM_COLOURS)


def _put_attack_colours(ram: Image, seat: int, rng: np.random.Generator) -> None:
    for slot in range(ATTACK_COLOURS_SIZE):
        _write(ram, seat, _O.ATTACK_COLOURS + slot, int(rng.integers(NUM_COLOURS)))


def _use_capsule(ram: Image, seat: int, first: int, second: int) -> None:
    _write(ram, seat, _O.COLOUR_FIRST, first)
    _write(ram, seat, _O.COLOUR_SECOND, second)


def _put_virus(ram: Image, seat: int, row: int, column: int, colour: int) -> None:
    ram[FIELD_BASES[seat] + row * COLUMNS + column] = Tile.VIRUS | colour


def _empty(ram: Image, seat: int) -> None:
    ram[FIELD_BASES[seat] : FIELD_BASES[seat] + CELLS] = EMPTY


def _count_viruses(ram: Image, seat: int) -> None:
    """Make the virus count that of the bottle."""
    cells = ram[FIELD_BASES[seat] : FIELD_BASES[seat] + CELLS]
    viruses = int(np.count_nonzero((cells & 0xF0) == Tile.VIRUS))
    _write(ram, seat, _O.VIRUSES, encode_bcd(viruses))


def _write(ram: Image, seat: int, offset: int, value: int) -> None:
    ram[player_address(seat, PlayerOffset.STATUS) + offset] = value
