"""The `compact` observation: the public position as one flat byte vector, own bottle first.

It decodes back to a `GameState`; nothing of the capsule reserve or the RNG is in it. The table of
fields is in `docs/observation.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from envs.game.layout import (
    CELLS,
    COLUMNS,
    EMPTY,
    FIELD_BASES,
    MAX_LEVEL,
    MAX_SPEED_UPS,
    NUM_COLOURS,
    NUM_SEATS,
    PLAYER_BASES,
    ROWS,
    SPEED_BASES,
    Address,
    Mode,
    Tile,
)
from envs.game.layout import PlayerOffset as Offset
from envs.game.state import PAD_HELD, GameState, PlayerState, decode_bcd

CELL_KINDS: Final = (
    Tile.VIRUS,
    Tile.SINGLE,
    Tile.TOP,
    Tile.BOTTOM,
    Tile.LEFT,
    Tile.RIGHT,
    Tile.MATCHED,
    Tile.CLEARED,
)
"""Cell code = 3 * place in this list + colour + 1; 0 is an empty cell."""
NUM_CELL_CODES: Final = 1 + NUM_COLOURS * len(CELL_KINDS)

_TILE_OF_CODE: Final = bytes(
    [EMPTY, *(tile | colour for tile in CELL_KINDS for colour in range(NUM_COLOURS))]
)
_CODE_OF_TILE: Final = bytes(max(_TILE_OF_CODE.find(tile), 0) for tile in range(256))
"""Cell code by tile byte; a byte that is no tile of a round (a text box) shows as empty."""


class _Scalar(NamedTuple):
    """One byte of `compact` per player."""

    name: str
    source: Offset | int
    """Offset in the player block of the RAM image, or `_PAD`."""
    table: bytes
    """Value shown, by RAM byte."""
    high: int
    doc: str


_PAD: Final = -1
_SAME: Final = bytes(range(256))
_FROM_BCD: Final = bytes(decode_bcd(value) & 0xFF for value in range(256))
_PLUS_ONE: Final = bytes((value + 1) & 0xFF for value in range(256))
_SPEED_BASE: Final = bytes([*SPEED_BASES, *[SPEED_BASES[-1]] * (256 - len(SPEED_BASES))])

_SCALARS: Final = (
    _Scalar("first", Offset.COLOUR_FIRST, _SAME, 2, "falling capsule, first colour"),
    _Scalar("second", Offset.COLOUR_SECOND, _SAME, 2, "falling capsule, second colour"),
    _Scalar("next_first", Offset.NEXT_FIRST, _SAME, 2, "next capsule, first colour"),
    _Scalar("next_second", Offset.NEXT_SECOND, _SAME, 2, "next capsule, second colour"),
    _Scalar("x", Offset.X, _SAME, COLUMNS - 1, "falling capsule, left column"),
    _Scalar("y", Offset.Y, _SAME, ROWS - 1, "falling capsule, lower cell, 0 is the bottom row"),
    _Scalar("rotation", Offset.ROTATION, _SAME, 3, "falling capsule, rotation"),
    _Scalar("next_action", Offset.NEXT_ACTION, _SAME, 6, "0 while the capsule can be moved"),
    _Scalar("placed_step", Offset.PLACED_STEP, _SAME, 8, "step of the pipeline after a lock"),
    _Scalar("redraw", Offset.STATUS, _PLUS_ONE, ROWS, "frames until the next fall pass may run"),
    _Scalar("topped_out", Offset.TOPPED_OUT, _SAME, 1, "1 when this seat topped out"),
    _Scalar("speed", Offset.SPEED, _SAME, 2, "speed: 0 LOW, 1 MED, 2 HI"),
    _Scalar("speed_ups", Offset.SPEED_UPS, _SAME, MAX_SPEED_UPS, "speed-ups so far"),
    _Scalar("gravity_index", Offset.SPEED, _SPEED_BASE, 80, "index of the frames a row takes"),
    _Scalar("gravity", Offset.GRAVITY_COUNTER, _SAME, 70, "frames since the last row"),
    _Scalar("das", Offset.DAS_COUNTER, _SAME, 16, "auto-repeat counter of left and right"),
    _Scalar("garbage_out", Offset.GARBAGE_OUT, _SAME, 255, "garbage queued for the opponent"),
    _Scalar("attack_1", Offset.ATTACK_COLOURS, _SAME, 2, "colour of the first line"),
    _Scalar("attack_2", Offset.ATTACK_COLOURS + 1, _SAME, 2, "colour of the second line"),
    _Scalar("attack_3", Offset.ATTACK_COLOURS + 2, _SAME, 2, "colour of the third line"),
    _Scalar("attack_4", Offset.ATTACK_COLOURS + 3, _SAME, 2, "colour of the fourth line"),
    _Scalar("combo", Offset.COMBO, _SAME, 255, "lines cleared by this capsule so far"),
    _Scalar("capsules_high", Offset.CAPSULES_HIGH, _FROM_BCD, 99, "capsules drawn, hundreds"),
    _Scalar("capsules_low", Offset.CAPSULES_LOW, _FROM_BCD, 99, "capsules drawn, below hundred"),
    _Scalar("viruses", Offset.VIRUSES, _FROM_BCD, 84, "viruses left"),
    _Scalar("level", Offset.LEVEL, _SAME, MAX_LEVEL, "virus level"),
    _Scalar("crowns", Offset.CROWNS, _SAME, 4, "rounds won in this set"),
    _Scalar("held", _PAD, _SAME, 255, "pad buttons held in the last frame, as bits"),
)
_SCALAR_PLACE: Final = {scalar.name: place for place, scalar in enumerate(_SCALARS)}
_NUM_SCALARS: Final = len(_SCALARS)
_GLOBALS: Final = (
    (Address.MODE, "mode", max(Mode), "mode of the program: 4 while a round is played"),
    (Address.FRAME_COUNTER, "frame", 255, "frame counter; odd frames allow the soft drop"),
)


@dataclass(frozen=True, slots=True)
class CompactField:
    """One named run of bytes in the `compact` vector."""

    name: str
    offset: int
    size: int
    high: int
    """Largest value in a round; the smallest is 0."""
    doc: str


def _list_compact_fields() -> tuple[CompactField, ...]:
    entries = [
        ("own.cells", CELLS, NUM_CELL_CODES - 1, "own bottle, cell codes row by row from the top"),
        ("opponent.cells", CELLS, NUM_CELL_CODES - 1, "the opponent's bottle"),
    ]
    for owner in ("own", "opponent"):
        entries += [(f"{owner}.{item.name}", 1, item.high, item.doc) for item in _SCALARS]
    entries += [(name, 1, int(high), doc) for _, name, high, doc in _GLOBALS]
    fields, offset = [], 0
    for name, size, high, doc in entries:
        fields.append(CompactField(name, offset, size, high, doc))
        offset += size
    return tuple(fields)


COMPACT_FIELDS: Final = _list_compact_fields()
COMPACT_SPEC: Final = {field.name: field for field in COMPACT_FIELDS}
"""Every field of `compact` by name, in order of offset."""
COMPACT_SIZE: Final = sum(field.size for field in COMPACT_FIELDS)
COMPACT_HIGH: Final = np.concatenate(
    [np.full(field.size, field.high, np.uint8) for field in COMPACT_FIELDS]
)
"""uint8 (COMPACT_SIZE,): the largest value of each byte."""

_SCALARS_START: Final = NUM_SEATS * CELLS
# One entry per player, as slices over both players' scalars.
_GRAVITY_INDEX: Final = slice(
    _SCALARS_START + _SCALAR_PLACE["gravity_index"], COMPACT_SIZE - len(_GLOBALS), _NUM_SCALARS
)
_SPEED_UPS: Final = slice(
    _SCALARS_START + _SCALAR_PLACE["speed_ups"], COMPACT_SIZE - len(_GLOBALS), _NUM_SCALARS
)


def _list_sources(seat: int) -> np.ndarray:
    """RAM address behind each byte of `compact` for `seat`."""
    seats = (seat, 1 - seat)
    sources = [FIELD_BASES[player] + cell for player in seats for cell in range(CELLS)]
    for player in seats:
        for scalar in _SCALARS:
            in_block = PLAYER_BASES[player] + scalar.source
            sources.append(PAD_HELD[player] if scalar.source == _PAD else in_block)
    return np.array([*sources, *(address for address, *_ in _GLOBALS)], np.intp)


def _list_tables() -> np.ndarray:
    """Value shown by (byte of `compact`, RAM byte), flat."""
    scalars = [scalar.table for scalar in _SCALARS] * NUM_SEATS
    tables = [_CODE_OF_TILE] * _SCALARS_START + scalars + [_SAME] * len(_GLOBALS)
    return np.frombuffer(b"".join(tables), np.uint8)


SOURCES: Final = tuple(_list_sources(seat) for seat in range(NUM_SEATS))
"""Per acting seat the RAM address behind each byte, int (COMPACT_SIZE,)."""
TABLES: Final = _list_tables()
"""Value shown by (byte of `compact`, RAM byte), flat uint8 (COMPACT_SIZE * 256,)."""
_TABLE_STARTS: Final = np.arange(COMPACT_SIZE, dtype=np.intp) * 256


def encode_compact_ram(ram: np.ndarray, seat: int) -> np.ndarray:
    """Encode a RAM image as `encode_compact` does, without decoding it first.

    Args:
        ram: uint8 (2048,).
        seat: Acting seat, shown first.

    Returns:
        New uint8 (COMPACT_SIZE,).
    """
    observation = TABLES.take(ram.take(SOURCES[seat]) + _TABLE_STARTS)
    observation[_GRAVITY_INDEX] += observation[_SPEED_UPS]
    return observation


def encode_compact(state: GameState, seat: int) -> np.ndarray:
    """Encode the public position for `seat`.

    Returns:
        New uint8 (COMPACT_SIZE,), laid out as `COMPACT_SPEC`.
    """
    own, opponent = state.players[seat], state.players[1 - seat]
    cells = (own.cells + opponent.cells).translate(_CODE_OF_TILE)
    scalars = bytes((*_list_scalars(own), *_list_scalars(opponent)))
    return np.frombuffer(
        bytearray(cells + scalars + bytes((state.mode, state.frame_counter))), np.uint8
    )


def decode_compact(observation: np.ndarray) -> GameState:
    """Return the public position that `observation` shows, own seat first.

    Equal to `GameState.public` of the position that was encoded, seats swapped for seat 1.

    Raises:
        ValueError: Wrong shape or an unknown cell code.
    """
    if observation.shape != (COMPACT_SIZE,):
        raise ValueError(f"expected compact of shape ({COMPACT_SIZE},), got {observation.shape}")
    data = observation.astype(np.uint8).tobytes()
    codes = data[:_SCALARS_START]
    if max(codes) >= NUM_CELL_CODES:
        raise ValueError(f"expected cell codes below {NUM_CELL_CODES}, got {max(codes)}")
    cells = bytes(_TILE_OF_CODE[code] for code in codes)
    mode, frame_counter = data[-len(_GLOBALS) :]
    return GameState(
        players=(
            _decode_player(cells[:CELLS], data[_SCALARS_START:]),
            _decode_player(cells[CELLS:], data[_SCALARS_START + _NUM_SCALARS :]),
        ),
        mode=mode,
        frame_counter=frame_counter,
        rng_word=0,
        who_cleared=0,
        who_failed=0,
        paused=False,
    )


def _list_scalars(player: PlayerState) -> tuple[int, ...]:
    """The values of `_SCALARS`, in order."""
    return (
        *player.colours,
        *player.next_colours,
        player.x,
        player.y,
        player.rotation,
        player.next_action,
        player.placed_step,
        (player.status + 1) & 0xFF,
        player.topped_out,
        player.speed,
        player.speed_ups,
        player.gravity_index & 0xFF,
        player.gravity_counter,
        player.das_counter,
        player.garbage_out,
        *player.attack_colours,
        player.combo,
        *divmod(player.capsules, 100),
        player.viruses,
        player.level,
        player.crowns,
        player.held,
    )


def _decode_player(cells: bytes, scalars: bytes) -> PlayerState:
    value = dict(zip(_SCALAR_PLACE, scalars, strict=False))
    return PlayerState(
        cells=cells,
        colours=(value["first"], value["second"]),
        next_colours=(value["next_first"], value["next_second"]),
        x=value["x"],
        y=value["y"],
        rotation=value["rotation"],
        next_action=value["next_action"],
        placed_step=value["placed_step"],
        status=(value["redraw"] - 1) & 0xFF,
        topped_out=value["topped_out"],
        speed=value["speed"],
        speed_ups=value["speed_ups"],
        gravity_counter=value["gravity"],
        das_counter=value["das"],
        garbage_out=value["garbage_out"],
        attack_colours=(
            value["attack_1"],
            value["attack_2"],
            value["attack_3"],
            value["attack_4"],
        ),
        combo=value["combo"],
        capsules=value["capsules_high"] * 100 + value["capsules_low"],
        viruses=value["viruses"],
        level=value["level"],
        crowns=value["crowns"],
        held=value["held"],
        reserve_index=0,
    )
