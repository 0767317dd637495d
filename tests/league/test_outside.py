"""Players from outside: Python objects and programs, and what happens when they fail."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from envs.backends.simulator import SimulatorBackend
from envs.game.position import parse_position
from league.errors import LeagueError
from league.match import Conditions, MatchResult, describe_match, play_match
from league.outside.command import CommandPolicy
from league.outside.forfeits import ForfeitError
from league.outside.line_process import LineProcess, LineProcessError
from league.outside.python import FactoryError, load_python_policy
from league.players import PlayerError, load_any_policy, load_policy
from policies.base import View
from policies.scripted import NoopPolicy
from tests.conftest import ROOT
from tests.native import needs_native

EXAMPLE = f"{sys.executable} {ROOT / 'examples' / 'exec_player.py'}"
SHORT = Conditions(max_frames=400)

HELLO = '{"observation": "position", "actions": "placement"}'
ECHO = "dict(game=m['game'], turn=m['turn'], action=m['legal'][0])"


def write_client(folder: Path, body: str, hello: str = HELLO) -> str:
    """A program that says hello and then runs `body` for each message `m`."""
    path = folder / "client.py"
    path.write_text(
        "import json, os, sys, time\n"
        "def say(value):\n"
        "    print(json.dumps(value), flush=True)\n"
        "input()\n"
        f"print({hello!r}, flush=True)\n"
        "for line in sys.stdin:\n"
        "    m = json.loads(line)\n"
        f"    {body}\n"
    )
    return f"{sys.executable} {path}"


def play(policy: CommandPolicy, pairs: int = 1) -> MatchResult:
    backend = SimulatorBackend(rendering=False)
    return play_match(policy, NoopPolicy(), pairs=pairs, backends=[backend], conditions=SHORT)


def is_alive(pid: int) -> bool:
    """Whether a process exists, a zombie included."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@needs_native
def test_the_example_plays_whole_games() -> None:
    policy = load_any_policy(f"exec:{EXAMPLE}", decision_seconds=60)
    assert policy.name == f"exec:{EXAMPLE}"
    assert policy.view == View("position", "placement", greedy=False)
    backend = SimulatorBackend(rendering=False)
    result = play_match(policy, NoopPolicy(), pairs=1, backends=[backend])
    assert result.score == 1.0
    assert result.forfeits == ()
    assert all(game.record.stats[game.seat_of_a].capsules > 9 for game in result.games)


