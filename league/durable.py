"""Changes to a run's files that are whole and on the disk when the call returns.

A file or folder of a run appears under its name only when it is complete, and disappears at once.
In between it bears a name that begins with `TEMPORARY_PREFIX`, which nothing reads and the next
start deletes. The database is SQLite's own affair, see `league.store`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from league.errors import WriteError

TEMPORARY_PREFIX: Final = ".tmp-"
"""Begins the names of files and folders that are not complete yet, or not deleted yet."""


@contextmanager
def explain_refusal(path: Path) -> Iterator[None]:
    """Turn the system's refusal to write `path` in the body into an error that says what to do.

    Raises:
        WriteError: The system refused.
    """
    try:
        yield
    except OSError as error:
        raise WriteError(
            f"expected to write {path}, but the system refuses: {error.strerror or error}; see "
            "that the disk has room and the folder is writable, then go on with --resume"
        ) from error


def make_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing; existing ones are no error.

    Raises:
        WriteError: The system refuses.
    """
    missing = [one for one in path.parents if not one.is_dir()]
    with explain_refusal(path):
        path.mkdir(parents=True, exist_ok=True)
        # The folder may be there because a kill came before this line, so it is synced anyway.
        for folder in (path, *missing):
            sync_folder(folder.parent)


def replace_file(path: Path, data: bytes) -> None:
    """Write a file so that at any instant there is the old one or the new one, never a part.

    Raises:
        WriteError: The system refuses; the old file is still there.
    """
    temporary = name_temporary(path)
    with explain_refusal(path):
        try:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


@contextmanager
def publish_file(path: Path) -> Iterator[Path]:
    """Give the name of a file to write by other means; it becomes `path` when the body ends.

    Raises:
        WriteError: The system refuses.
    """
    temporary = name_temporary(path)
    with explain_refusal(path):
        temporary.unlink(missing_ok=True)
        yield temporary
        _sync_file(temporary)
        temporary.rename(path)
        sync_folder(path.parent)


@contextmanager
def publish_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder to fill, which appears as `path` when the body ends without error.

    Raises:
        WriteError: There is a folder of that name already, or the system refuses.
    """
    if path.exists():
        raise WriteError(f"expected no folder {path}, found one; it is never overwritten")
    temporary = name_temporary(path)
    make_folder(path.parent)
    with explain_refusal(path):
        if temporary.exists():
            shutil.rmtree(temporary)
        temporary.mkdir()
        try:
            yield temporary
            _sync_tree(temporary)
            temporary.rename(path)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        sync_folder(path.parent)


def delete(path: Path) -> None:
    """Delete a file or a folder; a folder loses its name first, so no part of it keeps that.

    Raises:
        WriteError: The system refuses.
    """
    with explain_refusal(path):
        if not path.is_dir():
            path.unlink(missing_ok=True)
            return
        doomed = path if path.name.startswith(TEMPORARY_PREFIX) else name_temporary(path)
        if doomed != path:
            if doomed.exists():
                shutil.rmtree(doomed)
            path.rename(doomed)
        shutil.rmtree(doomed)


def delete_leftovers(folder: Path) -> None:
    """Delete what a kill left unfinished directly in `folder`, which may be missing.

    Raises:
        WriteError: The system refuses.
    """
    for leftover in sorted(folder.glob(f"{TEMPORARY_PREFIX}*")):
        delete(leftover)


def name_temporary(path: Path) -> Path:
    """Return the name that `path` bears while it is incomplete."""
    return path.with_name(f"{TEMPORARY_PREFIX}{path.name}")


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk; the content of its files is another matter."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class LineFile:
    """A text file that grows by whole lines; only the last one can be lost or damaged."""

    def __init__(self, path: Path) -> None:
        """Open `path` to append to it, after dropping a last line that is damaged.

        Raises:
            WriteError: The system refuses.
        """
        self._path = path
        with explain_refusal(path):
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            data = path.read_bytes()
            whole = data[: data.rfind(b"\n") + 1]
            # What a power cut keeps of a write may have holes, which read as zeros.
            if b"\0" in whole:
                whole = whole[: whole.rfind(b"\n", 0, whole.index(b"\0")) + 1]
            if len(whole) < len(data):
                os.ftruncate(self._descriptor, len(whole))
            sync_folder(path.parent)

    def append(self, line: str) -> None:
        """Add a line.

        Args:
            line: Text without a line break.

        Raises:
            WriteError: The system refuses.
        """
        data = f"{line}\n".encode()
        with explain_refusal(self._path):
            while data:
                data = data[os.write(self._descriptor, data) :]
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file; safe to call twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _sync_tree(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            _sync_file(path)
        elif path.is_dir():
            sync_folder(path)
    sync_folder(folder)


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
