"""A run's checkpoint: one folder with all learners' tensors and the league's counters as JSON.

It holds what only the next iteration needs. Games, snapshots and ratings are in the database,
which commits after the folder has its name; resume takes the newest iteration that both have.
The JSON is written last and has the digest of every other file, so nothing in the folder is
believed that was changed, cut short or added later.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from league.errors import LeagueError
from league.manager import PlannedPair

FORMAT: Final = "pill-league-run-2"
FILE: Final = "league.json"
_ADVICE: Final = (
    "it was changed or cut short: put back a copy of the run folder, or start a new run; the "
    "standings and the snapshots of this one stay usable"
)


class CheckpointError(LeagueError):
    """A checkpoint that is missing, broken or of another version."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come, apart from weights, games and ratings."""

    iteration: int = -1
    """Last finished iteration; 0 is the state before any training, -1 is none."""
    env_steps: int = 0
    """Env steps trained so far."""
    seconds: float = 0.0
    """Wall time of all iterations, over all processes that worked on the run."""
    manager: Mapping[str, Any] = field(default_factory=dict)
    """State of the `LeagueManager`."""
    waiting: tuple[PlannedPair, ...] = ()
    """Evaluation pairs that are planned and not recorded yet."""

    def save(self, folder: Path) -> None:
        """Write the progress into a folder that holds all other files of the checkpoint."""
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        files = {path.relative_to(folder).as_posix(): _digest(path.read_bytes()) for path in paths}
        values = {"format": FORMAT, "files": files, **asdict(self)}
        # The digest is that of what a reader gets back, in which a tuple has become a list.
        values = json.loads(json.dumps(values))
        text = json.dumps({**values, "sha256": _digest(_canonical(values))}, indent=1)
        (folder / FILE).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the progress back, after checking that the whole folder is as it was saved.

        Raises:
            CheckpointError: A file of the checkpoint is missing, changed, cut short, or of
                another version.
        """
        path = folder / FILE
        values = _read(path)
        try:
            for name, digest in values.pop("files").items():
                _check_file(folder / name, digest)
            waiting = tuple(
                PlannedPair(**{**pair, "players": tuple(pair["players"])})
                for pair in values.pop("waiting")
            )
            return cls(**values, waiting=waiting)
        except (AttributeError, KeyError, TypeError) as error:
            raise CheckpointError(f"expected the fields of a checkpoint in {path}: {error}") from (
                error
            )


def _read(path: Path) -> dict[str, Any]:
    """Return the values in the file of a checkpoint, apart from format and digest."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"expected a checkpoint at {path}: {error}; {_ADVICE}") from error
    found = values.pop("format", None) if isinstance(values, dict) else None
    if found != FORMAT:
        raise CheckpointError(
            f"expected format {FORMAT!r} in {path}, got {found!r}; use the version of pill-league "
            "that wrote it"
        )
    digest = values.pop("sha256", None)
    if digest != _digest(_canonical({"format": FORMAT, **values})):
        raise CheckpointError(f"expected the digest of {path} in it, got {digest!r}; {_ADVICE}")
    fields: dict[str, Any] = values
    return fields


def _check_file(path: Path, expected: str) -> None:
    try:
        found = _digest(path.read_bytes())
    except OSError as error:
        raise CheckpointError(f"expected {path}: {error.strerror}; {_ADVICE}") from error
    if found != expected:
        raise CheckpointError(f"expected sha256 {expected} of {path}, got {found}; {_ADVICE}")


def _canonical(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, sort_keys=True).encode()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
