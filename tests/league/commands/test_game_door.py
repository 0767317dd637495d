"""The door for outside judges: golden answers, both engines, refusals, and the command itself."""

from __future__ import annotations

import hashlib
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs.backends.native_library import find_library
from envs.game.capsule import is_vertical
from envs.game.layout import CELLS, COLUMNS, EMPTY, FRAMES_PER_ROW, ROWS
from envs.game.position import parse_bottle
from envs.game.rules_control import capsule_fits
from league.cli import main
from league.commands.game_door import (
    DoorError,
    Engine,
    EngineName,
    VerbName,
    answer_lines,
    open_engine,
)
from tests.cascades import Cascade, read_cascades

ROOT = Path(__file__).resolve().parents[3]
EMPTY_FIELD = "ff" * CELLS
FRAMES_WITHOUT_LINE = 10
FRAMES_PER_CLEAR = 20
FRAMES_PER_FALL = 16

DOCUMENTED = re.compile(
    r"^```sh\necho '(?P<question>.+)' \| league game (?P<verb>\w+)\n```\n+"
    r"```json\n(?P<answer>.+?\n)```",
    re.MULTILINE,
)

Ask = Callable[..., dict[str, Any]]

NEEDS_COMPILER = pytest.mark.skipif(find_library() is None, reason="the simulator is not built")


@pytest.fixture(
    scope="module", params=["reference", pytest.param("simulator", marks=NEEDS_COMPILER)]
)
def engine(request: pytest.FixtureRequest) -> Engine:
    name: EngineName = request.param
    return open_engine(name)


@pytest.fixture
def ask(engine: Engine) -> Ask:
    """Ask an engine one question."""

    def ask(verb: VerbName, **question: object) -> dict[str, Any]:
        return answer(engine, verb, question)

    return ask


def answer(engine: Engine, verb: VerbName, question: dict[str, object]) -> dict[str, Any]:
    (line,) = answer_lines(verb, engine, [json.dumps(question)])
    decoded: dict[str, Any] = json.loads(line)
    return decoded


def field(text: str) -> str:
    """The hex digits of a bottle in the text of a position line."""
    return parse_bottle(text).hex()


def low(*lines: str) -> str:
    """The hex digits of a bottle whose lowest rows are `lines`."""
    return field("/".join([*["8"] * (ROWS - len(lines)), *lines]))


def sha1(digits: str) -> str:
    return hashlib.sha1(bytes.fromhex(digits)).hexdigest()


class TestSetup:
    def test_a_known_round(self, ask: Ask) -> None:
        found = ask("setup", word="2ACA", levels=[5, 5])
        assert found["reserve"][:13] == [8, 3, 2, 6, 5, 0, 8, 4, 4, 2, 7, 7, 4]
        assert sha1(bytes(found["reserve"]).hex()) == "ff2887b8486fdc8a169b05e728a32a4ecf7b21b2"
        assert (found["word_after"], found["intro_frames"]) == (0x76F0, 25)
        assert found["fields"][0] == found["fields"][1]
        viruses = bytes.fromhex(found["fields"][0])
        assert [cell for cell in range(CELLS) if viruses[cell] != EMPTY][:3] == [0x3D, 0x3E, 0x3F]
        assert viruses[0x3D:0x40] == bytes([0xD2, 0xD2, 0xD0])

    @pytest.mark.parametrize(
        ("word", "digest", "frames", "after"),
        [
            ("8988", "f768174b5e675faa756e583685b57f8f218fbb43", 85, 0xAC37),
            ("0x2aca", "8e8a07b4c17e34dbf2b7336cc5bc43f15a12ba53", 86, 0x98B5),
            (0x818C, "c86ecb51c892ca4d753dd3af76a85b599ac9d9fc", 84, 0x1046),
        ],
    )
    def test_level_20(
        self, ask: Ask, word: str | int, digest: str, frames: int, after: int
    ) -> None:
        found = ask("setup", word=word, levels=[20, 20])
        assert [sha1(digits) for digits in found["fields"]] == [digest, digest]
        assert (found["intro_frames"], found["word_after"]) == (frames, after)

    def test_unequal_levels(self, ask: Ask) -> None:
        found = ask("setup", word="2ACA", levels=[5, 10])
        assert [sha1(digits) for digits in found["fields"]] == [
            "08d27a9286f6e2a0a6cfed1dbf02dfa4ac40abc9",
            "ac8cd4be7cd89c2effed2c82724e702863c21557",
        ]
        assert (found["intro_frames"], found["word_after"]) == (44, 0xC716)


