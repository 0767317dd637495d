"""The Elo scale: 400 points are a factor of ten in the odds of winning."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

ELO_PER_NAT: Final = 400 / math.log(10)
"""Elo points per unit of natural log odds."""


def sigmoid(log_odds: ArrayLike) -> FloatArray:
    """Return the probability of natural log odds, without overflow; any shape."""
    result: FloatArray = np.exp(-np.logaddexp(0, -np.asarray(log_odds, np.float64)))
    return result


def elo_from_score(score: float) -> float:
    """Return the Elo difference at which `score` is expected; infinite for 0 and 1."""
    if score <= 0:
        return -math.inf
    if score >= 1:
        return math.inf
    return ELO_PER_NAT * math.log(score / (1 - score))


def expected_score(rating_row: ArrayLike, rating_col: ArrayLike) -> FloatArray:
    """Expected score of each row policy against each column policy.

    Args:
        rating_row: Elo points, shape (m,).
        rating_col: Elo points, shape (n,).

    Returns:
        Score in [0, 1], shape (m, n); 0.5 means even.

    Raises:
        ValueError: A rating is not finite.

    Source: Elo (1978), logistic form, 400-point scale.
    """
    rows, columns = np.asarray(rating_row, np.float64), np.asarray(rating_col, np.float64)
    if not (np.all(np.isfinite(rows)) and np.all(np.isfinite(columns))):
        raise ValueError(f"expected finite ratings, got {rows} and {columns}")
    return sigmoid((rows[:, None] - columns[None, :]) / ELO_PER_NAT)
