"""`league verify`: the simulator held against the cartridge and the reference, byte by byte.

Sessions of mixed play are recorded on the simulator and played again on Pill Duel under FCEUmm,
every frame compared; a part of them also on the Python reference. Then builds of the simulator with
one wrong rule each must be caught by the same comparison. Last the planner is held against the
simulator, see `league.verify.planner`.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from envs.backends.integrations import PILL_DUEL
from envs.backends.native_library import open_library
from envs.backends.native_pool import count_processors
from league.parity.events import MINIMA, count_events
from league.parity.machines import CartridgeMachine, Machine, ReferenceMachine, SimulatorMachine
from league.parity.mutants import MUTANTS, MutantBuilder
from league.parity.session import record_session
from league.parity.trace import Difference, find_difference
from league.verify.planner import PlannerScope, format_planner_report, run_planner_verify

DEFAULT_SESSIONS: Final = 2600
"""Sessions of a full run: more than 2,000 rounds and 5 million frames."""
MINIMUM_FRAMES: Final = 5_000_000
MUTANT_SESSIONS: Final = 400
"""Sessions after which a mutant counts as not caught."""
REFERENCE_SHARE: Final = 20
"""One session in so many also runs on the Python reference, which is slow."""
FULL_SCOPE: Final = PlannerScope()
"""What is promised of the planner."""

_CHUNK: Final = 20
"""Sessions that a worker takes at a time."""


@dataclass(slots=True)
class Tally:
    """What some sessions came to."""

    sessions: int = 0
    frames: int = 0
    reference_frames: int = 0
    frames_by_kind: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    levels: set[int] = field(default_factory=set)
    speeds: set[int] = field(default_factory=set)
    differences: list[Difference] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add what other sessions came to."""
        self.sessions += other.sessions
        self.frames += other.frames
        self.reference_frames += other.reference_frames
        self.frames_by_kind += other.frames_by_kind
        self.events += other.events
        self.levels |= other.levels
        self.speeds |= other.speeds
        self.differences += other.differences


