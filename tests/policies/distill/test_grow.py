"""How trees are grown: splits, leaves, sizes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from envs.backends.native_duel import MAX_CANDIDATES
from policies.distill.choices import SOFTNESS, Choices
from policies.distill.grow import grow_trees
from policies.distill.spec import DEPTH, MAX_DEPTH
from policies.distill.tree import Leaf, Node, Split, count_leaves, encode_tree, list_leaves, walk
from tests.policies.distill.made_up_lessons import draw_lessons


def measure_depth(node: Node) -> int:
    if isinstance(node, Leaf):
        return 0
    return 1 + max(measure_depth(node.left), measure_depth(node.right))


def test_growth_finds_what_the_choices_depend_on() -> None:
    lessons = draw_lessons(np.random.default_rng(3), 600, most=4)
    (tree,) = grow_trees(Choices.merge(lessons, SOFTNESS), (4,))
    values = np.array(
        [[walk(tree, row) for row in position] for position in lessons.features.tolist()]
    )
    values[~lessons.is_candidate] = 0
    taken = np.take_along_axis(lessons.scores, values.argmax(axis=1)[:, None], axis=1)
    # Of equally good candidates, any: they differ by the noise alone.
    assert (lessons.scores.max(axis=1) - taken[:, 0]).max() < 1.0
    leaves = sorted(list_leaves(tree))
    assert (len(set(leaves)), leaves[0], leaves[-1]) == (4, 0, 27)


@pytest.mark.parametrize("slope", [1, -2])
def test_a_leaf_learns_how_much_depth_is_worth(slope: int) -> None:
    """What is worth more by depth alone takes no split."""
    lessons = draw_lessons(np.random.default_rng(8), 600, most=4)
    lessons.features[:, :, DEPTH] = np.random.default_rng(8).integers(1, 17, (600, 30))
    scores = slope * lessons.features[:, :, DEPTH].astype(np.float64)
    lessons = replace(lessons, scores=np.where(lessons.is_candidate, scores, -np.inf))
    choices = Choices.merge(lessons, SOFTNESS)
    (tree,) = grow_trees(choices, (1,))
    assert isinstance(tree, Leaf)
    assert np.sign(tree.slope) == np.sign(slope)
    assert choices.count_regret(np.array([walk(tree, row) for row in choices.rows])) == 0.0


def test_rounded_leaves_choose_almost_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three classes of candidates, for which a row of depth is worth different things."""
    monkeypatch.setattr("policies.distill.grow._UNITS", (30.0, 1.0, 30.0))
    lessons = draw_lessons(np.random.default_rng(10), 1500, most=8)
    lessons.features[:, :, DEPTH] = np.random.default_rng(10).integers(1, 17, (1500, 30))
    below = lessons.features[:, :, DEPTH] - 12.0
    kinds = lessons.features[:, :, 2]
    scores = np.select([kinds < 3, kinds < 6], [9.0 - 0.74 * below, 0.31 * below], 4.0)
    lessons = replace(lessons, scores=np.where(lessons.is_candidate, scores, -np.inf))
    choices = Choices.merge(lessons, SOFTNESS)
    (tree,) = grow_trees(choices, (3,))
    regret = choices.count_regret(np.array([walk(tree, row) for row in choices.rows]))
    assert regret < 0.07


def test_no_threshold_is_greater_than_a_page_can_hold() -> None:
    lessons = draw_lessons(np.random.default_rng(9), 200)
    lessons.features[:, :, 0] = np.random.default_rng(9).choice([20, 40], (200, MAX_CANDIDATES))
    scores = lessons.features[:, :, 0].astype(np.float64)
    lessons = replace(lessons, scores=np.where(lessons.is_candidate, scores, -np.inf))
    for tree in grow_trees(Choices.merge(lessons, SOFTNESS), (2, 8)):
        encode_tree(tree)


def test_a_teacher_that_only_chooses_can_be_followed() -> None:
    lessons = draw_lessons(np.random.default_rng(4), 400)
    best = lessons.scores.argmax(axis=1)
    chosen = np.full(lessons.scores.shape, -np.inf)
    chosen[np.arange(400), best] = 0.0
    (tree,) = grow_trees(Choices.merge(replace(lessons, scores=chosen), SOFTNESS), (4,))
    assert isinstance(tree, Split)
    assert (tree.feature, tree.threshold) == (2, 3)


def test_trees_of_all_sizes_are_those_that_grow_alone() -> None:
    choices = Choices.merge(draw_lessons(np.random.default_rng(5), 200), SOFTNESS)
    together = grow_trees(choices, (2, 8, 30))
    assert [count_leaves(tree) for tree in together] == [2, 8, 30]
    for size, tree in zip((2, 8, 30), together, strict=True):
        assert grow_trees(choices, (size,)) == [tree]
    assert grow_trees(choices, (30, 2)) == [together[2], together[0]]


def test_no_tree_is_too_deep(monkeypatch: pytest.MonkeyPatch) -> None:
    choices = Choices.merge(draw_lessons(np.random.default_rng(5), 200), SOFTNESS)
    (deep,) = grow_trees(choices, (30,))
    assert 4 < measure_depth(deep) <= MAX_DEPTH
    monkeypatch.setattr("policies.distill.grow.MAX_DEPTH", 4)
    (flat,) = grow_trees(choices, (30,))
    assert measure_depth(flat) == 4
    assert 12 < count_leaves(flat) <= 16


def test_bad_input_is_refused() -> None:
    lessons = draw_lessons(np.random.default_rng(6), 4)
    with pytest.raises(ValueError, match="expected lessons"):
        Choices.merge(lessons.thin(4, 1), SOFTNESS)
    choices = Choices.merge(lessons, SOFTNESS)
    for sizes in ((), (4, 0)):
        with pytest.raises(ValueError, match="expected sizes of 1 leaf or more"):
            grow_trees(choices, sizes)
