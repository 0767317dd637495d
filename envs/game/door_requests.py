"""What the door is asked, checked: one record per verb, read from a decoded JSON object.

Nothing is accepted silently: every key of a verb must be there and no other, and every value must
be possible. The formats are in `docs/game.md`, section "The door".
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from envs.game.capsule import is_vertical
from envs.game.layout import (
    ATTACK_COLOURS_SIZE,
    CELLS,
    COLUMNS,
    EMPTY,
    FRAMES_PER_ROW,
    MAX_LEVEL,
    NUM_COLOURS,
    NUM_SEATS,
    ROWS,
    Colour,
    Tile,
)
from envs.game.placement import NUM_POSES, decode_pose
from envs.game.rules_control import capsule_fits
from envs.game.rules_versus import LINES_TO_SEND
from envs.game.setup import count_viruses

Json = Mapping[str, object]
"""A decoded JSON object."""

_HALVES: Final = (Tile.TOP, Tile.BOTTOM, Tile.LEFT, Tile.RIGHT, Tile.SINGLE)
_RESTING_TILES: Final = frozenset(
    {EMPTY} | {int(kind | colour) for kind in (*_HALVES, Tile.VIRUS) for colour in Colour}
)
_EDGES: Final = {0: Tile.RIGHT, COLUMNS - 1: Tile.LEFT}
"""By column: the half whose other half would lie outside the bottle."""
_MAX_VIRUSES: Final = count_viruses(MAX_LEVEL)


@dataclass(frozen=True, slots=True)
class SetupRequest:
    """How does a round begin?"""

    word: int
    """RNG word on entering set-up."""
    levels: tuple[int, int]

    @classmethod
    def from_json(cls, request: Json) -> SetupRequest:
        """Read `{"word", "levels"}`.

        Raises:
            ValueError: Names the field, its value and what was expected.
        """
        _check_keys(request, ("word", "levels"))
        levels = _read_integers(request, "levels", NUM_SEATS, NUM_SEATS, MAX_LEVEL)
        return cls(_read_word(request), (levels[0], levels[1]))


@dataclass(frozen=True, slots=True)
class SettleRequest:
    """What follows when a capsule locks in a pose?"""

    field: bytes
    """128 tile bytes without the capsule."""
    capsule: tuple[int, int]
    rotation: int
    x: int
    y: int
    """Height of the pivot, counted from the bottom row."""

    @classmethod
    def from_json(cls, request: Json) -> SettleRequest:
        """Read `{"field", "capsule", "pose"}`.

        Raises:
            ValueError: Names the field, its value and what was expected; also for a pose in which
                no capsule can lock.
        """
        _check_keys(request, ("field", "capsule", "pose"))
        field = _read_field(request)
        capsule = _read_capsule(request)
        pose = _read_integer(request, "pose", 0, NUM_POSES - 1)
        rotation, row, column = decode_pose(pose)
        y = ROWS - 1 - row
        _check_pose(field, pose, rotation, column, y)
        return cls(field, capsule, rotation, column, y)


@dataclass(frozen=True, slots=True)
class GarbageRequest:
    """Where does a volley land?"""

    queue: int
    """Lines that the opponent queued, 0..255."""
    frame_counter: int
    """`$43` in the frame that releases the volley."""
    colours: tuple[int, ...]
    """The opponent's attack colours, 0..4 of them."""

    @classmethod
    def from_json(cls, request: Json) -> GarbageRequest:
        """Read `{"queue", "frame_counter", "colours"}`.

        Raises:
            ValueError: Names the field, its value and what was expected.
        """
        _check_keys(request, ("queue", "frame_counter", "colours"))
        queue = _read_integer(request, "queue", 0, 0xFF)
        needed = min(queue, ATTACK_COLOURS_SIZE) if queue >= LINES_TO_SEND else 0
        colours = _read_integers(request, "colours", needed, ATTACK_COLOURS_SIZE, NUM_COLOURS - 1)
        return cls(queue, _read_integer(request, "frame_counter", 0, 0xFF), colours)


