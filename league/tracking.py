"""Where curves go: one table of metric names, and trackers for JSONL and W&B behind one protocol.

A tracker only shows; the truth about games and ratings is `league.store`. Nothing about the
machine, its user, the command line or the code is recorded.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Final, Protocol

from league.checks import suggest
from league.payoff import Payoff
from league.standings import Standing

STEP_METRIC: Final = "league/env_steps"
"""What every curve is drawn against."""

Cell = str | int | float | None
Rows = Sequence[Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Metric:
    """One line of the table of names."""

    name: str
    """A final `*` stands for a policy id: one curve per player."""
    unit: str
    meaning: str


METRICS: Final = (
    Metric(STEP_METRIC, "env steps", "env steps trained so far; one step is a choice of both"),
    Metric("league/iteration", "iterations", "iterations finished"),
    Metric("league/snapshots", "snapshots", "snapshots taken"),
    Metric("league/rated_games", "games", "evaluation games in the log"),
    Metric("league/elo", "Elo", "rating of the newest snapshot"),
    Metric("elo/*", "Elo", "rating of a player after each refit"),
    Metric("elo_lower/*", "Elo", "lower end of its 95 % interval, where the games give one"),
    Metric("elo_upper/*", "Elo", "upper end of its 95 % interval, where the games give one"),
    Metric("opponents/*", "games", "training games against a player in this iteration"),
    Metric("train/policy_loss", "", "clipped surrogate loss of PPO"),
    Metric("train/value_loss", "", "squared error of the value function"),
    Metric("train/entropy", "nats", "entropy of main's action distribution"),
    Metric("train/kl", "nats", "divergence between the sampling and the updated policy"),
    Metric("train/explained_variance", "", "share of the returns' variance that values explain"),
    Metric("train/learning_rate", "", "step size of Adam"),
    Metric("play/score", "", "main's (W + D/2) / games with a result, while training"),
    Metric("play/return", "", "main's mean sum of rewards per training game"),
    Metric("play/game_frames", "frames", "mean length of a training game"),
    Metric("play/capsules", "capsules", "mean capsules of main per training game"),
    Metric("play/viruses", "viruses", "mean viruses that main clears per training game"),
    Metric("play/lines", "lines", "mean lines that main clears per training game"),
    Metric("play/garbage_sent", "halves", "mean garbage that main sends per training game"),
    Metric("play/clear_share", "", "share of decided training games that ended by clearing"),
    Metric("play/stopped_share", "", "share of training games that met the frame limit"),
    Metric("speed/steps_per_second", "1/s", "env steps per second of wall time"),
    Metric("speed/sampling_seconds", "s", "wall time of sampling in this iteration"),
    Metric("speed/learning_seconds", "s", "wall time of learning in this iteration"),
)
"""Every name that a tracker accepts."""

_EXACT: Final = frozenset(metric.name for metric in METRICS if not metric.name.endswith("*"))
_PREFIXES: Final = tuple(metric.name[:-1] for metric in METRICS if metric.name.endswith("*"))


class Tracker(Protocol):
    """Something that shows the course of a run."""

    def log(self, env_steps: int, metrics: Mapping[str, float]) -> None:
        """Add one point to each curve; values that are not finite are left out.

        Args:
            env_steps: Env steps trained so far.
            metrics: Values by name, see `METRICS`.

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
        if path.exists():
            data = path.read_bytes()
            whole = data.rfind(b"\n") + 1
            if whole < len(data):
                path.write_bytes(data[:whole])
        self._file = path.open("a", encoding="utf-8")

    def log(self, env_steps: int, metrics: Mapping[str, float]) -> None:
        """Append one line with all values."""
        self._write({STEP_METRIC: env_steps, **_finite(metrics)})

    def log_table(self, name: str, columns: Sequence[str], rows: Rows) -> None:
        """Append one line with the whole table."""
        self._write({"table": name, "columns": list(columns), "rows": [list(row) for row in rows]})

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, record: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(record, allow_nan=False) + "\n")
        self._file.flush()


class WandbTracker:
    """One W&B run per process; those of a resumed league run share a group."""

    def __init__(
        self, folder: Path, *, mode: str, project: str, name: str, config: Mapping[str, Any]
    ) -> None:
        """Start a W&B run.

        Args:
            folder: Where W&B puts its `wandb` folder.
            mode: `offline` or `online`.
            project: W&B project.
            name: Name of the league run; the group of the W&B run.
            config: Resolved configuration, as JSON types.
        """
        import wandb

        # Machine, user, code and command line stay private, whatever the environment says.
        settings = wandb.Settings(
            silent=True,
            console="off",
            disable_git=True,
            disable_code=True,
            save_code=False,
            disable_job_creation=True,
            host="",
            program="",
            program_relpath="",
            x_disable_machine_info=True,
            x_disable_meta=True,
            x_disable_stats=True,
            x_save_requirements=False,
        )
        self._run = wandb.init(
            dir=str(folder),
            mode=mode,  # type: ignore[arg-type]
            project=project,
            name=name,
            group=name,
            config=dict(config),
            settings=settings,
        )
        self._run.define_metric(STEP_METRIC, hidden=True)
        self._run.define_metric("*", step_metric=STEP_METRIC)

    def log(self, env_steps: int, metrics: Mapping[str, float]) -> None:
        """Add one point to each curve."""
        self._run.log({STEP_METRIC: env_steps, **_finite(metrics)})

    def log_table(self, name: str, columns: Sequence[str], rows: Rows) -> None:
        """Log the table as HTML.

        A `wandb.Table` would be staged in the user's home and record that path.
        """
        import wandb

        self._run.log({f"tables/{name}": wandb.Html(_render_html(columns, rows), inject=False)})

    def close(self) -> None:
        """Finish the W&B run and end W&B's own process.

        `finish` alone returns before the file of an offline run is written out.
        """
        import wandb

        self._run.finish()
        wandb.teardown()


class CompositeTracker:
    """Hands everything to several trackers, after checking the names once."""

    def __init__(self, trackers: Iterable[Tracker]) -> None:
        self._trackers = tuple(trackers)

    def log(self, env_steps: int, metrics: Mapping[str, float]) -> None:
        """Add one point to each curve of each tracker."""
        for name in metrics:
            _check_name(name)
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
    """Log the ladder, the Elo curve over snapshots and the payoff matrix."""
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
    born = sorted((one for one in standings if one.env_steps is not None), key=_birth)
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


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def _render_html(columns: Sequence[str], rows: Rows) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(_format_cell(cell))}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _format_cell(cell: Cell) -> str:
    if cell is None:
        return ""
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


def _check_name(name: str) -> None:
    if name in _EXACT or any(name.startswith(prefix) for prefix in _PREFIXES):
        return
    known = [metric.name for metric in METRICS]
    raise ValueError(
        f"expected a metric name of league.tracking.METRICS, got {name!r}{suggest(name, known)}; "
        "add new names to the table"
    )
