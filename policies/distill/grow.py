"""Grows a regression tree so that its choices are the teacher's where it matters.

What counts is not what a candidate is worth but which one of a position has the greatest value. So
each split is the one that most helps the choices among all candidates of all positions: values of
rows are scores, a softmax over the candidates of a position makes probabilities of them, and the
slopes of the loss and the curvature of its softmax say what a split gains, as in gradient boosting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from scipy.optimize import minimize

from policies.distill.collect import Lessons
from policies.distill.spec import FEATURES, MAX_DEPTH, MAX_VALUE, MIN_VALUE
from policies.distill.tree import Leaf, Node, Split

SOFTNESS: Final = 0.6
"""Temperature of what the teacher wants, in median gaps between the best and the second best."""
_BITS: Final = 6
"""Bits of a feature value in a merged key; ten features fit."""
_VALUES: Final = 1 + max(feature.high for feature in FEATURES)
"""Values of a feature."""
_MOST_REGRET: Final = 2.0
"""In median gaps: a blunder is a blunder, and a few of them do not decide about all splits."""
_REGRET_WEIGHT: Final = 3.0
"""Of the regret, in median gaps, beside the cross-entropy, in nats."""
_SMOOTHING: Final = 1e-4
"""Added to each curvature, so that hardly any positions gain hardly anything."""
_STEP: Final = 0.5
"""Share of Newton's step that the leaves of a new split take: whole ones overshoot."""
_DECAY: Final = 1e-5
"""Weight of the squared values, which fixes those that no choice depends on."""
_REFIT: Final = 4
"""Leaves from one fit of all values to the next while the tree grows."""
_FIT_STEPS: Final = 4
_LAST_FIT_STEPS: Final = 60
"""Steps of a fit, while the tree grows and of a tree that has its size."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Positions as a tree sees them: choices among rows of features; equal rows are one.

    Candidates lie one position after the other.
    """

    rows: np.ndarray
    """int64 (rows, features)."""
    places: np.ndarray
    """int64 (candidates,): the row of each."""
    starts: np.ndarray
    """int64 (positions,): the first candidate of each."""
    owners: np.ndarray
    """int64 (candidates,): the position of each."""
    wanted: np.ndarray
    """float64 (candidates,): how much the teacher wants each; 1 in a position."""
    regrets: np.ndarray
    """float64 (candidates,): what it costs by the teacher's scores, in median gaps."""
    weights: np.ndarray
    """float64 (positions,): how much there is to lose, 1 in the mean."""

    @classmethod
    def merge(cls, lessons: Lessons, softness: float) -> Choices:
        """Merge equal rows of lessons.

        Args:
            lessons: Positions and scores, at least one.
            softness: Of `make_targets`.

        Raises:
            ValueError: No lessons.
        """
        if not len(lessons):
            raise ValueError("expected lessons to grow a tree from, got none")
        real = lessons.is_candidate
        rows = lessons.features[real]
        _, first, places = np.unique(pack_rows(rows), return_index=True, return_inverse=True)
        owners = np.nonzero(real)[0]
        lost = lessons.scores.max(axis=1, keepdims=True) - lessons.scores
        starts = np.searchsorted(owners, np.arange(len(lessons)))
        regrets = np.minimum(lost[real] / _measure_gap(lessons), _MOST_REGRET)
        stakes = np.add.reduceat(regrets, starts) / lessons.counts
        return cls(
            rows=rows[first].astype(np.int64),
            places=places,
            starts=starts,
            owners=owners,
            wanted=make_targets(lessons, softness)[real],
            regrets=regrets,
            weights=stakes / (stakes.mean() or 1.0),
        )

    def judge(self, values: np.ndarray, imitation: float) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the mean loss of a position, and its slopes and curvatures by the rows' values.

        The curvatures are those of the cross-entropy: regret has none that is always positive.

        Args:
            values: float64 (rows,).
            imitation: Weight of the cross-entropy beside the regret of a choice by chance.
        """
        scores = values[self.places]
        scores -= np.maximum.reduceat(scores, self.starts)[self.owners]
        odds = np.exp(scores)
        totals = np.add.reduceat(odds, self.starts)
        odds /= totals[self.owners]
        regret = np.add.reduceat(odds * self.regrets, self.starts)
        entropy = np.log(totals) - np.add.reduceat(self.wanted * scores, self.starts)
        slopes = _REGRET_WEIGHT * odds * (self.regrets - regret[self.owners])
        slopes += imitation * (odds - self.wanted)
        weights = self.weights / len(self.starts)
        each = weights[self.owners]
        return (
            float(weights @ (imitation * entropy + _REGRET_WEIGHT * regret)),
            np.bincount(self.places, each * slopes, len(self.rows)),
            np.bincount(self.places, each * odds * (1 - odds), len(self.rows)),
        )


@dataclass(slots=True, eq=False)
class _Growing:
    """A leaf that may still be split, or a split."""

    members: np.ndarray
    """int64 (n,): rows that end here, or did before it was split."""
    depth: int
    value: float = 0.0
    feature: int = 0
    threshold: int = 0
    children: list[_Growing] = field(default_factory=list)


def pack_rows(rows: np.ndarray) -> np.ndarray:
    """Return a number for each row, int64 (n,), the same for equal ones.

    Args:
        rows: uint8 (n, features), each value below 64.
    """
    keys = np.zeros(len(rows), np.int64)
    for feature in range(rows.shape[1]):
        keys = keys << _BITS | rows[:, feature]
    return keys


def make_targets(lessons: Lessons, softness: float) -> np.ndarray:
    """Return what each candidate is worth, float64 (n, 30): the teacher's policy, softened.

    Args:
        lessons: Positions and scores.
        softness: Temperature in median gaps between the best and the second best score. A
            teacher that only chooses has no gaps: its choice gets 1.
    """
    scores = lessons.scores - lessons.scores.max(axis=1, keepdims=True)
    weights = np.exp(scores / max(softness * _measure_gap(lessons), 1e-6))
    targets: np.ndarray = weights / weights.sum(axis=1, keepdims=True)
    return targets


def grow_trees(choices: Choices, sizes: Sequence[int]) -> list[Node]:
    """Return trees of some sizes, best split first, none too deep: each grew out of the one before.

    Values are scaled so that the least leaf of a tree becomes 1 and the greatest 127.

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
                for end, value in zip(ends, _fit(choices, ends, 1.0, _FIT_STEPS), strict=True):
                    end.value = value
        # A tree of its size need not imitate any longer, only choose.
        grown[size] = _close(root, ends, _fit(choices, ends, 0.0, _LAST_FIT_STEPS))
    return [grown[size] for size in sizes]


