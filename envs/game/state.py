"""The game decoded from a RAM image: what everything above the backends reads.

Decoding only: the rules are in `envs.game.rules`, the one-line text form in `envs.game.position`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Final

import numpy as np

from envs.game.layout import (
    CELLS,
    COLUMNS,
    CROWNS_TO_WIN,
    EMPTY,
    FIELD_BASES,
    MAX_LEVEL,
    MAX_SPEED_UPS,
    NUM_SEATS,
    PLAYER_BASES,
    PLAYER_BLOCK_SIZE,
    RAM_SIZE,
    RESERVE_SIZE,
    ROWS,
    SPEED_BASES,
    Address,
    Colour,
    Mode,
    NextAction,
    PlayerOffset,
    Speed,
    Tile,
)

IDLE_STATUS: Final = 0xFF
"""`PlayerState.status` while no field row waits to be redrawn."""
PAUSED_VALUE: Final = 5
"""Value of `Address.PAUSED` while the game is paused."""

PAD_HELD: Final = (Address.PAD1_HELD, Address.PAD2_HELD)
"""Address of each seat's held buttons."""

_O = PlayerOffset


@dataclass(frozen=True, slots=True)
class PlayerState:
    """One seat's half of the game; every number is the RAM byte unless said otherwise."""

    cells: bytes
    """The bottle's 128 tile bytes, row by row from the top."""
    colours: tuple[int, int]
    """First and second colour of the falling capsule."""
    next_colours: tuple[int, int]
    x: int
    """Left column of the falling capsule, 0..7."""
    y: int
    """Bottom cell of the falling capsule, counted from the bottom row: 15 is the top row."""
    rotation: int
    next_action: int
    placed_step: int
    status: int
    topped_out: int
    speed: int
    speed_ups: int
    gravity_counter: int
    das_counter: int
    garbage_out: int
    """Garbage queued by this seat for its opponent."""
    attack_colours: tuple[int, int, int, int]
    combo: int
    capsules: int
    """Capsules drawn so far (decoded BCD); 1 after set-up."""
    viruses: int
    """Viruses left (decoded BCD)."""
    level: int
    crowns: int
    held: int
    """Pad byte held in the last frame."""
    reserve_index: int

    @property
    def bottle(self) -> np.ndarray:
        """Tile bytes, read-only uint8 (16, 8), row 0 on top."""
        return np.frombuffer(self.cells, np.uint8).reshape(ROWS, COLUMNS)

    @property
    def gravity_index(self) -> int:
        """Index into `FRAMES_PER_ROW`, 0..80."""
        return SPEED_BASES[self.speed] + self.speed_ups

    @property
    def can_act(self) -> bool:
        """Whether the next frame moves the falling capsule by this seat's pad."""
        return self.next_action == NextAction.FALLING


@dataclass(frozen=True, slots=True)
class GameState:
    """A whole game position, both seats."""

    players: tuple[PlayerState, PlayerState]
    mode: int
    frame_counter: int
    """`$43`, 8 bit."""
    rng_word: int
    who_cleared: int
    """1 or 2 from 64 frames after a clear; 0 before and on a draw."""
    who_failed: int
    paused: bool

    @classmethod
    def from_ram(cls, ram: np.ndarray | bytes, check: bool = False) -> GameState:
        """Decode a RAM image.

        Args:
            ram: uint8 (2048,) or as many bytes.
            check: Also refuse values that cannot occur during a round.

        Raises:
            ValueError: Wrong size, or with `check` an impossible value; names field, value and
                what was expected.
        """
        data = ram if isinstance(ram, bytes) else ram.tobytes()
        if len(data) != RAM_SIZE:
            raise ValueError(f"expected a RAM image of {RAM_SIZE} bytes, got {len(data)}")
        if check:
            _check_ram(data)
        return cls(
            players=(_decode_player(data, 0), _decode_player(data, 1)),
            mode=data[Address.MODE],
            frame_counter=data[Address.FRAME_COUNTER],
            rng_word=data[Address.RNG_HIGH] << 8 | data[Address.RNG_LOW],
            who_cleared=data[Address.WHO_CLEARED],
            who_failed=data[Address.WHO_FAILED],
            paused=data[Address.PAUSED] == PAUSED_VALUE,
        )

    def swapped(self) -> GameState:
        """Return the same position with the seats exchanged, for an "own first" view of seat 1."""
        other_player = (0, 2, 1)
        return replace(
            self,
            players=(self.players[1], self.players[0]),
            who_cleared=other_player[self.who_cleared],
            who_failed=other_player[self.who_failed],
        )

    def public(self) -> GameState:
        """Return the position without what players cannot know: the RNG and the reserve index.

        The end-of-round bytes are dropped too: nobody acts on them.
        """
        left, right = (replace(player, reserve_index=0) for player in self.players)
        return replace(
            self,
            players=(left, right),
            rng_word=0,
            who_cleared=0,
            who_failed=0,
            paused=False,
        )

    def both_can_act(self, solo: bool = False) -> bool:
        """Whether a round is running and every active seat has a falling capsule."""
        if self.mode != Mode.PLAY:
            return False
        return self.players[0].can_act and (solo or self.players[1].can_act)


def decode_bcd(value: int) -> int:
    """Return the number that a packed BCD byte shows, 0..99 (`0x84` is 84)."""
    return (value >> 4) * 10 + (value & 15)


