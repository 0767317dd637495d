"""`league export`: sizes, gates, folders, verification, and the command."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from league.cli import app
from league.errors import LeagueError, WriteError
from league.export import export as export_module
from league.export import verify as export_verify
from league.export.export import (
    ExportConfig,
    export_at_end,
    export_policy,
    make_quick_config,
    name_cartridge,
    render_files,
)
from league.export.folder import check_target, write_folder
from league.export.gates import POOL, Gate, measure_gates
from league.export.sizes import BudgetError, count_leaves_within, list_sizes
from league.export.verify import verify_folder
from league.players import PlayerError, load_policy
from policies.base import View
from policies.distill.artefact import Artefact
from policies.distill.tree import Leaf
from policies.export.cartridge import PAGE_OFFSET, read_page, read_rom
from policies.search import SearchPolicy
from tests.league.wandb_reader import read_artifacts
from tests.policies.distill.trees import draw_tree

_SILENT = lambda _: None  # noqa: E731


@dataclass(frozen=True)
class OneColumnPolicy:
    """The degenerate champion: every capsule into the column it spawns in."""

    name: str = "one-column"
    view: View = field(default_factory=lambda: View("position", "placement"))
    deterministic: bool = True

    def initial_state(self, batch: int) -> None:
        return None

    def act(
        self, observations: Any, masks: np.ndarray | None, state: None, rng: np.random.Generator
    ) -> tuple[np.ndarray, None]:
        assert masks is not None
        flat = masks[:, :128].reshape(-1, 16, 8)[:, :, 3]
        return np.array([int(np.flatnonzero(one)[-1]) for one in flat]) * 8 + 3, None


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> ExportConfig:
    """A quick export in a fraction of its time."""
    monkeypatch.setattr(export_module, "_QUICK_POSITIONS", 200)
    monkeypatch.setattr(export_module, "_QUICK_ITERATIONS", 1)
    monkeypatch.setattr(export_module, "_QUICK_RANKING", 4)
    monkeypatch.setattr(export_module, "_QUICK_DECISIONS", 3)
    return ExportConfig("none", 8, games=8, is_quick=True, threads=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An exported folder with a random tree."""
    tree = draw_tree(np.random.default_rng(1), 20)
    artefact = Artefact(tree, "greedy", 0, {}, {"gates": [], "sizes": [], "notes": []})
    target = tmp_path / "out"
    write_folder(target, render_files(artefact, [], {3: 5, 4: 1}))
    return target


# Sizes and budgets.


@pytest.mark.parametrize(
    ("budget", "leaves"), [(50, 0), (51, 1), (53, 1), (54, 2), (160, 37), (240, 64), (9_999, 64)]
)
def test_a_budget_holds_so_many_leaves(budget: int, leaves: int) -> None:
    assert count_leaves_within(budget) == leaves


def test_sizes_follow_leaves_and_budget() -> None:
    assert list_sizes(None, None) == (8, 16, 32, 64)
    assert list_sizes(None, 160) == (8, 16, 32, 37)
    assert list_sizes(None, 57) == (3,)
    assert list_sizes(20, None) == (20,)


@pytest.mark.parametrize(("leaves", "budget", "least"), [(None, 50, 51), (64, 239, 240)])
def test_a_small_budget_names_the_least(leaves: int | None, budget: int, least: int) -> None:
    with pytest.raises(BudgetError, match=f"--budget-bytes of {least} or more.*got {budget}"):
        list_sizes(leaves, budget)


def test_leaves_have_a_range() -> None:
    with pytest.raises(LeagueError, match=r"--leaves 1\.\.64, got 65"):
        list_sizes(65, None)


# Gates.


def test_a_gate_says_what_was_asked_and_what_came() -> None:
    gate = Gate("solo clears", 0.9, 0.85, 0.95, 0.98, True, 400, "teacher 1.000")
    assert not gate.is_passed
    assert "FAIL  solo clears: 0.900 (0.850..0.950), asked >= 0.980, 400" in gate.describe()
    assert Gate("capsules", 1.5, 1.4, 1.6, 1.5, False, 400).is_passed
    assert Gate("capsules", float("inf"), 1, 1, 1.5, False, 1).to_plain()["value"] is None