class TestSettle:
    @pytest.mark.parametrize("cascade", read_cascades())
    def test_golden_cascades(self, ask: Ask, cascade: Cascade) -> None:
        drop, settled = cascade.drop, cascade.settled
        row = ROWS - 1 - drop.y
        pose = drop.rotation * CELLS + row * COLUMNS + drop.x
        found = ask("settle", field=cascade.cells.hex(), capsule=list(drop.colours), pose=pose)
        assert found["field"] == settled.cells.hex()
        assert sum(found["lines"]) == settled.lines
        assert len(found["lines"]) == len(settled.passes) - 1
        assert len(found["attack_colours"]) == min(settled.lines, 4)
        rounds, falls = len(found["lines"]), sum(settled.passes)
        resolve = FRAMES_PER_CLEAR * rounds + FRAMES_PER_FALL * falls
        assert found["frames"] == max(4, row + 1) + FRAMES_WITHOUT_LINE + resolve

    def test_colours_by_rows_then_columns(self, ask: Ask) -> None:
        bottle = low("4Y3", "4Y3", "BBB1Y3", "RRR5")
        found = ask("settle", field=bottle, capsule=[1, 2], pose=CELLS + 15 * COLUMNS + 3)
        assert (found["lines"], found["attack_colours"]) == ([2], [2, 1])

    def test_a_cascade_tells_its_rounds(self, ask: Ask) -> None:
        # The red falls on red when the yellow go.
        bottle = low("r7", "YYY5", "R3B3", "R7", "R7")
        found = ask("settle", field=bottle, capsule=[0, 1], pose=12 * COLUMNS + 3)
        assert found["lines"] == [1, 1]
        assert found["attack_colours"] == [0, 1]

    def test_the_last_virus_does_not_stop_it(self, ask: Ask) -> None:
        found = ask("settle", field=low("YYY5"), capsule=[0, 1], pose=15 * COLUMNS + 3)
        assert found["field"] == low("4r3")
        assert found["frames"] == 46

    def test_all_viruses_at_once(self, ask: Ask) -> None:
        rows = ["YYYYRRRR", "BBBBYYYY"] * 5
        found = ask("settle", field=low(*rows, "YYYY4"), capsule=[0, 1], pose=15 * COLUMNS + 4)
        assert found["lines"][0] >= 20
        assert len(found["attack_colours"]) == 4

    def test_an_upright_lock_in_the_top_row_loses_its_upper_half(self, ask: Ask) -> None:
        bottle = field("/".join(["8", *["YYRRYYRR", "RRYYRRYY"] * 5, *["8"] * 5]))
        found = ask("settle", field=bottle, capsule=[2, 1], pose=CELLS)
        assert found["field"] == "82" + bottle[2:]
        assert found["frames"] == 14

    def test_the_next_spawn_may_be_blocked(self, ask: Ask) -> None:
        bottle = field("/".join(["8", *["YYRRYYRR", "RRYYRRYY"] * 5, *["8"] * 5]))
        found = ask("settle", field=bottle, capsule=[2, 1], pose=3)
        assert found["frames"] == 14
        assert found["field"][:16] == "ffffff6271ffffff"


class TestGarbage:
    @pytest.mark.parametrize(
        ("queue", "counter", "columns"),
        [
            (0, 1, []),
            (1, 1, []),
            (2, 0, [0, 4]),
            (2, 255, [3, 7]),
            (3, 4, [0, 2, 4]),
            (3, 7, [3, 5, 7]),
            (4, 6, [0, 2, 4, 6]),
            (4, 3, [1, 3, 5, 7]),
            (9, 3, [1, 3, 5, 7]),
            (255, 2, [0, 2, 4, 6]),
        ],
    )
    def test_cells(self, ask: Ask, queue: int, counter: int, columns: list[int]) -> None:
        colours = [2, 1, 0, 1]
        found = ask("garbage", queue=queue, frame_counter=counter, colours=colours)
        tiles = [0x80 + colour for colour in colours]
        expected = [[0, column, tile] for column, tile in zip(columns, tiles, strict=False)]
        assert found == {"cells": expected}

    def test_as_many_colours_as_are_used_will_do(self, ask: Ask) -> None:
        found = ask("garbage", queue=2, frame_counter=1, colours=[2, 0])
        assert found["cells"] == [[0, 1, 0x82], [0, 5, 0x80]]