def encode_bcd(number: int) -> int:
    """Return `number` (0..99) as a packed BCD byte."""
    return number // 10 << 4 | number % 10


_read_block = itemgetter(
    _O.COLOUR_FIRST,
    _O.COLOUR_SECOND,
    _O.NEXT_FIRST,
    _O.NEXT_SECOND,
    _O.X,
    _O.Y,
    _O.ROTATION,
    _O.NEXT_ACTION,
    _O.PLACED_STEP,
    _O.STATUS,
    _O.TOPPED_OUT,
    _O.SPEED,
    _O.SPEED_UPS,
    _O.GRAVITY_COUNTER,
    _O.DAS_COUNTER,
    _O.GARBAGE_OUT,
    _O.ATTACK_COLOURS,
    _O.ATTACK_COLOURS + 1,
    _O.ATTACK_COLOURS + 2,
    _O.ATTACK_COLOURS + 3,
    _O.COMBO,
    _O.CAPSULES_HIGH,
    _O.CAPSULES_LOW,
    _O.VIRUSES,
    _O.LEVEL,
    _O.CROWNS,
    _O.RESERVE_INDEX,
)
"""Every decoded byte of a player block in one call: this runs on every env step."""


def _decode_player(data: bytes, seat: int) -> PlayerState:
    base, field = PLAYER_BASES[seat], FIELD_BASES[seat]
    values = _read_block(data[base : base + PLAYER_BLOCK_SIZE])
    (hundreds, low, viruses, level, crowns, reserve_index) = values[21:]
    # Positional, in field order: keywords would cost a third more time.
    return PlayerState(
        data[field : field + CELLS],
        values[0:2],
        values[2:4],
        *values[4:16],  # type: ignore[call-arg]
        values[16:20],
        values[20],
        decode_bcd(hundreds) * 100 + decode_bcd(low),
        decode_bcd(viruses),
        level,
        crowns,
        data[PAD_HELD[seat]],
        reserve_index,
    )


_BCD: Final = tuple(value for value in range(0x9A) if value & 15 <= 9)
_COLOUR_BYTES: Final = tuple(int(colour) for colour in Colour)

_ALLOWED_PLAYER_BYTES: Final[dict[PlayerOffset, tuple[str, frozenset[int]]]] = {
    offset: (expected, frozenset(values))
    for offset, expected, values in (
        (_O.STATUS, "0..15 or 255", (*range(16), IDLE_STATUS)),
        (_O.COLOUR_FIRST, "0..2", _COLOUR_BYTES),
        (_O.COLOUR_SECOND, "0..2", _COLOUR_BYTES),
        (_O.NEXT_FIRST, "0..2", _COLOUR_BYTES),
        (_O.NEXT_SECOND, "0..2", _COLOUR_BYTES),
        (_O.X, "0..7", range(COLUMNS)),
        (_O.Y, "0..15", range(ROWS)),
        (_O.ROTATION, "0..3", range(4)),
        (_O.NEXT_ACTION, "one of 0 1 2 3 5 6", tuple(int(action) for action in NextAction)),
        (_O.PLACED_STEP, "0..8", range(9)),
        (_O.TOPPED_OUT, "0..1", range(2)),
        (_O.SPEED, "0..2", tuple(int(speed) for speed in Speed)),
        (_O.SPEED_UPS, f"0..{MAX_SPEED_UPS}", range(MAX_SPEED_UPS + 1)),
        (_O.CAPSULES_HIGH, "packed BCD", _BCD),
        (_O.CAPSULES_LOW, "packed BCD", _BCD),
        (_O.VIRUSES, "packed BCD, 0..84", (value for value in _BCD if value <= 0x84)),
        (_O.LEVEL, f"0..{MAX_LEVEL}", range(MAX_LEVEL + 1)),
        # A clear with the opponent's top-out in the same frame is credited twice.
        (_O.CROWNS, f"0..{CROWNS_TO_WIN + 1}", range(CROWNS_TO_WIN + 2)),
        (_O.RESERVE_INDEX, f"0..{RESERVE_SIZE - 1}", range(RESERVE_SIZE)),
    )
}
_ROUND_TILES: Final = frozenset(tile | colour for tile in Tile for colour in Colour) | {EMPTY}
_ROUND_MODES: Final = tuple(int(mode) for mode in Mode)


def _check_ram(data: bytes) -> None:
    """Raise ValueError for the first byte that cannot occur during a round."""
    if data[Address.MODE] not in _ROUND_MODES:
        raise _impossible("mode", data[Address.MODE], f"one of {_ROUND_MODES}")
    for name, address in (
        ("who_cleared", Address.WHO_CLEARED),
        ("who_failed", Address.WHO_FAILED),
    ):
        if data[address] > NUM_SEATS:
            raise _impossible(name, data[address], "0..2")
    for seat, base in enumerate(PLAYER_BASES):
        for offset, (expected, allowed) in _ALLOWED_PLAYER_BYTES.items():
            if data[base + offset] not in allowed:
                name = f"players[{seat}].{offset.name.lower()}"
                raise _impossible(name, data[base + offset], expected)
        for cell in range(CELLS):
            tile = data[FIELD_BASES[seat] + cell]
            if tile not in _ROUND_TILES:
                raise _impossible(f"players[{seat}].cells[{cell}]", tile, "a tile byte or empty")


def _impossible(name: str, value: int, expected: str) -> ValueError:
    return ValueError(f"expected {name} to be {expected}, got {value} (${value:02X}) in the RAM")
