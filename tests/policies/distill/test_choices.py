"""What choices among candidates cost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from policies.distill.choices import SOFTNESS, Choices
from policies.distill.spec import DEPTH
from tests.policies.distill.made_up_lessons import draw_lessons


def test_equal_rows_are_one_and_every_candidate_keeps_its_own() -> None:
    lessons = draw_lessons(np.random.default_rng(0), 50)
    lessons.features[:] //= 4
    choices = Choices.merge(lessons, SOFTNESS)
    assert len(np.unique(choices.rows, axis=0)) == len(choices.rows) < lessons.counts.sum()
    real = lessons.is_candidate
    assert (choices.rows[choices.places] == lessons.features[real]).all()
    assert (choices.counts == lessons.counts).all()
    assert (np.diff(choices.starts) == lessons.counts[:-1]).all()
    assert np.add.reduceat(choices.wanted, choices.starts) == pytest.approx(1.0)
    best = lessons.scores.max(axis=1, keepdims=True) == lessons.scores
    assert (choices.regrets[best[real]] == 0).all()
    assert choices.regrets.max() == 2.0


@pytest.mark.parametrize("imitation", [0.0, 1.0])
def test_gradients_are_those_of_the_loss(imitation: float) -> None:
    rng = np.random.default_rng(1)
    choices = Choices.merge(draw_lessons(rng, 20), SOFTNESS)
    values = rng.normal(0, 1, len(choices.rows))
    _, gradient = choices.judge(values, imitation)
    for row in range(0, len(values), 17):
        nudge = np.zeros(len(values))
        nudge[row] = 1e-5
        above, below = (choices.judge(values + one, imitation)[0] for one in (nudge, -nudge))
        assert (above - below) / 2e-5 == pytest.approx(gradient[row], abs=1e-8)


def test_curvatures_are_those_of_the_cross_entropy() -> None:
    rng = np.random.default_rng(1)
    choices = Choices.merge(draw_lessons(rng, 20), SOFTNESS)
    assert len(np.unique(choices.places)) == len(choices.places), "no row twice in a position"
    values = rng.normal(0, 1, len(choices.rows))
    curvatures = choices.measure_curvatures(values)

    def find_gradient(at: np.ndarray) -> np.ndarray:
        gradient: np.ndarray = choices.judge(at, 2.0)[1] - choices.judge(at, 1.0)[1]
        return gradient

    for row in range(0, len(values), 17):
        nudge = np.zeros(len(values))
        nudge[row] = 1e-5
        bend = (find_gradient(values + nudge) - find_gradient(values - nudge))[row] / 2e-5
        assert bend == pytest.approx(curvatures[row], abs=1e-8)


def test_regret_is_that_of_the_best_row_and_the_deepest_of_equals() -> None:
    lessons = draw_lessons(np.random.default_rng(7), 30)
    choices = Choices.merge(lessons, SOFTNESS)
    values = np.random.default_rng(7).integers(0, 3, len(choices.rows))
    lost = []
    for start, count in zip(choices.starts, choices.counts, strict=True):
        places = choices.places[start : start + count]
        keys = [(values[place], choices.rows[place, DEPTH]) for place in places]
        taken = [index for index, key in enumerate(keys) if key == max(keys)]
        lost.append(np.mean([choices.regrets[start + index] for index in taken]))
    assert choices.count_regret(values) == pytest.approx(np.mean(lost))


def test_nothing_is_learned_where_nothing_is_at_stake() -> None:
    lessons = draw_lessons(np.random.default_rng(2), 40)
    even = np.where(lessons.is_candidate, 1.0, -np.inf)
    even[:20] = lessons.scores[:20]
    choices = Choices.merge(replace(lessons, scores=even), SOFTNESS)
    assert (choices.weights[20:] == 0).all()
    assert choices.weights.mean() == pytest.approx(1.0)
    values = np.random.default_rng(2).normal(0, 1, len(choices.rows))
    _, gradient = choices.judge(values, 1.0)
    early, late = np.split(choices.places, choices.starts[20:21])
    assert (gradient[np.setdiff1d(late, early)] == 0).all()
    assert (gradient[early] != 0).any()
