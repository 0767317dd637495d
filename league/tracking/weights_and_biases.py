"""Curves for W&B: one run per process, offline unless asked, and nothing private in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from league.tracking import keep_finite
from league.tracking.charts import Rows, render_page
from league.tracking.metrics import METRICS, STEP_METRIC

_PATHS_IN_CONFIG = {"root"}
"""Keys of the configuration whose values are paths."""


class WandbTracker:
    """One W&B run per process; those of a resumed league run share a group."""

    def __init__(
        self,
        folder: Path,
        *,
        mode: str,
        project: str,
        name: str,
        config: Mapping[str, Any],
        job_type: str = "train",
    ) -> None:
        """Start a W&B run.

        Args:
            folder: Where W&B puts its `wandb` folder.
            mode: `offline` or `online`.
            project: W&B project.
            name: Name of the league run; the group of the W&B run.
            config: Resolved configuration, as JSON types; paths are left out.
            job_type: What the process does: `train`, `rebuild` for `league track`, or `export`.
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
            job_type=job_type,
            config=hide_paths(config),
            settings=settings,
        )
        self._run.define_metric(STEP_METRIC, hidden=True)
        for metric in METRICS:
            if metric.name != STEP_METRIC:
                self._run.define_metric(
                    metric.name, step_metric=STEP_METRIC, summary=metric.summary
                )

    def log(self, env_steps: int, metrics: Mapping[str, float]) -> None:
        """Add one point to each curve."""
        self._run.log({STEP_METRIC: env_steps, **keep_finite(metrics)})

    def log_table(self, name: str, columns: Sequence[str], rows: Rows) -> None:
        """Log the table as HTML, with a chart where there is one for it.

        A `wandb.Table` would be staged in the user's home and record that path.
        """
        import wandb

        page = render_page(name, columns, rows)
        self._run.log({f"tables/{name}": wandb.Html(page, inject=False)})

    def log_artifact(
        self, name: str, kind: str, files: Sequence[Path], metadata: Mapping[str, Any]
    ) -> None:
        """Log files as an artifact.

        They are copied into the W&B run, since an offline one is sent later; W&B's own copies would
        lie in the user's home.

        Args:
            name: Of the artifact; a later one of the same name is its next version.
            kind: Type of the artifact.
            files: All with names of their own.
            metadata: JSON types.
        """
        import wandb

        kept = Path(self._run.dir).parent / "artifacts"
        kept.mkdir(exist_ok=True)
        artifact = wandb.Artifact(name, kind, metadata=dict(metadata))
        for file in files:
            # The path goes into what W&B sends: from here, it tells of no folder above.
            copy = os.path.relpath(shutil.copy(file, kept))
            artifact.add_file(copy, name=file.name, policy="immutable", skip_cache=True)
        self._run.log_artifact(artifact)

    def close(self) -> None:
        """Finish the W&B run and end W&B's own process.

        `finish` alone returns before the file of an offline run is written out.
        """
        import wandb

        self._run.finish()
        wandb.teardown()


def hide_paths(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration without what tells where its files lie."""
    shown: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            shown[key] = hide_paths(value)
        elif key not in _PATHS_IN_CONFIG and not _is_path(value):
            shown[key] = value
    return shown


def _is_path(value: object) -> bool:
    return isinstance(value, str) and (PurePath(value).is_absolute() or value.startswith("~"))
