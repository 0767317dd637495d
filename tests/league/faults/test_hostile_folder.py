"""A run folder from a stranger: nothing in it is run, and one bad file costs that file only."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs.backends.reference import ReferenceBackend
from envs.game.layout import Speed
from league.checkpoint import Progress
from league.config import load_config, render_config
from league.durable import publish_folder
from league.errors import ConfigError
from league.evaluation import EvaluationSetup, play_pair
from league.learners import FOLDER as EXPLOITERS
from league.manager import PlannedPair
from league.players import PlayerError
from league.records import Condition, GameRow, IterationRow, RatingRow, SnapshotRow
from league.rundir import RunDir
from league.settings import RunConfig
from league.snapshots import save_snapshot
from league.store import Store
from league.training.state import TrainerState
from policies.base import View
from policies.network import NetworkConfig, build_network
from tests.league.faults.injector import ROOT

NOW = "2026-01-01T00:00:00+00:00"
NETWORK = NetworkConfig("column", column_features=4, hidden=8)
VIEW = View("compact", "buttons", action_repeat=4)
CHECKPOINT = "checkpoints/iteration-000001"
FILES = {
    "config.yaml": "config",
    "league.sqlite": "database",
    "metrics.jsonl": "metrics",
    f"{CHECKPOINT}/league.json": "checkpoint 1",
    f"{CHECKPOINT}/trainer.safetensors": "checkpoint 1",
    f"{CHECKPOINT}/exploiters/league_exploiter_1/trainer.safetensors": "checkpoint 1",
    "snapshots/main-0001/manifest.json": "main-0001",
    "snapshots/main-0001/weights.safetensors": "main-0001",
}
"""A file of each kind, and the part of the run that rests on it."""
REST_ON_IT = {"database": {"database", "standings"}, "metrics": set(), "": set()}
"""Parts that may be refused where a part is damaged; otherwise that part alone."""


def make_run(path: Path) -> RunDir:
    """Return a run with two snapshots, a game between them, and two checkpoints."""
    run = RunDir.create(path, render_config(RunConfig()))
    weights = {name: value.numpy() for name, value in build_network(NETWORK).state_dict().items()}
    run.metrics.write_text('{"league/iteration": 0}\n')
    with Store.create(run.database) as store:
        for number in range(2):
            name = f"main-{number:04d}"
            with publish_folder(run.snapshot(name)) as folder:
                manifest = save_snapshot(
                    folder,
                    run=path.name,
                    snapshot_id=name,
                    env_steps=number,
                    network=asdict(NETWORK),
                    weights=weights,
                    view=VIEW,
                )
            with publish_folder(run.checkpoint(number)) as folder:
                state = TrainerState(weights, {"0.step": np.zeros((), np.float32)})
                place = folder / EXPLOITERS / "league_exploiter_1"
                place.mkdir(parents=True)
                for one in (folder, place):
                    state.save(one)
                Progress(iteration=number).save(folder)
            players = ("main-0000", "greedy")
            game = GameRow(
                "evaluation", Condition((0, 0), (1, 1), "fake", 9), number, players, "win", "", 9
            )
            row = SnapshotRow(
                name, "main", None, number, number, manifest.weights_sha256, NOW, asdict(VIEW)
            )
            rating = RatingRow(number, "greedy", 1000.0, 900.0, 1100.0, "interval", 2)
            store.commit_iteration(
                IterationRow(number, number, NOW),
                snapshots=[row],
                games=[game],
                rate=lambda _, rating=rating: [rating],  # type: ignore[misc]
            )
    return run


class Bomb:
    """Leaves a trace if it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self._trace,))


def raise_version(path: Path) -> None:
    """Make a file say that it comes from a later version, as far as it says what it is."""
    text = path.read_bytes()
    for word in (b"pill-league-run-", b"pill-league-snapshot-", b"pill-league-trainer-"):
        start = text.find(word)
        if start >= 0:
            end = start + len(word)
            path.write_bytes(text[:end] + b"9" + text[end + 1 :])
            return
    path.write_bytes(b"version: 9\n" + text)


