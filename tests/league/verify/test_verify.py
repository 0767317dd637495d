"""`league verify` in small: more than 100,000 frames against the cartridge, and the mutants."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from envs.backends.base import BackendError
from league.parity.events import MINIMA
from league.parity.mutants import MUTANTS, Mutant, MutantBuilder
from league.verify.planner import PlannerScope
from league.verify.simulator import (
    MINIMUM_FRAMES,
    Tally,
    compare_sessions,
    describe_tally,
    format_report,
    hunt_mutants,
    run_verify,
)
from tests.native import needs_native

SESSIONS = 56
FRAMES = 100_000

pytestmark = needs_native
needs_compiler = pytest.mark.skipif(shutil.which("c++") is None, reason="no C++ compiler")


@pytest.fixture(scope="module")
def tally() -> Tally:
    return compare_sessions(SESSIONS)


@pytest.mark.emulator
def test_simulator_equals_the_cartridge_and_the_reference(tally: Tally) -> None:
    assert not tally.differences, tally.differences[0].describe()
    assert tally.sessions == SESSIONS
    assert tally.frames >= FRAMES
    assert tally.reference_frames > 0


@pytest.mark.emulator
def test_small_run_meets_every_kind_of_event(tally: Tally) -> None:
    assert {name for name in MINIMA if not tally.events[name]} == set()
    assert tally.speeds == {0, 1, 2}
    assert len(tally.levels) > 15


@pytest.mark.emulator
def test_report_says_what_is_missing(tally: Tally) -> None:
    report = json.loads(json.dumps(describe_tally(tally)))
    assert report["equal"]
    assert report["first_difference"] is None
    assert not report["covered"], "a small run is not a full one"
    assert report["coverage"]["frames"] == {
        "count": tally.frames,
        "minimum": MINIMUM_FRAMES,
        "met": False,
    }
    assert sum(report["frames_by_kind"].values()) == tally.frames


@pytest.mark.emulator
def test_a_reduced_run_has_the_whole_report() -> None:
    done: list[int] = []
    scope = PlannerScope(plans=500, positions=2, speeds=(60, 80))
    report = run_verify(2, workers=1, mutants=False, planner=scope, on_sessions=done.append)
    assert json.loads(json.dumps(report)) == report
    assert sum(done) == 2
    assert report["equal"]
    assert report["planner"]["passed"]
    assert report["planner"]["scripts"]["plans"] >= 500
    assert report["planner"]["at_spawn"]["positions"] == 4
    assert not report["passed"], "two sessions do not cover the minima"
    lines = format_report(report)
    assert any(line.startswith("plans played out: ") for line in lines)
    assert any("poses walked anywhere: " in line for line in lines)
    assert lines[-1] == "passed: NO"


@pytest.mark.emulator
def test_a_wrong_planner_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    scope = PlannerScope(plans=100, positions=1, speeds=(80,))
    # Every other minimum is waived, so that the planner alone decides.
    monkeypatch.setattr("league.verify.simulator.MINIMA", {})
    monkeypatch.setattr("league.verify.simulator.MINIMUM_FRAMES", 0)
    assert run_verify(1, workers=1, mutants=False, planner=scope)["passed"]
    monkeypatch.setattr("league.verify.planner.plan_script", lambda capsule, pose: b"")
    report = run_verify(1, workers=1, mutants=False, planner=scope)
    assert report["planner"]["scripts"]["wrong"] > 0
    assert not report["passed"]


@needs_compiler
@pytest.mark.slow
def test_every_mutant_is_caught() -> None:
    hunted = hunt_mutants()
    assert len(hunted) >= 10
    assert [entry["rule"] for entry in hunted if not entry["caught"]] == []
    for entry in hunted:
        assert entry["difference"]["simulator"] != entry["difference"]["other"]


@needs_compiler
def test_mutant_must_fit_its_source(tmp_path: Path) -> None:
    builder = MutantBuilder(tmp_path)
    for old in ("no such text", "#include"):
        mutant = Mutant("none", "control.cpp", old, "")
        with pytest.raises(ValueError, match=rf"expected '{old}' once in control.cpp, found it"):
            builder.build(mutant)


@needs_compiler
def test_mutant_must_compile(tmp_path: Path) -> None:
    broken = Mutant("none", "control.cpp", "DAS_CHARGED = 16", "DAS_CHARGED = nonsense")
    with pytest.raises(BackendError, match="expected the mutant to compile"):
        MutantBuilder(tmp_path).build(broken)


def test_mutants_need_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(BackendError, match="expected a C\\+\\+ compiler"):
        MutantBuilder(tmp_path)


def test_mutants_change_one_rule_each() -> None:
    assert len({mutant.rule for mutant in MUTANTS}) == len(MUTANTS)
    assert all(mutant.old != mutant.new for mutant in MUTANTS)
