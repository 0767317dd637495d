"""Shows a run anew from what is the truth about it: its JSON lines and its database.

`league track` sends it to W&B or TensorBoard, which hold nothing of their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from league.errors import LeagueError
from league.payoff import Payoff
from league.records import RatingRow
from league.rundir import RunDir
from league.standings import read_standings
from league.store import Store
from league.tracking import Tracker, log_final_tables, rating_metrics
from league.tracking.metrics import STEP_METRIC, is_known

_ITERATION: Final = "league/iteration"
_RATING_PREFIXES: Final = ("elo/", "elo_lower/", "elo_upper/")


class ProjectionError(LeagueError):
    """Curves that cannot be read."""


def project_run(run_dir: RunDir, store: Store, tracker: Tracker) -> list[str]:
    """Send the whole course of a run to a tracker, the oldest iteration first.

    An iteration whose JSON line a kill prevented is shown by what the database knows of it.

    Args:
        run_dir: The run.
        store: Its database.
        tracker: Where the curves go; stays open.

    Returns:
        Names of curves that are left out, as they are not in `league.tracking.metrics`: an older
        version wrote them.

    Raises:
        ProjectionError: A line of the metrics is broken.
    """
    lines = read_lines(run_dir.metrics)
    unknown = sorted({name for line in lines.values() for name in line if not is_known(name)})
    ratings = _group_ratings(store.rating_history())
    for row in store.iterations():
        line = lines.get(row.iteration, {})
        metrics = {
            name: value
            for name, value in line.items()
            if is_known(name) and name != STEP_METRIC and not name.startswith(_RATING_PREFIXES)
        }
        metrics |= {_ITERATION: row.iteration, **rating_metrics(ratings.get(row.iteration, ()))}
        tracker.log(row.env_steps, metrics)
    payoff = Payoff.from_counts(store.count_results("evaluation"))
    log_final_tables(tracker, read_standings(store), payoff)
    return unknown


def read_lines(path: Path) -> dict[int, dict[str, float]]:
    """Return the curves of a metrics file by iteration; tables are left out.

    A last line that a kill cut short is no error, and neither is a missing file.

    Raises:
        ProjectionError: Any other line is broken.
    """
    if not path.is_file():
        return {}
    *texts, _ = path.read_text(encoding="utf-8").split("\n")
    lines: dict[int, dict[str, float]] = {}
    for number, text in enumerate(texts, start=1):
        record = _parse(path, number, text)
        if "table" not in record:
            lines[int(record[_ITERATION])] = record
    return lines


def _parse(path: Path, number: int, text: str) -> dict[str, Any]:
    try:
        record = json.loads(text)
    except json.JSONDecodeError as error:
        raise ProjectionError(
            f"expected a JSON object in line {number} of {path}, got {text[:40]!r}: {error.msg}; "
            "take the line out"
        ) from error
    if not isinstance(record, Mapping) or not ("table" in record or _ITERATION in record):
        raise ProjectionError(
            f"expected a JSON object with {_ITERATION!r} or 'table' in line {number} of {path}, "
            f"got {text[:40]!r}; take the line out"
        )
    return dict(record)


def _group_ratings(history: Iterable[tuple[int, RatingRow]]) -> dict[int, list[RatingRow]]:
    rows: dict[int, list[RatingRow]] = {}
    for _, row in history:
        rows.setdefault(row.iteration, []).append(row)
    return rows
