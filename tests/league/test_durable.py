"""Changes to a run's files: whole or not at all, and refusals that say what to do.

What a kill or a power cut leaves is tried in `tests/league/faults`.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from league.durable import (
    LineFile,
    delete,
    delete_leftovers,
    make_folder,
    name_temporary,
    publish_file,
    publish_folder,
    replace_file,
)
from league.errors import WriteError


def list_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def fill(folder: Path) -> None:
    (folder / "below").mkdir(parents=True)
    (folder / "below" / "text").write_text("text")


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    replace_file(path, b"old")
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert list_names(tmp_path) == ["config.yaml"]


def test_folders_are_made_with_those_above_them(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_a_folder_appears_when_it_is_full(tmp_path: Path) -> None:
    path = tmp_path / "made" / "one"
    with publish_folder(path) as folder:
        fill(folder)
        assert not path.exists()
    assert (path / "below" / "text").read_text() == "text"
    assert list_names(path.parent) == ["one"]


def test_a_file_appears_when_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "one"
    name_temporary(path).write_text("what a kill left")
    with publish_file(path) as temporary:
        assert not temporary.exists()
        temporary.write_text("text")
        assert not path.exists()
    assert list_names(tmp_path) == ["one"]


def test_a_folder_that_a_kill_left_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "one"
    fill(name_temporary(path))
    with publish_folder(path) as folder:
        assert list_names(folder) == []
    assert list_names(path) == []


def test_deleting_takes_the_name_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "one"
    fill(path)

    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, "no")

    with monkeypatch.context() as patch:
        patch.setattr("league.durable.shutil.rmtree", refuse)
        with pytest.raises(WriteError, match="expected to write"):
            delete(path)
    assert list_names(tmp_path) == [name_temporary(path).name]
    delete_leftovers(tmp_path)
    assert list_names(tmp_path) == []


def test_deleting_takes_files_and_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("text")
    delete(tmp_path / "one")
    delete(tmp_path / "one")
    fill(tmp_path / "two")
    delete(tmp_path / "two")
    assert list_names(tmp_path) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda path: replace_file(path, b""),
        lambda path: make_folder(path),
        lambda path: publish_folder(path).__enter__(),
        lambda path: publish_file(path).__enter__(),
        lambda path: LineFile(path),
    ],
)
def test_a_refusal_says_what_to_do(tmp_path: Path, change: Callable[[Path], object]) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WriteError, match=r"expected to write .*/file.*, .* go on with --resume"):
        change(tmp_path / "file" / "one")


def test_an_error_while_filling_is_passed_on(tmp_path: Path) -> None:
    for publish in (publish_file, publish_folder):
        with pytest.raises(KeyError), publish(tmp_path / "one"):
            raise KeyError
    with pytest.raises(WriteError, match="No space left"), publish_folder(tmp_path / "one"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert not (tmp_path / "one").exists()


@pytest.mark.parametrize(
    ("found", "kept"),
    [
        (b"", b""),
        (b"one\n", b"one\n"),
        (b"one\ntw", b"one\n"),
        (b"on", b""),
        (b"one\n\0\0\0\n", b"one\n"),
        (b"one\ntw\0\0\n", b"one\n"),
        (b"\0\0\n", b""),
    ],
)
def test_a_damaged_last_line_is_dropped(tmp_path: Path, found: bytes, kept: bytes) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(found)
    lines = LineFile(path)
    assert path.read_bytes() == kept
    lines.append("nächste")
    lines.close()
    lines.close()
    assert path.read_bytes() == kept + "nächste\n".encode()
