"""Placements: one action per capsule, the pose in which it is to lock.

A pose is the rotation, row and column of the pivot cell, as one number 0..511; 512 is WAIT. This
module knows what the numbers mean; which poses can be reached, and by which buttons, is found by a
planner (`envs.backends.planner`), and `envs.placement` plays them.

Source: `docs/game.md`, rotation; `docs/design.md`, actions.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from envs.game.capsule import NUM_ROTATIONS, is_vertical, place_halves
from envs.game.layout import (
    CELLS,
    COLUMNS,
    FIELD_BASES,
    PLAYER_BASES,
    ROWS,
    SPEED_BASES,
    Address,
    PlayerOffset,
)
from envs.game.state import PAD_HELD, PlayerState

NUM_POSES: Final = NUM_ROTATIONS * CELLS
WAIT: Final = NUM_POSES
"""The action of a seat that has no capsule to place."""
NUM_PLACEMENTS: Final = NUM_POSES + 1
"""Size of the action space of `actions="placement"`."""

CAPSULE_SIZE: Final = CELLS + 8
"""Bytes of a packed capsule, see `pack_capsule`."""

_HALF_TURN: Final = 2 * CELLS


class Pose(NamedTuple):
    """Where a capsule locks."""

    rotation: int
    """0..3, see `envs.game.capsule`: 0 and 2 lie, 1 and 3 stand."""
    row: int
    """Row of the pivot, 0 on top."""
    column: int
    """Column of the pivot: the left half of a lying capsule."""

    def cells(self, colours: tuple[int, int]) -> tuple[tuple[int, int], ...]:
        """Return (cell, tile byte) of each half inside the bottle, first colour first."""
        return place_halves(self.column, ROWS - 1 - self.row, self.rotation, colours)


def encode_pose(rotation: int, row: int, column: int) -> int:
    """Return the number of a pose.

    Raises:
        ValueError: The capsule would not lie within the walls.
    """
    last_column = COLUMNS - 1 if is_vertical(rotation) else COLUMNS - 2
    inside = 0 <= rotation < NUM_ROTATIONS and 0 <= row < ROWS and 0 <= column <= last_column
    if not inside:
        raise ValueError(
            f"expected a pose inside the bottle, got rotation {rotation}, row {row}, "
            f"column {column}"
        )
    return rotation * CELLS + row * COLUMNS + column


def decode_pose(pose: int) -> Pose:
    """Return the pose that a number 0..511 stands for.

    Raises:
        ValueError: There is no such pose; WAIT is none.
    """
    if not 0 <= pose < NUM_POSES:
        raise ValueError(f"expected a pose 0..{NUM_POSES - 1}, got {pose!r}")
    rotation, cell = divmod(int(pose), CELLS)
    return Pose(rotation, *divmod(cell, COLUMNS))


def pose_of(player: PlayerState) -> int:
    """Return the pose in which the falling capsule is now."""
    return encode_pose(player.rotation, ROWS - 1 - player.y, player.x)


def fold_one_colour(frames: np.ndarray) -> np.ndarray:
    """Return frames to lock for a capsule of one colour: each resting state once.

    Half a turn changes nothing about such a capsule, so rotations 2 and 3 count as 0 and 1.

    Args:
        frames: uint16 (..., 512), 0 for poses that cannot be reached.

    Returns:
        The same shape; 0 for rotations 2 and 3.
    """
    never = np.iinfo(frames.dtype).max
    first, second = frames[..., :_HALF_TURN], frames[..., _HALF_TURN:]
    least = np.minimum(np.where(first, first, never), np.where(second, second, never))
    folded = np.zeros_like(frames)
    folded[..., :_HALF_TURN] = np.where(least == never, 0, least)
    return folded


def make_mask(frames: np.ndarray, *, one_colour: bool) -> np.ndarray:
    """Return the action mask of a seat that must place a capsule.

    Args:
        frames: uint16 (512,), frames to lock, 0 for poses that cannot be reached.
        one_colour: Both halves of the capsule have one colour.

    Returns:
        int8 (513,), 1 for legal actions. WAIT is legal only where nothing else is.
    """
    legal = fold_one_colour(frames) if one_colour else frames
    mask = np.zeros(NUM_PLACEMENTS, np.int8)
    mask[:NUM_POSES] = legal != 0
    mask[WAIT] = not mask.any()
    return mask


def pack_capsule(ram: bytes, seat: int) -> bytes:
    """Return a seat's falling capsule as planners take it.

    Args:
        ram: RAM image, 2048 bytes.
        seat: 0 or 1.

    Returns:
        The bottle, then x, y, rotation, gravity counter, gravity index, auto-repeat counter, pad
        held in this frame, frame counter: `CAPSULE_SIZE` bytes.
    """
    field, player = FIELD_BASES[seat], PLAYER_BASES[seat]
    speed = ram[player + PlayerOffset.SPEED]
    base = SPEED_BASES[min(speed, len(SPEED_BASES) - 1)]
    return ram[field : field + CELLS] + bytes(
        (
            ram[player + PlayerOffset.X],
            ram[player + PlayerOffset.Y],
            ram[player + PlayerOffset.ROTATION],
            ram[player + PlayerOffset.GRAVITY_COUNTER],
            (base + ram[player + PlayerOffset.SPEED_UPS]) & 0xFF,
            ram[player + PlayerOffset.DAS_COUNTER],
            ram[PAD_HELD[seat]],
            ram[Address.FRAME_COUNTER],
        )
    )


def pack_player(player: PlayerState, frame_counter: int) -> bytes:
    """Return the falling capsule of a decoded position; see `pack_capsule`."""
    return player.cells + bytes(
        (
            player.x,
            player.y,
            player.rotation,
            player.gravity_counter,
            player.gravity_index & 0xFF,
            player.das_counter,
            player.held,
            frame_counter,
        )
    )
