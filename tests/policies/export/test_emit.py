"""Sources, pictures, patches and vectors of an exported tree."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
import zlib
from pathlib import Path

import numpy as np
import pytest

from policies.distill.spec import FEATURES, PAGE_SIZE, WALKER_SIZE
from policies.distill.tree import Leaf, Node, Split, encode_page, encode_tree, walk
from policies.export.assembly import render_assembly
from policies.export.c_header import render_header
from policies.export.cartridge import PAGE_OFFSET, measure_parts, read_page, read_rom
from policies.export.patches import (
    PatchError,
    RomMap,
    make_bps,
    make_ips,
    patch_rom,
    read_map,
)
from policies.export.picture import draw_tree as draw_picture
from policies.export.vectors import (
    count_leaves_hit,
    count_leaves_possible,
    draw_rows,
    draw_situations,
)
from policies.export.verify import Agreement, compare_natively, compare_vectors, list_failures
from tests.policies.distill.trees import draw_tree

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
needs_ca65 = pytest.mark.skipif(
    shutil.which("ca65") is None or shutil.which("ld65") is None, reason="needs cc65"
)

_PROGRAM = """
#include <stdio.h>
#include "tree.h"
int main(void) {
    unsigned char features[PILL_NUM_FEATURES];
    while (fread(features, 1, sizeof features, stdin) == sizeof features)
        putchar(pill_tree_walk(features));
    return 0;
}
"""
_LINKER = """
MEMORY { ROM: start = $8000, size = $100, file = %O; }
SEGMENTS { CODE: load = ROM, type = ro; }
"""


@pytest.fixture(params=[1, 2, 33, 64], ids=lambda leaves: f"{leaves} leaves")
def tree(request: pytest.FixtureRequest) -> Node:
    return draw_tree(np.random.default_rng(request.param), request.param)


@needs_gcc
def test_the_header_compiles_and_walks_as_python_does(tree: Node, tmp_path: Path) -> None:
    (tmp_path / "tree.h").write_text(render_header(tree, "any */ policy"))
    (tmp_path / "main.c").write_text(_PROGRAM)
    warnings = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    subprocess.run(["gcc", *warnings, "-o", "walk", "main.c"], cwd=tmp_path, check=True)
    rows = draw_rows(tree, 500, np.random.default_rng(0))
    done = subprocess.run(
        [tmp_path / "walk"], input=rows.tobytes(), capture_output=True, check=True
    )
    assert list(done.stdout) == [walk(tree, row) for row in rows.tolist()]


@needs_ca65
def test_the_assembly_makes_the_page(tree: Node, tmp_path: Path) -> None:
    (tmp_path / "tree.s").write_text(render_assembly(tree, "search:depth=2"))
    (tmp_path / "tree.cfg").write_text(_LINKER)
    subprocess.run(["ca65", "tree.s"], cwd=tmp_path, check=True)
    subprocess.run(["ld65", "-C", "tree.cfg", "-o", "tree.out", "tree.o"], cwd=tmp_path, check=True)
    assert (tmp_path / "tree.out").read_bytes() == encode_tree(tree)


def test_the_assembly_names_features() -> None:
    text = render_assembly(Split(4, 9, Leaf(7), Leaf(3)), "greedy")
    assert "F_DEPTH << 4 + 9 - 1, from_0 - tree" in text
    assert all(f"F_{one.name.upper()} = " in text for one in FEATURES)


def test_the_picture_shows_every_leaf(tree: Node) -> None:
    picture = ElementTree.fromstring(draw_picture(tree))
    texts = [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert len(texts) == 2 * len([text for text in texts if text and text[0].isdigit()]) - 1


def test_vectors_meet_every_leaf_and_both_sides_of_every_split() -> None:
    tree = draw_tree(np.random.default_rng(12), 64)
    rows = draw_rows(tree, 10_000, np.random.default_rng(1))
    assert len(rows) >= 10_000
    assert count_leaves_hit(tree, rows) == count_leaves_possible(tree)
    agreement = compare_vectors(tree, 1)
    assert agreement.is_exact


def test_random_bottles_are_possible_ones() -> None:
    situations = list(draw_situations(200, np.random.default_rng(2)))
    heights = [sum(cell != 0xFF for cell in one.bottle) for one in situations]
    assert min(heights) < 10
    assert max(heights) > 80
    assert {one.colours for one in situations} == {(a, b) for a in range(3) for b in range(3)}
    assert all(one.bottle[3] == one.bottle[4] == 0xFF for one in situations)
    assert compare_natively(draw_tree(np.random.default_rng(3), 40), 2, 100).is_exact


def test_a_difference_or_a_slow_decision_is_a_failure() -> None:
    good = Agreement("good", 10, 0, {"most cycles": 30_000})
    assert list_failures([good], 45_000) == []
    assert "1 mismatches" in list_failures([Agreement("bad", 10, 1)], 45_000)[0]
    assert "0 mismatches in 0" in list_failures([Agreement("none", 0, 0)], 45_000)[0]
    assert "30000 cycles" in list_failures([good], 29_999)[0]


def test_the_walker_in_the_cartridge_is_no_longer_than_the_budget_counts() -> None:
    assert measure_parts()["walker"] <= WALKER_SIZE


# Patches, with Pill Duel as the user's own ROM.


@pytest.fixture(scope="module")
def rom() -> bytes:
    return read_rom()


@pytest.fixture
def where(rom: bytes) -> RomMap:
    return RomMap(hashlib.sha1(rom[16:]).hexdigest(), PAGE_OFFSET, read_page(rom))


def test_a_patch_puts_the_page_there_and_nothing_else(rom: bytes, where: RomMap) -> None:
    page = encode_page(draw_tree(np.random.default_rng(5), 60))
    patched = patch_rom(rom, where, page)
    assert read_page(patched) == page
    assert _apply_ips(rom, make_ips(rom, patched)) == patched
    assert _apply_bps(rom, make_bps(rom, patched)) == patched


def test_a_patch_holds_none_of_the_rom(rom: bytes, where: RomMap) -> None:
    page = bytes(255 - byte for byte in where.expected)
    patched = patch_rom(rom, where, page)
    for patch in (make_ips(rom, patched), make_bps(rom, patched)):
        assert page in patch
        assert len(patch) < len(page) + 40


def test_another_rom_is_refused(rom: bytes, where: RomMap) -> None:
    with pytest.raises(PatchError, match="the map belongs to another ROM"):
        patch_rom(rom[:-1] + b"\1", where, where.expected)


def test_bytes_in_use_are_not_overwritten(rom: bytes, where: RomMap) -> None:
    filler = RomMap(where.sha1, where.offset, b"\xff" * PAGE_SIZE)
    with pytest.raises(PatchError, match="nothing was written"):
        patch_rom(rom, filler, where.expected)
    moved = RomMap(where.sha1, len(rom) - 100, where.expected)
    with pytest.raises(PatchError, match="nothing was written"):
        patch_rom(rom, moved, where.expected)


def test_maps_are_read_and_checked(tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    path.write_text(json.dumps({"sha1": "AB", "offset": 16, "expected": "ff"}))
    assert read_map(path) == RomMap("ab", 16, b"\xff" * PAGE_SIZE)
    for text in (
        "",
        "[]",
        '{"sha1": "ab"}',
        '{"sha1": "ab", "offset": -1, "expected": "ff"}',
        '{"sha1": "ab", "offset": 0, "expected": "ffff"}',
        '{"sha1": "ab", "offset": 0, "expected": "zz"}',
        '{"sha1": "ab", "offset": 0, "expected": 3}',
    ):
        path.write_text(text)
        with pytest.raises(PatchError, match=r"map\.json"):
            read_map(path)
    with pytest.raises(PatchError, match="a map file"):
        read_map(tmp_path / "none.json")


def test_ips_avoids_the_offset_that_reads_as_its_end() -> None:
    source = bytes(0x454F46 + 10)
    target = bytearray(source)
    target[0x454F46] = 1
    patch = make_ips(source, bytes(target))
    assert patch[5:8] == (0x454F45).to_bytes(3, "big")
    assert _apply_ips(source, patch) == target


def test_patches_need_files_of_one_size() -> None:
    for make in (make_ips, make_bps):
        with pytest.raises(PatchError, match="one size"):
            make(b"12", b"123")


def _apply_ips(source: bytes, patch: bytes) -> bytes:
    assert patch[:5] == b"PATCH"
    target, at = bytearray(source), 5
    while patch[at : at + 3] != b"EOF":
        offset = int.from_bytes(patch[at : at + 3], "big")
        size = int.from_bytes(patch[at + 3 : at + 5], "big")
        target[offset : offset + size] = patch[at + 5 : at + 5 + size]
        at += 5 + size
    return bytes(target)


def _apply_bps(source: bytes, patch: bytes) -> bytes:
    assert patch[:4] == b"BPS1"
    assert zlib.crc32(patch[:-4]) == int.from_bytes(patch[-4:], "little")
    at = 4

    def read() -> int:
        nonlocal at
        value, shift = 0, 1
        while True:
            byte = patch[at]
            at += 1
            value += (byte & 0x7F) * shift
            if byte & 0x80:
                return value
            shift <<= 7
            value += shift

    sizes = (read(), read(), read())
    assert sizes == (len(source), len(source), 0)
    target = bytearray()
    while at < len(patch) - 12:
        command = read()
        length = (command >> 2) + 1
        if command & 3 == 0:
            target += source[len(target) : len(target) + length]
        else:
            target += patch[at : at + length]
            at += length
    assert zlib.crc32(source) == int.from_bytes(patch[-12:-8], "little")
    assert zlib.crc32(target) == int.from_bytes(patch[-8:-4], "little")
    return bytes(target)
