"""An export in W&B: the offline run holds its files, its measures, and nothing private."""

from __future__ import annotations

import base64
import getpass
import hashlib
import json
import platform
import sys
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest

from league.champions import find_champion
from league.checkpoint import Progress
from league.cli import main
from league.config import render_config
from league.errors import LeagueError
from league.export import export as export_module
from league.export.export import render_files
from league.export.folder import write_folder
from league.export.gates import Gate
from league.records import IterationRow, RatingRow, SnapshotRow, utc_now
from league.run import DONE
from league.run import run as run_league
from league.rundir import RunDir
from league.settings import ExportSettings, FinalSettings, RunConfig, RunSettings
from league.store import Store
from league.tracking.artifacts import describe_export, track_export
from policies.distill.artefact import Artefact
from policies.distill.spec import PAGE_SIZE
from policies.distill.tree import count_bytes
from tests.league.wandb_reader import holds_word, read_artifacts, read_records, read_runs
from tests.policies.distill.trees import draw_tree

GATES = (
    Gate("solo clears, level 5", 0.99, 0.97, 1.0, 0.98, True, 400, "teacher 1.000"),
    Gate("capsules by the teacher's, level 5", float("inf"), 1.0, 2.0, 1.5, False, 400),
)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """An exported folder with a random tree."""
    tree = draw_tree(np.random.default_rng(1), 20)
    gates = [gate.to_plain() for gate in GATES]
    artefact = Artefact(tree, "greedy", 3, {}, {"gates": gates, "sizes": [], "notes": []})
    folder = tmp_path / "told" / "export"
    write_folder(folder, render_files(artefact, [], {}))
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "shown"
    folder.mkdir()
    return folder


def track(export: Path, place: Path) -> None:
    track_export(export, place, mode="offline", project="tests", name="told", config={})


def check_files(artifact: Any, export: Path, place: Path) -> None:
    """Compare an artifact with the files of an export, and with the copies that are to be sent."""
    files = {path.name: path.read_bytes() for path in export.iterdir()}
    entries = {entry.path: entry for entry in artifact.manifest.contents}
    assert sorted(entries) == sorted(files)
    for name, data in files.items():
        entry = entries[name]
        assert base64.b64decode(entry.digest) == hashlib.md5(data).digest()
        assert (place / entry.local_path).read_bytes() == data


def test_an_export_comes_back_from_the_offline_run(export: Path, place: Path) -> None:
    before = Path.cwd()
    track(export, place)
    assert Path.cwd() == before
    (artifact,) = read_artifacts(place)
    assert (artifact.name, artifact.type) == ("cartridge-told", "cartridge")
    check_files(artifact, export, place)
    metadata = json.loads(artifact.metadata)
    assert metadata == describe_export(export)
    assert (metadata["policy"], metadata["seed"], metadata["leaves"]) == ("greedy", 3, 20)
    assert metadata["tree_bytes"] == count_bytes(20)
    assert 512 < metadata["cpu_bytes"] <= 1024
    assert metadata["gates_passed"] == 1
    assert metadata["gates"]["solo clears, level 5"]["value"] == 0.99
    assert metadata["gates"]["capsules by the teacher's, level 5"]["value"] is None
    (run,) = read_runs(place)
    assert (run.run_group, run.job_type) == ("told", "export")


def test_nothing_private_is_recorded_with_it(export: Path, place: Path) -> None:
    track(export, place)
    folders = (str(place.parent), place.parent.name, str(Path.cwd()))
    records = read_records(place)
    for part in (platform.node(), getpass.getuser(), *folders):
        assert not holds_word(records, part), part


def test_later_exports_do_not_change_what_is_sent(export: Path, place: Path) -> None:
    track(export, place)
    (artifact,) = read_artifacts(place)
    kept = {entry.path: place / entry.local_path for entry in artifact.manifest.contents}
    write_folder(export, {"tree.json": b"another"})
    assert kept["tree.bin"].stat().st_size == PAGE_SIZE
    assert kept["tree.json"].read_bytes() != b"another"


@pytest.mark.parametrize("is_missing", [True, False])
def test_what_is_no_export_is_refused(export: Path, place: Path, is_missing: bool) -> None:
    path = export / "tree.json"
    if is_missing:
        path.unlink()
    else:
        path.write_text(path.read_text().replace('"seed": 3', '"seed": 4'))
    with pytest.raises(LeagueError, match=r"tree\.json"):
        track(export, place)
    assert list(place.iterdir()) == []


def league(*arguments: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["league", *arguments])
        with pytest.raises(SystemExit) as exit_info:
            main()
    return int(exit_info.value.code or 0)


def test_a_run_is_shown_with_its_export(
    export: Path, tmp_path: Path, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = RunConfig(run=RunSettings(name="told", root=str(tmp_path)))
    kept = export.rename(tmp_path / "kept")
    run = RunDir.create(tmp_path / "told", render_config(config))
    kept.rename(run.export)
    Store.create(run.database).close()
    assert league("track", str(run.path), "--to", "wandb", "--folder", str(place)) == 0
    assert capsys.readouterr().out == f"cd {place} && wandb sync wandb/offline-run-*\n"
    (artifact,) = read_artifacts(place)
    check_files(artifact, run.export, place)
    assert sorted(one.job_type for one in read_runs(place)) == ["export", "rebuild"]


def test_a_run_ends_with_its_export_as_an_artifact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that was trained to its end, and killed before the export: the rest of it is done."""
    for name, value in (("POSITIONS", 200), ("ITERATIONS", 1), ("RANKING", 4), ("DECISIONS", 3)):
        monkeypatch.setattr(export_module, f"_QUICK_{name}", value)
    quick = export_module.make_quick_config(0)
    tiny = replace(quick, leaves=8, games=8, threads=1)
    monkeypatch.setattr(export_module, "make_quick_config", lambda seed: tiny)
    config = RunConfig(
        run=RunSettings(name="told", root=str(tmp_path)),
        final=FinalSettings(games=0),
        export=ExportSettings(profile="quick"),
    )
    run = RunDir.create(tmp_path / "told", render_config(config))
    copytree(find_champion(), run.snapshot("main-0000"))
    row = SnapshotRow("main-0000", "main", None, 0, 0, "00", utc_now(), {})
    with Store.create(run.database) as store:
        steps = config.training.total_env_steps
        rating = RatingRow(0, "main-0000", 1000.0, 900.0, 1100.0, "interval", 8)
        store.commit_iteration(
            IterationRow(0, steps, utc_now()), snapshots=[row], games=[], rate=lambda _: [rating]
        )
    run.checkpoint(0).mkdir(parents=True)
    Progress(iteration=0, env_steps=steps).save(run.checkpoint(0))
    assert run_league(config, run) == DONE
    (artifact,) = read_artifacts(run.wandb)
    assert (artifact.name, json.loads(artifact.metadata)["leaves"]) == ("cartridge-told", 8)
    check_files(artifact, run.export, run.wandb)
