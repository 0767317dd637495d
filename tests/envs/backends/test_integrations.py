from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from envs.backends.integrations import (
    DATA_VARIABLE,
    DR_MARIO,
    GAMES,
    PILL_DUEL,
    RomError,
    accepted_digests,
    find_rom,
    headerless_digest,
    integration_path,
    user_data_path,
    user_rom_folder,
)

REV_0 = "ff6459bc3af5743e3d303823999f33d74abdf1aa"
REV_A = "59b43881456c0720e9a35e391b11c4b2c55a8f91"
EUROPE = "a0939930d9655e7fd2c3fae69d558614f2d27480"


@pytest.mark.parametrize("game", GAMES)
def test_integration_has_what_stable_retro_reads(game: str) -> None:
    folder = integration_path(game)
    for name in ("data.json", "scenario.json", "metadata.json"):
        assert json.loads((folder / name).read_text()) is not None
    assert accepted_digests(game)


@pytest.mark.parametrize("game", GAMES)
def test_scenario_uses_known_variables_only(game: str) -> None:
    folder = integration_path(game)
    scenario = json.loads((folder / "scenario.json").read_text())
    used = {name for part in (scenario["done"], *scenario["rewards"]) for name in part["variables"]}
    assert used <= set(json.loads((folder / "data.json").read_text())["info"])


def test_digests_of_dr_mario_are_the_two_ntsc_dumps() -> None:
    assert accepted_digests(DR_MARIO) == (REV_0, REV_A)


def test_no_commercial_rom_lies_in_the_integration() -> None:
    names = {path.name for path in integration_path(DR_MARIO).iterdir()}
    assert names == {"data.json", "metadata.json", "rom.sha", "scenario.json"}


def test_shipped_rom_has_the_digest_that_is_written_down() -> None:
    assert accepted_digests(PILL_DUEL) == (headerless_digest(find_rom(PILL_DUEL).read_bytes()),)


def test_unknown_integration_names_the_known_and_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"PillDuel-Nes-v0, DrMario-Nes-v0.*mean 'DrMario-Nes-v0'"):
        integration_path("DrMario-Nes")


def test_digest_leaves_the_header_out() -> None:
    body = bytes(range(256))
    assert headerless_digest(b"NES\x1a" + bytes(12) + body) == hashlib.sha1(body).hexdigest()


def test_missing_rom_says_how_to_import_one(user_data: Path) -> None:
    with pytest.raises(RomError, match=r"league rom import.*ROM_README\.md") as caught:
        find_rom(DR_MARIO)
    assert REV_0 in str(caught.value)
    assert REV_A in str(caught.value)
    assert EUROPE not in str(caught.value)


def test_rom_of_the_user_is_found_in_the_order_of_the_digests(user_data: Path) -> None:
    folder = user_rom_folder(DR_MARIO)
    folder.mkdir(parents=True)
    (folder / f"{REV_A}.nes").touch()
    assert find_rom(DR_MARIO).name == f"{REV_A}.nes"
    (folder / f"{REV_0}.nes").touch()
    assert find_rom(DR_MARIO).name == f"{REV_0}.nes"


def test_user_data_folder_follows_its_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", "relative/is/ignored")
    assert user_data_path() == tmp_path / ".local" / "share" / "pill-league"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    assert user_data_path() == tmp_path / "xdg" / "pill-league"
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "own"))
    assert user_data_path() == tmp_path / "own"


READ_COUNTERS = """
import json, sys
import stable_retro
from envs.backends.integrations import PILL_DUEL, find_rom, integration_path

folder = integration_path(sys.argv[1])
data = stable_retro.data.GameData()
emulator = stable_retro.RetroEmulator(str(find_rom(PILL_DUEL)))
emulator.configure_data(data)
emulator.step()
assert data.load(str(folder / "data.json"), str(folder / "scenario.json"))
data.update_ram()
for address, value in ((0x324, 0x84), (0x3A4, 0x36), (0x310, 0x45), (0x311, 0x01)):
    data.memory.assign(address, "|u1", value)
values = data.lookup_all()
data.update_ram()
data.memory.assign(0x324, "|u1", 0x79)
data.update_ram()
rewards = [data.current_reward(seat) for seat in range(2)]
print(json.dumps([values["p1_viruses"], values["p2_viruses"], values["p1_capsules"], rewards]))
"""


@pytest.mark.emulator
@pytest.mark.parametrize("game", GAMES)
def test_stable_retro_reads_decimal_counters_right(game: str) -> None:
    # A process of its own: only one emulator may live in each.
    command = [sys.executable, "-c", READ_COUNTERS, game]
    result = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert json.loads(result.stdout) == [84, 36, 145, [5.0, 0.0]]
