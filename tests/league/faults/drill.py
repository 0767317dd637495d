"""Fails the rehearsal at many calls, one forked process each, and checks every resumed run.

Run by the tests under `injector.environment`:

    python -m tests.league.faults.drill FOLDER ORDER

where ORDER is JSON with the fields of `Order`. Prints what `carry_out` returns.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from league.durable import TEMPORARY_PREFIX
from league.errors import LeagueError
from tests.league.faults import rehearsal
from tests.league.faults.disk import Disk, Loss, write_tree
from tests.league.faults.injector import KILLED, Call, Fault, note, read_trace, watch
from tests.league.faults.rehearsal import describe, newest_iteration

ENDED, REFUSED, BROKEN = 0, 2, 3
"""Exit codes of a forked process: to the end, stopped by an error of ours, by any other error."""
PATIENCE_SECONDS = 60
RESUME_CALLS = 30
"""Calls of a resumed process that are tried: more than its tidying up takes."""
HITS: dict[Fault, str] = {
    Fault.BEFORE: "CWTSDRUM",
    Fault.AFTER: "CWTSDRUM",
    Fault.TORN: "W",
    Fault.FULL: "CWM",
    Fault.SHORT: "W",
    Fault.SYNC_FAILS: "SD",
}
"""The kinds of calls at which a fault is one."""


@dataclass(frozen=True)
class Order:
    """Which of all possible failures are tried."""

    faults: tuple[str, ...] = ()
    """Names of `Fault`; each is tried at every call that it can hit."""
    twice: bool = False
    """Kill after every rename, and the resumed process before each of its first calls."""
    cuts: bool = False
    """Cut the power after every call, with all `Loss`es."""
    run: str = "main alone"
    """Name in `rehearsal.CONFIGS` of what is played."""
    step: int = 1
    """Every how manieth call is taken."""
    offset: int = 0
    """The first of them."""


Play = Callable[[Path, Callable[[int], None]], None]
"""Plays a rehearsal in a folder to its end, and tells of each iteration that is durable."""


@dataclass(frozen=True)
class Stage:
    """Where failures are tried, and what is played there."""

    folder: Path
    play: Play
    expected: dict[str, Any]
    """The record of an undisturbed run."""


def carry_out(folder: Path, order: Order) -> dict[str, Any]:
    """Try the failures of an order in an empty folder.

    Returns:
        The `calls` of an undisturbed run in words, the names of files that it changes `in_place`,
        its `record`, the number of `cases` tried by the name of the failure, and the `failures` in
        words.
    """
    play = partial(rehearsal.play, rehearsal.CONFIGS[order.run])
    # Imports are made once, before the processes are forked.
    play(folder / "warm", lambda iteration: None)
    whole = folder / "whole"
    traced = list(record(whole, play))
    calls = [call for call in traced if call.kind != "N"]
    expected = run_apart(lambda: describe(whole / "run"))[1]
    cases: dict[str, int] = {}
    failures: list[str] = []
    for name, wrong in _try_all(Stage(folder, play, expected), whole, traced, order):
        cases[name] = cases.get(name, 0) + 1
        failures += [wrong] if wrong else []
    return {
        "calls": [call.text for call in calls],
        "in_place": sorted({Path(call.path).name for call in calls if is_in_place(call, whole)}),
        "record": expected,
        "cases": cases,
        "failures": failures,
    }


def _try_all(
    stage: Stage, whole: Path, traced: list[Call], order: Order
) -> Iterator[tuple[str, str | None]]:
    """Yield the name of each failure tried and what went wrong."""
    calls = [call for call in traced if call.kind != "N"]
    numbers = range(1 + order.offset, len(calls) + 1, order.step)
    for name in order.faults:
        for number in numbers:
            if calls[number - 1].kind in HITS[Fault[name]]:
                yield name, fail_at(stage, Fault[name], number)
    if order.twice:
        renames = [number for number in numbers if calls[number - 1].kind == "R"]
        for number, again in product(renames, range(1, RESUME_CALLS + 1)):
            yield "TWICE", fail_at(stage, Fault.AFTER, number, again)
    if order.cuts:
        for wrong in cut_power(stage, whole, traced, order):
            yield "POWER CUT", wrong


def record(whole: Path, play: Play) -> Iterator[Call]:
    """Play the rehearsal undisturbed and yield its calls."""
    trace = whole.with_name("trace")
    whole.mkdir()

    def run() -> None:
        with trace.open("wb") as file:
            watch(whole, Fault.COUNT, 0, file.fileno())
            play(whole / "run", lambda iteration: note(str(iteration)))
            watch(Path("/nowhere"), Fault.COUNT)

    code, answer = run_apart(run)
    assert code == ENDED, answer
    return read_trace(trace)


def is_in_place(call: Call, whole: Path) -> bool:
    """Whether a call changes a file under the name by which the run finds it."""
    parts = Path(call.path).relative_to(whole).parts
    return call.kind in "CWTU" and not any(part.startswith(TEMPORARY_PREFIX) for part in parts)


def fail_at(stage: Stage, fault: Fault, call: int, again: int = 0) -> str | None:
    """Fail at a call, resume, and say what is wrong with the result, if anything is."""
    place = stage.folder / "place"
    place.mkdir()
    try:
        name = f"{fault.name} at call {call}"
        acknowledged, wrong = disturb(place, stage.play, fault, call)
        if wrong:
            return f"{name}: {wrong}"
        if again:
            name += f", then BEFORE at call {again}"
            more, wrong = disturb(place, stage.play, Fault.BEFORE, again)
            acknowledged = max(acknowledged, more)
            if wrong:
                return f"{name}: {wrong}"
        wrong = check_resume(place / "run", stage, acknowledged)
        return f"{name}: {wrong}" if wrong else None
    finally:
        shutil.rmtree(place)


def disturb(place: Path, play: Play, fault: Fault, call: int) -> tuple[int, str | None]:
    """Play with a fault; return the last promised iteration, and what went wrong otherwise."""
    reader, writer = os.pipe()

    def run() -> None:
        def tell(iteration: int) -> None:
            os.write(writer, b"%d\n" % iteration)

        watch(place, fault, call)
        play(place / "run", tell)

    code, answer = run_apart(run)
    os.close(writer)
    with open(reader, encoding="ascii") as file:  # noqa: PTH123 - a descriptor has no path
        promised = [-1, *map(int, file.read().split())]
    refuses = fault in (Fault.FULL, Fault.SHORT, Fault.SYNC_FAILS)
    # A call that the run does not come to, after other faults, leaves it undisturbed.
    right = code in ((REFUSED, ENDED) if refuses else (KILLED, ENDED))
    return promised[-1], None if right else f"exit code {code}: {answer}"


def check_resume(run: Path, stage: Stage, acknowledged: int) -> str | None:
    """Resume a disturbed run to its end; say how it differs from an undisturbed one."""

    def resume() -> dict[str, Any]:
        kept = newest_iteration(run)
        assert kept >= acknowledged, f"iteration {acknowledged} was lost, {kept} is the newest"
        stage.play(run, lambda iteration: None)
        return describe(run)

    code, found = run_apart(resume)
    if code != ENDED:
        return f"resume: {found}"
    wrong = [key for key, value in stage.expected.items() if found[key] != value]
    return f"resumed run differs in {', '.join(wrong)}: {found[wrong[0]]}" if wrong else None


def cut_power(stage: Stage, whole: Path, traced: list[Call], order: Order) -> Iterator[str | None]:
    """Cut the power after calls; yield what is wrong with each resumed run, None for nothing."""
    disk, acknowledged, seen = Disk(whole), -1, set()
    place = stage.folder / "cut"
    for number, call in enumerate(traced):
        if call.kind == "N":
            acknowledged = int(call.path)
        else:
            disk.apply(call)
        if number % order.step != order.offset:
            continue
        for loss in Loss:
            content = disk.left(loss, number)
            key = hash((acknowledged, content))
            if key in seen:
                continue
            seen.add(key)
            place.mkdir()
            write_tree(place, content)
            wrong = check_resume(place / "run", stage, acknowledged)
            shutil.rmtree(place)
            yield f"power cut after {number} ({call.text}), {loss.name}: {wrong}" if wrong else None


def run_apart(task: Callable[[], Any]) -> tuple[int, Any]:
    """Call `task` in a forked process; return its exit code and its answer or its error."""
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        code, answer = BROKEN, None
        try:
            signal.alarm(PATIENCE_SECONDS)
            code, answer = ENDED, task()
        except LeagueError as error:
            code, answer = REFUSED, str(error)
        except BaseException:
            answer = traceback.format_exc()
        finally:
            watch(Path("/nowhere"), Fault.COUNT)
            with open(writer, "w", encoding="utf-8") as file:  # noqa: PTH123
                json.dump(answer, file)
            os._exit(code)
    os.close(writer)
    with open(reader, encoding="utf-8") as file:  # noqa: PTH123 - a descriptor has no path
        text = file.read()
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status), json.loads(text) if text else None


if __name__ == "__main__":
    json.dump(carry_out(Path(sys.argv[1]).resolve(), Order(**json.loads(sys.argv[2]))), sys.stdout)
