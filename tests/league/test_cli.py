"""The command line."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from league.cli import app, main
from league.records import Condition, GameRow, IterationRow
from league.rundir import RunDir
from league.standings import rate_players, rating_rows
from league.store import Store

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "league.cli"]
MAX_HELP_SECONDS = 0.5


def run(*arguments: str) -> int:
    """Run `league` in this process; return its exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["league", *arguments])
        with pytest.raises(SystemExit) as exit_info:
            main()
    return int(exit_info.value.code or 0)


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start `league` in a process of its own."""
    pipe = subprocess.PIPE
    return subprocess.Popen([*COMMAND, *arguments], cwd=ROOT, stdout=pipe, stderr=pipe, text=True)


def run_apart(*arguments: str) -> str:
    """Run `league` in a process of its own; return what it prints."""
    process = start(*arguments)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return output


def test_help_is_quick() -> None:
    def measure() -> float:
        begin = os.times()
        subprocess.run([*COMMAND, "--help"], cwd=ROOT, check=True, capture_output=True)
        end = os.times()
        return (end.children_user - begin.children_user) + (
            end.children_system - begin.children_system
        )

    # CPU time, the best of three: a busy machine is not the command's fault.
    assert min(measure() for _ in range(3)) < MAX_HELP_SECONDS


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    groups: dict[str, Any] = {"": get_command(app)}
    groups |= {name: one for name, one in groups[""].commands.items() if hasattr(one, "commands")}
    assert {"match", "run", "standings", "verify", "track"} <= groups[""].commands.keys()
    assert groups.keys() >= {"", "rom", "bench", "game"}
    for group, command in groups.items():
        assert run(*filter(None, (group, "--help"))) == 0
        shown = capsys.readouterr().out
        for name in command.commands:
            assert re.search(rf"^\W*{name} +[A-Z`]", shown, re.MULTILINE), (group, name)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("match", "gredy", "noop"), "got 'gredy'; did you mean 'greedy'?"),
        (("match", "greedy", "noop", "--level", "21"), "expected level in 0..20, got 21"),
        (("standings", "no-such-run"), "expected a run in runs/no-such-run"),
        (("rom", "import", "no-such-file.nes"), "no-such-file.nes"),
        (("run", "no-such-file.yaml"), "no-such-file.yaml"),
    ],
)
@pytest.mark.usefixtures("user_data")
def test_own_errors_are_one_message_and_exit_code_2(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.startswith("error: ")
    assert "Traceback" not in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ("mtach", "greedy", "noop"),
        ("match", "greedy"),
        ("match", "greedy", "noop", "--speed", "FAST"),
        ("match", "greedy", "noop", "--backend", "simulatr"),
        ("match", "greedy", "noop", "--seed", "-1"),
    ],
)
def test_bad_usage_has_exit_code_2(arguments: tuple[str, ...]) -> None:
    assert run(*arguments) == 2


def test_other_errors_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(text: str) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("league.players.load_policy", fail)
    monkeypatch.setattr(sys, "argv", ["league", "match", "greedy", "noop"])
    with pytest.raises(RuntimeError, match="a bug"):
        main()


@pytest.mark.usefixtures("user_data")
def test_rom_list_shows_the_shipped_cartridge(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("rom", "list") == 0
    assert "Pill Duel" in capsys.readouterr().out


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """A run in which `greedy` beat `random` eleven times out of twelve."""
    run_dir = RunDir.create(tmp_path / "first", "")
    condition = Condition((0, 0), (1, 1), "retro", 36_000)
    games = [
        GameRow(
            "evaluation",
            condition,
            seed,
            ("greedy", "random"),
            "loss" if seed == 0 else "win",
            "clear",
            900,
            policy_seed=1,
        )
        for seed in range(12)
    ]
    with Store.create(run_dir.database) as store:
        store.commit_iteration(
            IterationRow(0, 0, "2026-01-01T00:00:00+00:00"),
            games=games,
            rate=lambda store: rating_rows(0, rate_players(store, "greedy")),
        )
    return run_dir.path


def test_standings_as_table(run_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("standings", str(run_folder)) == 0
    lines = capsys.readouterr().out.splitlines()
    first, second = (next(line for line in lines if name in line) for name in ("greedy", "random"))
    assert lines.index(first) < lines.index(second)
    assert "1000" in first


def test_standings_as_json(run_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("standings", str(run_folder), "--json") == 0
    ladder = json.loads(capsys.readouterr().out)
    assert [line["player"] for line in ladder] == ["greedy", "random"]
    assert (ladder[0]["wins"], ladder[0]["losses"]) == (11, 1)


BENCH_REPORT: dict[str, Any] = {
    "rendering_on": {"ratio": 2.0, "target": 1.7, "met": True},
    "rendering_off": {"ratio": 2.5, "target": 2.3, "met": True},
}


@pytest.mark.parametrize(("met", "code"), [(True, 0), (False, 1)])
def test_bench_fails_below_its_targets(
    met: bool, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = {**BENCH_REPORT, "rendering_off": {"ratio": 2.5, "target": 2.3, "met": met}}
    monkeypatch.setattr("league.bench.env.run_env_bench", lambda pairs: {**report, "pairs": pairs})
    assert run("bench", "env", "--json", "--pairs", "5") == code
    assert json.loads(capsys.readouterr().out) == {**report, "pairs": 5}
    assert run("bench", "env") == code
    assert "rendering_on: 2.00 x, target 1.7 x" in capsys.readouterr().out


@pytest.mark.emulator
@pytest.mark.usefixtures("user_data")
def test_two_processes_play_the_same_match() -> None:
    arguments = ("match", "greedy", "random", "--pairs", "2", "--seed", "5", "--json")
    # The first process finds no boot states and walks the menus, the second one reads them.
    texts = [run_apart(*arguments) for _ in range(2)]
    first, second = (
        "\n".join(line for line in text.splitlines() if '"seconds"' not in line) for text in texts
    )
    assert first == second
    result = json.loads(texts[0])
    assert (result["a"], result["b"], result["pairs"]) == ("greedy", "random", 2)
    assert result["backend"]["name"] == "retro"
    other = json.loads(run_apart(*arguments, "--seed", "6"))
    assert other["replay_sha1"] != result["replay_sha1"]


@pytest.mark.emulator
@pytest.mark.usefixtures("user_data")
def test_video_shows_the_first_pair_and_changes_no_result(tmp_path: Path) -> None:
    import imageio_ffmpeg

    video = tmp_path / "first.mp4"
    arguments = ("match", "greedy", "noop", "--pairs", "2", "--json")
    with_video = json.loads(run_apart(*arguments, "--video", str(video)))
    without = json.loads(run_apart(*arguments))
    assert with_video["replay_sha1"] == without["replay_sha1"]
    pair = json.loads(run_apart("match", "greedy", "noop", "--pairs", "1", "--json"))
    frames, seconds = imageio_ffmpeg.count_frames_and_secs(str(video))
    assert frames == 2 * pair["mean_frames"]
    assert seconds == pytest.approx(frames / 60.0988, rel=0.01)


@pytest.mark.emulator
@pytest.mark.usefixtures("user_data")
def test_match_table_tells_score_and_elo() -> None:
    shown = run_apart("match", "greedy", "noop", "--pairs", "1")
    assert "greedy against noop, level 0 MED" in shown
    assert "score 1.000, Elo difference" in shown


@pytest.mark.emulator
def test_ctrl_c_ends_a_match_quietly(user_data: Path) -> None:
    process = start("match", "greedy", "random", "--pairs", "1000")
    # The cached boot state appears when the first round is about to start.
    for _ in range(600):
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
        if any(path.is_file() for path in user_data.rglob("*")):
            break
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert output == ""
    assert "Traceback" not in errors
