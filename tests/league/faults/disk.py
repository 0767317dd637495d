"""A disk that a power cut takes what was not synced from: replays a trace, shows what is left.

The rules are the strictest that POSIX allows. The content of a file is on the disk after its fsync;
a name is there after the fsync of its folder; anything younger may be there, in part, or not at
all. Renames are atomic. Journaling file systems keep more than that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import numpy as np

from tests.league.faults.injector import Call

SECTOR = 512
VOLATILE = "-shm"
"""Ends the names of SQLite's shared memory, which it rebuilds and never syncs."""


class Loss(Enum):
    """What a power cut takes."""

    ALL = "everything that is not synced"
    DATA = "unsynced content, while all names stay"
    SOME = "unsynced sectors and folders, each by the toss of a coin"


@dataclass(eq=False)
class File:
    """Content as programs see it, and as the disk has it."""

    data: bytes = b""
    synced: bytes = b""
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)
    """Writes since the last sync: where and what; None cuts the file there."""

    def change(self, offset: int, data: bytes | None) -> None:
        """Write, or cut where `data` is None."""
        self.data = _apply(self.data, offset, data)
        self.pending.append((offset, data))

    def sync(self) -> None:
        """Put the content on the disk."""
        self.synced, self.pending = self.data, []

    def left(self, loss: Loss, rng: np.random.Generator) -> bytes:
        """Return the content after a power cut."""
        if loss is not Loss.SOME:
            return self.synced
        content = self.synced
        for offset, data in self.pending:
            for start, part in _sectors(offset, data):
                if rng.random() < 0.5:
                    content = _apply(content, start, part)
        return content


@dataclass(eq=False)
class Folder:
    """Names as programs see them, and as the disk has them."""

    names: dict[str, File | Folder] = field(default_factory=dict)
    synced: dict[str, File | Folder] = field(default_factory=dict)

    def sync(self) -> None:
        """Put the names on the disk."""
        self.synced = dict(self.names)

    def left(self, loss: Loss, rng: np.random.Generator) -> Iterator[tuple[str, bytes | None]]:
        """Yield path and content of what a power cut leaves; a folder has None."""
        keep = loss is Loss.DATA or (loss is Loss.SOME and rng.random() < 0.5)
        for name, node in sorted((self.names if keep else self.synced).items()):
            if name.endswith(VOLATILE):
                continue
            if isinstance(node, File):
                yield name, node.left(loss, rng)
                continue
            yield name, None
            for below, content in node.left(loss, rng):
                yield f"{name}/{below}", content


class Disk:
    """The tree under one folder, which is empty and synced at the start."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.top = Folder()

    def apply(self, call: Call) -> None:
        """Make a change; one to a file that has lost its name is no longer seen."""
        folder, name = self._find(call.path)
        if folder is None:
            return
        node = folder.names.get(name) if name else folder
        match call.kind:
            case "C":
                folder.names[name] = File()
            case "M":
                folder.names[name] = Folder()
            case "U":
                folder.names.pop(name, None)
            case "R":
                target, new = self._find(call.other)
                assert target is not None
                target.names[new] = folder.names.pop(name)
            case "W" | "T" if isinstance(node, File):
                node.change(call.offset, call.data if call.kind == "W" else None)
            case "S" | "D" if node is not None:
                node.sync()

    def left(self, loss: Loss, seed: int) -> tuple[tuple[str, bytes | None], ...]:
        """Return path and content of all that a power cut leaves, in order."""
        return tuple(self.top.left(loss, np.random.default_rng(seed)))

    def _find(self, path: str) -> tuple[Folder | None, str]:
        """Return the folder of a path and the name in it; the name is empty for the root."""
        parts = Path(path).relative_to(self._root).parts
        folder = self.top
        for part in parts[:-1]:
            below = folder.names.get(part)
            if not isinstance(below, Folder):
                return None, ""
            folder = below
        return folder, parts[-1] if parts else ""


def write_tree(folder: Path, content: tuple[tuple[str, bytes | None], ...]) -> None:
    """Make in an empty folder what `Disk.left` returned."""
    for path, data in content:
        if data is None:
            (folder / path).mkdir()
        else:
            (folder / path).write_bytes(data)


def _sectors(offset: int, data: bytes | None) -> Iterator[tuple[int, bytes | None]]:
    """Yield the parts of a write that reach the disk apart from each other."""
    if data is None:
        yield offset, None
        return
    start = offset
    while start < offset + len(data):
        end = start // SECTOR * SECTOR + SECTOR
        yield start, data[start - offset : end - offset]
        start = end


def _apply(content: bytes, offset: int, data: bytes | None) -> bytes:
    if data is None:
        return content[:offset].ljust(offset, b"\0")
    return content[:offset].ljust(offset, b"\0") + data + content[offset + len(data) :]
