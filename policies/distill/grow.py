"""Grows a regression tree on small integers: best split first, exact, without chance.

Many candidates look alike to the tree, so equal rows are merged once and each split is found from
counts by feature value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from policies.distill.spec import MAX_DEPTH, MAX_VALUE, MIN_VALUE
from policies.distill.tree import Leaf, Node, Split

_LEAST_GAIN: Final = 1e-9
"""Splits that explain less than this are none."""
_BITS: Final = 6
"""Bits of a feature value in a merged key; ten features fit."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Feature rows with what they are worth; equal rows are one."""

    rows: np.ndarray
    """int64 (n, features)."""
    counts: np.ndarray
    """float64 (n,): how many rows were merged."""
    sums: np.ndarray
    """float64 (n,): sum of their targets."""

    @classmethod
    def merge(cls, rows: np.ndarray, targets: np.ndarray) -> Examples:
        """Merge equal rows.

        Args:
            rows: uint8 (n, features), each value below 64.
            targets: float64 (n,).
        """
        _, first, inverse = np.unique(pack_rows(rows), return_index=True, return_inverse=True)
        return cls(
            rows[first].astype(np.int64),
            np.bincount(inverse).astype(np.float64),
            np.bincount(inverse, targets),
        )


def pack_rows(rows: np.ndarray) -> np.ndarray:
    """Return a number for each row, int64 (n,), the same for equal ones.

    Args:
        rows: uint8 (n, features), each value below 64.
    """
    keys = np.zeros(len(rows), np.int64)
    for feature in range(rows.shape[1]):
        keys = keys << _BITS | rows[:, feature]
    return keys


@dataclass(slots=True, eq=False)
class _Growing:
    """A leaf that may still be split."""

    members: np.ndarray
    """int64 (n,): rows of the examples."""
    depth: int
    mean: float
    gain: float
    feature: int
    threshold: int
    children: list[_Growing] = field(default_factory=list)


def grow_tree(examples: Examples, leaves: int) -> Node:
    """Return the tree of at most `leaves` leaves that best-first growth gives, none too deep.

    Leaf values are the means of the targets, scaled so that the least becomes 1 and the greatest
    127.

    Args:
        examples: What to explain, at least one row.
        leaves: 1 or more.

    Raises:
        ValueError: No examples, or no leaf allowed.
    """
    if not len(examples.rows) or leaves < 1:
        raise ValueError(
            f"expected examples and 1 leaf or more, got {len(examples.rows)} and {leaves}"
        )
    root = _open(examples, np.arange(len(examples.rows)), 0)
    ends = [root]
    while len(ends) < leaves:
        best = max(ends, key=lambda end: end.gain)
        if best.gain <= _LEAST_GAIN:
            break
        below = examples.rows[best.members, best.feature] < best.threshold
        best.children = [
            _open(examples, best.members[below], best.depth + 1),
            _open(examples, best.members[~below], best.depth + 1),
        ]
        ends.remove(best)
        ends += best.children
    means = [end.mean for end in ends]
    return _close(root, min(means), max(means))


def _open(examples: Examples, members: np.ndarray, depth: int) -> _Growing:
    """Return a leaf with the best way to split it, if it may be split."""
    counts, sums = examples.counts[members], examples.sums[members]
    count, total = counts.sum(), sums.sum()
    grown = _Growing(members, depth, float(total / count), 0.0, 0, 0)
    if depth == MAX_DEPTH:
        return grown
    for feature in range(examples.rows.shape[1]):
        values = examples.rows[members, feature]
        below = np.bincount(values, counts).cumsum()[:-1]
        inside = np.flatnonzero((below > 0) & (below < count))
        if not len(inside):
            continue
        left, left_sum = below[inside], np.bincount(values, sums).cumsum()[:-1][inside]
        right, right_sum = count - left, total - left_sum
        gains = left_sum**2 / left + right_sum**2 / right - total**2 / count
        best = int(gains.argmax())
        if gains[best] > grown.gain:
            grown.gain, grown.feature = float(gains[best]), feature
            grown.threshold = int(inside[best]) + 1
    return grown


def _close(growing: _Growing, low: float, high: float) -> Node:
    if growing.children:
        left, right = (_close(child, low, high) for child in growing.children)
        return Split(growing.feature, growing.threshold, left, right)
    share = (growing.mean - low) / (high - low) if high > low else 0.0
    return Leaf(MIN_VALUE + round(share * (MAX_VALUE - MIN_VALUE)))
