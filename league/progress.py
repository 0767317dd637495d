"""How a run is shown while it goes: a bar with the time left, or plain lines where there is none.

Everything goes to stderr; stdout is for results.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from league.loop import LoopStatus

_LINE_SECONDS: Final = 15.0
"""Plain lines come no faster than this."""
_SCALE: Final = 1000
"""Steps of the bar."""


class StatusDisplay(Protocol):
    """Shows where a run stands."""

    def show(self, status: LoopStatus) -> None:
        """Show the newest status."""
        ...


@contextmanager
def open_display(name: str) -> Iterator[StatusDisplay]:
    """Yield a bar on a terminal, plain lines elsewhere.

    Args:
        name: Name of the run.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _LineDisplay(console, name)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}"),
    )
    with Progress(*columns, console=console) as progress:
        yield _BarDisplay(progress, name)


class _BarDisplay:
    def __init__(self, progress: Progress, name: str) -> None:
        self._progress = progress
        self._training = progress.add_task(name, total=_SCALE, detail="starting")

    def show(self, status: LoopStatus) -> None:
        self._progress.update(
            self._training, completed=status.share * _SCALE, detail=_describe(status)
        )


class _LineDisplay:
    def __init__(self, console: Console, name: str) -> None:
        self._console = console
        self._name = name
        self._start: tuple[float, float] | None = None
        self._last = -_LINE_SECONDS

    def show(self, status: LoopStatus) -> None:
        now = time.monotonic()
        if self._start is None:
            self._start = (now, status.share)
        if now - self._last < _LINE_SECONDS and status.share < 1.0:
            return
        self._last = now
        left = self._estimate_seconds_left(now, status.share)
        minutes = "" if left is None else f", {left / 60:.1f} min left"
        text = f"{self._name}: {status.share:4.0%}{minutes}, {_describe(status)}"
        self._console.print(text, soft_wrap=True, highlight=False)

    def _estimate_seconds_left(self, now: float, share: float) -> float | None:
        assert self._start is not None
        started, first_share = self._start
        done = share - first_share
        return (now - started) / done * (1.0 - share) if done > 0 else None


def _describe(status: LoopStatus) -> str:
    parts = [f"iteration {status.iteration}", f"{status.env_steps:,} env steps"]
    if status.steps_per_second:
        parts.append(f"{status.steps_per_second:.0f}/s")
    if status.waiting_pairs:
        parts.append(f"{status.waiting_pairs} pairs to rate")
    return ", ".join(parts)
