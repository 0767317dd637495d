from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from league.durable import publish_folder, replace_file
from league.errors import RunDirError, WriteError
from league.rundir import RunDir


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return RunDir.create(tmp_path / "runs" / "first", "run: {}\n")


def save_checkpoint(run: RunDir, iteration: int) -> None:
    with publish_folder(run.checkpoint(iteration)) as folder:
        (folder / "state.json").write_text("{}")


def test_a_new_run_opens_again(run: RunDir) -> None:
    assert RunDir.open(run.path).config.read_text().startswith("run: {}\n# Never edited; sha256 ")
    assert run.snapshot("main-0003") == run.path / "snapshots" / "main-0003"


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("{}", "{seed: 1}"),
        lambda text: f"{text}env: {{}}\n",
        lambda text: "\0" * len(text),
    ],
)
def test_a_config_that_was_touched_is_refused(run: RunDir, edit: Callable[[str], str]) -> None:
    run.config.write_text(edit(run.config.read_text()))
    with pytest.raises(RunDirError, match=r"started with in .*config\.yaml, .* edited or cut"):
        RunDir.open(run.path)
    assert run.exists()


def test_checkpoints_far_ahead_of_the_database_are_never_deleted(run: RunDir) -> None:
    for iteration in (5, 6):
        save_checkpoint(run, iteration)
    for newest in (-1, 4):
        with pytest.raises(RunDirError, match=rf"ends with iteration {newest}, got 6; .*-wal"):
            run.discard_unfinished(newest, [])
    assert run.list_checkpoints() == [5, 6]


def test_a_run_is_not_created_twice(run: RunDir) -> None:
    with pytest.raises(RunDirError, match="--resume"):
        RunDir.create(run.path, "")


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(RunDirError, match="empty or new"):
        RunDir.create(tmp_path, "")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_what_a_kill_left_of_a_creation_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / ".tmp-config.yaml").write_text("half")
    run = RunDir.create(tmp_path, "run: {}\n")
    run.discard_unfinished(-1, [])
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]


def test_a_missing_run_is_named_with_those_that_exist(run: RunDir) -> None:
    with pytest.raises(RunDirError, match=r"did you mean 'first'.*runs in .*: first"):
        RunDir.open(run.path.with_name("frist"))
    with pytest.raises(RunDirError, match="expected a run in"):
        RunDir.open(run.path / "no" / "such")


def test_checkpoints_are_listed_and_pruned(run: RunDir) -> None:
    for iteration in (9, 10, 11):
        save_checkpoint(run, iteration)
    (run.checkpoints / "notes").mkdir()
    assert run.list_checkpoints() == [9, 10, 11]
    run.prune_checkpoints()
    assert run.list_checkpoints() == [10, 11]


def test_a_folder_appears_whole_or_not_at_all(run: RunDir) -> None:

    def fail() -> None:
        with publish_folder(run.checkpoint(1)) as folder:
            (folder / "weights").write_text("half")
            assert run.list_checkpoints() == []
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert list(run.checkpoints.iterdir()) == []
    save_checkpoint(run, 1)
    with pytest.raises(WriteError, match="never overwritten"):
        save_checkpoint(run, 1)


def _die_inside_a_write(run_path: Path) -> None:
    with publish_folder(RunDir(run_path).checkpoint(3)) as folder:
        (folder / "weights").write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)


def test_what_a_kill_leaves_is_not_seen_and_is_cleaned_up(run: RunDir) -> None:
    for iteration in (1, 2):
        save_checkpoint(run, iteration)
    for snapshot in ("main-0000", "main-0001"):
        run.snapshot(snapshot).mkdir(parents=True)
    process = multiprocessing.get_context("spawn").Process(
        target=_die_inside_a_write, args=(run.path,)
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert run.list_checkpoints() == [1, 2]
    run.discard_unfinished(1, ["main-0000"])
    assert [path.name for path in run.checkpoints.iterdir()] == ["iteration-000001"]
    assert [path.name for path in run.snapshots.iterdir()] == ["main-0000"]


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    replace_file(path, b"old")
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert [one.name for one in tmp_path.iterdir()] == ["config.yaml"]


def _hold_lock(path: Path, locked: Event, release: Event) -> None:
    with RunDir(path).lock():
        locked.set()
        release.wait()


def test_two_processes_never_write_to_one_run(run: RunDir) -> None:
    context = multiprocessing.get_context("spawn")
    locked, release = context.Event(), context.Event()
    process = context.Process(target=_hold_lock, args=(run.path, locked, release), daemon=True)
    process.start()
    assert locked.wait(30)
    with pytest.raises(RunDirError, match=f"process {process.pid} works on it"), run.lock():
        pass
    process.kill()
    process.join()
    with run.lock(), pytest.raises(RunDirError, match=str(os.getpid())), run.lock():
        pass
