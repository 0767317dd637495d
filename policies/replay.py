"""The replay of a game: the pads of every frame, run-length coded.

With the set-up of the round it fixes the whole game, on every backend.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

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


def decode_replay(replay: bytes) -> Iterator[Pads]:
    """Yield the pads of each frame of a replay.

    Raises:
        ValueError: The bytes are no replay.
    """
    if len(replay) % _RUN_SIZE:
        raise ValueError(f"expected a replay of {_RUN_SIZE}-byte runs, got {len(replay)} bytes")
    for start in range(0, len(replay), _RUN_SIZE):
        length, first, second = replay[start : start + _RUN_SIZE]
        if length == 0:
            raise ValueError(f"expected a run of 1..{_MAX_RUN} frames, got 0 at byte {start}")
        for _ in range(length):
            yield first, second
