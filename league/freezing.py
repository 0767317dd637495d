"""Freezing a learner: its weights as a folder in the run, and the row that records it."""

from __future__ import annotations

from dataclasses import asdict

from league.checkpoint import Progress
from league.durable import publish_folder
from league.records import SnapshotRow, utc_now
from league.rundir import RunDir
from league.settings import RunConfig
from league.snapshots import Weights, choose_view, save_snapshot


def freeze(
    config: RunConfig,
    run_dir: RunDir,
    progress: Progress,
    *,
    name: str,
    role: str,
    parent: str | None,
    weights: Weights,
) -> SnapshotRow:
    """Write a snapshot into a run's folder; its row is for the database, with the iteration.

    Args:
        config: Of the run.
        run_dir: Its folder.
        progress: Of the iteration that freezes it.
        name: Id of the snapshot.
        role: The learner.
        parent: The snapshot that it grew from.
        weights: What the learner is now.

    Raises:
        SnapshotError: A weight is not finite.
        WriteError: The system refuses.
    """
    view = choose_view(config.network.kind, config.env.action_repeat)
    with publish_folder(run_dir.snapshot(name)) as folder:
        manifest = save_snapshot(
            folder,
            run=config.run.name,
            snapshot_id=name,
            env_steps=progress.env_steps,
            network=asdict(config.network),
            weights=weights,
            view=view,
        )
    return SnapshotRow(
        id=name,
        role=role,
        parent=parent,
        env_steps=progress.env_steps,
        iteration=progress.iteration,
        sha256=manifest.weights_sha256,
        view=asdict(view),
        created=utc_now(),
    )
