"""How an opponent is chosen: registered samplers that turn ratings into probabilities.

A sampler sees the pool through `Candidates` and returns weights; `opponent_probabilities` adds
the floor. Knows nothing of games, of training or of where ratings come from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from league.checks import suggest
from league.elo import expected_score

FloatArray = NDArray[np.float64]

DEFAULT_SIGMA: Final = 1 / 6
"""Width of the Elo sampler in win probability.

Source: Jaderberg et al. (2019), "Human-level performance in 3D multiplayer games", matchmaking.
"""
DEFAULT_FLOOR: Final = 0.05


@dataclass(frozen=True, slots=True)
class Candidates:
    """The opponents that can be drawn, and what a sampler may know about them."""

    names: tuple[str, ...]
    """Policy ids, m of them, snapshots in the order of their birth."""
    ratings: FloatArray
    """Elo points, shape (m,); NaN where a policy is not rated yet."""
    is_snapshot: NDArray[np.bool_]
    """True for frozen copies of the learner, False for scripted members; shape (m,)."""
    learner_rating: float
    """Elo points of the learner; NaN where it is not rated yet."""
    sigma: float = DEFAULT_SIGMA
    """Width of the `elo` sampler in win probability."""


Sampler = Callable[[Candidates], FloatArray]
"""Returns a weight >= 0 per candidate, shape (m,); all zero means that it has no preference."""


def weigh_by_elo(candidates: Candidates) -> FloatArray:
    """Prefer even games: exp(-(P - 0.5)^2 / (2 sigma^2)) with P the predicted score.

    An unrated opponent, and everyone while the learner is unrated, counts as even: it is drawn
    often, and so gets known.
    """
    learner = np.array([candidates.learner_rating])
    gaps = learner - candidates.ratings
    predicted = expected_score(np.where(np.isfinite(gaps), gaps, 0.0), np.zeros(1))[:, 0]
    weights: FloatArray = np.exp(-0.5 * ((predicted - 0.5) / candidates.sigma) ** 2)
    return weights


def weigh_uniformly(candidates: Candidates) -> FloatArray:
    """Draw every member equally often."""
    return np.ones(len(candidates.names))


def weigh_latest(candidates: Candidates) -> FloatArray:
    """Draw only the newest snapshot; before the first one, everyone equally."""
    weights = np.zeros(len(candidates.names))
    born = np.flatnonzero(candidates.is_snapshot)
    weights[born[-1:]] = 1.0
    return weights


SAMPLERS: Final[Mapping[str, Sampler]] = MappingProxyType(
    {"elo": weigh_by_elo, "uniform": weigh_uniformly, "latest": weigh_latest}
)
"""The samplers that `league.matchmaking` in a config can name."""


def describe_unknown_sampler(name: str) -> str:
    """Return the complaint about a name that is not registered."""
    return f"expected one of {', '.join(SAMPLERS)}, got {name!r}{suggest(name, SAMPLERS)}"


def opponent_probabilities(
    sampler: str, candidates: Candidates, floor: float = DEFAULT_FLOOR
) -> FloatArray:
    """Return the probability of drawing each candidate.

    p_i = (1 - floor) w_i / sum(w) + floor / m, so nobody is drawn with less than floor / m; where
    all weights are zero, p_i = 1 / m.

    Args:
        sampler: A name in `SAMPLERS`.
        candidates: The m opponents.
        floor: Share of draws that is spread evenly, 0..1.

    Returns:
        Shape (m,), adding up to 1.

    Raises:
        ValueError: Unknown sampler, nobody to draw from, a floor outside 0..1, or a sampler that
            returned a negative or non-finite weight.
    """
    if sampler not in SAMPLERS:
        raise ValueError(describe_unknown_sampler(sampler))
    count = len(candidates.names)
    if count == 0:
        raise ValueError("expected at least one opponent in the pool, got none")
    if not 0 <= floor <= 1:
        raise ValueError(f"expected a floor in 0..1, got {floor!r}")
    weights = SAMPLERS[sampler](candidates)
    if weights.shape != (count,) or not np.all(np.isfinite(weights)) or np.any(weights < 0):
        raise ValueError(f"expected {count} finite weights >= 0 from {sampler!r}, got {weights}")
    even = np.full(count, 1 / count)
    total = weights.sum()
    chosen = weights / total if total > 0 else even
    probabilities: FloatArray = (1 - floor) * chosen + floor * even
    return probabilities


def draw_opponents(
    candidates: Candidates,
    probabilities: FloatArray,
    count: int,
    rng: np.random.Generator,
) -> list[str]:
    """Draw `count` policy ids independently, with replacement.

    Independent draws keep every slot's frequencies equal to `probabilities`.
    """
    drawn = rng.choice(len(candidates.names), size=count, p=probabilities)
    return [candidates.names[index] for index in drawn]
