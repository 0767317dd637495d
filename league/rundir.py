"""The folder of a run: names of everything in it, atomic writes, and one writer at a time."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from league.checks import suggest
from league.errors import RunDirError

KEPT_CHECKPOINTS: Final = 2
"""The newest, and the one before for the instant in which the database is not there yet."""

_CHECKPOINT_PATTERN: Final = re.compile(r"iteration-(\d{6,})")
TEMPORARY_PREFIX: Final = ".tmp-"
"""Begins the names of files and folders that are not complete yet."""


class RunDir:
    """Paths under `runs/<name>/`. Making one touches nothing on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.yaml"
        """The resolved configuration."""
        self.database = path / "league.sqlite"
        """Games, snapshots and ratings: see `league.store`."""
        self.metrics = path / "metrics.jsonl"
        """One line per logged set of metrics: see `league.tracking`."""
        self.snapshots = path / "snapshots"
        """One folder per snapshot, by its id."""
        self.checkpoints = path / "checkpoints"
        """One folder per kept checkpoint, by iteration."""
        self.wandb = path
        """Where W&B puts its own `wandb` folder."""

    @classmethod
    def create(cls, path: Path, config: str) -> RunDir:
        """Make the folder of a new run and write its configuration.

        Raises:
            RunDirError: There is a run already, or something else that is in the way.
        """
        run = cls(path)
        if run.exists():
            raise RunDirError(
                f"expected no run in {path}, found one; go on with it by --resume {path}, or "
                "choose another run.name"
            )
        if path.exists() and not _is_free(path):
            raise RunDirError(f"expected an empty or new folder, got {path}; choose another one")
        path.mkdir(parents=True, exist_ok=True)
        write_atomically(run.config, config.encode())
        return run

    @classmethod
    def open(cls, path: Path) -> RunDir:
        """Return the folder of an existing run.

        Raises:
            RunDirError: There is no run in it.
        """
        run = cls(path)
        if not run.exists():
            siblings = path.parent.iterdir() if path.parent.is_dir() else ()
            runs = sorted(one.name for one in siblings if cls(one).exists())
            hint = f"; runs in {path.parent}: {', '.join(runs)}" if runs else ""
            raise RunDirError(
                f"expected a run in {path}, found no {run.config.name}"
                f"{suggest(path.name, runs)}{hint}"
            )
        return run

    def exists(self) -> bool:
        """Whether this folder holds a run."""
        return self.config.is_file()

    def snapshot(self, snapshot_id: str) -> Path:
        """Return the folder of a snapshot."""
        return self.snapshots / snapshot_id

    def checkpoint(self, iteration: int) -> Path:
        """Return the folder of the checkpoint after an iteration."""
        return self.checkpoints / f"iteration-{iteration:06d}"

    def list_checkpoints(self) -> list[int]:
        """Return the iterations that have a complete checkpoint, oldest first."""
        if not self.checkpoints.is_dir():
            return []
        names = (_CHECKPOINT_PATTERN.fullmatch(one.name) for one in self.checkpoints.iterdir())
        return sorted(int(match[1]) for match in names if match)

    def prune_checkpoints(self) -> None:
        """Delete all but the newest `KEPT_CHECKPOINTS` checkpoints."""
        for iteration in self.list_checkpoints()[:-KEPT_CHECKPOINTS]:
            shutil.rmtree(self.checkpoint(iteration))

    def discard_unfinished(self, iteration: int, snapshots: Collection[str]) -> None:
        """Delete what a kill left of an iteration that the database never recorded.

        Args:
            iteration: The newest recorded iteration; later checkpoints go.
            snapshots: Recorded snapshot ids; other snapshot folders go.
        """
        for later in self.list_checkpoints():
            if later > iteration:
                shutil.rmtree(self.checkpoint(later))
        for snapshot in self.snapshots.glob("*"):
            if snapshot.is_dir() and snapshot.name not in snapshots:
                shutil.rmtree(snapshot)
        for folder in (self.path, self.snapshots, self.checkpoints):
            for leftover in folder.glob(f"{TEMPORARY_PREFIX}*"):
                shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only process that writes to this run.

        The system frees the lock when the process ends, however it ends.

        Raises:
            RunDirError: Another process has it.
        """
        with (self.path / "lock").open("a+") as file:
            _lock_file(file, self.path)
            yield


def _is_free(path: Path) -> bool:
    """Whether a folder holds nothing, or nothing but what a kill left of its creation."""
    return path.is_dir() and all(one.name.startswith(TEMPORARY_PREFIX) for one in path.iterdir())


def _lock_file(file: IO[str], run: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        raise RunDirError(
            f"expected to be the only process on {run}, but process {file.read().strip()} works "
            "on it; wait for it, or stop it with Ctrl-C"
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that a kill leaves the old one or the new one, never a part."""
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{path.name}")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _sync_folder(path.parent)


@contextmanager
def folder_written_atomically(path: Path) -> Iterator[Path]:
    """Give a temporary folder to fill, which appears as `path` when the body ends without error.

    Raises:
        RunDirError: There is a folder of that name already.
    """
    if path.exists():
        raise RunDirError(f"expected no folder {path}, found one; it is never overwritten")
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{path.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        _sync_tree(temporary)
        temporary.rename(path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    _sync_folder(path.parent)


def _sync_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    for path in (folder, *(one for one in folder.rglob("*") if one.is_dir())):
        _sync_folder(path)


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