class TestReach:
    def test_an_empty_bottle(self, ask: Ask) -> None:
        question = {"field": EMPTY_FIELD, "speed_index": 25, "frame_counter": 0}
        poses = dict(ask("reach", capsule=[0, 1], **question)["poses"])
        assert len(poses) == 30
        assert poses[15 * COLUMNS + 3] == 31

    def test_a_capsule_of_one_colour_has_two_rotations(self, ask: Ask) -> None:
        question = {"field": EMPTY_FIELD, "speed_index": 31, "frame_counter": 7}
        mixed = ask("reach", capsule=[0, 1], **question)["poses"]
        plain = ask("reach", capsule=[2, 2], **question)["poses"]
        assert plain == [[pose, frames] for pose, frames in mixed if pose < 2 * CELLS]

    def test_a_blocked_spawn(self, ask: Ask) -> None:
        blocked = field("/".join(["3y4", *["8"] * 15]))
        found = ask("reach", field=blocked, capsule=[0, 1], speed_index=25, frame_counter=0)
        assert found == {"poses": []}


def random_field(rng: np.random.Generator) -> bytes:
    """A bottle at rest of a golden cascade, or loose viruses and singles at any height."""
    if rng.random() < 0.5:
        cascades = read_cascades()
        return cascades[int(rng.integers(len(cascades)))].settled.cells
    kinds = rng.choice([0xD0, 0x80], CELLS) + rng.integers(0, 3, CELLS)
    rows = np.arange(CELLS) // COLUMNS
    occupied = (rng.random(CELLS) < rng.random() * 0.5) & (rows >= rng.integers(1, ROWS))
    return np.where(occupied, kinds, EMPTY).astype(np.uint8).tobytes()


def random_pose(rng: np.random.Generator, cells: bytes) -> int:
    """A pose that rests on something."""
    while True:
        rotation, y, x = int(rng.integers(4)), int(rng.integers(ROWS)), int(rng.integers(COLUMNS))
        upright = is_vertical(rotation)
        bottle = bytearray(cells)
        fits = capsule_fits(bottle, 0, x, y, upright)
        if fits and not capsule_fits(bottle, 0, x, y - 1, upright):
            return rotation * CELLS + (ROWS - 1 - y) * COLUMNS + x


def random_questions(rng: np.random.Generator) -> list[tuple[VerbName, dict[str, object]]]:
    """One question of each verb."""
    cells = random_field(rng)
    capsule = rng.integers(0, 3, 2).tolist()
    counter = int(rng.integers(256))
    levels = rng.integers(0, 21, 2).tolist()
    return [
        ("setup", {"word": int(rng.integers(2, 0x10000)), "levels": levels}),
        ("settle", {"field": cells.hex(), "capsule": capsule, "pose": random_pose(rng, cells)}),
        (
            "garbage",
            {
                "queue": int(rng.integers(9)),
                "frame_counter": counter,
                "colours": rng.integers(0, 3, 4).tolist(),
            },
        ),
        (
            "reach",
            {
                "field": cells.hex(),
                "capsule": capsule,
                "speed_index": int(rng.integers(31, len(FRAMES_PER_ROW))),
                "frame_counter": counter,
            },
        ),
    ]


def check_engines_agree(questions: int) -> None:
    """Hold both engines together: equal but for a side that stays down after it has moved.

    The planner lets go of it, see `docs/placement.md`; that may cost it one pose in a thousand, or
    make it slower there, but never gives a pose that is not to be had or an impossible time.
    """
    reference, simulator = open_engine("reference"), open_engine("simulator")
    rng = np.random.default_rng(5)
    poses = lost = 0
    for _ in range(questions):
        for verb, question in random_questions(rng):
            theirs, ours = answer(reference, verb, question), answer(simulator, verb, question)
            if verb == "reach":
                exact, planned = dict(theirs["poses"]), dict(ours["poses"])
                assert all(frames >= exact.get(pose, 999) for pose, frames in planned.items())
                poses += len(exact)
                lost += len(exact.items() - planned.items())
            else:
                assert theirs == ours, question
    assert lost <= poses / 1000, f"{lost} of {poses} poses"


@NEEDS_COMPILER
def test_both_engines_agree() -> None:
    check_engines_agree(10)


@pytest.mark.slow
@NEEDS_COMPILER
def test_both_engines_agree_on_many() -> None:
    check_engines_agree(300)


SETTLE = {"field": EMPTY_FIELD, "capsule": [0, 1], "pose": 120}
REACH = {"field": EMPTY_FIELD, "capsule": [0, 1], "speed_index": 25, "frame_counter": 0}
GARBAGE = {"queue": 2, "frame_counter": 0, "colours": [0, 1]}
SETUP = {"word": 0x8988, "levels": [0, 0]}


