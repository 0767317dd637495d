"""A run that is killed, refused or cut off at its writes goes on as if nothing had happened.

The three quick tests take one call in 24; the slow one takes every call:

    python -m pytest -m slow tests/league/faults
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.league.faults.disk import Disk, Loss
from tests.league.faults.drill import HITS, RESUME_CALLS, Order
from tests.league.faults.injector import (
    ROOT,
    Call,
    Fault,
    Kind,
    compile_injector,
    environment,
    find_obstacle,
)

Report = dict[str, Any]
RunDrill = Callable[..., Report]

MEMORY = Path("/dev/shm")
"""Files here need no real disk to be synced to; what a sync means is the injector's to say."""
OBSTACLE = find_obstacle()
needs_injector = pytest.mark.skipif(OBSTACLE is not None, reason=str(OBSTACLE))


@pytest.fixture(scope="module")
def run_drill(tmp_path_factory: pytest.TempPathFactory) -> RunDrill:
    """Run a drill in a process that the injector is loaded into, and return its report."""
    library = compile_injector(tmp_path_factory.mktemp("injector"))

    def run(order: Order, hash_seed: int = 1) -> Report:
        with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
            command = [sys.executable, "-m", "tests.league.faults.drill", folder]
            done = subprocess.run(
                [*command, json.dumps(asdict(order))],
                cwd=ROOT,
                env=environment(library, hash_seed),
                capture_output=True,
                text=True,
                check=False,
            )
        assert done.returncode == 0, done.stderr
        report: Report = json.loads(done.stdout)
        return report

    return run


@pytest.fixture(scope="module")
def quick(run_drill: RunDrill) -> Report:
    """Every 24th call of a run killed, refused, and followed by a power cut."""
    return run_drill(Order(faults=("BEFORE", "FULL"), cuts=True, step=24, offset=5))


def failures(report: Report, name: str) -> list[str]:
    return [text for text in report["failures"] if text.upper().startswith(name)]


@needs_injector
def test_a_kill_loses_nothing_that_was_recorded(quick: Report) -> None:
    assert quick["cases"]["BEFORE"] >= 11
    assert failures(quick, "BEFORE") == []


@needs_injector
def test_a_full_disk_stops_the_run_and_harms_nothing(quick: Report) -> None:
    assert quick["cases"]["FULL"] >= 5
    assert failures(quick, "FULL") == []


@needs_injector
def test_a_power_cut_loses_nothing_that_was_recorded(quick: Report) -> None:
    assert quick["cases"]["POWER CUT"] >= 11
    assert failures(quick, "POWER CUT") == []


@needs_injector
def test_one_seed_gives_one_record_in_any_process(quick: Report, run_drill: RunDrill) -> None:
    again = run_drill(Order(), hash_seed=2)
    assert again["record"] == quick["record"]
    # Evaluation games, the choice of opponents and the ratings are all in it.
    assert {len(again["record"][table]) for table in ("games", "ratings")} == {12, 9}


@needs_injector
def test_everything_but_the_logs_appears_by_a_rename(quick: Report) -> None:
    logs = {"league.sqlite", "league.sqlite-shm", "league.sqlite-wal", "lock", "metrics.jsonl"}
    assert set(quick["in_place"]) == logs


@needs_injector
def test_no_state_of_an_exploiter_is_lost(run_drill: RunDrill) -> None:
    """A few calls of a run in which main and two exploiters learn in turn; see the slow test."""
    report = run_drill(
        Order(faults=("BEFORE", "FULL"), cuts=True, run="exploiters", step=97, offset=60)
    )
    assert report["failures"] == []
    assert {*report["cases"]} == {"BEFORE", "FULL", "POWER CUT"}
    assert run_drill(Order(run="exploiters"), hash_seed=2)["record"] == report["record"]
    roles = {row[1] for row in report["record"]["snapshots"]}
    assert roles == {"main", "main_exploiter_1"}
    *_, states = report["record"]["checkpoints"][-1]
    names = [name for name, _ in states]
    assert names == ["exploiters/league_exploiter_1/trainer.safetensors", "trainer.safetensors"]


@needs_injector
@pytest.mark.slow
@pytest.mark.parametrize(("run", "iterations"), [("main alone", 6), ("exploiters", 10)])
def test_every_call_of_a_run_can_fail(run_drill: RunDrill, run: str, iterations: int) -> None:
    faults = tuple(fault.name for fault in HITS)
    report = run_drill(Order(faults=faults, twice=True, cuts=True, run=run))
    assert report["failures"] == []
    assert len(report["record"]["iterations"]) == iterations
    cases = report["cases"]
    assert cases["BEFORE"] == cases["AFTER"] == len(report["calls"])
    assert cases["TORN"] == sum(call.startswith("write") for call in report["calls"])
    assert cases["SYNC_FAILS"] == sum(call.startswith("fsync") for call in report["calls"])
    assert cases["TWICE"] % RESUME_CALLS == 0


def call(kind: Kind, path: str, *, to: str = "", offset: int = 0, data: bytes = b"") -> Call:
    return Call(kind, f"/top/{path}", f"/top/{to}", offset, data)


def left(disk: Disk, loss: Loss, seed: int = 0) -> dict[str, bytes | None]:
    return dict(disk.left(loss, seed))


def test_the_disk_model_keeps_what_was_synced() -> None:
    disk = Disk(Path("/top"))
    for one in (
        call("C", "a"),
        call("W", "a", data=b"old"),
        call("S", "a"),
        call("D", ""),
        call("W", "a", offset=1, data=b"new"),
    ):
        disk.apply(one)
    assert left(disk, Loss.ALL) == {"a": b"old"}
    assert left(disk, Loss.DATA) == {"a": b"old"}
    assert {left(disk, Loss.SOME, seed)["a"] for seed in range(20)} == {b"old", b"onew"}
    disk.apply(call("T", "a", offset=2))
    disk.apply(call("S", "a"))
    assert left(disk, Loss.ALL) == {"a": b"on"}


def test_the_disk_model_loses_names_until_their_folder_is_synced() -> None:
    disk = Disk(Path("/top"))
    for one in (
        call("M", "folder"),
        call("C", "folder/.tmp-a"),
        call("W", "folder/.tmp-a", data=b"text"),
        call("R", "folder/.tmp-a", to="folder/a"),
    ):
        disk.apply(one)
    assert left(disk, Loss.ALL) == {}
    assert left(disk, Loss.DATA) == {"folder": None, "folder/a": b""}
    disk.apply(call("S", "folder/a"))
    disk.apply(call("D", "folder"))
    assert left(disk, Loss.ALL) == {}
    disk.apply(call("D", ""))
    assert left(disk, Loss.ALL) == {"folder": None, "folder/a": b"text"}
    disk.apply(call("U", "folder/a"))
    assert left(disk, Loss.ALL) == {"folder": None, "folder/a": b"text"}
    assert left(disk, Loss.DATA) == {"folder": None}


def test_the_disk_model_tears_long_writes() -> None:
    disk = Disk(Path("/top"))
    disk.apply(call("C", "a"))
    disk.apply(call("W", "a", offset=100, data=b"x" * 1000))
    lengths = {len(left(disk, Loss.SOME, seed).get("a") or b"") for seed in range(40)}
    assert {0, 512, 1024, 1100} <= lengths


def test_every_fault_has_calls_to_hit() -> None:
    assert set(HITS) == set(Fault) - {Fault.COUNT}
