"""`league rom verify` with Pill Duel, and with builds of it that have one wrong byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from envs.backends.integrations import PILL_DUEL, accepted_digests, find_rom
from envs.game.layout import FRAMES_PER_ROW, SPEED_BASES, Speed
from league.verify.rom import verify_rom
from tests.native import needs_native

pytestmark = [pytest.mark.emulator, needs_native]

ROUNDS = 8
MED = SPEED_BASES[Speed.MED]


def patch_rom(folder: Path, old: bytes, new: bytes) -> Path:
    """Write a build of Pill Duel in which `old`, which occurs once, is `new`."""
    rom = find_rom(PILL_DUEL).read_bytes()
    assert rom.count(old) == 1
    path = folder / "wrong.nes"
    path.write_bytes(rom.replace(old, new))
    return path


def test_pill_duel_agrees(user_data: Path) -> None:
    done: list[None] = []
    report = json.loads(
        json.dumps(verify_rom(PILL_DUEL, ROUNDS, on_round=lambda: done.append(None)))
    )
    assert report["agrees"]
    assert report["game"] == PILL_DUEL
    assert report["digest"] in accepted_digests(PILL_DUEL)
    assert report["first_difference"] is None
    for name in ("setups", "frames", "rounds", "results"):
        assert report[name]["equal"] == report[name]["compared"] > 0
    assert len(done) == ROUNDS


def test_one_wrong_gravity_entry_is_named(user_data: Path, tmp_path: Path) -> None:
    table = bytes(frames - 1 for frames in FRAMES_PER_ROW)
    wrong = bytearray(table)
    wrong[MED] -= 1
    report = verify_rom(patch_rom(tmp_path, table, bytes(wrong)), ROUNDS)
    assert not report["agrees"]
    assert report["game"] == "unknown"
    assert report["setups"]["equal"] == ROUNDS
    assert 0 < report["frames"]["equal"] < report["frames"]["compared"]
    assert report["rounds"]["equal"] < ROUNDS
    difference = report["first_difference"]
    assert difference["name"] in ("player 1 Y", "player 2 Y")
    assert difference["simulator"] - difference["other"] == 1
    assert "speed=1 ups=0" in difference["simulator_position"]
    assert "rom differs at frame" in difference["text"]


def test_other_viruses_are_named(user_data: Path, tmp_path: Path) -> None:
    colours = bytes((0, 1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1, 2, 1))
    report = verify_rom(patch_rom(tmp_path, colours, bytes((1,)) * 16), 4)
    assert not report["agrees"]
    assert report["setups"]["equal"] < 4
    assert "bottle" in report["first_difference"]["name"]
