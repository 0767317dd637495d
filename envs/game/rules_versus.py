"""Between two capsules: garbage sent and received, then the spawn.

Works on the scratch block of the player being processed and that player's field in a RAM image.

Source: `docs/game.md`, sections on versus rules and spawn.
"""

from __future__ import annotations

from typing import Final

from envs.game import scratch
from envs.game.capsule import SPAWN_X, SPAWN_Y
from envs.game.layout import (
    FIELD_BASES,
    MAX_SPEED_UPS,
    NUM_COLOURS,
    PLAYER_BASES,
    RESERVE_BASE,
    RESERVE_SIZE,
    Address,
    NextAction,
    PlayerOffset,
    Tile,
)
from envs.game.rules_control import capsule_fits, stamp_capsule
from envs.game.state import decode_bcd, encode_bcd

LINES_TO_SEND: Final = 2
"""Lines by one capsule that make an attack; the queue is delivered from this size on."""
CAPSULES_PER_SPEED_UP: Final = 10
MAX_CAPSULES: Final = 9999
CAPSULE_SIZE: Final = 2

_VOLLEYS: Final = {2: (0, 4), 3: (0, 2, 4), 4: (0, 2, 4, 6)}
"""Columns of a volley by size, from its leftmost column; bigger queues count as 4."""
_LARGEST_VOLLEY: Final = max(_VOLLEYS)
_COLUMN_PHASES: Final = {2: 3, 3: 3, 4: 1}
"""Bits of the frame counter that give the leftmost column, by size."""


def run_attack_check(ram: bytearray, field: int) -> None:
    """Queue this player's lines for the opponent, then take what the opponent queued."""
    if ram[scratch.COMBO] >= LINES_TO_SEND:
        ram[scratch.GARBAGE_OUT] = (ram[scratch.GARBAGE_OUT] + ram[scratch.COMBO]) & 0xFF
    ram[scratch.COMBO] = 0
    opponent = PLAYER_BASES[1 if field == FIELD_BASES[0] else 0]
    if ram[opponent + PlayerOffset.GARBAGE_OUT] < LINES_TO_SEND:
        ram[scratch.NEXT_ACTION] = NextAction.STEP
        return
    _deliver(ram, field, opponent)
    ram[opponent + PlayerOffset.GARBAGE_OUT] = 0
    ram[scratch.NEXT_ACTION] = NextAction.PLACED


def run_spawn(ram: bytearray, field: int) -> None:
    """Bring the next capsule into the bottle; where it does not fit, the player tops out."""
    draw_capsule(ram)
    ram[scratch.NEXT_ACTION] = NextAction.PILL_SENT
    if not capsule_fits(ram, field, ram[scratch.X], ram[scratch.Y], vertical=False):
        stamp_capsule(ram, field)
        ram[scratch.TOPPED_OUT] = 1


def draw_capsule(ram: bytearray) -> None:
    """Make the next capsule the falling one and draw a new next one from the reserve."""
    ram[scratch.COLOUR_FIRST] = ram[scratch.NEXT_FIRST]
    ram[scratch.COLOUR_SECOND] = ram[scratch.NEXT_SECOND]
    ram[scratch.ROTATION] = 0
    ram[scratch.SIZE] = ram[scratch.NEXT_SIZE]
    index = ram[scratch.RESERVE_INDEX]
    first, second = divmod(ram[RESERVE_BASE + index], NUM_COLOURS)
    ram[scratch.NEXT_FIRST], ram[scratch.NEXT_SECOND] = first, second
    ram[scratch.RESERVE_INDEX] = (index + 1) % RESERVE_SIZE
    ram[scratch.NEXT_ROTATION] = 0
    ram[scratch.NEXT_SIZE] = CAPSULE_SIZE
    ram[scratch.X], ram[scratch.Y] = SPAWN_X, SPAWN_Y
    _count_capsule(ram)
    ram[scratch.COMBO] = 0


def _deliver(ram: bytearray, field: int, opponent: int) -> None:
    """Write the volley into the top row, over whatever is there."""
    size = min(ram[opponent + PlayerOffset.GARBAGE_OUT], _LARGEST_VOLLEY)
    leftmost = ram[scratch.FRAME_COUNTER] & _COLUMN_PHASES[size]
    colours = opponent + PlayerOffset.ATTACK_COLOURS
    for place, column in enumerate(_VOLLEYS[size]):
        ram[field + leftmost + column] = Tile.SINGLE | ram[colours + place]


def _count_capsule(ram: bytearray) -> None:
    hundreds, low = ram[scratch.CAPSULES_HIGH], ram[scratch.CAPSULES_LOW]
    count = min(decode_bcd(hundreds) * 100 + decode_bcd(low) + 1, MAX_CAPSULES)
    ram[scratch.CAPSULES_HIGH] = encode_bcd(count // 100)
    ram[scratch.CAPSULES_LOW] = encode_bcd(count % 100)
    may_speed_up = ram[scratch.SPEED_UPS] < MAX_SPEED_UPS and not ram[Address.NO_SPEED_UPS]
    if count % CAPSULES_PER_SPEED_UP == 0 and may_speed_up:
        ram[scratch.SPEED_UPS] += 1
