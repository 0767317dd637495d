"""Opens everything that a run folder holds, in a process that notices whether anything is run.

    python -m tests.league.faults.open_run FOLDER...

Prints a JSON list with one object per folder: what each part said ("ok", or the error that it was
refused with), and under "alarms" what the interpreter was asked to run or to unpickle.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path

from league.checkpoint import Progress
from league.config import load_config
from league.errors import LeagueError
from league.players import load_policy
from league.rundir import RunDir
from league.standings import read_standings
from league.store import Store
from league.tracking import JsonlTracker
from league.training.state import STATE_FILE, TrainerState

FORBIDDEN = {
    "pickle.find_class",
    "marshal.loads",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "subprocess.Popen",
}
"""Audit events that no file of a run may cause."""

alarms: list[str] = []
parsed: set[bytes] = set()
watching = [False]


def listen(event: str, arguments: tuple[object, ...]) -> None:
    """Note a forbidden event while a run is being opened."""
    if watching[0] and event in FORBIDDEN:
        alarms.append(f"{event} {arguments!r:.80}")


def open_parts(folder: Path) -> dict[str, object]:
    """Open every part of a run as its users do; one that is refused stops no other."""
    run = RunDir(folder)
    parts: dict[str, Callable[[], object]] = {
        "config": lambda: _open_config(folder),
        "standings": lambda: _read_standings(run),
        "database": lambda: Store(run.database).close(),
        "metrics": lambda: JsonlTracker(run.metrics).close(),
    }
    for iteration in run.list_checkpoints():
        parts[f"checkpoint {iteration}"] = partial(_load, run.checkpoint(iteration))
    for path in sorted(run.snapshots.iterdir()):
        parts[path.name] = partial(load_policy, f"snapshot:{folder}/{path.name}")
    said: dict[str, object] = {}
    for name, part in parts.items():
        try:
            part()
            said[name] = "ok"
        except LeagueError as error:
            said[name] = str(error)
        except Exception:
            said[name] = f"BROKEN {traceback.format_exc()}"
    return said


def _open_config(folder: Path) -> None:
    config = RunDir.open(folder).config
    data = config.read_bytes()
    # It takes a while, and most folders have the same one.
    if data not in parsed:
        load_config(config)
        parsed.add(data)


def _read_standings(run: RunDir) -> None:
    with Store(run.database, read_only=True) as store:
        read_standings(store)


def _load(path: Path) -> None:
    Progress.load(path)
    for state in sorted(path.rglob(STATE_FILE)):
        TrainerState.load(state.parent)


def main(folders: list[str]) -> list[dict[str, object]]:
    """Open all folders; the first one only brings in what is imported late."""
    open_parts(Path(folders[0]))
    sys.addaudithook(listen)
    answers = []
    for folder in folders:
        alarms.clear()
        watching[0] = True
        said = open_parts(Path(folder))
        watching[0] = False
        answers.append({**said, "alarms": list(alarms)})
    return answers


if __name__ == "__main__":
    json.dump(main(sys.argv[1:]), sys.stdout)
