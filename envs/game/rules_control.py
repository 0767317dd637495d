"""The falling capsule: gravity, left and right, rotation, lock.

Works on the scratch block of the player being processed and that player's field in a RAM image.
The order within a frame is gravity or soft drop, then left and right, then rotation; all three
run in the frame in which the capsule locks too.

Source: `docs/game.md`, sections on gravity, auto-repeat and rotation.
"""

from __future__ import annotations

from typing import Final

from envs.game import scratch
from envs.game.capsule import is_vertical, place_halves
from envs.game.layout import (
    COLUMNS,
    EMPTY,
    FRAMES_PER_ROW,
    ROWS,
    SPEED_BASES,
    Button,
    NextAction,
)

DAS_FIRST: Final = 16
"""Frames of holding before a capsule moves again."""
DAS_AFTER_REPEAT: Final = 10
"""Counter after a repeated move, so that the next one comes 6 frames later."""
DAS_BLOCKED: Final = 15
"""Counter after a tile blocked the move, so that it is tried again in the next frame."""

_DIRECTIONS: Final = int(Button.RIGHT | Button.LEFT | Button.DOWN | Button.UP)
_SIDEWAYS: Final = int(Button.RIGHT | Button.LEFT)
_DOWN: Final = int(Button.DOWN)
_RIGHT: Final = int(Button.RIGHT)
_LEFT: Final = int(Button.LEFT)
_A: Final = int(Button.A)
_B: Final = int(Button.B)


def run_falling(ram: bytearray, field: int) -> None:
    """Run one frame of a falling capsule.

    Args:
        ram: RAM image, 2048 bytes; changed in place.
        field: Address of the player's bottle.
    """
    ram[scratch.RUN_TOTAL] = 0
    _drop(ram, field)
    _shift(ram, field)
    _rotate(ram, field)


def capsule_fits(ram: bytearray, field: int, x: int, y: int, vertical: bool) -> bool:
    """Whether a capsule with pivot (x, y) lies inside the bottle on empty cells.

    The cell above the top row counts as inside and empty.
    """
    rightmost = COLUMNS - 1 if vertical else COLUMNS - 2
    if y < 0 or not 0 <= x <= rightmost:
        return False
    pivot = field + (ROWS - 1 - y) * COLUMNS + x
    if ram[pivot] != EMPTY:
        return False
    if not vertical:
        return ram[pivot + 1] == EMPTY
    return y == ROWS - 1 or ram[pivot - COLUMNS] == EMPTY


def stamp_capsule(ram: bytearray, field: int) -> None:
    """Write the capsule into the bottle; a half above the top row is lost."""
    colours = (ram[scratch.COLOUR_FIRST], ram[scratch.COLOUR_SECOND])
    y = ram[scratch.Y]
    for cell, tile in place_halves(ram[scratch.X], y, ram[scratch.ROTATION], colours):
        ram[field + cell] = tile
    ram[scratch.STATUS] = ROWS - 1 - y


def _fits(ram: bytearray, field: int, x: int, y: int, rotation: int) -> bool:
    return capsule_fits(ram, field, x, y, is_vertical(rotation))


def _drop(ram: bytearray, field: int) -> None:
    """Let the capsule sink a row when it is time, or lock where it cannot."""
    soft_drop = ram[scratch.FRAME_COUNTER] & 1 == 1 and ram[scratch.HELD] & _DIRECTIONS == _DOWN
    if not soft_drop:
        counter = (ram[scratch.GRAVITY_COUNTER] + 1) & 0xFF
        ram[scratch.GRAVITY_COUNTER] = counter
        ram[scratch.SPEED_UPS_COPY] = ram[scratch.SPEED_UPS]
        index = (SPEED_BASES[ram[scratch.SPEED]] + ram[scratch.SPEED_UPS]) & 0xFF
        if counter < FRAMES_PER_ROW[index]:
            return
    ram[scratch.GRAVITY_COUNTER] = 0
    below = ram[scratch.Y] - 1
    if _fits(ram, field, ram[scratch.X], below, ram[scratch.ROTATION]):
        ram[scratch.Y] = below
        return
    stamp_capsule(ram, field)
    ram[scratch.NEXT_ACTION] = NextAction.PLACED


def _shift(ram: bytearray, field: int) -> None:
    """Move left or right on a fresh press, or by auto-repeat while held."""
    if ram[scratch.PRESSED] & _SIDEWAYS:
        ram[scratch.DAS_COUNTER] = 0
    elif ram[scratch.HELD] & _SIDEWAYS:
        ram[scratch.DAS_COUNTER] += 1
        if ram[scratch.DAS_COUNTER] < DAS_FIRST:
            return
        ram[scratch.DAS_COUNTER] = DAS_AFTER_REPEAT
    else:
        return
    rotation = ram[scratch.ROTATION]
    # Right is tested before left, and both can act in one frame.
    rightmost = COLUMNS - 1 if is_vertical(rotation) else COLUMNS - 2
    if ram[scratch.HELD] & _RIGHT and ram[scratch.X] != rightmost:
        _try_shift(ram, field, 1)
    if ram[scratch.HELD] & _LEFT and ram[scratch.X] != 0:
        _try_shift(ram, field, -1)


def _try_shift(ram: bytearray, field: int, step: int) -> None:
    x = ram[scratch.X] + step
    if _fits(ram, field, x, ram[scratch.Y], ram[scratch.ROTATION]):
        ram[scratch.X] = x
    else:
        ram[scratch.DAS_COUNTER] = DAS_BLOCKED


def _rotate(ram: bytearray, field: int) -> None:
    """Turn by A and B, A first; a turn that fails puts back the pose from before both."""
    pressed = ram[scratch.PRESSED]
    before = (ram[scratch.X], ram[scratch.ROTATION])
    if pressed & _A:
        _try_rotation(ram, field, -1, before)
    if pressed & _B:
        _try_rotation(ram, field, 1, before)


def _try_rotation(ram: bytearray, field: int, turn: int, before: tuple[int, int]) -> None:
    x, y = ram[scratch.X], ram[scratch.Y]
    rotation = (ram[scratch.ROTATION] + turn) & 3
    if _fits(ram, field, x, y, rotation):
        if not is_vertical(rotation) and ram[scratch.HELD] & _LEFT:
            # The console moves once more to the left here, after the ordinary shift.
            x -= 1 if _fits(ram, field, x - 1, y, rotation) else 0
    elif not is_vertical(rotation) and _fits(ram, field, x - 1, y, rotation):
        x -= 1
    else:
        x, rotation = before
    ram[scratch.X], ram[scratch.ROTATION] = x, rotation
