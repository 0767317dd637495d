"""`league export`: a policy as a small decision tree, and as a cartridge that plays it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from league.commands.terminal import AsJson, print_json, print_lines

_CHECK_FAILED: Final = 1

GoalName = Literal["none", "solo", "match"]
ProfileName = Literal["full", "quick"]
WandbMode = Literal["offline", "online"]


def export_command(
    policy: Annotated[
        str | None, typer.Argument(metavar="[POLICY]", help="Whom to distil, as for `match`.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write.")] = None,
    tune: Annotated[GoalName, typer.Option(help="What leaf values are tuned for.")] = "solo",
    leaves: Annotated[int | None, typer.Option(help="Leaves, 1..64; default: best.")] = None,
    budget_bytes: Annotated[int | None, typer.Option(help="Most for tree and walker.")] = None,
    profile: Annotated[ProfileName, typer.Option(help="quick: 64 leaves, untuned.")] = "full",
    seed: Annotated[int, typer.Option(min=0, help="Fixes every byte.")] = 0,
    rom: Annotated[Path | None, typer.Option(help="Your own ROM, for patches.")] = None,
    rom_map: Annotated[Path | None, typer.Option("--map", help="What its bytes are.")] = None,
    verify: Annotated[Path | None, typer.Option(help="Check this export instead.")] = None,
    wandb: Annotated[WandbMode | None, typer.Option(help="Log it as a W&B artifact.")] = None,
    as_json: AsJson = False,
) -> None:
    """Distil a policy into a decision tree for the console; exit 1 when a gate fails."""
    if verify is not None:
        _verify(verify, seed, as_json)
        return
    if policy is None or out is None:
        raise typer.BadParameter("expected POLICY and --out DIR, or --verify DIR")
    from dataclasses import replace

    from league.export.export import ExportConfig, export_policy, make_quick_config
    from league.players import load_any_policy

    config = ExportConfig(tune, leaves, budget_bytes, seed, rom=rom, rom_map=rom_map)
    if profile == "quick":
        quick = make_quick_config(seed)
        config = replace(quick, budget_bytes=budget_bytes, leaves=leaves or quick.leaves)
    export = export_policy(load_any_policy(policy), policy, out, config, _make_reporter())
    if wandb is not None:
        _track(export.folder, wandb)
    if as_json:
        plain = {"gates": [gate.to_plain() for gate in export.gates], "failures": export.failures}
        print_json({"folder": str(export.folder), **plain})
    else:
        print_lines(*(gate.describe() for gate in export.gates), f"written: {export.folder}")
    if export.failures:
        typer.echo("\n  ".join(["failed:", *export.failures]), err=True)
        raise typer.Exit(_CHECK_FAILED)


def _track(folder: Path, mode: WandbMode) -> None:
    """Log an export in W&B; the files of an offline run go beside the folder."""
    from league.settings import TrackingSettings
    from league.tracking.artifacts import track_export

    place, project = folder.resolve().parent, TrackingSettings().project
    name = re.sub(r"[^\w.-]+", "-", folder.resolve().name, flags=re.ASCII)
    track_export(folder, place, mode=mode, project=project, name=name, config={})
    if mode == "offline":
        typer.echo(f"cd {place} && wandb sync wandb/offline-run-*", err=True)


def _verify(folder: Path, seed: int, as_json: bool) -> None:
    from league.export.verify import verify_folder

    lines: list[str] = []
    found = verify_folder(folder, seed, lines.append)
    if as_json:
        print_json(found.to_plain())
    else:
        print_lines(*lines, *(f"FAIL {line}" for line in found.failures))
    if found.failures:
        raise typer.Exit(_CHECK_FAILED)


def _make_reporter() -> Callable[[str], None]:
    start = time.monotonic()

    def report(line: str) -> None:
        typer.echo(f"[{time.monotonic() - start:5.0f} s] {line}", err=True)

    return report
