"""Starts real runs, finds their processes by a mark that all of them inherit, and kills some."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.league.faults.injector import ROOT

MARK = "PILL_LEAGUE_DRILL"
START_SECONDS = 900.0
"""How long a run may take to come to work: a loaded machine imports everything five times."""
END_SECONDS = 300.0
"""How long a run may take to notice that one of its processes is gone, and to be gone itself."""
_POLL_SECONDS = 0.3


@dataclass(frozen=True)
class Process:
    """A living process of a run."""

    pid: int
    command: str

    @property
    def role(self) -> str:
        """`runner`, `learner`, or `other`."""
        for role, title in (("runner", "EnvRunner"), ("learner", "_WrappedExecutable")):
            # Ray gives a worker the name of its actor for a title.
            if self.command.startswith("ray::") and title in self.command:
                return role
        return "other"


class Run:
    """A `league.run` in a process of its own, with all that it starts."""

    def __init__(self, arguments: Sequence[str], environment: dict[str, str] | None = None) -> None:
        self._mark = uuid.uuid4().hex
        added = {MARK: self._mark, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        # Ray's workers are nice to a degree at which a busy machine hardly runs them.
        added["RAY_worker_niceness"] = "0"
        self.driver = subprocess.Popen(
            [sys.executable, "-m", "league.run", *arguments],
            cwd=ROOT,
            env={**os.environ, **added, **(environment or {})},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.driver.kill()
        for process in self.processes():
            kill(process.pid)
        self.driver.communicate()

    def finish(self, seconds: float = START_SECONDS) -> tuple[int, str]:
        """Wait for the end; return the exit code and what was said."""
        _, said = self.driver.communicate(timeout=seconds)
        return self.driver.returncode, said

    def processes(self) -> list[Process]:
        """Return the living processes that carry this run's mark, its driver included."""
        wanted = f"{MARK}={self._mark}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdecimal():
                continue
            try:
                marked = wanted in (entry / "environ").read_bytes().split(b"\0")
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            # A zombie has no command line.
            if marked and command:
                found.append(Process(int(entry.name), command))
        return found

    def wait_for(self, role: str, seconds: float = START_SECONDS) -> Process:
        """Return a process of a role as soon as there is one.

        Raises:
            TimeoutError: There was none in time, or the run ended.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.driver.poll() is None:
            for process in self.processes():
                if process.role == role:
                    return process
            time.sleep(_POLL_SECONDS)
        raise TimeoutError(f"no {role} among {self.processes()}")

    def wait_until_gone(self, seconds: float = END_SECONDS) -> list[Process]:
        """Wait until no process of the run lives; return those that still do in the end."""
        deadline = time.monotonic() + seconds
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        return left


def kill(pid: int) -> None:
    """Send SIGKILL to a process, which may be gone already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
