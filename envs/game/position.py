"""The one-line text form of a position: prints and parses a whole `GameState`.

Used in errors, golden files, tests and `league play`. The line has three parts separated by
` | `: the shared counters, seat 0, seat 1; each is a run of `key=value` words in fixed order.

A bottle is written row by row from the top, rows separated by `/`. A digit is a run of empty
cells; `Y R B` are viruses, `y r b` single halves; a sign in front of a small letter makes it
another tile: `^` top half, `_` bottom half, `<` left half, `>` right half, `*` matched, `~` just
cleared. A byte that is no tile of a round is `?` and two hex digits.
"""

from __future__ import annotations

import re
from typing import Any, Final

from envs.game.layout import ATTACK_COLOURS_SIZE, CELLS, COLUMNS, EMPTY, ROWS, Colour, Tile
from envs.game.state import GameState, PlayerState

_PART_SEPARATOR: Final = " | "
_SIGNS: Final = {
    Tile.SINGLE: "",
    Tile.TOP: "^",
    Tile.BOTTOM: "_",
    Tile.LEFT: "<",
    Tile.RIGHT: ">",
    Tile.MATCHED: "*",
    Tile.CLEARED: "~",
}
_COLOUR_LETTERS: Final[dict[int, str]] = {Colour.YELLOW: "y", Colour.RED: "r", Colour.BLUE: "b"}

_TILE_TEXTS: Final[dict[int, str]] = {
    tile | colour: sign + letter
    for tile, sign in _SIGNS.items()
    for colour, letter in _COLOUR_LETTERS.items()
} | {Tile.VIRUS | colour: letter.upper() for colour, letter in _COLOUR_LETTERS.items()}
_TILE_BYTES: Final = {text: tile for tile, text in _TILE_TEXTS.items()}
_CELL_PATTERN: Final = re.compile(r"[1-8]|\?[0-9A-F]{2}|[\^_<>*~]?[yrb]|[YRB]")

_HEADER_KEYS: Final = {
    "mode": "mode",
    "frame": "frame_counter",
    "rng": "rng_word",
    "cleared": "who_cleared",
    "failed": "who_failed",
    "paused": "paused",
}
_NUMBER_KEYS: Final = {
    "x": "x",
    "y": "y",
    "rotation": "rotation",
    "action": "next_action",
    "step": "placed_step",
    "status": "status",
    "fail": "topped_out",
    "speed": "speed",
    "ups": "speed_ups",
    "gravity": "gravity_counter",
    "das": "das_counter",
    "garbage": "garbage_out",
    "combo": "combo",
    "capsules": "capsules",
    "viruses": "viruses",
    "level": "level",
    "crowns": "crowns",
    "held": "held",
    "index": "reserve_index",
}
_COLOUR_KEYS: Final = {
    "capsule": ("colours", 2),
    "next": ("next_colours", 2),
    "attack": ("attack_colours", ATTACK_COLOURS_SIZE),
}
_PLAYER_WORDS: Final = ("bottle", *_COLOUR_KEYS, *_NUMBER_KEYS)


def format_position(state: GameState) -> str:
    """Return the text line of `state`; `parse_position` gives the same state back."""
    header = " ".join(f"{key}={int(getattr(state, name))}" for key, name in _HEADER_KEYS.items())
    return _PART_SEPARATOR.join([header, *(_format_player(player) for player in state.players)])


def parse_position(line: str) -> GameState:
    """Return the state that `line` shows.

    Raises:
        ValueError: The line is malformed; names the part, what was expected and the whole line.
    """
    parts = line.strip().split(_PART_SEPARATOR)
    if len(parts) != 3:
        raise ValueError(f"expected 3 parts separated by ' | ', got {len(parts)}: {line!r}")
    try:
        header = _parse_words(parts[0], tuple(_HEADER_KEYS))
        numbers = {name: _parse_number(key, header[key]) for key, name in _HEADER_KEYS.items()}
        left, right = (_parse_player(part) for part in parts[1:])
    except ValueError as error:
        raise ValueError(f"{error}, in position {line!r}") from None
    paused = bool(numbers.pop("paused"))
    return GameState(players=(left, right), paused=paused, **numbers)