def test_a_degenerate_champion_fails_whatever_its_tree_agrees_with() -> None:
    """Every candidate alike: the tree drops everything where the champion does."""
    lines: list[str] = []
    gates = measure_gates(Leaf(1), OneColumnPolicy(), 0, 8, 1, lines.append)
    failed = [gate.name for gate in gates if not gate.is_passed]
    assert [f"solo clears, level {level}" in failed for level in (0, 5, 10)] == [True] * 3
    assert "too weak to be distilled" in gates[0].note
    assert "score against greedy, level 5" in failed
    assert len(lines) == len(gates)
    assert json.dumps([gate.to_plain() for gate in gates], allow_nan=False)


def test_gates_are_the_same_every_time() -> None:
    tree = draw_tree(np.random.default_rng(3), 16)
    first, second = (
        measure_gates(tree, SearchPolicy(depth=1), 5, 8, threads, _SILENT) for threads in (1, 2)
    )
    assert first == second
    assert len(POOL) >= 4


# Folders.


def test_a_folder_appears_whole_and_replaces_an_earlier_export(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "out"
    write_folder(target, {"tree.json": b"1", "old": b""})
    write_folder(target, {"tree.json": b"2"})
    assert [path.name for path in target.iterdir()] == ["tree.json"]
    assert (target / "tree.json").read_bytes() == b"2"
    assert [path.name for path in target.parent.iterdir()] == ["out"]


def test_other_files_are_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(WriteError, match="empty folder or an earlier export"):
        check_target(tmp_path / "mine")
    with pytest.raises(WriteError, match="got the file"):
        check_target(tmp_path / "mine" / "letter.txt")
    with pytest.raises(WriteError, match="the system refuses"):
        check_target(tmp_path / "mine" / "letter.txt" / "out")


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="the system refuses"):
        write_folder(tmp_path / "out", {"tree.json": b"", "no/such/folder": b""})
    assert list(tmp_path.iterdir()) == []


# A whole export.


def test_an_export_has_every_file_and_is_the_same_every_time(
    tiny: ExportConfig, tmp_path: Path
) -> None:
    policy = SearchPolicy(depth=1)
    made = [
        export_policy(policy, policy.name, tmp_path / name, tiny, _SILENT) for name in ("a", "b")
    ]
    files = [{path.name: path.read_bytes() for path in one.folder.iterdir()} for one in made]
    assert files[0] == files[1]
    cartridge = "pill-duel-search-depth-1.nes"
    assert sorted(files[0]) == sorted(
        ["tree.json", "tree.bin", "tree.s", "tree.h", cartridge, "report.html"]
    )
    assert read_page(files[0][cartridge]) == files[0]["tree.bin"]
    report = files[0]["report.html"].decode()
    assert "<svg" in report
    assert "solo clears, level 10" in report
    assert "src=" not in report, "the page needs nothing else"
    assert made[0].failures, "a tree of 8 leaves does not pass"
    tree = load_policy(f"tree:{made[0].folder}")
    assert tree.name == f"tree:{made[0].folder}"


def test_patches_are_checked_before_any_work(tiny: ExportConfig, tmp_path: Path) -> None:
    rom, rom_map = tmp_path / "mine.nes", tmp_path / "map.json"
    rom.write_bytes(read_rom())
    facts = {
        "sha1": hashlib.sha1(read_rom()[16:]).hexdigest(),
        "offset": PAGE_OFFSET,
        "expected": read_page(read_rom()).hex(),
    }
    rom_map.write_text(json.dumps(facts))
    policy = SearchPolicy(depth=1)
    lines: list[str] = []
    for bad in (
        {**facts, "sha1": "0" * 40},
        {**facts, "expected": "ff"},
    ):
        rom_map.write_text(json.dumps(bad))
        config = ExportConfig(rom=rom, rom_map=rom_map)
        with pytest.raises(LeagueError, match=r"no patch for .*mine\.nes"):
            export_policy(policy, "x", tmp_path / "out", config, lines.append)
    with pytest.raises(LeagueError, match="--rom and --map together"):
        export_policy(policy, "x", tmp_path / "out", ExportConfig(rom=rom), lines.append)
    assert not lines
    assert not (tmp_path / "out").exists()


