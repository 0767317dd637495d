"""RAM images back from compact observations, many at once, for code that reads images."""

from __future__ import annotations

from typing import Final

import numpy as np

from envs.compact import COMPACT_SIZE, COMPACT_SPEC, SOURCES, TABLES
from envs.game.layout import RAM_SIZE

_DERIVED: Final = ("own.gravity_index", "opponent.gravity_index")
"""Bytes of `compact` that follow from others."""


def _list_bytes() -> np.ndarray:
    """Return the RAM byte by (byte of `compact`, value shown), uint8 (COMPACT_SIZE, 256)."""
    inverse = np.zeros((COMPACT_SIZE, 256), np.uint8)
    shown = TABLES.reshape(COMPACT_SIZE, 256)
    # Where several RAM bytes show alike, the highest is taken: for a cell, empty.
    for byte in range(256):
        inverse[np.arange(COMPACT_SIZE), shown[:, byte]] = byte
    return inverse


_KEPT: Final = np.array(
    [
        field.offset + place
        for field in COMPACT_SPEC.values()
        if field.name not in _DERIVED
        for place in range(field.size)
    ]
)
_ADDRESSES: Final = SOURCES[0][_KEPT]
_BYTES: Final = _list_bytes()[_KEPT].reshape(-1)
_STARTS: Final = np.arange(len(_KEPT)) * 256


def draw_images(observations: np.ndarray) -> np.ndarray:
    """Return RAM images that show what the observations show; the acting seat becomes seat 0.

    What `compact` does not tell is 0: the capsule reserve, the RNG, and the console's own bytes.

    Args:
        observations: `compact`, uint8 (n, 314).

    Returns:
        New uint8 (n, 2048).

    Raises:
        ValueError: Another shape or type.
    """
    if observations.shape[1:] != (COMPACT_SIZE,) or observations.dtype != np.uint8:
        raise ValueError(
            f"expected observations, uint8 (n, {COMPACT_SIZE}), got {observations.dtype} "
            f"{observations.shape}"
        )
    images = np.zeros((len(observations), RAM_SIZE), np.uint8)
    images[:, _ADDRESSES] = _BYTES.take(observations[:, _KEPT] + _STARTS)
    return images
