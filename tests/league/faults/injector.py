"""Ends this process, or refuses it a system call, at one chosen change of a watched folder.

`interpose.c` must have been loaded with LD_PRELOAD: `compile_injector` builds it, `environment`
gives what a process needs to start with it. Linux only.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Literal

SOURCE = Path(__file__).with_name("interpose.c")
KILLED = 77
"""Exit code of a process that the injector ended."""
ROOT = Path(__file__).resolve().parents[3]


class Fault(IntEnum):
    """What happens at the chosen call."""

    COUNT = 0
    """Nothing: calls are counted and traced."""
    BEFORE = 1
    """The process ends before the call."""
    AFTER = 2
    """The process ends after the call."""
    TORN = 3
    """A write writes its first half, then the process ends."""
    FULL = 4
    """From this call on nothing can be created or written: ENOSPC."""
    SHORT = 5
    """As FULL, but the first write that fails writes its first half."""
    SYNC_FAILS = 6
    """An fsync fails with EIO."""


Kind = Literal["C", "W", "T", "S", "D", "R", "U", "M", "N"]


@dataclass(frozen=True)
class Call:
    """One change: create, write, truncate, sync file, sync folder, rename, unlink, make folder.

    `N` is no change but a note of the program.
    """

    kind: Kind
    path: str
    other: str
    """New path of a rename."""
    offset: int
    """Where a write starts; the length after a truncate."""
    data: bytes

    @property
    def text(self) -> str:
        """The call in words, without the folder."""
        names = {"C": "create", "W": "write", "T": "truncate", "S": "fsync", "D": "fsync folder"}
        names |= {"R": "rename", "U": "unlink", "M": "mkdir", "N": "note"}
        return f"{names[self.kind]} {Path(self.path).name}"


def find_obstacle() -> str | None:
    """Say what is missing for the injector on this machine, if anything is."""
    if not sys.platform.startswith("linux"):
        return "LD_PRELOAD is Linux's"
    return None if shutil.which("cc") else "no C compiler `cc`"


def compile_injector(folder: Path) -> Path:
    """Build the library in `folder` and return its path."""
    library = folder / "interpose.so"
    options = ["-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run(["cc", *options, str(SOURCE), "-o", str(library), "-ldl"], check=True)
    return library


def environment(library: Path, hash_seed: int) -> dict[str, str]:
    """Return the environment of a Python process that the injector is loaded into."""
    added = {"LD_PRELOAD": str(library), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return {**os.environ, **added, "PYTHONHASHSEED": str(hash_seed)}


def watch(folder: Path, fault: Fault, call: int = 0, trace: int = -1) -> None:
    """Count from 1 the calls that change what is in `folder`, and fail at number `call`.

    Args:
        folder: Resolved path.
        fault: What happens then.
        call: Which call.
        trace: Descriptor of a file for all calls with their data, or -1.
    """
    library = ctypes.CDLL(None)
    library.pill_watch(bytes(folder), int(fault), ctypes.c_long(call), trace)


def note(text: str) -> None:
    """Put a word between the calls of the trace."""
    ctypes.CDLL(None).pill_note(text.encode())


def read_trace(path: Path) -> Iterator[Call]:
    """Yield what `watch` traced."""
    with path.open("rb") as file:
        while line := file.readline():
            kind, name, other, offset, length = line.decode().rstrip("\n").split("\t")
            data = file.read(int(length))
            yield Call(kind, name, other, int(offset), data)  # type: ignore[arg-type]
