"""Curves for TensorBoard: one event file, which names no host and is written anew every time."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from league.tracking import keep_finite
from league.tracking.charts import Rows, format_cell

EVENT_FILE: Final = "events.out.tfevents.0.pill-league"
"""TensorBoard looks for `tfevents`; where a writer of its own puts the host's name is ours."""
_FILE_VERSION: Final = "brain.Event:2"


class TensorboardTracker:
    """Writes an event file; TensorBoard itself is not needed for it."""

    def __init__(self, folder: Path) -> None:
        """Begin the event file in `folder`; one that is there is replaced."""
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.record_writer import RecordWriter

        folder.mkdir(parents=True, exist_ok=True)
        self._event = Event
        self._writer: Any = RecordWriter(str(folder / EVENT_FILE))
        self._env_steps = 0
        self._write(file_version=_FILE_VERSION)

    def log(self, env_steps: int, metrics: Mapping[str, float]) -> None:
        """Add one point to each curve."""
        from tensorboardX.summary import scalar

        self._env_steps = env_steps
        for name, value in keep_finite(metrics).items():
            self._write(step=env_steps, summary=scalar(name, value))

    def log_table(self, name: str, columns: Sequence[str], rows: Rows) -> None:
        """Add a table as text, at the newest step."""
        from tensorboardX.summary import text

        cells = [list(map(format_cell, row)) for row in rows]
        lines = [columns, ["---"] * len(columns), *cells]
        markdown = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        self._write(step=self._env_steps, summary=text(f"tables/{name}", markdown))

    def close(self) -> None:
        """Write what is left; safe to call twice."""
        if self._writer is not None:
            self._writer.flush()
            self._writer.close()
        self._writer = None

    def _write(self, **content: Any) -> None:
        event = self._event(wall_time=time.time(), **content)
        self._writer.write(event.SerializeToString())
