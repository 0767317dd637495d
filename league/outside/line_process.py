"""A child process that answers lines with lines: time limits, no hang, no zombie.

Whatever the process does - dies, floods, answers nothing, starts children - asking ends in an
answer or in an error within its time, and closing leaves no process of its group behind.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
import weakref
from collections.abc import Sequence
from typing import Final

from league.errors import LeagueError

MAX_LINE: Final = 65_536
"""Most bytes of an answer."""
_READ_SIZE: Final = 65_536


class LineProcessError(LeagueError):
    """A process that did not answer as it should; the message says what it did."""


class LineProcess:
    """A running command with a line-based conversation over its stdin and stdout.

    Its stderr is ours, so that its author sees what it complains of.
    """

    def __init__(self, command: Sequence[str]) -> None:
        """Start a command, without a shell, in a session of its own.

        Raises:
            LineProcessError: The system cannot start it.
        """
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise LineProcessError(f"cannot be started: {error}") from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        # A process that reads nothing fills its pipe; writing to it must not wait for ever.
        os.set_blocking(self._process.stdin.fileno(), False)
        os.set_blocking(self._process.stdout.fileno(), False)
        self._unread = b""
        # Also runs when the interpreter ends.
        self._close = weakref.finalize(self, _end, self._process)

    @property
    def pid(self) -> int:
        """Process id, which is also that of its group."""
        return self._process.pid

    def ask(self, line: bytes, seconds: float) -> bytes:
        """Send a line and return the next one that comes back, without its end.

        Args:
            line: What to send, without a line end.
            seconds: Time for sending and answering together.

        Raises:
            LineProcessError: It ended, took too long, or its line has no end. It is of no use
                any more and must be closed.
        """
        deadline = time.monotonic() + seconds
        self._send(line + b"\n", deadline, seconds)
        while b"\n" not in self._unread:
            if len(self._unread) > MAX_LINE:
                raise LineProcessError(f"sent more than {MAX_LINE} bytes without a line end")
            self._unread += self._read(deadline, seconds)
        answer, _, self._unread = self._unread.partition(b"\n")
        return answer

    def close(self) -> None:
        """Kill the process and all that it started in its group; safe to call twice."""
        self._close()

    def _send(self, data: bytes, deadline: float, seconds: float) -> None:
        assert self._process.stdin is not None
        while data:
            self._wait(self._process.stdin, selectors.EVENT_WRITE, deadline, seconds)
            try:
                data = data[os.write(self._process.stdin.fileno(), data) :]
            except BlockingIOError:
                continue
            except OSError:
                # It has gone; what it said before is still to be read.
                return

    def _read(self, deadline: float, seconds: float) -> bytes:
        assert self._process.stdout is not None
        self._wait(self._process.stdout, selectors.EVENT_READ, deadline, seconds)
        data = os.read(self._process.stdout.fileno(), _READ_SIZE)
        if not data:
            raise self._describe_end()
        return data

    def _wait(self, pipe: object, event: int, deadline: float, seconds: float) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, event)  # type: ignore[arg-type]
            if not selector.select(max(deadline - time.monotonic(), 0)):
                raise LineProcessError(f"gave no answer within {seconds:g} s")

    def _describe_end(self) -> LineProcessError:
        # Its pipe is closed; give it a moment to be gone, so that the exit code is known.
        try:
            code = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            return LineProcessError("closed its stdin or stdout")
        return LineProcessError(f"ended with exit code {code}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process with its group, and collect it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
