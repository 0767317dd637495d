"""How trees are grown: the loss, the splits, the sizes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from envs.backends.native_duel import MAX_CANDIDATES
from policies.distill.collect import Lessons
from policies.distill.grow import SOFTNESS, Choices, grow_trees
from policies.distill.spec import MAX_DEPTH, NUM_FEATURES
from policies.distill.tree import Leaf, Node, Split, count_leaves, list_leaves, walk


def draw_lessons(rng: np.random.Generator, positions: int, most: int = MAX_CANDIDATES) -> Lessons:
    """Positions in which two features decide what a candidate is worth."""
    features = rng.integers(0, 8, (positions, MAX_CANDIDATES, NUM_FEATURES)).astype(np.uint8)
    counts = rng.integers(1, most + 1, positions).astype(np.int32)
    scores = 4.0 * (features[:, :, 2] < 3) + 2.0 * (features[:, :, 5] >= 6)
    scores += rng.normal(0, 0.1, scores.shape)
    scores[np.arange(MAX_CANDIDATES) >= counts[:, None]] = -np.inf
    return Lessons(np.zeros((positions, 131), np.uint8), features, scores, counts)


def measure_depth(node: Node) -> int:
    if isinstance(node, Leaf):
        return 0
    return 1 + max(measure_depth(node.left), measure_depth(node.right))


def test_equal_rows_are_one_and_every_candidate_keeps_its_own() -> None:
    lessons = draw_lessons(np.random.default_rng(0), 50)
    lessons.features[:] //= 4
    choices = Choices.merge(lessons, SOFTNESS)
    assert len(np.unique(choices.rows, axis=0)) == len(choices.rows) < lessons.counts.sum()
    real = lessons.is_candidate
    assert (choices.rows[choices.places] == lessons.features[real]).all()
    assert (choices.owners == np.nonzero(real)[0]).all()
    assert (np.diff(choices.starts) == lessons.counts[:-1]).all()
    assert np.add.reduceat(choices.wanted, choices.starts) == pytest.approx(1.0)
    best = lessons.scores.max(axis=1, keepdims=True) == lessons.scores
    assert (choices.regrets[best[real]] == 0).all()
    assert choices.regrets.max() == 2.0


@pytest.mark.parametrize("imitation", [0.0, 1.0])
def test_slopes_are_those_of_the_loss(imitation: float) -> None:
    rng = np.random.default_rng(1)
    choices = Choices.merge(draw_lessons(rng, 20), SOFTNESS)
    values = rng.normal(0, 1, len(choices.rows))
    _, slopes, curvatures = choices.judge(values, imitation)
    for row in range(0, len(values), 17):
        nudge = np.zeros(len(values))
        nudge[row] = 1e-5
        above, below = (choices.judge(values + one, imitation)[0] for one in (nudge, -nudge))
        assert (above - below) / 2e-5 == pytest.approx(slopes[row], abs=1e-8)
    assert (curvatures >= 0).all()


def test_nothing_is_learned_where_nothing_is_at_stake() -> None:
    lessons = draw_lessons(np.random.default_rng(2), 40)
    even = np.where(lessons.is_candidate, 1.0, -np.inf)
    even[:20] = lessons.scores[:20]
    choices = Choices.merge(replace(lessons, scores=even), SOFTNESS)
    assert (choices.weights[20:] == 0).all()
    assert choices.weights.mean() == pytest.approx(1.0)
    values = np.random.default_rng(2).normal(0, 1, len(choices.rows))
    _, slopes, _ = choices.judge(values, 1.0)
    early, late = (choices.places[one] for one in (choices.owners < 20, choices.owners >= 20))
    assert (slopes[np.setdiff1d(late, early)] == 0).all()
    assert (slopes[early] != 0).any()


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
    assert (len(set(leaves)), leaves[0], leaves[-1]) == (4, 1, 127)


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
    assert (measure_depth(flat), count_leaves(flat)) == (4, 16)


def test_bad_input_is_refused() -> None:
    lessons = draw_lessons(np.random.default_rng(6), 4)
    with pytest.raises(ValueError, match="expected lessons"):
        Choices.merge(lessons.thin(4, 1), SOFTNESS)
    choices = Choices.merge(lessons, SOFTNESS)
    for sizes in ((), (4, 0)):
        with pytest.raises(ValueError, match="expected sizes of 1 leaf or more"):
            grow_trees(choices, sizes)
