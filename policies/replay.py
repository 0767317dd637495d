"""The replay of a game: the pads of every frame, run-length coded.

With the set-up of the round it fixes the whole game, on every backend.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

import numpy as np

Pads = tuple[int, int]
"""Pad bytes of both seats in one frame."""

_RUN_SIZE: Final = 3
"""Bytes of a run: its length 1..255, pad of seat 0, pad of seat 1."""
_MAX_RUN: Final = 255


def encode_replay(pads: Iterable[Pads]) -> bytes:
    """Return the run-length code of the pads of a game, frame by frame."""
    encoded = bytearray()
    for pair, run in groupby(pads):
        full_runs, rest = divmod(sum(1 for _ in run), _MAX_RUN)
        encoded += bytes((_MAX_RUN, *pair)) * full_runs
        if rest:
            encoded += bytes((rest, *pair))
    return bytes(encoded)


def encode_pads(pads: np.ndarray) -> bytes:
    """Return `encode_replay` of pads in an array, uint8 (frames, 2), in a tenth of its time."""
    changes = np.flatnonzero((pads[1:] != pads[:-1]).any(axis=1)) + 1
    starts = np.concatenate([[0], changes])[: len(pads)]
    lengths = np.diff(starts, append=len(pads))
    parts = (lengths + _MAX_RUN - 1) // _MAX_RUN
    runs = np.empty((parts.sum(), _RUN_SIZE), np.uint8)
    runs[:, 0] = _MAX_RUN
    runs[np.cumsum(parts) - 1, 0] = lengths - (parts - 1) * _MAX_RUN
    runs[:, 1:] = np.repeat(pads[starts], parts, axis=0)
    return runs.tobytes()


def decode_pads(replay: bytes) -> np.ndarray:
    """Return the pads of `decode_replay` in an array, uint8 (frames, 2).

    Raises:
        ValueError: The bytes are no replay.
    """
    if len(replay) % _RUN_SIZE:
        raise ValueError(f"expected a replay of {_RUN_SIZE}-byte runs, got {len(replay)} bytes")
    runs = np.frombuffer(replay, np.uint8).reshape(-1, _RUN_SIZE)
    if not runs[:, 0].all():
        byte = _RUN_SIZE * int(runs[:, 0].argmin())
        raise ValueError(f"expected a run of 1..{_MAX_RUN} frames, got 0 at byte {byte}")
    pads: np.ndarray = np.repeat(runs[:, 1:], runs[:, 0], axis=0)
    return pads


def decode_replay(replay: bytes) -> Iterator[Pads]:
    """Yield the pads of each frame of a replay.

    Raises:
        ValueError: The bytes are no replay.
    """
    yield from map(tuple, decode_pads(replay).tolist())
