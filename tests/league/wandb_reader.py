"""Reads the file that an offline W&B run leaves: a LevelDB log of protobuf records.

W&B ships no reader of its own. Source of the format: LevelDB's `doc/log_format.md`; W&B puts
seven bytes, `:W&B` and a version, before the first block's records.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BLOCK_SIZE = 32 * 1024
HEADER_SIZE = 7
SHORT_WORD = 8
"""Fewer characters than these may stand in random ids and digests by chance."""
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4


def read_history(folder: Path) -> list[dict[str, Any]]:
    """Return the logged rows of all offline runs under `folder`, oldest run first."""
    return [
        {
            item.key or "/".join(item.nested_key): json.loads(item.value_json)
            for item in history.item
        }
        for history in _read(folder, "history")
    ]


def read_runs(folder: Path) -> list[Any]:
    """Return the records of the runs themselves: id, group, job type, host and so on."""
    return _read(folder, "run")


def read_artifacts(folder: Path) -> list[Any]:
    """Return the records of logged artifacts: name, type, metadata, manifest."""
    return _read(folder, "artifact")


def read_definitions(folder: Path) -> dict[str, str | None]:
    """Return the step metric of each metric that was defined, None where it has none."""
    return {
        metric.name or metric.glob_name: metric.step_metric or None
        for metric in _read(folder, "metric")
    }


def _read(folder: Path, kind: str) -> list[Any]:
    """Return the contents of all records of one kind."""
    from wandb.proto.wandb_internal_pb2 import Record  # type: ignore[attr-defined]

    records = map(Record.FromString, _payloads(folder))
    return [getattr(record, kind) for record in records if record.WhichOneof("record_type") == kind]


def read_records(folder: Path) -> bytes:
    """Return the bytes of all records, which is what a later upload would send."""
    return b"\n".join(_payloads(folder))


def holds_word(records: bytes, word: str) -> bool:
    """Return whether `word` stands in `records`, a short one only as a word of its own.

    A host or a user may have a name of two letters, which random ids and digests hold by chance.
    """
    bound = rb"\b" if len(word) < SHORT_WORD else b""
    return re.search(bound + re.escape(word.encode()) + bound, records) is not None


def _payloads(folder: Path) -> Iterator[bytes]:
    paths = sorted(folder.glob("wandb/offline-run-*/run-*.wandb"))
    assert paths, f"no offline run under {folder}"
    for path in paths:
        yield from _split_log(path.read_bytes())


def _split_log(data: bytes) -> Iterator[bytes]:
    assert data[:4] == b":W&B"
    position, parts = HEADER_SIZE, bytearray()
    while position + HEADER_SIZE <= len(data):
        left_in_block = BLOCK_SIZE - position % BLOCK_SIZE
        if left_in_block < HEADER_SIZE:
            position += left_in_block
            continue
        size = int.from_bytes(data[position + 4 : position + 6], "little")
        kind = data[position + 6]
        assert kind in (FULL, FIRST, MIDDLE, LAST), (kind, position)
        position += HEADER_SIZE
        parts += data[position : position + size]
        position += size
        if kind in (FULL, LAST):
            yield bytes(parts)
            parts.clear()
