"""A tree's page in the cartridge: in and out again, and nothing else touched."""

from __future__ import annotations

import numpy as np
import pytest

from envs.game.layout import TREE_PAGE, TREE_PAGE_SIZE
from policies.distill.routine import Situation
from policies.distill.tree import (
    Leaf,
    Split,
    count_bytes,
    encode_page,
    list_leaves,
    replace_leaves,
)
from policies.export.cartridge import (
    CartridgeError,
    read_labels,
    read_page,
    read_rom,
    replace_page,
    write_cartridge,
)
from policies.export.processor import Processor, ProcessorError
from policies.export.vectors import count_leaves_possible
from policies.export.verify import VECTORS, compare_walks
from tests.policies.distill.trees import draw_tree

PAGE = encode_page(Split(4, 9, Leaf(5), Split(0, 3, Leaf(0, 1), Leaf(27, -2))))
EMPTY_BOTTLE = bytes([0xFF] * 128)


def test_a_written_cartridge_differs_from_the_shipped_one_in_its_page_alone() -> None:
    shipped, written = read_rom(), write_cartridge(PAGE)
    assert read_page(written) == PAGE
    start = 16 + TREE_PAGE - 0x8000
    end = start + TREE_PAGE_SIZE
    assert written[start:end] == PAGE
    assert (written[:start], written[end:]) == (shipped[:start], shipped[end:])


def test_the_page_lies_at_the_published_label() -> None:
    assert read_labels()["cpu_tree"] == TREE_PAGE


def test_a_page_goes_back_to_what_it_was() -> None:
    shipped = read_rom()
    assert replace_page(write_cartridge(PAGE), read_page(shipped)) == shipped


def damage_code(rom: bytes) -> bytes:
    return rom[:100] + bytes([rom[100] ^ 1]) + rom[101:]


@pytest.mark.parametrize("rom", [b"", read_rom()[:-1], read_rom() + b"\0", damage_code(read_rom())])
def test_another_rom_is_refused(rom: bytes) -> None:
    with pytest.raises(CartridgeError, match="expected Pill Duel as it is shipped"):
        replace_page(rom, PAGE)
    with pytest.raises(CartridgeError, match="expected Pill Duel as it is shipped"):
        read_page(rom)


@pytest.mark.parametrize(
    "page",
    [
        PAGE[:-1],
        PAGE + b"\0",
        bytes(TREE_PAGE_SIZE),
        bytes([0, 200]) + PAGE[2:],
        PAGE[:-1] + b"\0",
    ],
)
def test_a_page_without_a_tree_is_refused(page: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        write_cartridge(page)


def test_a_speed_that_the_game_has_not_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected frames_per_row .* got 41"):
        Processor(read_rom()).decide(Situation(EMPTY_BOTTLE, (0, 1), 41))


def test_a_program_that_does_not_return_is_reported() -> None:
    processor = Processor(read_rom())
    entry = read_labels()["cpu_decide"]
    jump_to_itself = [0x4C, entry & 0xFF, entry >> 8]
    processor.memory[entry : entry + 3] = jump_to_itself
    with pytest.raises(ProcessorError, match="expected cpu_decide to return within"):
        processor.decide(Situation(EMPTY_BOTTLE, (0, 1), 20))


# The walk on the 6502.


@pytest.mark.parametrize("leaves", [1, 2, 33, 64])
def test_ten_thousand_vectors_walk_on_the_6502_as_in_python(leaves: int) -> None:
    tree = draw_tree(np.random.default_rng(leaves), leaves)
    found = compare_walks(write_cartridge(encode_page(tree)), tree, leaves)
    assert found.is_exact
    assert found.compared >= VECTORS == 10_000
    # As the walker's source says, with at most a leaf's depth of splits.
    assert found.facts["most cycles of a walk"] <= 66 + 44 * (leaves - 1)


def test_every_damaged_byte_of_a_page_is_caught() -> None:
    leaves = 12
    tree = replace_leaves(draw_tree(np.random.default_rng(6), leaves), range(leaves))
    assert count_leaves_possible(tree) == (leaves, 2 * (leaves - 1)), "no byte is out of reach"
    assert len(set(list_leaves(tree))) == leaves
    good = write_cartridge(encode_page(tree))
    start = 16 + TREE_PAGE - 0x8000
    assert compare_walks(good, tree, 0, 100).is_exact
    for place in range(start, start + count_bytes(leaves)):
        bad = good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :]
        try:
            found = compare_walks(bad, tree, 0, 100)
        except ProcessorError:
            continue  # it walks in circles
        assert found.mismatches, place - start
