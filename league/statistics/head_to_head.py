"""The Elo difference of two policies from their match, with the pair as unit of statistics.

Both games of a pair share a seed, so they are not independent; pairs are.

Source: Wilson (1927) for the interval; fishtest's pentanomial statistics for the pair as unit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student_t

from league.statistics.elo import elo_from_score

_CONFIDENCE: Final = 0.95
_PRIOR_PAIRS: Final = 1
"""Pairs of independent games that the variance estimate is started from."""


@dataclass(frozen=True, slots=True)
class EloDifference:
    """How much stronger the first policy of a match is, with a 95 % interval."""

    elo: float
    """Elo points; infinite where one side scored everything."""
    lower: float
    upper: float
    """Elo points. Where one side scored everything one end is infinite and the other is a
    one-sided 95 % bound."""
    score: float
    """(wins + half of the games without a winner) / games of the first policy."""
    score_lower: float
    score_upper: float
    """The same interval as scores."""
    pairs: int


def elo_difference(pair_scores: ArrayLike) -> EloDifference:
    """Estimate the Elo difference from the pairs of a match.

    Args:
        pair_scores: Mean score of the first policy over the two games of each pair, shape (n,),
            in [0, 1]: multiples of 1/4.

    Returns:
        The difference, from the first policy's view.

    Raises:
        ValueError: No pairs, or a score outside [0, 1].
    """
    scores = np.asarray(pair_scores, np.float64)
    if scores.ndim != 1 or len(scores) == 0 or not np.all((scores >= 0) & (scores <= 1)):
        raise ValueError(f"expected one score in 0..1 per pair, got {pair_scores!r}")
    mean = float(scores.mean())
    low, high = _score_interval(scores)
    return EloDifference(
        elo=elo_from_score(mean),
        lower=elo_from_score(low),
        upper=elo_from_score(high),
        score=mean,
        score_lower=low,
        score_upper=high,
        pairs=len(scores),
    )


def _score_interval(scores: NDArray[np.float64]) -> tuple[float, float]:
    count, mean = len(scores), float(scores.mean())
    if mean in (0.0, 1.0):
        # A sweep of n pairs: the true chance of sweeping a pair is at least 0.05^(1/n).
        bound = (1 - _CONFIDENCE) ** (1 / count)
        return (bound, 1.0) if mean == 1.0 else (0.0, 1 - bound)
    independent = mean * (1 - mean) / 2
    scatter = float(np.sum((scores - mean) ** 2))
    variance = (scatter + _PRIOR_PAIRS * independent) / (count - 1 + _PRIOR_PAIRS)
    # Wilson's interval for as many plain games as carry the same information.
    games = mean * (1 - mean) * count / variance
    z = float(student_t.ppf((1 + _CONFIDENCE) / 2, count))
    centre = (mean + z**2 / (2 * games)) / (1 + z**2 / games)
    spread = math.sqrt(mean * (1 - mean) / games + z**2 / (4 * games**2))
    half_width = z * spread / (1 + z**2 / games)
    return centre - half_width, centre + half_width
