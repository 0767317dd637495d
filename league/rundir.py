"""The folder of a run: names of everything in it, what a kill leaves, and one writer at a time."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Final

from league.checks import suggest
from league.durable import (
    TEMPORARY_PREFIX,
    delete,
    delete_leftovers,
    explain_refusal,
    make_folder,
    replace_file,
)
from league.errors import RunDirError

KEPT_CHECKPOINTS: Final = 2
"""The newest, and the one before for the instant in which the database is not there yet."""

_SEAL: Final = "# Never edited; sha256 of the lines above: "
_CHECKPOINT_PATTERN: Final = re.compile(r"iteration-(\d{6,})")


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
        self.export = path / "export"
        """The tree of the run's champion, if it was exported: see `league.export`."""
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
        make_folder(path)
        replace_file(run.config, _seal(config).encode())
        return run

    @classmethod
    def open(cls, path: Path) -> RunDir:
        """Return the folder of an existing run.

        Raises:
            RunDirError: There is no run in it, or not with the configuration it was started with.
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
        _check_seal(run.config)
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
            delete(self.checkpoint(iteration))

    def discard_unfinished(self, iteration: int, snapshots: Collection[str]) -> None:
        """Delete what a kill left: an iteration that was never recorded, checkpoints not pruned.

        Args:
            iteration: The newest recorded iteration, -1 for none; later checkpoints go.
            snapshots: Recorded snapshot ids; other snapshot folders go.

        Raises:
            RunDirError: The folder holds more than one unfinished iteration, which no kill
                leaves; nothing is deleted.
        """
        later = [one for one in self.list_checkpoints() if one > iteration]
        if later and later[-1] > iteration + 1:
            raise RunDirError(
                f"expected checkpoints up to iteration {iteration + 1} in {self.checkpoints}, as "
                f"{self.database.name} ends with iteration {iteration}, got {later[-1]}; the "
                f"database is not the one of this run, or was copied without {self.database.name}"
                "-wal: put it back"
            )
        for folder in (self.path, self.snapshots, self.checkpoints):
            delete_leftovers(folder)
        for number in later:
            delete(self.checkpoint(number))
        for snapshot in sorted(self.snapshots.glob("*")):
            if snapshot.is_dir() and snapshot.name not in snapshots:
                delete(snapshot)
        self.prune_checkpoints()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only process that writes to this run.

        The system frees the lock when the process ends, however it ends.

        Raises:
            RunDirError: Another process has it.
            WriteError: The system refuses.
        """
        with ExitStack() as stack:
            path = self.path / "lock"
            with explain_refusal(path):
                file = stack.enter_context(path.open("a+b", buffering=0))
                _lock_file(file, self.path)
            yield


def _is_free(path: Path) -> bool:
    """Whether a folder holds nothing, or nothing but what a kill left of its creation."""
    return path.is_dir() and all(one.name.startswith(TEMPORARY_PREFIX) for one in path.iterdir())


def _seal(config: str) -> str:
    """Return a configuration with a last line by which `_check_seal` knows that it is whole."""
    return f"{config}{_SEAL}{hashlib.sha256(config.encode()).hexdigest()}\n"


def _check_seal(path: Path) -> None:
    """Refuse a configuration that is not as `_seal` left it.

    YAML that was cut short is YAML all the same, and the keys it has lost would go on with other
    values.
    """
    text = path.read_text(encoding="utf-8", errors="replace")
    config, _, _ = text.rpartition(_SEAL)
    if text != _seal(config):
        raise RunDirError(
            f"expected the configuration that the run was started with in {path}, got one that was "
            "edited or cut short; put it back, or start another run"
        )


def _lock_file(file: IO[bytes], run: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        raise RunDirError(
            f"expected to be the only process on {run}, but process {file.read().decode().strip()} "
            "works on it; wait for it, or stop it with Ctrl-C"
        ) from error
    file.truncate(0)
    file.write(b"%d\n" % os.getpid())
