from __future__ import annotations

import json
import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from envs.game import layout, layout_export
from envs.game.layout import Address, PillDuelAddress, PlayerOffset

ROOT = Path(__file__).resolve().parents[3]


def _include_constants() -> dict[str, int]:
    found = re.findall(r"^(\w+) = \$([0-9A-F]+)", layout_export.render_include(), re.MULTILINE)
    return {name: int(value, 16) for name, value in found}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with all generated files, up to date."""
    document = tmp_path / layout_export.DOCUMENT_PATH
    document.parent.mkdir()
    document.write_text(f"before\n{layout_export.MARKER_BEGIN}\nold\n{layout_export.MARKER_END}\n")
    assert layout_export.main(["--root", str(tmp_path)]) == 0
    return tmp_path


def test_generated_files_of_the_checkout_are_current() -> None:
    stale = layout_export.stale_files(layout_export.render_all(ROOT))
    assert not stale, "run `make generated`"


def test_include_names_are_unique() -> None:
    names = re.findall(r"^(\w+) = ", layout_export.render_include(), re.MULTILINE)
    assert len(names) == len(set(names))


def test_include_holds_every_entry_of_the_table() -> None:
    constants = _include_constants()
    for address in (*Address, *PillDuelAddress):
        assert constants[address.name] == address
    for offset in PlayerOffset:
        assert constants[f"P_{offset.name}"] == offset
        assert constants[f"CUR_{offset.name}"] == 0x80 + offset
    assert constants["TILE_EMPTY"] == 0xFF
    assert constants["BUTTON_A"] == 0x80
    assert constants["MODE_PLAY"] == 4
    assert constants["ACTION_SEND_PILL"] == 6
    assert (constants["PLAYER1"], constants["PLAYER2"]) == layout.PLAYER_BASES


def test_gravity_macro_holds_frames_per_row_less_one() -> None:
    bytes_lines = re.findall(r"^ +\.byte (.*)$", layout_export.render_include(), re.MULTILINE)
    values = [int(value) for line in bytes_lines for value in line.split(",")]
    assert len(values) == 81
    assert [value + 1 for value in values] == list(layout.FRAMES_PER_ROW)


def test_frames_per_row_match_the_speeds_and_never_rise() -> None:
    table = layout.FRAMES_PER_ROW
    assert [table[base] for base in layout.SPEED_BASES] == [40, 20, 14]
    assert all(slow >= fast for slow, fast in pairwise(table))
    assert layout.SPEED_BASES[-1] + layout.MAX_SPEED_UPS == len(table) - 1


@pytest.mark.skipif(shutil.which("ca65") is None, reason="ca65 (cc65) is not installed")
def test_include_assembles(tmp_path: Path) -> None:
    (tmp_path / "layout.inc").write_text(layout_export.render_include())
    (tmp_path / "main.s").write_text(
        '.include "layout.inc"\n.include "layout.inc"\n'
        "lda MODE\nsta CUR_STATUS\nsta PLAYER2 + P_VIRUSES\ntable: gravity_table\n"
    )
    subprocess.run(["ca65", "main.s", "-o", "main.o"], cwd=tmp_path, check=True)


def test_addresses_lie_in_ram_and_do_not_overlap() -> None:
    spans = [(int(a), a.size) for a in (*Address, *PillDuelAddress)]
    spans += [(base, layout.PLAYER_BLOCK_SIZE) for base in layout.PLAYER_BASES]
    spans += [(base, layout.CELLS) for base in layout.FIELD_BASES]
    spans += [(layout.SCRATCH_BASE, layout.PLAYER_BLOCK_SIZE)]
    spans += [(layout.RESERVE_BASE, layout.RESERVE_SIZE)]
    spans.sort()
    for (start, size), (following, _) in pairwise(spans):
        assert start + size <= following
    assert spans[-1][0] + spans[-1][1] <= layout.RAM_SIZE
    assert all(offset < layout.PLAYER_BLOCK_SIZE for offset in PlayerOffset)


def test_own_addresses_of_pill_duel_keep_out_of_the_documented_map() -> None:
    end_of_documented = max(address + address.size for address in Address)
    for address in PillDuelAddress:
        assert end_of_documented <= layout.FIRST_PILL_DUEL_ADDRESS <= address
        assert address + address.size <= layout.RESERVE_BASE


def test_data_json_reads_counters_as_bcd() -> None:
    info = json.loads(layout_export.render_data_json())["info"]
    assert info["p1_viruses"] == {"address": 0x324, "type": "|d1"}
    assert info["p2_viruses"] == {"address": 0x3A4, "type": "|d1"}
    assert info["p2_capsules"] == {"address": 0x390, "type": "<d2"}
    assert info["rng_word"] == {"address": 0x17, "type": ">u2"}


def test_document_table_names_every_entry() -> None:
    table = layout_export.render_markdown_table()
    for entry in (*Address, *PillDuelAddress, *PlayerOffset):
        assert f"`{entry.name}` | {entry.doc} |" in table


def test_document_keeps_what_surrounds_the_table(checkout: Path) -> None:
    text = (checkout / layout_export.DOCUMENT_PATH).read_text()
    assert text.startswith("before\n")
    assert text.endswith(layout_export.MARKER_END + "\n")
    assert "\nold\n" not in text


@pytest.mark.parametrize(
    "text",
    [
        "no markers",
        f"{layout_export.MARKER_END}\n{layout_export.MARKER_BEGIN}",
        f"{layout_export.MARKER_BEGIN}\n{layout_export.MARKER_BEGIN}\n{layout_export.MARKER_END}",
    ],
)
def test_document_with_broken_markers_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="once each"):
        layout_export.render_document(text)


def test_check_reports_a_stale_file_and_writes_nothing(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert layout_export.main(["--check", "--root", str(checkout)]) == 0
    stale = checkout / layout_export.DATA_PATHS[0]
    stale.write_text("{}")
    (checkout / layout_export.INCLUDE_PATH).unlink()
    assert layout_export.main(["--check", "--root", str(checkout)]) == 1
    errors = capsys.readouterr().err
    assert f"stale {stale}\n" in errors
    assert layout_export.INCLUDE_PATH in errors
    assert stale.read_text() == "{}"


def test_writing_twice_changes_nothing(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert layout_export.main(["--root", str(checkout)]) == 0
    assert capsys.readouterr().err == ""
