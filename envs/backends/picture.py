"""Draws the game screen from a RAM image, with the tiles of Pill Duel's own cartridge.

For backends that have no picture hardware. The picture is that of FCEUmm: 256 x 240 pixels less
eight on each side, as 24-bit RGB. `Screen` also models the console's delay: a frame shows what the
frame before left in RAM, and a bottle is redrawn one row a frame.

Source: `integrations/PillDuel-Nes-v0/src/screen.s` and `nmi.s`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from envs.backends.integrations import INES_HEADER_SIZE, PILL_DUEL, find_rom, integration_path
from envs.game.capsule import place_halves
from envs.game.layout import (
    CELLS,
    COLUMNS,
    CROWNS_TO_WIN,
    FIELD_BASES,
    NUM_SEATS,
    RAM_SIZE,
    ROWS,
    Address,
    Mode,
    NextAction,
    PillDuelAddress,
    PlayerOffset,
    Tile,
    player_address,
)

PICTURE_SHAPE: Final = (224, 240, 3)
"""Rows, columns and colours of a picture."""

_BORDER: Final = 8
"""Pixels that FCEUmm cuts off on each side."""
_TILE: Final = 8
_PRG_SIZE: Final = 0x8000
_SCREEN_ROWS, _SCREEN_COLUMNS = 30, 32
_NUM_TILES: Final = 256
_PALETTES_SIZE: Final = 32
_SCREEN_SIZE: Final = 1024
_BOTTLE_PALETTE: Final = 0
_PIECES, _TEXT = 4, 5
"""Palettes of sprites; the first four are the background's."""

# What FCEUmm shows for the NES colours that the cartridge uses.
_COLOURS: Final = {
    0x0F: 0x000000,
    0x10: 0xB8BCB8,
    0x11: 0x0070E8,
    0x16: 0xD82800,
    0x21: 0x38BCF8,
    0x28: 0xF0BC38,
    0x2C: 0x00E8D8,
    0x30: 0xF8FCF8,
}

# Places on the screen, in tiles (bottles) and pixels (sprites); one per seat.
_BOTTLE_ROW: Final = 10
_BOTTLE_COLUMNS: Final = (4, 20)
_PREVIEW_X, _PREVIEW_Y = (56, 184), 51
_LEVEL_X, _LEVEL_Y = (109, 132), 43
_VIRUSES_X, _VIRUSES_Y = (110, 131), 191
_CROWNS_X, _CROWNS_Y, _CROWN_STEP = (112, 128), 128, 16
_PAUSE_X, _PAUSE_Y = 108, 104

_GLYPH_A: Final = 0x0A
_GLYPH_CROWN: Final = 0x29
_PAUSE_WORD: Final = tuple(_GLYPH_A + ord(letter) - ord("A") for letter in "PAUSE")
_IDLE: Final = 0x80
"""`STATUS` values from here on: no row waits to be redrawn."""

_BOTTLES: Final = slice(FIELD_BASES[0], FIELD_BASES[-1] + CELLS)
"""Where both bottles lie in RAM."""

_O = PlayerOffset
_Sprite = tuple[int, int, int, int]
"""Tile, x, y in pixels, palette."""


class Screen:
    """What the console's screen shows while a game runs."""

    def __init__(self, ram: np.ndarray) -> None:
        """Show `ram` (uint8 (2048,)) with both bottles redrawn."""
        self._shown = np.array(ram)

    def advance(self, ram: np.ndarray) -> None:
        """Go on by one frame.

        Args:
            ram: The RAM before the frame, uint8 (2048,).
        """
        shown = self._shown
        bottles = shown[_BOTTLES].copy()
        shown[:] = ram
        shown[_BOTTLES] = bottles
        for seat, base in enumerate(FIELD_BASES):
            row = int(ram[player_address(seat, _O.STATUS)])
            if row < ROWS:
                cells = slice(base + row * COLUMNS, base + (row + 1) * COLUMNS)
                shown[cells] = ram[cells]

    def draw(self) -> np.ndarray:
        """Return the picture, uint8 of `PICTURE_SHAPE`."""
        return draw_picture(self._shown)


def draw_picture(ram: np.ndarray) -> np.ndarray:
    """Return the game screen that shows `ram`, with nothing left to redraw.

    Args:
        ram: RAM image, uint8 (2048,), of a round: modes 3, 4, 5, 7 and 8.

    Returns:
        uint8 of `PICTURE_SHAPE`, RGB.

    Raises:
        ValueError: The image has another size.
    """
    if ram.shape != (RAM_SIZE,):
        raise ValueError(f"expected a RAM image of shape ({RAM_SIZE},), got {ram.shape}")
    graphics = _load_graphics()
    picture = graphics.background.copy()
    for base, column in zip(FIELD_BASES, _BOTTLE_COLUMNS, strict=True):
        bottle = ram[base : base + CELLS].reshape(ROWS, COLUMNS)
        top, left = _BOTTLE_ROW * _TILE, column * _TILE
        area = picture[top : top + ROWS * _TILE, left : left + COLUMNS * _TILE]
        area[:] = _join_tiles(graphics.painted[_BOTTLE_PALETTE, bottle])
    for tile, x, y, palette in _list_sprites(ram.tolist()):
        # Colour 0 of a sprite is transparent.
        area = picture[y : y + _TILE, x : x + _TILE]
        cut = slice(area.shape[0]), slice(area.shape[1])
        opaque = graphics.opaque[tile][cut]
        area[opaque] = graphics.painted[palette, tile][cut][opaque]
    return picture[_BORDER:-_BORDER, _BORDER:-_BORDER].copy()


