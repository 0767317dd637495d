"""`league track`: shows a run in W&B or TensorBoard, from the files in its folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

if TYPE_CHECKING:
    from league.rundir import RunDir
    from league.tracking import Tracker

TENSORBOARD_FOLDER: Final = "tensorboard"
"""Below the run's folder."""

Target = Literal["wandb", "tensorboard"]


def track_command(
    run: Annotated[str, typer.Argument(help="Run: its name under runs/, or its folder.")],
    to: Annotated[Target, typer.Option(help="Where to show it.")],
    folder: Annotated[
        Path | None, typer.Option(help="Where files go; default: the run's own folder.")
    ] = None,
    online: Annotated[
        bool, typer.Option("--online", help="Send it to W&B's server; else nothing is sent.")
    ] = False,
) -> None:
    """Show a run's curves, ratings, tables and export anew, from the files in its folder."""
    from league.players import open_run
    from league.store import Store
    from league.tracking.projection import project_run

    if online and to != "wandb":
        raise typer.BadParameter("expected --online with --to wandb alone")
    run_dir = open_run(run)
    with Store(run_dir.database, read_only=True) as store:
        tracker = _open_tracker(run_dir, to, folder, online=online)
        try:
            unknown = project_run(run_dir, store, tracker)
        finally:
            tracker.close()
    if to == "wandb" and run_dir.export.is_dir():
        _track_export(run_dir, folder, online=online)
    for name in unknown:
        sys.stderr.write(f"left out {name!r}: this version has no such metric\n")
    sys.stdout.write(f"{_describe(run_dir, to, folder, online=online)}\n")


def _open_tracker(run_dir: RunDir, to: Target, folder: Path | None, *, online: bool) -> Tracker:
    from dataclasses import asdict

    from league.config import load_config
    from league.tracking.tensorboard import TensorboardTracker
    from league.tracking.weights_and_biases import WandbTracker

    if to == "tensorboard":
        return TensorboardTracker(folder or run_dir.path / TENSORBOARD_FOLDER)
    config = load_config(run_dir.config)
    return WandbTracker(
        folder or run_dir.wandb,
        mode="online" if online else "offline",
        project=config.tracking.project,
        name=config.run.name,
        config=asdict(config),
        job_type="rebuild",
    )


def _track_export(run_dir: RunDir, folder: Path | None, *, online: bool) -> None:
    from dataclasses import asdict

    from league.config import load_config
    from league.tracking.artifacts import track_export

    config = load_config(run_dir.config)
    track_export(
        run_dir.export,
        folder or run_dir.wandb,
        mode="online" if online else "offline",
        project=config.tracking.project,
        name=config.run.name,
        config=asdict(config),
    )


def _describe(run_dir: RunDir, to: Target, folder: Path | None, *, online: bool) -> str:
    if to == "tensorboard":
        return f"tensorboard --logdir {folder or run_dir.path / TENSORBOARD_FOLDER}"
    if online:
        return "sent to W&B"
    where = folder or run_dir.wandb
    if run_dir.export.is_dir():  # an artifact's files are named from there
        return f"cd {where} && wandb sync wandb/offline-run-*"
    return f"wandb sync {where}/wandb/offline-run-*"
