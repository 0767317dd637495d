"""A share of games with its 95 % interval: the draw rate, wins by clearing, and the like.

Source: Wilson (1927).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

_Z: Final = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Proportion:
    """How many of some games had a property."""

    share: float
    """0..1; NaN where there were no games."""
    lower: float
    upper: float
    """95 % interval; 0 and 1 where there were no games."""
    games: int


def estimate_proportion(count: float, games: int) -> Proportion:
    """Return the share of `count` among `games`; a draw may count as half a game.

    Raises:
        ValueError: Not 0 <= count <= games.
    """
    if not 0 <= count <= games:
        raise ValueError(f"expected 0 <= count <= games, got {count!r} of {games!r}")
    if games == 0:
        return Proportion(math.nan, 0.0, 1.0, 0)
    share, weight = count / games, _Z**2 / games
    centre = (share + weight / 2) / (1 + weight)
    half = math.sqrt(share * (1 - share) * weight + weight**2 / 4) / (1 + weight)
    # At either end rounding must not leave the range or exclude what was seen.
    lower = 0.0 if count == 0 else centre - half
    upper = 1.0 if count == games else centre + half
    return Proportion(share, lower, upper, games)
