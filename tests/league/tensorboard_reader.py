"""Reads an event file of TensorBoard, which ships its reader with itself only.

A record is its length (8 bytes), a checksum of that (4), a protobuf `Event`, a checksum (4).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def read_scalars(path: Path) -> list[tuple[int, str, float]]:
    """Return step, name and value of every point, as they were written."""
    return [
        (event.step, value.tag, value.simple_value)
        for event in _read_events(path)
        for value in event.summary.value
        if value.WhichOneof("value") == "simple_value"
    ]


def read_texts(path: Path) -> dict[str, str]:
    """Return every text by its name."""
    return {
        value.tag: value.tensor.string_val[0].decode()
        for event in _read_events(path)
        for value in event.summary.value
        if value.WhichOneof("value") == "tensor"
    }


def _read_events(path: Path) -> Iterator[Any]:
    from tensorboardX.proto.event_pb2 import Event

    data, position = path.read_bytes(), 0
    while position < len(data):
        (size,) = struct.unpack_from("<Q", data, position)
        yield Event.FromString(data[position + 12 : position + 12 + size])
        position += 16 + size