def run_verify(
    sessions: int = DEFAULT_SESSIONS,
    *,
    seed: int = 0,
    workers: int | None = None,
    mutants: bool = True,
    planner: PlannerScope | None = FULL_SCOPE,
    on_sessions: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Compare the implementations and return the report, ready for JSON.

    Args:
        sessions: Sessions to play.
        seed: Draws them.
        workers: Processes; each opens an emulator. Default: one for each processor.
        mutants: Whether to hunt the mutants too.
        planner: How much of the planner to judge; None: nothing.
        on_sessions: Called with the number of sessions done since the last call.

    Raises:
        BackendError: The simulator, the emulator, or for mutants a compiler is missing.
    """
    start = time.monotonic()
    tally = compare_sessions(sessions, seed=seed, workers=workers, on_sessions=on_sessions)
    report = describe_tally(tally)
    report["mutants"] = hunt_mutants(seed) if mutants else []
    report["planner"] = run_planner_verify(planner, seed=seed) if planner else None
    caught = all(mutant["caught"] for mutant in report["mutants"])
    planned = report["planner"] is None or report["planner"]["passed"]
    report["passed"] = report["equal"] and report["covered"] and caught and planned
    report["seconds"] = time.monotonic() - start
    return report


def compare_sessions(
    sessions: int,
    *,
    seed: int = 0,
    workers: int | None = None,
    on_sessions: Callable[[int], None] | None = None,
) -> Tally:
    """Compare sessions 0 up to `sessions` of `seed`, spread over processes."""
    tally = Tally()
    # An emulator lives in each worker, and forking one is unsafe.
    context = multiprocessing.get_context("spawn")
    chunks = [range(first, min(first + _CHUNK, sessions)) for first in range(0, sessions, _CHUNK)]
    with ProcessPoolExecutor(workers or count_processors(), mp_context=context) as executor:
        futures = [executor.submit(compare_chunk, seed, chunk) for chunk in chunks]
        for future in futures:
            part = future.result()
            tally.add(part)
            if on_sessions is not None:
                on_sessions(part.sessions)
            if tally.differences:
                executor.shutdown(cancel_futures=True)
                break
    return tally


def compare_chunk(seed: int, indices: range) -> Tally:
    """Compare some sessions in this process; stops at the first difference."""
    tally = Tally()
    simulator, reference = SimulatorMachine(), ReferenceMachine()
    cartridge = CartridgeMachine(PILL_DUEL)
    try:
        for index in indices:
            trace = record_session(simulator, seed, index)
            machines: list[Machine] = [cartridge]
            if index % REFERENCE_SHARE == 0:
                machines.append(reference)
            for machine in machines:
                difference = find_difference(trace, machine.play(trace), machine.name)
                if difference is not None:
                    tally.differences.append(difference)
            tally.sessions += 1
            tally.frames += len(trace)
            tally.reference_frames += len(trace) if len(machines) > 1 else 0
            tally.frames_by_kind[trace.kind] += len(trace)
            tally.events += count_events(trace)
            tally.levels |= set(trace.start.setup.levels)
            tally.speeds |= {int(speed) for speed in trace.start.setup.speeds}
            if tally.differences:
                break
    finally:
        cartridge.close()
    return tally


def describe_tally(tally: Tally) -> dict[str, Any]:
    """Return the report on compared sessions, ready for JSON."""
    minima = {"frames": MINIMUM_FRAMES, **MINIMA}
    counts = {"frames": tally.frames, **tally.events}
    coverage = {
        name: {"count": counts.get(name, 0), "minimum": low, "met": counts.get(name, 0) >= low}
        for name, low in minima.items()
    }
    return {
        "sessions": tally.sessions,
        "frames": tally.frames,
        "reference_frames": tally.reference_frames,
        "frames_by_kind": dict(sorted(tally.frames_by_kind.items())),
        "levels": sorted(tally.levels),
        "speeds": sorted(tally.speeds),
        "coverage": coverage,
        "other_events": {
            name: count for name, count in sorted(tally.events.items()) if name not in MINIMA
        },
        "equal": not tally.differences,
        "covered": all(entry["met"] for entry in coverage.values()),
        "first_difference": _describe_difference(tally.differences),
    }


def format_report(report: Mapping[str, Any]) -> list[str]:
    """Return the lines of text that a report of `run_verify` reads as."""
    yes_no = {True: "yes", False: "NO"}
    lines = [
        f"{report['sessions']} sessions, {report['frames']} frames, of which "
        f"{report['reference_frames']} also on the reference",
        f"every compared byte equal: {yes_no[report['equal']]}",
    ]
    if report["first_difference"] is not None:
        lines.append(report["first_difference"]["text"])
    for name, entry in report["coverage"].items():
        lines.append(
            f"{name}: {entry['count']} of at least {entry['minimum']}: {yes_no[entry['met']]}"
        )
    lines += [
        f"mutant caught, {mutant['rule']}: {yes_no[mutant['caught']]}"
        for mutant in report["mutants"]
    ]
    if report["planner"] is not None:
        lines += format_planner_report(report["planner"])
    return [*lines, f"passed: {yes_no[report['passed']]}"]


def hunt_mutants(seed: int = 0, sessions: int = MUTANT_SESSIONS) -> list[dict[str, Any]]:
    """Build every mutant and play sessions until each has shown a difference.

    Returns:
        Per mutant the rule, the file, whether it was caught, and the difference.

    Raises:
        BackendError: The sources or a compiler are missing.
    """
    caught: dict[str, Difference] = {}
    simulator = SimulatorMachine()
    with tempfile.TemporaryDirectory() as folder:
        builder = MutantBuilder(Path(folder))
        loose = {
            mutant.rule: SimulatorMachine(open_library(builder.build(mutant)), "mutant")
            for mutant in MUTANTS
        }
        for index in range(sessions):
            trace = record_session(simulator, seed, index)
            for rule, machine in list(loose.items()):
                difference = find_difference(trace, machine.play(trace), machine.name)
                if difference is not None:
                    caught[rule] = difference
                    del loose[rule]
            if not loose:
                break
    return [
        {
            "rule": mutant.rule,
            "file": mutant.file,
            "caught": mutant.rule in caught,
            "difference": asdict(caught[mutant.rule]) if mutant.rule in caught else None,
        }
        for mutant in MUTANTS
    ]


def _describe_difference(differences: list[Difference]) -> dict[str, Any] | None:
    if not differences:
        return None
    return {**asdict(differences[0]), "text": differences[0].describe()}
