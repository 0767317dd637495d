"""An export as a W&B artifact: the files of its folder, and what was measured of them.

As with curves, W&B only shows: all of it is in the folder, and can be sent again at any time.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path
from typing import Any, Final

from league.errors import LeagueError
from policies.distill.artefact import ArtefactError, read_artefact
from policies.distill.tree import count_bytes, count_leaves
from policies.export.cartridge import measure_parts

ARTIFACT_TYPE: Final = "cartridge"
JOB_TYPE: Final = "export"


def track_export(
    export: Path, place: Path, *, mode: str, project: str, name: str, config: Mapping[str, Any]
) -> None:
    """Log an exported folder in a W&B run of its own, as the artifact `cartridge-NAME`.

    W&B's manifest names where each file lies, and is sent. So the files are named from `place`,
    which is the current folder meanwhile: neither it nor anything above it is recorded, and an
    offline run can be synced from there alone.

    Args:
        export: As `league export` wrote it.
        place: Where W&B puts its `wandb` folder.
        mode: `offline` or `online`.
        project: W&B project.
        name: What was exported; the group of the W&B run.
        config: As for `WandbTracker`.

    Raises:
        LeagueError: `export` holds no export, or a changed one.
    """
    from league.tracking.weights_and_biases import WandbTracker

    metadata = describe_export(export)
    files = sorted(path.resolve() for path in export.iterdir() if path.is_file())
    with chdir(place):
        tracker = WandbTracker(
            Path(), mode=mode, project=project, name=name, config=config, job_type=JOB_TYPE
        )
        try:
            tracker.log_artifact(f"{ARTIFACT_TYPE}-{name}", ARTIFACT_TYPE, files, metadata)
        finally:
            tracker.close()


def describe_export(export: Path) -> dict[str, Any]:
    """Return what is known of an export, plain JSON values: its origin, size and gates.

    Raises:
        LeagueError: The folder holds no export, or a changed one.
    """
    try:
        artefact = read_artefact(export)
    except ArtefactError as error:
        raise LeagueError(str(error)) from error
    leaves = count_leaves(artefact.tree)
    gates = artefact.measures.get("gates", ())
    return {
        "policy": artefact.policy,
        "seed": artefact.seed,
        "leaves": leaves,
        "tree_bytes": count_bytes(leaves),
        "cpu_bytes": sum(measure_parts().values()),
        "gates_passed": sum(bool(gate["is_passed"]) for gate in gates),
        "gates": {
            gate["name"]: {name: value for name, value in gate.items() if name != "name"}
            for gate in gates
        },
    }
