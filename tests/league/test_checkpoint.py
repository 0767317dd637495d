"""The counters of a run: they come back as they were, and a folder that was touched is refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from league.checkpoint import FILE, FORMAT, CheckpointError, Progress
from league.manager import PlannedPair

PROGRESS = Progress(
    iteration=7,
    env_steps=1200,
    seconds=3.25,
    manager={"num_pairs": 4, "streams": {"a": [1, 2**80]}},
    waiting=(PlannedPair(("main-0001", "greedy"), 17, 99),),
)
STATE = "trainer.safetensors"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / STATE).write_bytes(b"weights")
    PROGRESS.save(tmp_path)
    return tmp_path


def edit(folder: Path, changes: dict[str, Any], *, reseal: bool = False) -> None:
    path = folder / FILE
    values = {**json.loads(path.read_text()), **changes}
    if reseal:
        values.pop("sha256")
        text = json.dumps(values, sort_keys=True)
        values["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    path.write_text(json.dumps(values))


def test_progress_comes_back_as_it_was(folder: Path) -> None:
    assert Progress.load(folder) == PROGRESS


@pytest.mark.parametrize("field", ["iteration", "env_steps", "seconds"])
def test_a_changed_number_is_noticed(folder: Path, field: str) -> None:
    edit(folder, {field: 8})
    with pytest.raises(CheckpointError, match=r"expected the digest of .*league\.json"):
        Progress.load(folder)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b"weight"),
        lambda path: path.write_bytes(b"weighs!"),
    ],
)
def test_a_changed_or_missing_file_is_named(folder: Path, spoil: Callable[[Path], Any]) -> None:
    spoil(folder / STATE)
    with pytest.raises(CheckpointError, match=r"expected .*trainer\.safetensors.*put back a copy"):
        Progress.load(folder)


@pytest.mark.parametrize("cut", [0, 1, -1, -20])
def test_a_short_file_is_named(folder: Path, cut: int) -> None:
    path = folder / FILE
    path.write_bytes(path.read_bytes().rstrip()[:cut])
    with pytest.raises(CheckpointError, match=r"expected a checkpoint at .*league\.json"):
        Progress.load(folder)


@pytest.mark.parametrize("format_", [None, "pill-league-run-99", "other"])
def test_another_version_is_named(folder: Path, format_: str | None) -> None:
    edit(folder, {"format": format_})
    with pytest.raises(CheckpointError, match=f"expected format '{FORMAT}' in .*, got {format_!r}"):
        Progress.load(folder)


@pytest.mark.parametrize(
    "change",
    [{"waiting": [{"players": ["a", "b"]}]}, {"waiting": 3}, {"speed": 9}, {"files": None}],
)
def test_other_fields_are_refused(folder: Path, change: dict[str, Any]) -> None:
    edit(folder, change, reseal=True)
    with pytest.raises(CheckpointError, match="expected the fields of a checkpoint"):
        Progress.load(folder)


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="expected a checkpoint at"):
        Progress.load(tmp_path / "nowhere")
