"""`league verify`, `league rom verify` and `league bench sim` on the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from envs.backends.integrations import PILL_DUEL
from league.cli import main
from tests.native import needs_native

pytestmark = [pytest.mark.emulator, needs_native]


def run(*arguments: str) -> int:
    """Run `league` in this process; return its exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["league", *arguments])
        with pytest.raises(SystemExit) as exit_info:
            main()
    return int(exit_info.value.code or 0)


def read_json(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


def test_verify_fails_where_the_minima_are_not_met(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("verify", "--sessions", "2", "--workers", "1", "--no-mutants", "--no-planner")
    assert run(*arguments, "--json") == 1
    report = read_json(capsys)
    assert report["equal"]
    assert not report["covered"]
    assert (report["mutants"], report["planner"]) == ([], None)
    assert run(*arguments) == 1
    text = capsys.readouterr().out
    assert "every compared byte equal: yes" in text
    assert "rounds: " in text
    assert text.rstrip().endswith("passed: NO")


def test_rom_verify_tells_how_far_a_rom_agrees(
    user_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("rom", "verify", PILL_DUEL, "--rounds", "2") == 0
    assert "winners: 2 of 2 equal" in capsys.readouterr().out
    assert run("rom", "verify", PILL_DUEL, "--rounds", "2", "--json") == 0
    assert read_json(capsys)["agrees"]


def test_rom_verify_says_which_rom_is_missing(
    user_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("rom", "verify", "no-such.nes") == 2
    assert "no-such.nes" in capsys.readouterr().err


def test_bench_prints_every_figure(user_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("bench", "sim", "--turns", "1", "--json") in (0, 1)
    assert read_json(capsys)["frames_per_cpu_second"]["median"] > 0


@pytest.mark.parametrize("backend", ["simulator", "reference"])
def test_matches_are_played_without_an_emulator(
    backend: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("match", "greedy", "random", "--pairs", "1", "--backend", backend, "--json")
    assert run(*arguments) == 0
    assert read_json(capsys)


def test_other_games_need_the_emulator(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("match", "greedy", "random", "--backend", "simulator")
    assert run(*arguments, "--game", "DrMario-Nes-v0") == 2
    assert "rules built in" in capsys.readouterr().err
