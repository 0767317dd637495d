"""Feature rows of candidates from the native code; `envs.candidates` says what they mean."""

from __future__ import annotations

import ctypes
import functools
from typing import Final

import numpy as np

from envs.backends.native_functions import BYTES, load_functions
from envs.game.layout import CELLS
from envs.game.placement import NUM_POSES

_SIGNATURES: Final = {
    "pill_features": (ctypes.c_char_p, ()),
    "pill_write_candidates": (
        ctypes.c_int32,
        (BYTES, BYTES, ctypes.c_int32, BYTES, BYTES),
    ),
}


def write_candidates(
    tiles: bytes,
    colours: tuple[int, int],
    next_colours: tuple[int, int],
    frames: np.ndarray,
    capacity: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Describe every pose that a capsule can take.

    Args:
        tiles: 128 tile bytes of the bottle.
        colours: First and second colour of the capsule.
        next_colours: Of the next capsule.
        frames: uint16 (512,), frames to lock by pose, 0 for never: `envs.backends.planner`.
        capacity: Most rows to return.

    Returns:
        Rows, uint8 (n, features), and their poses, int16 (n,), in order of poses. A capsule of one
        colour has rotations 0 and 1 alone.

    Raises:
        ValueError: A size is wrong.
        BackendError: The extension was not built.
    """
    if len(tiles) != CELLS:
        raise ValueError(f"expected {CELLS} tile bytes, got {len(tiles)}")
    if frames.shape != (NUM_POSES,) or frames.dtype != np.uint16:
        raise ValueError(f"expected frames, uint16 ({NUM_POSES},), got {frames.dtype}")
    capsule = tiles + bytes((*colours, *next_colours))
    rows = np.empty((capacity, len(list_native_features())), np.uint8)
    poses = np.empty(capacity, np.int16)
    count = _load().pill_write_candidates(
        capsule,
        np.ascontiguousarray(frames).ctypes.data,
        capacity,
        rows.ctypes.data,
        poses.ctypes.data,
    )
    return rows[:count], poses[:count]


@functools.cache
def list_native_features() -> tuple[tuple[str, int], ...]:
    """Return name and largest value of each feature, as the native code has them."""
    words: list[str] = _load().pill_features().decode().split()
    return tuple((name, int(high)) for name, high in zip(words[::2], words[1::2], strict=True))


@functools.cache
def _load() -> ctypes.CDLL:
    return load_functions(_SIGNATURES)