@needs_native
def test_programs_hear_position_seed_and_legal_actions(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = write_client(tmp_path, f"open({str(log)!r}, 'a').write(line); say({ECHO})")
    play(CommandPolicy(command, 60.0))
    heard = [json.loads(line) for line in log.read_text().splitlines()]
    assert {(one["type"], one["game"]) for one in heard} == {("act", 0), ("act", 1)}
    for game in range(2):
        own = [one for one in heard if one["game"] == game]
        assert [one["turn"] for one in own] == list(range(len(own)))
        assert ["seed" in one for one in own] == [True] + [False] * (len(own) - 1)
    assert heard[0]["seed"] != own[0]["seed"]
    # The position is public and seen from the acting seat.
    position = parse_position(heard[0]["position"])
    assert position == position.public()
    assert all(0 <= action < 512 for action in heard[0]["legal"])


@needs_native
def test_programs_may_press_buttons(tmp_path: Path) -> None:
    hello = '{"observation": "compact", "actions": "buttons", "action_repeat": 100}'
    answer = "say(dict(game=m['game'], turn=m['turn'], action=len(m['compact']) - 310))"
    policy = CommandPolicy(write_client(tmp_path, answer, hello), 60.0)
    assert policy.view == View("compact", action_repeat=100, greedy=False)
    assert play(policy).forfeits == ()


FAILURES = [
    ("sys.exit(3)", "ended with exit code 3"),
    ("time.sleep(60)", "gave no answer within 0.3 s"),
    ("print('no json', flush=True)", "answered b'no json', expected a JSON object"),
    ("say([1])", "expected a JSON object"),
    ("say(dict(game=m['game'], turn=7, action=0))", "expected game 0 and turn 0"),
    ("say(dict(game=m['game'], turn=m['turn'], action=513))", "expected an action 0..512"),
    ("say(dict(game=m['game'], turn=m['turn'], action=True))", "expected an action 0..512"),
    ("say(dict(game=m['game'], turn=m['turn']))", "expected an action 0..512"),
    ("sys.stdout.write('x' * 200000); sys.stdout.flush()", "bytes without a line end"),
    ("os.close(1); time.sleep(60)", "closed its stdin or stdout"),
    ("print('[' * 60000, flush=True)", "expected a JSON object"),
]


@needs_native
@pytest.mark.parametrize(("body", "reason"), FAILURES, ids=[reason for _, reason in FAILURES])
def test_a_failing_program_forfeits_and_is_gone(tmp_path: Path, body: str, reason: str) -> None:
    # Short where it will be used up; long elsewhere, as the machine may be busy.
    policy = CommandPolicy(write_client(tmp_path, body), 0.3 if "0.3" in reason else 60.0)
    assert policy._process is not None
    pid = policy._process.pid
    start = time.monotonic()
    result = play(policy)
    assert time.monotonic() - start < 55
    assert [game.record.reason for game in result.games] == ["forfeit", "forfeit"]
    assert result.score == 0.0
    assert reason in result.forfeits[0]
    assert describe_match(result)["end_reasons"]["forfeit"] == 2
    assert not is_alive(pid)
    assert policy._process is None


@needs_native
def test_the_match_command_tells_why(tmp_path: Path) -> None:
    from league.cli import app

    command = f"exec:{write_client(tmp_path, 'sys.exit(3)')}"
    options = ["--pairs", "1", "--backend", "simulator", "--json"]
    done = CliRunner().invoke(app, ["match", "noop", command, *options])
    assert done.exit_code == 0
    assert "forfeits: ended with exit code 3" in done.stderr
    report = json.loads(done.stdout)
    assert report["score"] == 1.0
    assert report["forfeits"] == [f"{command!r} forfeits: ended with exit code 3"]


@needs_native
def test_only_the_game_at_hand_is_forfeited(tmp_path: Path) -> None:
    """The program dies once, in its third decision, and plays on after a new start."""
    flag = tmp_path / "died"
    body = (
        f"dies = m['turn'] == 2 and not os.path.exists({str(flag)!r}); "
        f"dies and open({str(flag)!r}, 'w'); dies and sys.exit(1); say({ECHO})"
    )
    policy = CommandPolicy(write_client(tmp_path, body), 60.0)
    backend = SimulatorBackend(rendering=False)
    result = play_match(policy, NoopPolicy(), pairs=1, backends=[backend])
    first, second = result.games
    assert (first.record.reason, first.record.winner) == ("forfeit", 1)
    assert first.record.frames > 0
    assert second.record.reason != "forfeit"
    assert second.forfeit is None
    policy.close()


def test_children_of_a_program_go_with_it(tmp_path: Path) -> None:
    process = LineProcess(["sh", "-c", "sleep 60 & echo $!; wait"])
    child = int(process.ask(b"", 10))
    assert is_alive(child)
    process.close()
    process.close()
    assert not is_alive(process.pid)
    deadline = time.monotonic() + 10
    while is_running(child) and time.monotonic() < deadline:
        os.sched_yield()
    assert not is_running(child)


def is_running(pid: int) -> bool:
    """Whether a process runs; one that init has still to collect does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_program_that_reads_nothing_does_not_block() -> None:
    process = LineProcess(["sleep", "60"])
    with pytest.raises(LineProcessError, match=r"gave no answer within 0\.2 s"):
        process.ask(b"x" * 1_000_000, 0.2)
    process.close()


def test_a_program_ends_with_the_last_reference() -> None:
    process = LineProcess(["sleep", "60"])
    pid = process.pid
    del process
    assert not is_alive(pid)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("", "the program is missing"),
        ("'", "cannot be told from"),
        ("/no/such/program", "cannot be started"),
        ("true", "ended with exit code 0"),
        ("echo {}", "expected an observation of position, compact"),
        ('echo \'{"observation": "ram", "actions": "buttons"}\'', "expected an observation of"),
        (
            'echo \'{"observation": "compact", "actions": "buttons", "action_repeat": 0}\'',
            "expected action_repeat in 1..255",
        ),
    ],
)
def test_programs_that_cannot_start_are_refused_at_once(command: str, message: str) -> None:
    with pytest.raises(PlayerError, match=message):
        load_any_policy(f"exec:{command}")


def test_a_program_is_asked_for_one_game_at_a_time(tmp_path: Path) -> None:
    policy = CommandPolicy(write_client(tmp_path, "pass"), 60.0)
    with pytest.raises(ValueError, match="one game at a time"):
        policy.initial_state(2)
    policy.close()


@pytest.mark.parametrize("text", ["py:tests.league.test_outside:make_policy", "exec:true"])
def test_run_files_cannot_name_outside_players(text: str) -> None:
    with pytest.raises(PlayerError, match="from the command line only"):
        load_policy(text)


def make_policy() -> NoopPolicy:
    return NoopPolicy()


def make_nothing() -> object:
    return object()


def test_a_factory_gives_a_policy_of_its_text() -> None:
    text = "py:tests.league.test_outside:make_policy"
    policy = load_any_policy(text)
    assert (policy.name, policy.view, policy.deterministic) == (text, NoopPolicy().view, True)
    rng = np.random.default_rng(0)
    actions, state = policy.act([None, None], None, policy.initial_state(2), rng)
    assert actions.tolist() == [0, 0]
    assert state is None


def test_modules_are_found_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_own_player.py").write_text(
        "from policies.scripted import RandomPolicy\nmake = RandomPolicy\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert load_any_policy("py:my_own_player:make").view.action_repeat == 4


@pytest.mark.parametrize(
    ("details", "message"),
    [
        ("", "expected 'py:module:factory'"),
        ("json", "expected 'py:module:factory'"),
        ("json:not a name", "expected 'py:module:factory'"),
        ("no_such_module_here:make", "expected a module 'no_such_module_here'"),
        ("tests.league.test_outside:nothing", "expected a callable 'nothing'"),
        ("tests.league.test_outside:SHORT", "expected a callable 'SHORT'"),
        (
            "tests.league.test_outside:make_nothing",
            "without initial_state, act, view, a policies.base.View, deterministic, a bool",
        ),
    ],
)
def test_what_is_no_policy_is_refused(details: str, message: str) -> None:
    with pytest.raises(FactoryError, match=message):
        load_python_policy(details)


def test_a_forfeit_is_an_error_of_the_league() -> None:
    error = ForfeitError(NoopPolicy(), "it is late")
    assert isinstance(error, LeagueError)
    assert str(error) == "'noop' forfeits: it is late"