def _measure_gap(lessons: Lessons) -> float:
    """Return the median gap between the best score and the second best; 1 if there is none."""
    best, second = -np.sort(-lessons.scores, axis=1)[:, :2].T
    gaps = (best - second)[np.isfinite(second)]
    gap = float(np.median(gaps)) if len(gaps) else 1.0
    return gap if gap > 0.0 else 1.0


def _split_best(choices: Choices, ends: list[_Growing]) -> bool:
    """Split the leaf that gains most by it; False if none gains anything."""
    _, slopes, curvatures = choices.judge(_spread(choices, ends), 1.0)
    found = [_find_split(choices, end, slopes, curvatures) for end in ends]
    best = max(range(len(ends)), key=lambda index: found[index][0])
    gain, feature, threshold = found[best]
    if gain <= 0.0:
        return False
    end = ends.pop(best)
    end.feature, end.threshold = feature, threshold
    below = choices.rows[end.members, feature] < threshold
    for members in (end.members[below], end.members[~below]):
        step = _STEP * slopes[members].sum() / (curvatures[members].sum() + _SMOOTHING)
        end.children.append(_Growing(members, end.depth + 1, end.value - float(step)))
    ends += end.children
    return True


def _find_split(
    choices: Choices, end: _Growing, slopes: np.ndarray, curvatures: np.ndarray
) -> tuple[float, int, int]:
    """Return what the best split of a leaf gains, its feature and its threshold; 0 if none does.

    Source: Chen and Guestrin (2016), equation 7, without the cost of a leaf.
    """
    if end.depth == MAX_DEPTH:
        return 0.0, 0, 0
    rows = choices.rows[end.members]
    features = rows.shape[1]
    keys = (rows + _VALUES * np.arange(features)).ravel()

    def sum_below(weights: np.ndarray) -> np.ndarray:
        sums = np.bincount(keys, np.repeat(weights, features), features * _VALUES)
        return sums.reshape(features, _VALUES).cumsum(axis=1)

    below = sum_below(np.ones(len(rows)))
    slope, curvature = sum_below(slopes[end.members]), sum_below(curvatures[end.members])
    all_slope, all_curvature = slope[0, -1], curvature[0, -1]
    gains = (
        slope**2 / (curvature + _SMOOTHING)
        + (all_slope - slope) ** 2 / (all_curvature - curvature + _SMOOTHING)
        - all_slope**2 / (all_curvature + _SMOOTHING)
    )
    gains[(below == 0) | (below == len(rows))] = 0.0
    feature, value = np.unravel_index(gains.argmax(), gains.shape)
    return float(gains[feature, value]), int(feature), int(value) + 1


def _fit(choices: Choices, ends: list[_Growing], imitation: float, steps: int) -> list[float]:
    """Return values of all leaves that follow the loss downhill from those that they have."""
    leaves = _number(choices, ends)
    start = np.array([end.value for end in ends])
    _, _, curvatures = choices.judge(start[leaves], imitation)
    # In units in which all leaves curve alike, the way down is short.
    units = 1 / np.sqrt(np.bincount(leaves, curvatures, len(ends)) + _SMOOTHING)

    def judge(scaled: np.ndarray) -> tuple[float, np.ndarray]:
        values = scaled * units
        loss, slopes, _ = choices.judge(values[leaves], imitation)
        slope = np.bincount(leaves, slopes, len(ends)) + 2 * _DECAY * values
        return loss + _DECAY * float(values @ values), slope * units

    found = minimize(judge, start / units, jac=True, method="L-BFGS-B", options={"maxiter": steps})
    values: list[float] = (found.x * units).tolist()
    return values


def _number(choices: Choices, ends: list[_Growing]) -> np.ndarray:
    """Return the leaf of each row, int64 (rows,)."""
    leaves = np.empty(len(choices.rows), np.int64)
    for index, end in enumerate(ends):
        leaves[end.members] = index
    return leaves


def _spread(choices: Choices, ends: list[_Growing]) -> np.ndarray:
    """Return the value of each row, float64 (rows,)."""
    values: np.ndarray = np.array([end.value for end in ends])[_number(choices, ends)]
    return values


def _close(root: _Growing, ends: list[_Growing], values: list[float]) -> Node:
    low, high = min(values), max(values)
    scale = (MAX_VALUE - MIN_VALUE) / (high - low) if high > low else 0.0
    scaled = {
        id(end): MIN_VALUE + round((value - low) * scale)
        for end, value in zip(ends, values, strict=True)
    }

    def close(growing: _Growing) -> Node:
        if not growing.children:
            return Leaf(scaled[id(growing)])
        left, right = (close(child) for child in growing.children)
        return Split(growing.feature, growing.threshold, left, right)

    return close(root)
