"""Grows a tree so that its choices are the teacher's where it matters.

What counts is not what a candidate is worth but which one of a position has the greatest value. So
each split is the one that most helps the choices among all candidates of all positions: values of
rows are scores, a softmax over the candidates of a position makes probabilities of them, and the
gradient and the curvature of the loss say what a split gains, as in gradient boosting.
A leaf is linear in the depth of a candidate, so no splits are spent on what is only deeper.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from scipy.optimize import minimize

from policies.distill.choices import NUM_VALUES, Choices
from policies.distill.spec import (
    DEPTH,
    MAX_DEPTH,
    MAX_SLOPE,
    MAX_THRESHOLD,
    MAX_VALUE,
    MIN_SLOPE,
    SLOPE_DEPTH,
)
from policies.distill.tree import Leaf, Node, Split

_SMOOTHING: Final = 1e-4
"""Added to each curvature, so that hardly any positions gain hardly anything."""
_STEP: Final = 0.5
"""Share of Newton's step that the leaves of a new split take: whole ones overshoot."""
_DECAY: Final = 1e-5
"""Weight of squared values and slopes, which fixes those that no choice depends on."""
_REFIT: Final = 4
"""Leaves from one fit of all values to the next while the tree grows."""
_FIT_STEPS: Final = 4
_LAST_FIT_STEPS: Final = 60
"""Steps of a fit, while the tree grows and of a tree that has its size."""
_ROUNDED_FIT_STEPS: Final = 20
"""Steps of a fit of values to slopes that are rounded."""
_ROWS: Final = 4.0
"""Rows of depth that make as much of a slope as of a value to a fit."""
_SCORE_SPAN: Final = 2.0 * MAX_VALUE
"""Score of the greatest value above that of the least."""
_UNITS: Final = (1.0, 1.2, 1.4)
"""Tried as one of score, in the one at which all values just fit."""


@dataclass(slots=True, eq=False)
class _Growing:
    """A leaf that may still be split, or a split."""

    members: np.ndarray
    """int64 (n,): rows that end here, or did before it was split."""
    depth: int
    value: float = 0.0
    """At `SLOPE_DEPTH`."""
    slope: float = 0.0
    """For `_ROWS` rows of depth."""
    feature: int = 0
    threshold: int = 0
    children: list[_Growing] = field(default_factory=list)


def grow_trees(choices: Choices, sizes: Sequence[int]) -> list[Node]:
    """Return trees of some sizes, best split first, none too deep: each grew out of the one before.

    Values and slopes are rounded to those that a leaf can have; the greatest value becomes 27.

    Args:
        choices: What to explain.
        sizes: Leaves at most, 1 or more each; a tree that nothing improves stays smaller.

    Raises:
        ValueError: No size, or one below 1.
    """
    if not sizes or min(sizes) < 1:
        raise ValueError(f"expected sizes of 1 leaf or more, got {tuple(sizes)!r}")
    root = _Growing(np.arange(len(choices.rows)), 0)
    ends, grown = [root], {}
    for size in sorted(set(sizes)):
        while len(ends) < size and _split_best(choices, ends):
            if len(ends) % _REFIT == 0:
                fitted = _fit(choices, ends, 1.0, _FIT_STEPS)
                for end, value, slope in zip(ends, *fitted, strict=True):
                    end.value, end.slope = float(value), float(slope)
        # A tree of its size need not imitate any longer, only choose.
        fitted = _fit(choices, ends, 0.0, _LAST_FIT_STEPS)
        grown[size] = _close(root, ends, _round_leaves(choices, ends, *fitted))
    return [grown[size] for size in sizes]


def _split_best(choices: Choices, ends: list[_Growing]) -> bool:
    """Split the leaf that gains most by it; False if none gains anything."""
    values = np.array([end.value for end in ends])
    scores = _score(choices, _number(choices, ends), values, np.array([end.slope for end in ends]))
    _, gradient = choices.judge(scores, 1.0)
    curvatures = choices.measure_curvatures(scores)
    found = [_find_split(choices, end, gradient, curvatures) for end in ends]
    best = max(range(len(ends)), key=lambda index: found[index][0])
    gain, feature, threshold = found[best]
    if gain <= 0.0:
        return False
    end = ends.pop(best)
    end.feature, end.threshold = feature, threshold
    below = choices.rows[end.members, feature] < threshold
    for members in (end.members[below], end.members[~below]):
        step = _STEP * gradient[members].sum() / (curvatures[members].sum() + _SMOOTHING)
        value = end.value - float(step)
        end.children.append(_Growing(members, end.depth + 1, value, end.slope))
    ends += end.children
    return True


def _find_split(
    choices: Choices, end: _Growing, gradient: np.ndarray, curvatures: np.ndarray
) -> tuple[float, int, int]:
    """Return what the best split of a leaf gains, its feature and its threshold; 0 if none does.

    Source: Chen and Guestrin (2016), equation 7, without the cost of a leaf.
    """
    if end.depth == MAX_DEPTH:
        return 0.0, 0, 0
    rows = choices.rows[end.members]
    features = rows.shape[1]
    keys = (rows + NUM_VALUES * np.arange(features)).ravel()

    def sum_below(weights: np.ndarray) -> np.ndarray:
        sums = np.bincount(keys, np.repeat(weights, features), features * NUM_VALUES)
        return sums.reshape(features, NUM_VALUES).cumsum(axis=1)

    below = sum_below(np.ones(len(rows)))
    slope, curvature = sum_below(gradient[end.members]), sum_below(curvatures[end.members])
    all_slope, all_curvature = slope[0, -1], curvature[0, -1]
    gains = (
        slope**2 / (curvature + _SMOOTHING)
        + (all_slope - slope) ** 2 / (all_curvature - curvature + _SMOOTHING)
        - all_slope**2 / (all_curvature + _SMOOTHING)
    )
    gains[(below == 0) | (below == len(rows))] = 0.0
    gains[:, MAX_THRESHOLD:] = 0.0
    feature, value = np.unravel_index(gains.argmax(), gains.shape)
    return float(gains[feature, value]), int(feature), int(value) + 1


