"""The `planes` observation: the public position as an image of 0 and 1, acting seat first.

Array axes are (row, column, plane), row 0 on top; the acting seat's planes come first, then the
opponent's in the same order. The table of planes is in `docs/observation.md`.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, get_args

import numpy as np

from envs.game.capsule import SPAWN_X, SPAWN_Y, place_halves
from envs.game.layout import COLUMNS, EMPTY, NUM_COLOURS, NUM_SEATS, ROWS, NextAction, Tile
from envs.game.state import GameState, PlayerState

PlaneKind = Literal["bitplane", "extended"]
PLANE_KINDS: Final[tuple[PlaneKind, ...]] = get_args(PlaneKind)


class Plane(NamedTuple):
    """One plane of a bottle."""

    name: str
    meaning: str


_BITPLANES: Final = (
    Plane("yellow", "yellow virus or half in the bottle"),
    Plane("red", "red virus or half in the bottle"),
    Plane("blue", "blue virus or half in the bottle"),
    Plane("virus", "virus"),
    Plane("clearing", "matched or just cleared, not yet empty"),
    Plane("falling_yellow", "yellow half of the falling capsule, while it can be moved"),
    Plane("falling_red", "red half of the falling capsule"),
    Plane("falling_blue", "blue half of the falling capsule"),
    Plane("next_yellow", "yellow half of the next capsule, at the cells where it will spawn"),
    Plane("next_red", "red half of the next capsule"),
    Plane("next_blue", "blue half of the next capsule"),
    Plane("counters", "one counter a row, as eight bits, highest bit in column 0; see `COUNTERS`"),
)
_LINKS: Final = (
    Plane("link_below", "half joined to the half below it"),
    Plane("link_above", "half joined to the half above it"),
    Plane("link_right", "half joined to the half on its right"),
    Plane("link_left", "half joined to the half on its left"),
)
PLANES: Final[dict[PlaneKind, tuple[Plane, ...]]] = {
    "bitplane": _BITPLANES,
    "extended": (*_BITPLANES, *_LINKS),
}
"""Planes of one bottle, by kind."""

COUNTERS: Final = (
    "next_action",
    "placed_step",
    "redraw",
    "gravity",
    "gravity_index",
    "das",
    "garbage_out",
    "combo",
    "attack colours, two bits each",
    "viruses",
    "level",
    "speed",
    "crowns",
    "capsules modulo 100",
    "held",
    "frame",
)
"""The counter in each row of the `counters` plane, named as in `compact`."""

_VIRUS: Final = 3
_CLEARING: Final = 4
_FALLING: Final = 5
_NEXT: Final = _FALLING + NUM_COLOURS
_COUNTERS: Final = _NEXT + NUM_COLOURS
_LINK_TILES: Final = (Tile.TOP, Tile.BOTTOM, Tile.LEFT, Tile.RIGHT)
_CAPSULE_SHOWN: Final = (NextAction.FALLING, NextAction.PILL_SENT)


def count_planes(kind: PlaneKind) -> int:
    """Return the number of channels of `encode_planes`, both bottles together.

    Raises:
        ValueError: `kind` is unknown.
    """
    if kind not in PLANES:
        raise ValueError(f"expected a plane kind out of {', '.join(PLANE_KINDS)}, got {kind!r}")
    return NUM_SEATS * len(PLANES[kind])


def encode_planes(state: GameState, seat: int, kind: PlaneKind = "bitplane") -> np.ndarray:
    """Draw the public position for `seat`.

    Returns:
        New uint8 (16, 8, channels) of 0 and 1; `PLANES` names the channels.

    Raises:
        ValueError: `kind` is unknown.
    """
    image = np.zeros((ROWS, COLUMNS, count_planes(kind)), np.uint8)
    planes = len(PLANES[kind])
    for place, player in enumerate((state.players[seat], state.players[1 - seat])):
        half_image = image[:, :, place * planes : (place + 1) * planes]
        _draw_player(half_image, player, state.frame_counter, with_links=kind == "extended")
    return image


def _draw_player(
    image: np.ndarray, player: PlayerState, frame_counter: int, with_links: bool
) -> None:
    bottle = player.bottle
    kinds, colours = bottle & 0xF0, bottle & 0x0F
    for colour in range(NUM_COLOURS):
        image[:, :, colour] = (colours == colour) & (bottle != EMPTY)
    image[:, :, _VIRUS] = kinds == Tile.VIRUS
    image[:, :, _CLEARING] = (kinds == Tile.MATCHED) | ((kinds == Tile.CLEARED) & (bottle != EMPTY))
    if player.next_action in _CAPSULE_SHOWN:
        _draw_capsule(image, _FALLING, player.x, player.y, player.rotation, player.colours)
    _draw_capsule(image, _NEXT, SPAWN_X, SPAWN_Y, 0, player.next_colours)
    counters = np.array(_list_counters(player, frame_counter), np.uint8)
    image[:, :, _COUNTERS] = np.unpackbits(counters).reshape(ROWS, COLUMNS)
    if with_links:
        for place, tile in enumerate(_LINK_TILES):
            image[:, :, len(_BITPLANES) + place] = kinds == tile


def _draw_capsule(
    image: np.ndarray, plane: int, x: int, y: int, rotation: int, colours: tuple[int, int]
) -> None:
    for cell, tile in place_halves(x, y, rotation, colours):
        image[cell // COLUMNS, cell % COLUMNS, plane + (tile & 0x0F)] = 1


def _list_counters(player: PlayerState, frame_counter: int) -> tuple[int, ...]:
    """The values named by `COUNTERS`, each 0..255."""
    first, second, third, fourth = player.attack_colours
    return (
        player.next_action,
        player.placed_step,
        (player.status + 1) & 0xFF,
        player.gravity_counter,
        player.gravity_index,
        player.das_counter,
        player.garbage_out,
        player.combo,
        first << 6 | second << 4 | third << 2 | fourth,
        player.viruses,
        player.level,
        player.speed,
        player.crowns,
        player.capsules % 100,
        player.held,
        frame_counter,
    )