def _join_tiles(tiles: np.ndarray) -> np.ndarray:
    """Return one picture, (rows * 8, columns * 8, 3), of tiles (rows, columns, 8, 8, 3)."""
    rows, columns = tiles.shape[:2]
    return tiles.swapaxes(1, 2).reshape(rows * _TILE, columns * _TILE, 3)


def _list_sprites(ram: list[int]) -> Iterator[_Sprite]:
    for seat in range(NUM_SEATS):
        yield from _list_status_sprites(ram, seat)
    if ram[Address.PAUSED]:
        for place, tile in enumerate(_PAUSE_WORD):
            yield tile, _PAUSE_X + place * _TILE, _PAUSE_Y, _TEXT
    elif ram[Address.MODE] == Mode.PLAY and not ram[PillDuelAddress.PHASE]:
        for seat in range(NUM_SEATS):
            yield from _list_capsule_sprites(ram, seat)


def _list_status_sprites(ram: list[int], seat: int) -> Iterator[_Sprite]:
    """Yield level, virus count and crowns of a seat."""
    level = divmod(ram[player_address(seat, _O.LEVEL)], 10)
    viruses = divmod(ram[player_address(seat, _O.VIRUSES)], 16)
    for place in range(2):
        yield level[place], _LEVEL_X[seat] + place * _TILE, _LEVEL_Y, _TEXT
        yield viruses[place], _VIRUSES_X[seat] + place * _TILE, _VIRUSES_Y, _TEXT
    for crown in range(min(ram[player_address(seat, _O.CROWNS)], CROWNS_TO_WIN)):
        yield _GLYPH_CROWN, _CROWNS_X[seat], _CROWNS_Y - crown * _CROWN_STEP, _TEXT


def _list_capsule_sprites(ram: list[int], seat: int) -> Iterator[_Sprite]:
    """Yield the falling and the next capsule of a seat."""
    block = ram[player_address(seat, _O.STATUS) :]
    if block[_O.NEXT_ACTION] in (NextAction.FALLING, NextAction.PILL_SENT):
        colours = (block[_O.COLOUR_FIRST], block[_O.COLOUR_SECOND])
        halves = place_halves(block[_O.X], block[_O.Y], block[_O.ROTATION] & 3, colours)
        for cell, tile in halves:
            row, column = divmod(cell, COLUMNS)
            x, y = _BOTTLE_COLUMNS[seat] + column, _BOTTLE_ROW + row
            yield tile, x * _TILE, y * _TILE, _PIECES
    for place, (shape, offset) in enumerate(
        ((Tile.LEFT, _O.NEXT_FIRST), (Tile.RIGHT, _O.NEXT_SECOND))
    ):
        yield shape | block[offset], _PREVIEW_X[seat] + place * _TILE, _PREVIEW_Y, _PIECES


@dataclass(frozen=True, slots=True)
class _Graphics:
    """The cartridge's graphics, decoded."""

    background: np.ndarray
    """uint8 (240, 256, 3): the game screen with empty bottles."""
    painted: np.ndarray
    """uint8 (8, 256, 8, 8, 3): every tile by palette."""
    opaque: np.ndarray
    """bool (256, 8, 8): the pixels of a sprite that cover what lies below."""


@functools.cache
def _load_graphics() -> _Graphics:
    """Read tiles, screen and palettes out of the shipped ROM."""
    rom = find_rom(PILL_DUEL).read_bytes()[INES_HEADER_SIZE:]
    labels = (integration_path(PILL_DUEL) / "rom.mlb").read_text(encoding="ascii").split()
    offsets = {name: int(offset, 16) for _, offset, name in (line.split(":") for line in labels)}
    tiles = _decode_tiles(np.frombuffer(rom, np.uint8, _NUM_TILES * 16, _PRG_SIZE))
    palettes = np.frombuffer(rom, np.uint8, _PALETTES_SIZE, offsets["palettes"]).copy()
    palettes[::4] = palettes[0]  # colour 0 of every palette is the backdrop
    colours = b"".join(_COLOURS[int(colour)].to_bytes(3, "big") for colour in palettes)
    painted = np.frombuffer(colours, np.uint8).reshape(-1, 4, 3)[:, tiles]
    screen = np.frombuffer(rom, np.uint8, _SCREEN_SIZE, offsets["game_screen"])
    names = screen[: _SCREEN_ROWS * _SCREEN_COLUMNS].reshape(_SCREEN_ROWS, _SCREEN_COLUMNS)
    background = _join_tiles(painted[_decode_attributes(screen[names.size :]), names])
    return _Graphics(background, painted, opaque=tiles != 0)


def _decode_tiles(data: np.ndarray) -> np.ndarray:
    """Decode tiles of eight rows of bit 0 and eight rows of bit 1, to colours 0..3 (n, 8, 8)."""
    planes = np.unpackbits(data).reshape(-1, 2, _TILE, _TILE)
    return planes[:, 0] | planes[:, 1] << 1


def _decode_attributes(data: np.ndarray) -> np.ndarray:
    """Return the palette of each tile, (30, 32): a byte has four blocks of 2 x 2 tiles."""
    rows, columns = np.mgrid[:_SCREEN_ROWS, :_SCREEN_COLUMNS]
    shift = (rows >> 1 & 1) * 4 + (columns >> 1 & 1) * 2
    return np.asarray(data[(rows >> 2) * 8 + (columns >> 2)] >> shift & 3)