def _fit(
    choices: Choices, ends: list[_Growing], imitation: float, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return values and slopes that follow the loss downhill from those that the leaves have.

    Returns:
        Both float64 (leaves,).
    """
    leaves, below, count = _number(choices, ends), _measure_depth(choices), len(ends)
    values, slopes = np.array([(end.value, end.slope) for end in ends]).T

    def sum_up(rows: np.ndarray, factor: np.ndarray) -> np.ndarray:
        return np.concatenate([np.bincount(leaves, rows * one, count) for one in (1.0, factor)])

    def judge(both: np.ndarray) -> tuple[float, np.ndarray]:
        scores = _score(choices, leaves, both[:count], both[count:])
        loss, gradient = choices.judge(scores, imitation)
        return loss, sum_up(gradient, below)

    curvatures = choices.measure_curvatures(_score(choices, leaves, values, slopes))
    start = np.concatenate([values, slopes])
    both = _descend(judge, start, sum_up(curvatures, below**2), steps)
    return both[:count], both[count:]


def _fit_values(
    choices: Choices, leaves: np.ndarray, values: np.ndarray, slopes: np.ndarray
) -> np.ndarray:
    """Return values, float64 (leaves,), that follow the regret downhill while slopes stay."""

    def judge(tried: np.ndarray) -> tuple[float, np.ndarray]:
        loss, gradient = choices.judge(_score(choices, leaves, tried, slopes), 0.0)
        return loss, np.bincount(leaves, gradient, len(values))

    curvatures = choices.measure_curvatures(_score(choices, leaves, values, slopes))
    curvatures = np.bincount(leaves, curvatures, len(values))
    return _descend(judge, values, curvatures, _ROUNDED_FIT_STEPS)


def _descend(
    judge: Callable[[np.ndarray], tuple[float, np.ndarray]],
    start: np.ndarray,
    curvatures: np.ndarray,
    steps: int,
) -> np.ndarray:
    """Return where some steps of L-BFGS lead, float64 (n,): from `start`, with decay.

    Args:
        judge: Returns the loss somewhere, and its gradient.
        start: float64 (n,).
        curvatures: float64 (n,), of the loss at the start. In units in which everything curves
            alike, the way down is short.
        steps: At most.
    """
    units = 1 / np.sqrt(curvatures + _SMOOTHING)

    def judge_scaled(scaled: np.ndarray) -> tuple[float, np.ndarray]:
        tried = scaled * units
        loss, gradient = judge(tried)
        decay = _DECAY * float(tried @ tried)
        return loss + decay, (gradient + 2 * _DECAY * tried) * units

    options = {"maxiter": steps}
    found = minimize(judge_scaled, start / units, jac=True, method="L-BFGS-B", options=options)
    reached: np.ndarray = found.x * units
    return reached


def _round_leaves(
    choices: Choices, ends: list[_Growing], values: np.ndarray, slopes: np.ndarray
) -> list[Leaf]:
    """Return the leaves of least regret, in `_UNITS`, among those that there are."""
    leaves = _number(choices, ends)
    least = np.ptp(values) / _SCORE_SPAN or 1.0
    found = []
    for unit in least * np.array(_UNITS):
        rounded = np.clip(np.rint(slopes / _ROWS / unit), MIN_SLOPE, MAX_SLOPE).astype(int)
        fitted = _fit_values(choices, leaves, values, rounded * unit * _ROWS) / unit
        steps = np.rint((fitted - fitted.max()) / 2).astype(int) + MAX_VALUE
        pairs = zip(np.maximum(steps, 0).tolist(), rounded.tolist(), strict=True)
        found.append([Leaf(value, slope) for value, slope in pairs])
    depths = choices.rows[:, DEPTH]

    def count_regret(tried: list[Leaf]) -> float:
        scores = np.array([[leaf.score(depth) for depth in range(NUM_VALUES)] for leaf in tried])
        return choices.count_regret(scores[leaves, depths])

    return min(found, key=count_regret)


def _number(choices: Choices, ends: list[_Growing]) -> np.ndarray:
    """Return the leaf of each row, int64 (rows,)."""
    leaves = np.empty(len(choices.rows), np.int64)
    for index, end in enumerate(ends):
        leaves[end.members] = index
    return leaves


def _measure_depth(choices: Choices) -> np.ndarray:
    """Return how far each row lies below `SLOPE_DEPTH`, in `_ROWS`, float64 (rows,)."""
    below: np.ndarray = (choices.rows[:, DEPTH] - SLOPE_DEPTH) / _ROWS
    return below


def _score(
    choices: Choices, leaves: np.ndarray, values: np.ndarray, slopes: np.ndarray
) -> np.ndarray:
    """Return the score of each row, float64 (rows,)."""
    scores: np.ndarray = values[leaves] + slopes[leaves] * _measure_depth(choices)
    return scores


def _close(root: _Growing, ends: list[_Growing], leaves: list[Leaf]) -> Node:
    closed = {id(end): leaf for end, leaf in zip(ends, leaves, strict=True)}

    def close(growing: _Growing) -> Node:
        if not growing.children:
            return closed[id(growing)]
        left, right = (close(child) for child in growing.children)
        return Split(growing.feature, growing.threshold, left, right)

    return close(root)