@dataclass(frozen=True)
class Case:
    """A copy of a run in which one file was changed, and what opening it said."""

    file: str
    """Empty where no file of the run was changed."""
    damage: str
    said: dict[str, Any]

    @property
    def part(self) -> str:
        return FILES.get(self.file, "")

    @property
    def refused(self) -> dict[str, str]:
        """What was not opened, and the error."""
        return {key: text for key, text in self.said.items() if key != "alarms" and text != "ok"}


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("trace") / "a-pickle-was-opened"


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory, trace: Path) -> list[Case]:
    """Every file of a run damaged in every way, and all of it opened by one other process."""
    root = tmp_path_factory.mktemp("hostile")
    whole = make_run(root / "whole").path
    bomb = pickle.dumps(Bomb(trace))
    damages: dict[str, Callable[[Path], Any]] = {
        "empty": lambda path: path.write_bytes(b""),
        "cut": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3]),
        "pickle": lambda path: path.write_bytes(bomb),
        "foreign": lambda path: path.write_bytes(b"\x7fELF" + bytes(5000)),
        "newer": raise_version,
        "missing": lambda path: path.unlink(),
    }
    copies = [("", "", whole)]
    for file in FILES:
        for damage, apply in damages.items():
            copy = root / f"{len(copies)}"
            shutil.copytree(whole, copy)
            apply(copy / file)
            copies.append((file, damage, copy))
    extra = root / "extra"
    shutil.copytree(whole, extra)
    for name in ("rllib_checkpoint.json", "algorithm_state.pkl", "class_and_ctor_args.pkl"):
        for file in FILES:
            (extra / file).with_name(name).write_bytes(bomb)
    copies.append(("", "pickles beside the files", extra))
    said = open_all(copy for _, _, copy in copies)
    return [Case(*one[:2], answer) for one, answer in zip(copies, said, strict=True)]


def open_all(folders: Iterable[Path]) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "tests.league.faults.open_run", *map(str, folders)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def test_the_bomb_works(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Bomb(tmp_path / "trace")))
    assert (tmp_path / "trace").exists()


def test_no_planted_pickle_is_opened_and_nothing_is_run(cases: list[Case], trace: Path) -> None:
    assert not trace.exists()
    assert [(case.file, case.said["alarms"]) for case in cases if case.said["alarms"]] == []


def test_damage_is_refused_with_the_name_of_the_file(cases: list[Case]) -> None:
    for case in cases:
        for text in case.refused.values():
            assert not text.startswith("BROKEN"), (case.file, case.damage, text)
        if case.part not in ("", "metrics"):
            named = f"{Path(case.file).parent.name}/" if "/" in case.file else case.file
            assert named.strip("/") in case.said[case.part], (case.file, case.damage)


def test_the_rest_of_a_damaged_run_still_opens(cases: list[Case]) -> None:
    assert sum(case.part == "" for case in cases) == 2
    for case in cases:
        expected = REST_ON_IT.get(case.part, {case.part})
        if (case.part, case.damage) == ("config", "missing"):
            # By its config.yaml a folder is known as a run.
            expected = {"config", "main-0000", "main-0001"}
        assert set(case.refused) == expected, (case.file, case.damage, case.refused)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("run: !!python/object/apply:os.system ['touch opened']\n", "expected YAML"),
        ("run: {name: '${oc.env:HOME}'}\n", "interpolation is refused"),
        ("tracking: {project: '${oc.decode:1}'}\n", "interpolation is refused"),
        ("league: {scripted: ['exec:touch opened']}\n", "expected"),
    ],
)
def test_a_config_runs_and_resolves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_config(path)
    assert not (tmp_path / "opened").exists()


@pytest.mark.parametrize("player", ["exec:touch opened", "py:os:getcwd"])
def test_a_planned_game_brings_in_no_player_from_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, player: str
) -> None:
    monkeypatch.chdir(tmp_path)
    speeds = (Speed.MED, Speed.MED)
    setup = EvaluationSetup(ReferenceBackend, (0, 0), speeds, 100, tmp_path)
    with pytest.raises(PlayerError, match="from the command line only"):
        play_pair(setup, PlannedPair((player, "noop"), 1, 1), ReferenceBackend())
    assert not (tmp_path / "opened").exists()