def test_the_quick_profile_is_what_ends_a_run() -> None:
    config = make_quick_config(7)
    assert (config.leaves, config.tune, config.games, config.seed) == (64, "none", 50, 7)


def test_a_run_ends_with_an_export_or_a_reason(
    tiny: ExportConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_module, "make_quick_config", lambda seed: tiny)
    lines: list[str] = []
    export = export_at_end(OneColumnPolicy(), "one-column", tmp_path / "out", 0, lines.append)
    assert export is not None
    assert (tmp_path / "out" / "tree.json").is_file()
    assert any("export of one-column: FAIL" in line and "too weak" in line for line in lines)
    lines.clear()
    (tmp_path / "file").touch()
    policy = OneColumnPolicy()
    assert export_at_end(policy, "x", tmp_path / "file", 0, lines.append) is None
    assert lines[-1].startswith("no export of x: expected a folder")


def test_cartridges_are_named_for_their_policy() -> None:
    assert name_cartridge("search:depth=2") == "pill-duel-search-depth-2.nes"
    assert name_cartridge("snapshot:my run/latest") == "pill-duel-snapshot-my-run-latest.nes"


# Verification.


@pytest.fixture
def fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare less, and leave the emulator out."""
    monkeypatch.setattr(export_verify, "compare_all", lambda tree, seed: ([], []))


@pytest.mark.usefixtures("fewer")
def test_changed_files_are_named(folder: Path) -> None:
    assert verify_folder(folder, 0, _SILENT).failures == ()
    page = bytearray((folder / "tree.bin").read_bytes())
    page[1] ^= 1
    (folder / "tree.bin").write_bytes(page)
    (folder / "tree.h").unlink()
    failures = verify_folder(folder, 0, _SILENT).failures
    assert failures == ("tree.bin is not what tree.json makes of it", "tree.h is missing")


def test_a_changed_tree_is_an_error(folder: Path) -> None:
    path = folder / "tree.json"
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))
    with pytest.raises(LeagueError, match=r"tree\.json.*changed"):
        verify_folder(folder, 0, _SILENT)
    with pytest.raises(PlayerError, match=r"tree\.json.*changed"):
        load_policy(f"tree:{folder}")


@pytest.mark.emulator
@pytest.mark.slow
def test_an_export_is_the_same_tree_everywhere(folder: Path) -> None:
    found = verify_folder(folder, 0, _SILENT)
    assert found.failures == ()
    assert found.skipped == ()
    assert [
        one.compared >= least
        for one, least in zip(found.agreements, (10_000, 1_000, 10_000, 1_000, 500), strict=True)
    ] == [True] * 5


# The command.


def test_an_export_is_a_wandb_artifact_where_asked(
    tiny: ExportConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_module, "make_quick_config", lambda seed: tiny)
    out = tmp_path / "my export"
    arguments = ["search:depth=1", "--out", str(out), "--profile", "quick", "--wandb", "offline"]
    result = CliRunner().invoke(app, ["export", *arguments])
    assert result.exit_code == 1, "a tree of 8 leaves does not pass"
    (artifact,) = read_artifacts(tmp_path)
    assert artifact.name == "cartridge-my-export"
    assert f"cd {tmp_path} && wandb sync" in result.output
    shown = sorted(entry.path for entry in artifact.manifest.contents)
    assert shown == sorted(path.name for path in out.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["serch:depth=2", "--out", "x"], "search"),
        (["greedy", "--out", "x", "--budget-bytes", "12"], "51 or more"),
        (["greedy"], "--out"),
        (["--verify", "nowhere"], "tree.json"),
    ],
)
def test_bad_input_is_explained(arguments: list[str], message: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["export", *arguments])
    assert result.exit_code != 0
    assert message in result.output + str(result.exception)
