"""A sequential test of strength: stop as soon as the games are clear, with known error rates.

The generalised sequential probability ratio test on the scores of pairs (or of single games where
there are no pairs). The Elo of a test that stopped is biased; rate from other games.

Source: Wald (1945); the normal approximation as in fishtest's GSPRT.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from league.statistics.elo import ELO_PER_NAT, sigmoid

Verdict = Literal["continue", "stronger", "not_stronger", "inconclusive"]
"""`stronger` accepts `elo_1`, `not_stronger` accepts `elo_0`; `inconclusive` met the cap."""

_BOUND: Final = math.log(0.95 / 0.05)
"""Log likelihood ratio at which the test stops: 5 % error on either side."""
MIN_PAIRS: Final = 32
"""Before so many the variance is not known well enough to stop."""
MAX_PAIRS: Final = 1500


@dataclass(frozen=True, slots=True)
class SequentialTest:
    """Is a player stronger by `elo_1`, or only by `elo_0`?"""

    elo_0: float = 0.0
    elo_1: float = 50.0
    """Elo points, more than `elo_0`."""
    min_samples: int = MIN_PAIRS
    max_samples: int = MAX_PAIRS

    def __post_init__(self) -> None:
        """Check ranges.

        Raises:
            ValueError: The hypotheses or the limits are in no order.
        """
        if not self.elo_0 < self.elo_1:
            raise ValueError(f"expected elo_0 < elo_1, got {self.elo_0!r} and {self.elo_1!r}")
        if not 2 <= self.min_samples <= self.max_samples:
            raise ValueError(
                f"expected 2 <= min_samples <= max_samples, got {self.min_samples!r} and "
                f"{self.max_samples!r}"
            )

    def log_likelihood_ratio(self, scores: Sequence[float] | NDArray[np.float64]) -> float:
        """Return log P(scores | elo_1) / P(scores | elo_0), in normal approximation.

        Args:
            scores: Independent samples in 0..1: mean scores of pairs, or scores of games.
        """
        low, high = (float(sigmoid(elo / ELO_PER_NAT)) for elo in (self.elo_0, self.elo_1))
        values = np.asarray(scores, np.float64)
        mean = float(values.mean())
        # One imagined sweep either way keeps the variance of a streak above zero.
        spread = float(np.sum((values - mean) ** 2)) + (1 - mean) ** 2 + mean**2
        variance = spread / (len(values) + 2)
        return len(values) * (high - low) * (2 * mean - low - high) / (2 * variance)

    def judge(self, scores: Sequence[float] | NDArray[np.float64]) -> Verdict:
        """Return what may be said after these scores; ask again after each further one."""
        if len(scores) < self.min_samples:
            return "continue"
        ratio = self.log_likelihood_ratio(scores)
        if ratio >= _BOUND:
            return "stronger"
        if ratio <= -_BOUND:
            return "not_stronger"
        return "continue" if len(scores) < self.max_samples else "inconclusive"
