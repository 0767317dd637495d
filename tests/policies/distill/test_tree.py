"""Trees, their pages and files."""

from __future__ import annotations

import json

import numpy as np
import pytest

from policies.distill.artefact import Artefact, ArtefactError, parse_artefact
from policies.distill.spec import DEPTH, NUM_FEATURES, PAGE_SIZE, SPEC_VERSION
from policies.distill.tree import (
    Leaf,
    Split,
    count_bytes,
    decode_page,
    encode_page,
    encode_tree,
    list_leaves,
    replace_leaves,
    walk,
)
from tests.policies.distill.trees import draw_tree


def test_a_page_is_what_the_definition_says() -> None:
    tree = Split(4, 9, Leaf(7), Split(8, 16, Leaf(27, -2), Leaf(0, 1)))
    assert encode_tree(tree) == bytes((0x48, 3, 0xAD, 0x8F, 6, 0xFF, 0x90))
    assert encode_page(tree)[7:] == b"\xff" * (PAGE_SIZE - 7)


@pytest.mark.parametrize("leaves", [1, 2, 16, 64])
def test_pages_come_back(leaves: int) -> None:
    tree = draw_tree(np.random.default_rng(leaves), leaves)
    assert len(encode_tree(tree)) == count_bytes(leaves) == 3 * leaves - 2
    assert decode_page(encode_page(tree)) == tree


@pytest.mark.parametrize(
    ("leaf", "depth", "score"),
    [
        (Leaf(0), 12, 85),
        (Leaf(0), 1, 85),
        (Leaf(10, 1), 12, 104),
        (Leaf(10, 1), 16, 108),
        (Leaf(10, -1), 16, 101),
        (Leaf(27, -2), 1, 162),
        (Leaf(0, -2), 16, 78),
        (Leaf(0, 1), 1, 73),
    ],
    ids=str,
)
def test_a_score_is_linear_in_depth(leaf: Leaf, depth: int, score: int) -> None:
    assert leaf.score(depth) == score
    assert walk(leaf, [0] * DEPTH + [depth] + [0] * (NUM_FEATURES - DEPTH - 1)) == score


@pytest.mark.parametrize(("value", "slope"), [(-1, 0), (28, 0), (3, -3), (3, 2)])
def test_leaves_have_ranges(value: int, slope: int) -> None:
    with pytest.raises(ValueError, match="expected a"):
        Leaf(value, slope)


def test_sixty_four_leaves_fill_a_page_and_more_do_not_fit() -> None:
    with pytest.raises(ValueError, match="at most 64 leaves, got 65"):
        encode_page(draw_tree(np.random.default_rng(0), 65))


@pytest.mark.parametrize(
    ("place", "byte"), [(0, 0x95), (1, 0), (1, 4), (2, 0x8F), (3, 0), (189, 0)], ids=str
)
def test_damaged_pages_are_refused(place: int, byte: int) -> None:
    page = bytearray(encode_page(Split(4, 9, Leaf(7), Leaf(9))))
    page[place] = byte
    with pytest.raises(ValueError, match="expected"):
        decode_page(bytes(page))


def test_leaves_are_replaced_in_order() -> None:
    tree = draw_tree(np.random.default_rng(4), 20)
    changed = replace_leaves(tree, range(20))
    assert list_leaves(changed) == list(range(20))
    assert replace_leaves(changed, list_leaves(tree)) == tree
    with pytest.raises(ValueError, match="expected 20 leaf values, got 19"):
        replace_leaves(tree, range(19))


@pytest.fixture
def artefact() -> Artefact:
    tree = draw_tree(np.random.default_rng(7), 12)
    return Artefact(tree, "greedy", 3, {"iterations": 4}, {"gates": []})


def test_a_file_comes_back_and_is_canonical(artefact: Artefact) -> None:
    text = artefact.to_json()
    assert parse_artefact(text, "tree.json") == artefact
    assert parse_artefact(text, "tree.json").to_json() == text


def test_a_changed_file_is_noticed(artefact: Artefact) -> None:
    text = artefact.to_json()
    for old, new in (('"seed": 3', '"seed": 4'), ('"threshold": ', '"threshold": 1')):
        with pytest.raises(ArtefactError, match=r"tree\.json.*changed"):
            parse_artefact(text.replace(old, new, 1), "tree.json")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"digest": "x"}', "not JSON"])
def test_other_files_are_refused(text: str) -> None:
    with pytest.raises(ArtefactError, match=r"here\.json"):
        parse_artefact(text, "here.json")


def test_a_tree_of_another_spec_is_refused(
    artefact: Artefact, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = artefact.to_json()
    monkeypatch.setattr("policies.distill.artefact.hash_spec", lambda: "another")
    with pytest.raises(ArtefactError, match="export the policy again"):
        parse_artefact(text, "tree.json")
    assert json.loads(text)["spec"]["version"] == SPEC_VERSION
