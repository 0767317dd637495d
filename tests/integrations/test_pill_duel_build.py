"""The committed cartridge is what its sources build, and is plain NROM."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from tests.integrations.console import CARTRIDGE

BUILT_FILES = ("rom.nes", "rom.sha", "rom.mlb", "rom.nes.0.nl")


def load_build_script() -> ModuleType:
    """Import the cartridge's build script from its folder."""
    spec = importlib.util.spec_from_file_location("pill_duel_build", CARTRIDGE / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def assembler() -> None:
    """Skip without ca65, unless this is CI, where it may not be missing."""
    if shutil.which("ca65") is None:
        reason = "ca65 is not installed (package cc65)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.mark.usefixtures("assembler")
def test_the_sources_build_the_committed_files(tmp_path: Path) -> None:
    load_build_script().build(tmp_path)
    for name in BUILT_FILES:
        assert (tmp_path / name).read_bytes() == (CARTRIDGE / name).read_bytes(), name


@pytest.mark.usefixtures("assembler")
def test_a_source_that_does_not_assemble_is_reported(tmp_path: Path) -> None:
    build = load_build_script()
    with pytest.raises(build.BuildError, match="MENU_LATENCY"):
        build.build(tmp_path, ["MENU_LATENCY=unknown_symbol"])
    assert not (tmp_path / "rom.nes").exists()


def test_the_digest_is_that_of_the_rom_without_its_header() -> None:
    rom = (CARTRIDGE / "rom.nes").read_bytes()
    assert (CARTRIDGE / "rom.sha").read_text() == hashlib.sha1(rom[16:]).hexdigest() + "\n"


def test_the_rom_is_nrom_with_32_kib_of_program() -> None:
    rom = (CARTRIDGE / "rom.nes").read_bytes()
    assert rom[:8] == b"NES\x1a\x02\x01\x01\x00"
    assert len(rom) == 16 + 0x8000 + 0x2000


def test_the_rom_cannot_be_taken_for_an_original() -> None:
    # $FFF0 tells the revisions of the original apart.
    rom = (CARTRIDGE / "rom.nes").read_bytes()
    assert rom[16 + 0x7FF0] == 0xFF


def test_every_routine_states_its_contract() -> None:
    for source in sorted((CARTRIDGE / "src").glob("*.s")):
        lines = source.read_text().splitlines()
        for number, line in enumerate(lines):
            if not line.startswith(".proc"):
                continue
            contract = []
            above = number - 1
            while above >= 0 and (lines[above].startswith(";;") or not lines[above]):
                contract.append(lines[above])
                above -= 1
            text = " ".join(contract)
            for word in ("in:", "out:", "clobbers:", "cycles:"):
                assert word in text or "never returns" in text, f"{source.name}: {line}: {word}"