@pytest.mark.parametrize(
    ("verb", "question", "message"),
    [
        ("setup", SETUP | {"word": 1}, "expected word to be an integer 2..65535 .* got 1$"),
        ("setup", SETUP | {"word": "89 88"}, "expected word .* got '89 88'"),
        ("setup", SETUP | {"word": True}, "expected word .* got True"),
        ("setup", SETUP | {"levels": [0, 21]}, r"list of 2 integers 0\.\.20, got \[0, 21\]"),
        ("setup", SETUP | {"levels": 5}, "expected levels to be a list of 2 integers"),
        ("setup", {"word": 2, "level": [0, 0]}, "got 'level'; did you mean 'levels'?"),
        (
            "setup",
            {"word": 2},
            "expected an object with the keys word, levels, got none for levels",
        ),
        ("settle", SETTLE | {"pose": 512}, r"expected pose to be an integer 0\.\.511, got 512"),
        (
            "settle",
            SETTLE | {"pose": 127},
            "on empty cells .* got 127 .rotation 0, row 15, column 7",
        ),
        ("settle", SETTLE | {"pose": 3}, "to rest on something .* got 3 "),
        ("settle", SETTLE | {"capsule": [0, 3]}, r"expected capsule .* got \[0, 3\]"),
        ("settle", SETTLE | {"field": "ff"}, "expected field to be 256 hexadecimal digits"),
        ("settle", SETTLE | {"field": "f1" + "ff" * 127}, "got F1 in row 0, column 0"),
        ("settle", SETTLE | {"field": "ff" * 7 + "61" + "ff" * 120}, "got 61 in row 0, column 7"),
        ("settle", SETTLE | {"field": "d0" * 85 + "ff" * 43}, "at most 84 viruses, got 85"),
        ("garbage", GARBAGE | {"queue": 256}, r"expected queue to be an integer 0\.\.255"),
        ("garbage", GARBAGE | {"queue": 3}, r"list of 3\.\.4 integers 0\.\.2, got \[0, 1\]"),
        ("garbage", GARBAGE | {"frame_counter": -1}, "expected frame_counter .* got -1"),
        ("reach", REACH | {"speed_index": 81}, r"expected speed_index to be an integer 0\.\.80"),
        ("reach", REACH | {"frame_counter": 1.0}, "expected frame_counter .* got 1.0"),
    ],
)
def test_what_cannot_be_is_refused(
    verb: VerbName, question: dict[str, object], message: str
) -> None:
    with pytest.raises(DoorError, match=f"^line 1: .*{message}"):
        answer(open_engine("reference"), verb, question)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[1]", "expected a JSON object, got '\\[1\\]'"),
        ('{"queue": ', "expected a JSON object, got '{\"queue\":': Expecting value at"),
        ('{"queue": 2, "queue": 3}', "expected every key once, got 'queue' twice"),
    ],
)
def test_the_line_is_named(line: str, message: str) -> None:
    lines = [json.dumps(GARBAGE), "", line]
    answers = answer_lines("garbage", open_engine("reference"), lines)
    assert json.loads(next(answers)) == {"cells": [[0, 0, 128], [0, 4, 129]]}
    with pytest.raises(DoorError, match=f"^line 3: {message}"):
        next(answers)


def test_the_documented_example(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = DOCUMENTED.finditer((ROOT / "docs/game.md").read_text(encoding="utf-8"))
    assert run(monkeypatch, example["question"], example["verb"]) == 0
    assert capsys.readouterr().out == example["answer"]


def run(monkeypatch: pytest.MonkeyPatch, text: str, *arguments: str) -> int:
    """Run `league game` in this process; return its exit code."""
    monkeypatch.setattr(sys, "argv", ["league", "game", *arguments])
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    with pytest.raises(SystemExit) as exit_info:
        main()
    return int(exit_info.value.code or 0)


def test_the_command_answers_every_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    questions = "".join(f"{json.dumps(GARBAGE | {'frame_counter': k})}\n" for k in range(3))
    assert run(monkeypatch, questions, "garbage", "--engine", "reference") == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [found["cells"][0][1] for found in answers] == [0, 1, 2]


def test_a_bad_line_is_one_message_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "nonsense\n", "settle") == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: line 1: expected a JSON object, got 'nonsense'")
    assert "Traceback" not in shown.err


def test_a_judge_may_wait_for_each_answer() -> None:
    command = [sys.executable, "-m", "league.cli", "game", "garbage"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for queue in (0, 2):
            process.stdin.write(json.dumps(GARBAGE | {"queue": queue}) + "\n")
            process.stdin.flush()
            assert len(json.loads(process.stdout.readline())["cells"]) == queue
