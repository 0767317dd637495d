"""Where curves go: trackers behind one small protocol.

JSON lines in the run folder are the truth about curves, as the database is about games and ratings.
W&B and TensorBoard only show: `league track` makes them anew from both
(`league.tracking.projection`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from league.durable import LineFile
from league.payoff import Payoff
from league.roles import MAIN
from league.standings import Standing
from league.tracking.alarms import Watch
from league.tracking.charts import Rows
from league.tracking.metrics import STEP_METRIC, check_names


class Tracker(Protocol):
    """Something that shows the course of a run."""

    def log(self, env_steps: int, metrics: Mapping[str, float]) -> None:
        """Add one point to each curve; values that are not finite are left out.

        Args:
            env_steps: Env steps trained so far.
            metrics: Values by name, see `league.tracking.metrics`.

        Raises:
            ValueError: A name that is not in the table.
        """
        ...

    def log_table(self, name: str, columns: Sequence[str], rows: Rows) -> None:
        """Show a table, such as the payoff matrix at the end of the run."""
        ...

    def close(self) -> None:
        """Write what is left; safe to call twice."""
        ...


class JsonlTracker:
    """Writes one JSON object per line; a kill costs at most the last line."""

    def __init__(self, path: Path) -> None:
        """Open `path` to append to it, after dropping a line that a kill cut short."""
        self._file = LineFile(path)

    def log(self, env_steps: int, metrics: Mapping[str, float]) -> None:
        """Append one line with all values."""
        self._write({STEP_METRIC: env_steps, **keep_finite(metrics)})

    def log_table(self, name: str, columns: Sequence[str], rows: Rows) -> None:
        """Append one line with the whole table."""
        self._write({"table": name, "columns": list(columns), "rows": [list(row) for row in rows]})

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, record: Mapping[str, Any]) -> None:
        self._file.append(json.dumps(record, allow_nan=False))


class CompositeTracker:
    """Hands everything to several trackers, after checking the names once."""

    def __init__(self, trackers: Iterable[Tracker]) -> None:
        self._trackers = tuple(trackers)

    def log(self, env_steps: int, metrics: Mapping[str, float]) -> None:
        """Add one point to each curve of each tracker."""
        check_names(metrics)
        for tracker in self._trackers:
            tracker.log(env_steps, metrics)

    def log_table(self, name: str, columns: Sequence[str], rows: Rows) -> None:
        """Show the table in each tracker."""
        for tracker in self._trackers:
            tracker.log_table(name, columns, rows)

    def close(self) -> None:
        """Close each tracker."""
        for tracker in self._trackers:
            tracker.close()


class WatchfulTracker:
    """Hands everything to another tracker, and warns when training looks dead."""

    def __init__(self, tracker: Tracker, warn: Callable[[str], None]) -> None:
        """Watch what goes to `tracker`.

        Args:
            tracker: Also gets a curve for each alarm.
            warn: Called with a line whenever an alarm begins.
        """
        self._tracker = tracker
        self._warn = warn
        self._watch = Watch()
        self._ringing: frozenset[str] = frozenset()

    def log(self, env_steps: int, metrics: Mapping[str, float]) -> None:
        """Add one point to each curve."""
        watch = self._watch.add(metrics)
        alarms = watch.list_alarms()
        for name in alarms.keys() - self._ringing:
            self._warn(f"warning: {alarms[name]}")
        self._watch, ended = watch, self._ringing - alarms.keys()
        self._ringing = frozenset(alarms)
        rung = {**dict.fromkeys(ended, 0.0), **dict.fromkeys(alarms, 1.0)}
        self._tracker.log(env_steps, {**metrics, **rung})

    def log_table(self, name: str, columns: Sequence[str], rows: Rows) -> None:
        """Show the table."""
        self._tracker.log_table(name, columns, rows)

    def close(self) -> None:
        """Close the tracker."""
        self._tracker.close()


def rating_metrics(ratings: Iterable[Any]) -> dict[str, float]:
    """Return one curve point per player for its rating and both ends of its interval.

    Args:
        ratings: Rows with `player`, `elo`, `lower` and `upper`, as `league.records.RatingRow`.
    """
    metrics: dict[str, float] = {}
    for row in ratings:
        metrics[f"elo/{row.player}"] = row.elo
        metrics[f"elo_lower/{row.player}"] = row.lower
        metrics[f"elo_upper/{row.player}"] = row.upper
    return metrics


def log_final_tables(tracker: Tracker, standings: Sequence[Standing], payoff: Payoff) -> None:
    """Log the ladder, the Elo curve over main's snapshots and the payoff matrix."""
    columns = ("rank", "player", "env_steps", "elo", "lower", "upper", "wins", "draws", "losses")
    ladder = [
        (
            one.rank,
            one.player,
            one.env_steps,
            one.elo,
            _or_none(one.lower),
            _or_none(one.upper),
            one.record.wins,
            one.record.draws,
            one.record.losses,
        )
        for one in standings
    ]
    tracker.log_table("standings", columns, ladder)
    born = sorted((one for one in standings if one.role == MAIN), key=_birth)
    curve = [
        (one.player, one.env_steps, one.elo, *map(_or_none, (one.lower, one.upper))) for one in born
    ]
    tracker.log_table("elo_curve", ("player", "env_steps", "elo", "lower", "upper"), curve)
    scores = [
        (name, *(_or_none(value) for value in row))
        for name, row in zip(payoff.names, payoff.scores().tolist(), strict=True)
    ]
    tracker.log_table("payoff", ("player", *payoff.names), scores)


def _birth(standing: Standing) -> int:
    return standing.env_steps or 0


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None


def keep_finite(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return the values that a curve can show."""
    return {name: value for name, value in metrics.items() if math.isfinite(value)}