def format_bottle(cells: bytes) -> str:
    """Return the text of a bottle's 128 tile bytes."""
    rows = (cells[start : start + COLUMNS] for start in range(0, CELLS, COLUMNS))
    return "/".join(_format_row(row) for row in rows)


def parse_bottle(text: str) -> bytes:
    """Return the 128 tile bytes that `text` shows.

    Raises:
        ValueError: Wrong number of rows or cells, or an unknown sign.
    """
    rows = text.split("/")
    if len(rows) != ROWS:
        raise ValueError(f"expected {ROWS} bottle rows, got {len(rows)}")
    return b"".join(_parse_row(number, row) for number, row in enumerate(rows))


def _format_row(row: bytes) -> str:
    text, run = "", 0
    for tile in row:
        if tile == EMPTY:
            run += 1
            continue
        text += (str(run) if run else "") + _format_tile(tile)
        run = 0
    return text + (str(run) if run else "")


def _format_tile(tile: int) -> str:
    return _TILE_TEXTS.get(tile, f"?{tile:02X}")


def _parse_row(number: int, row: str) -> bytes:
    cells, position = bytearray(), 0
    while position < len(row):
        match = _CELL_PATTERN.match(row, position)
        if match is None:
            raise ValueError(f"expected a cell in bottle row {number}, got {row[position:]!r}")
        text = match.group()
        cells += bytes([EMPTY]) * int(text) if text.isdigit() else bytes([_parse_tile(text)])
        position = match.end()
    if len(cells) != COLUMNS:
        raise ValueError(f"expected {COLUMNS} cells in bottle row {number}, got {len(cells)}")
    return bytes(cells)


def _parse_tile(text: str) -> int:
    return int(text[1:], 16) if text.startswith("?") else _TILE_BYTES[text]


def _format_player(player: PlayerState) -> str:
    words = {"bottle": format_bottle(player.cells)}
    for key, (name, _) in _COLOUR_KEYS.items():
        words[key] = _format_colours(getattr(player, name))
    for key, name in _NUMBER_KEYS.items():
        words[key] = str(getattr(player, name))
    return " ".join(f"{key}={value}" for key, value in words.items())


def _parse_player(part: str) -> PlayerState:
    words = _parse_words(part, _PLAYER_WORDS)
    values: dict[str, Any] = {
        name: _parse_number(key, words[key]) for key, name in _NUMBER_KEYS.items()
    }
    for key, (name, length) in _COLOUR_KEYS.items():
        values[name] = _parse_colours(key, words[key], length)
    return PlayerState(cells=parse_bottle(words["bottle"]), **values)


def _format_colours(colours: tuple[int, ...]) -> str:
    return "".join(_COLOUR_LETTERS.get(colour, f"?{colour:02X}") for colour in colours)


def _parse_colours(key: str, text: str, length: int) -> tuple[int, ...]:
    found = re.findall(r"\?[0-9A-F]{2}|[yrb]", text)
    if "".join(found) != text or len(found) != length:
        raise ValueError(f"expected {key} to be {length} colours out of y r b, got {text!r}")
    letters = {letter: int(colour) for colour, letter in _COLOUR_LETTERS.items()}
    return tuple(letters[item] if item in letters else int(item[1:], 16) for item in found)


def _parse_words(part: str, keys: tuple[str, ...]) -> dict[str, str]:
    words = dict(word.partition("=")[::2] for word in part.split())
    if tuple(words) != keys:
        raise ValueError(f"expected the words {' '.join(keys)}, got {' '.join(words)}")
    return words


def _parse_number(key: str, text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"expected {key} to be a number, got {text!r}")
    return int(text)