@dataclass(frozen=True, slots=True)
class ReachRequest:
    """Where can a capsule lock that has just appeared?"""

    field: bytes
    """128 tile bytes."""
    capsule: tuple[int, int]
    speed_index: int
    """Index into `FRAMES_PER_ROW`, 0..80."""
    frame_counter: int
    """`$43` before the first frame."""

    @classmethod
    def from_json(cls, request: Json) -> ReachRequest:
        """Read `{"field", "capsule", "speed_index", "frame_counter"}`.

        Raises:
            ValueError: Names the field, its value and what was expected.
        """
        _check_keys(request, ("field", "capsule", "speed_index", "frame_counter"))
        return cls(
            _read_field(request),
            _read_capsule(request),
            _read_integer(request, "speed_index", 0, len(FRAMES_PER_ROW) - 1),
            _read_integer(request, "frame_counter", 0, 0xFF),
        )


def _check_keys(request: Json, keys: tuple[str, ...]) -> None:
    expected = f"expected an object with the keys {', '.join(keys)}"
    for key in request:
        if key not in keys:
            near = difflib.get_close_matches(key, keys, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"{expected}, got {key!r}{hint}")
    missing = [key for key in keys if key not in request]
    if missing:
        raise ValueError(f"{expected}, got none for {', '.join(missing)}")


def _read_integer(request: Json, name: str, low: int, high: int) -> int:
    value = request[name]
    if not _is_integer(value, low, high):
        raise ValueError(f"expected {name} to be an integer {low}..{high}, got {value!r}")
    return int(value)  # type: ignore[call-overload,no-any-return]


def _read_integers(
    request: Json, name: str, shortest: int, longest: int, high: int
) -> tuple[int, ...]:
    value = request[name]
    fits = isinstance(value, list) and shortest <= len(value) <= longest
    if not fits or not all(_is_integer(item, 0, high) for item in value):  # type: ignore[attr-defined]
        count = str(longest) if shortest == longest else f"{shortest}..{longest}"
        raise ValueError(
            f"expected {name} to be a list of {count} integers 0..{high}, got {value!r}"
        )
    return tuple(value)  # type: ignore[arg-type]


def _is_integer(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _read_word(request: Json) -> int:
    value = request["word"]
    word = value
    if isinstance(value, str):
        digits = value.removeprefix("0x").removeprefix("0X")
        word = int(digits, 16) if _is_hexadecimal(digits) else None
    if not _is_integer(word, 2, 0xFFFF):
        raise ValueError(
            "expected word to be an integer 2..65535 or its hexadecimal digits as a string, "
            f"got {value!r}"
        )
    return int(word)  # type: ignore[call-overload,no-any-return]


def _read_capsule(request: Json) -> tuple[int, int]:
    first, second = _read_integers(request, "capsule", 2, 2, NUM_COLOURS - 1)
    return first, second


def _read_field(request: Json) -> bytes:
    value = request["field"]
    if not isinstance(value, str) or len(value) != 2 * CELLS or not _is_hexadecimal(value):
        raise ValueError(f"expected field to be {2 * CELLS} hexadecimal digits, got {value!r}")
    field = bytes.fromhex(value)
    for cell, tile in enumerate(field):
        if tile not in _RESTING_TILES or tile & 0xF0 == _EDGES.get(cell % COLUMNS):
            place = f"row {cell // COLUMNS}, column {cell % COLUMNS}"
            raise ValueError(
                f"expected field to hold halves (4x to 8x), viruses (Dx), colours 0..2 and FF, no "
                f"pair across an edge, got {tile:02X} in {place}"
            )
    viruses = sum(tile & 0xF0 == Tile.VIRUS for tile in field)
    if viruses > _MAX_VIRUSES:
        raise ValueError(f"expected field to hold at most {_MAX_VIRUSES} viruses, got {viruses}")
    return field


def _is_hexadecimal(text: str) -> bool:
    return bool(text) and set(text) <= set("0123456789abcdefABCDEF")


def _check_pose(field: bytes, pose: int, rotation: int, x: int, y: int) -> None:
    cells, upright = bytearray(field), is_vertical(rotation)
    if not capsule_fits(cells, 0, x, y, upright):
        expected = "on empty cells inside the bottle"
    elif capsule_fits(cells, 0, x, y - 1, upright):
        expected = "on something that holds it, or on the floor"
    else:
        return
    place = f"rotation {rotation}, row {ROWS - 1 - y}, column {x}"
    raise ValueError(f"expected pose to rest {expected}, got {pose} ({place})")
