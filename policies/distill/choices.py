"""Positions as choices among rows of features, and what each choice costs.

Scores of rows make probabilities by a softmax over the candidates of a position; the loss is the
cross-entropy from what the teacher wants and the regret of a choice by these probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from policies.distill.collect import Lessons
from policies.distill.spec import DEPTH, FEATURES

SOFTNESS: Final = 0.6
"""Temperature of what the teacher wants, in median gaps between the best and the second best."""
_BITS: Final = 6
"""Bits of a feature value in a merged key; ten features fit."""
NUM_VALUES: Final = 1 + max(feature.high for feature in FEATURES)
"""Values of a feature."""
_MOST_REGRET: Final = 2.0
"""In median gaps: a blunder is a blunder, and a few of them do not decide about all splits."""
_REGRET_WEIGHT: Final = 3.0
"""Of the regret, in median gaps, beside the cross-entropy, in nats."""


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
    counts: np.ndarray
    """int64 (positions,): candidates of each."""
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
        counts = lessons.counts.astype(np.int64)
        starts = counts.cumsum() - counts
        lost = lessons.scores.max(axis=1, keepdims=True) - lessons.scores
        regrets = np.minimum(lost[real] / _measure_gap(lessons), _MOST_REGRET)
        stakes = np.add.reduceat(regrets, starts) / counts
        return cls(
            rows=rows[first].astype(np.int64),
            places=places,
            starts=starts,
            counts=counts,
            wanted=make_targets(lessons, softness)[real],
            regrets=regrets,
            weights=stakes / (stakes.mean() or 1.0),
        )

    def judge(self, values: np.ndarray, imitation: float) -> tuple[float, np.ndarray]:
        """Return the mean loss of a position, and its gradient by the rows' values.

        Args:
            values: float64 (rows,).
            imitation: Weight of the cross-entropy beside the regret of a choice by chance.
        """
        scores, odds, totals = self._draw(values)
        regret = np.add.reduceat(odds * self.regrets, self.starts)
        gradient = _REGRET_WEIGHT * odds * (self.regrets - self._repeat(regret))
        loss = _REGRET_WEIGHT * regret
        if imitation:
            entropy = np.log(totals) - np.add.reduceat(self.wanted * scores, self.starts)
            loss = loss + imitation * entropy
            gradient += imitation * (odds - self.wanted)
        weights = self.weights / len(self.starts)
        gradient *= self._repeat(weights)
        return float(weights @ loss), np.bincount(self.places, gradient, len(self.rows))

    def measure_curvatures(self, values: np.ndarray) -> np.ndarray:
        """Return the curvature of the cross-entropy by each row's value, float64 (rows,).

        It stands for that of the regret too, which has none that is always positive.
        """
        _, odds, _ = self._draw(values)
        curvatures = odds * (1 - odds) * self._repeat(self.weights / len(self.starts))
        return np.bincount(self.places, curvatures, len(self.rows))

    def _draw(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return scores and odds by candidate, and the sum of the scores' powers by position."""
        scores = values[self.places]
        scores -= self._repeat(np.maximum.reduceat(scores, self.starts))
        odds = np.exp(scores)
        totals = np.add.reduceat(odds, self.starts)
        odds /= self._repeat(totals)
        return scores, odds, totals

    def _repeat(self, positions: np.ndarray) -> np.ndarray:
        """Return what positions have by candidate."""
        return np.repeat(positions, self.counts)

    def count_regret(self, values: np.ndarray) -> float:
        """Return the mean regret of taking the row of greatest value, of equal ones the deepest.

        Args:
            values: int64 (rows,).
        """
        keys = (values * NUM_VALUES + self.rows[:, DEPTH])[self.places]
        best = keys == self._repeat(np.maximum.reduceat(keys, self.starts))
        taken = np.add.reduceat(best.astype(np.float64), self.starts)
        lost = np.add.reduceat(best * self.regrets, self.starts)
        return float((lost / taken).mean())


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


def _measure_gap(lessons: Lessons) -> float:
    """Return the median gap between the best score and the second best; 1 if there is none."""
    best, second = -np.sort(-lessons.scores, axis=1)[:, :2].T
    gaps = (best - second)[np.isfinite(second)]
    gap = float(np.median(gaps)) if len(gaps) else 1.0
    return gap if gap > 0.0 else 1.0
