"""Turns the ASCII art of this folder into NES tiles and nametables.

`tiles.txt` holds 8x8 tiles (`;` begins a comment line): a line `= NUMBER` (hexadecimal) and eight
rows of `.` (background), `1`, `2`, `3` (colours of the palette) or `#` (the colour of a piece: such
a tile is written three times, NUMBER + 0, 1, 2 for yellow, red and blue). `title.txt`,
`options.txt` and `game.txt` are the screens: 30 rows of 32 characters by `LEGEND`, and after a line
`palettes` 15 rows of 16 palette numbers, one for each block of 2x2 tiles.
"""

from __future__ import annotations

from pathlib import Path

TILE_BYTES = 16
NUM_TILES = 512
EMPTY_TILE = 0xFF
SCREEN_ROWS, SCREEN_COLUMNS = 30, 32
SCREENS = ("title", "options", "game")

LEGEND = {" ": EMPTY_TILE}
LEGEND |= {str(digit): digit for digit in range(10)}
LEGEND |= {chr(ord("A") + index): 0x0A + index for index in range(26)}
LEGEND |= {character: 0x24 + index for index, character in enumerate("-.!:")}
LEGEND |= {character: 0x30 + index for index, character in enumerate("#{}_()/\\[]~+")}
LEGEND |= {character: 0x80 + colour for colour, character in enumerate("yrb")}
LEGEND |= {character: 0xD0 + colour for colour, character in enumerate("vwx")}
LEGEND |= {character: 0x60 + colour for colour, character in enumerate("def")}
LEGEND |= {character: 0x70 + colour for colour, character in enumerate("ghi")}


def write_graphics(source: Path, out: Path) -> None:
    """Write `tiles.chr` and one `.nam` per screen from the text files in `source` to `out`."""
    (out / "tiles.chr").write_bytes(encode_tiles((source / "tiles.txt").read_text()))
    for name in SCREENS:
        text = (source / f"{name}.txt").read_text()
        (out / f"{name}.nam").write_bytes(encode_screen(text, name))


def encode_tiles(text: str) -> bytes:
    """Encode all tiles, 16 bytes each: eight rows of bit 0, eight rows of bit 1.

    Raises:
        ValueError: A tile is not 8x8, or a number is used twice.
    """
    tiles: dict[int, bytes] = {EMPTY_TILE: bytes(TILE_BYTES)}
    blocks = text.split("\n= ")[1:]
    for block in blocks:
        head, *rows = block.rstrip("\n").split("\n")
        rows = [row for row in rows if row and not row.startswith(";")]
        number = int(head.split()[0], 16)
        if len(rows) != 8 or any(len(row) != 8 for row in rows):
            raise ValueError(f"expected 8 rows of 8 pixels, got {rows!r}, tile {head!r}")
        colours = 3 if any("#" in row for row in rows) else 1
        for colour in range(colours):
            if number + colour in tiles:
                raise ValueError(f"tile ${number + colour:02X} is drawn twice")
            tiles[number + colour] = _encode_tile(rows, str(colour + 1))
    return b"".join(tiles.get(number, bytes(TILE_BYTES)) for number in range(NUM_TILES))


def _encode_tile(rows: list[str], piece: str) -> bytes:
    pixels = [[int(pixel) for pixel in row.replace("#", piece).replace(".", "0")] for row in rows]
    return bytes(
        sum((pixel >> plane & 1) << (7 - x) for x, pixel in enumerate(row))
        for plane in (0, 1)
        for row in pixels
    )


def encode_screen(text: str, name: str) -> bytes:
    """Encode a screen as 960 tile numbers and 64 attribute bytes.

    Raises:
        ValueError: A row has the wrong length or a character is not in `LEGEND`.
    """
    picture, _, palettes = text.partition("palettes\n")
    rows = picture.split("\n")[:SCREEN_ROWS]
    rows += [""] * (SCREEN_ROWS - len(rows))
    tiles = bytearray()
    for index, row in enumerate(rows):
        if len(row) > SCREEN_COLUMNS:
            raise ValueError(f"expected at most 32 characters, got {len(row)}, {name} row {index}")
        for character in row.ljust(SCREEN_COLUMNS):
            if character not in LEGEND:
                raise ValueError(f"unknown character {character!r}, {name} row {index}")
            tiles.append(LEGEND[character])
    return bytes(tiles) + _encode_attributes(palettes.split("\n"))


def _encode_attributes(rows: list[str]) -> bytes:
    blocks = [[int(value) for value in row] for row in rows if row]
    blocks.append([0] * 16)
    attributes = bytearray()
    for y in range(0, 16, 2):
        for x in range(0, 16, 2):
            top, bottom = blocks[y], blocks[y + 1]
            attributes.append(top[x] | top[x + 1] << 2 | bottom[x] << 4 | bottom[x + 1] << 6)
    return bytes(attributes)
