"""How an opponent is chosen: registered samplers that turn what is known into probabilities.

A sampler sees the pool through `Candidates` and returns weights; `opponent_probabilities` adds
the floor. Add one of your own with `register_sampler`:

    @register_sampler("weakest")
    def weigh_weakest(candidates: Candidates) -> FloatArray:
        return candidates.scores

Knows nothing of games, of training or of where ratings come from.

Source: Vinyals et al. (2019) for prioritised fictitious self-play (PFSP) and its verification
games; Jaderberg et al. (2019) for even games by Elo; Lanctot et al. (2017) for PSRO.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from league.checks import suggest
from league.payoff import Payoff
from league.statistics.elo import expected_score
from league.statistics.nash import nash_average

FloatArray = NDArray[np.float64]

DEFAULT_SIGMA: Final = 1 / 6
"""Width of the Elo sampler in win probability.

Source: Jaderberg et al. (2019), "Human-level performance in 3D multiplayer games", matchmaking.
"""
DEFAULT_FLOOR: Final = 0.05
PRIOR_GAMES: Final = 8.0
"""How many games of the learner the score that ratings predict is worth."""

LATEST_SHARE: Final = 0.35
PRIORITISED_SHARE: Final = 0.5
"""Branches of the `pfsp` preset; what is left goes to verification."""
FORGOTTEN_BELOW: Final = 0.45
"""Expected score under which a snapshot of the learner counts as forgotten."""
EXPLOITER_BELOW: Final = 0.35
"""Expected score under which an exploiter counts as unanswered."""
UNIFORM_SHARE: Final = 0.2
"""What the presets `80/20` and `psro` spread evenly."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """The opponents that can be drawn, and what a sampler may know about them."""

    names: tuple[str, ...]
    """Policy ids, m of them, snapshots in the order of their birth."""
    ratings: FloatArray
    """Elo points, shape (m,); NaN where a policy is not rated yet."""
    is_snapshot: NDArray[np.bool_]
    """True for frozen copies of a learner, False for scripted members; shape (m,)."""
    learner_rating: float
    """Elo points of the learner; NaN where it is not rated yet."""
    sigma: float = DEFAULT_SIGMA
    """Width of the `elo` sampler in win probability."""
    is_exploiter: NDArray[np.bool_] | None = None
    """True for snapshots of exploiters, shape (m,); None where there are none."""
    points: FloatArray | None = None
    """The learner's recent wins and half draws against each, shape (m,); None without games."""
    games: FloatArray | None = None
    """Its recent games against each, shape (m,), older ones counting less."""
    payoff: Payoff | None = None
    """Rated games, for samplers that look at who beats whom; None goes by ratings alone."""

    @property
    def predicted(self) -> FloatArray:
        """The learner's expected score by ratings, shape (m,); unrated ones count as even."""
        gaps = np.array([self.learner_rating]) - self.ratings
        return expected_score(np.where(np.isfinite(gaps), gaps, 0.0), np.zeros(1))[:, 0]

    @property
    def scores(self) -> FloatArray:
        """The learner's expected score, shape (m,): by ratings, blended with what it scored."""
        if self.points is None or self.games is None:
            return self.predicted
        blended: FloatArray = (self.points + PRIOR_GAMES * self.predicted) / (
            self.games + PRIOR_GAMES
        )
        return blended

    @property
    def own_snapshots(self) -> NDArray[np.bool_]:
        """True for snapshots of the learner itself, shape (m,)."""
        if self.is_exploiter is None:
            return self.is_snapshot
        return self.is_snapshot & ~self.is_exploiter


Sampler = Callable[[Candidates], FloatArray]
"""Returns a weight >= 0 per candidate, shape (m,); all zero means that it has no preference."""

_SAMPLERS: Final[dict[str, Sampler]] = {}
SAMPLERS: Final[Mapping[str, Sampler]] = MappingProxyType(_SAMPLERS)
"""The samplers that `league.matchmaking` in a config can name."""


def register_sampler(name: str) -> Callable[[Sampler], Sampler]:
    """Return a decorator that registers a sampler under a name.

    Raises:
        ValueError: The name is taken.
    """
    if name in _SAMPLERS:
        raise ValueError(f"expected a new name for a sampler, got {name!r}")

    def register(sampler: Sampler) -> Sampler:
        _SAMPLERS[name] = sampler
        return sampler

    return register


@register_sampler("elo")
def weigh_by_elo(candidates: Candidates) -> FloatArray:
    """Prefer even games: exp(-(P - 0.5)^2 / (2 sigma^2)) with P the predicted score.

    An unrated opponent, and everyone while the learner is unrated, counts as even: it is drawn
    often, and so gets known.
    """
    weights: FloatArray = np.exp(-0.5 * ((candidates.predicted - 0.5) / candidates.sigma) ** 2)
    return weights


@register_sampler("uniform")
def weigh_uniformly(candidates: Candidates) -> FloatArray:
    """Draw every member equally often."""
    return np.ones(len(candidates.names))


@register_sampler("latest")
def weigh_latest(candidates: Candidates) -> FloatArray:
    """Draw only the learner's newest snapshot; before the first one, everyone equally."""
    weights = np.zeros(len(candidates.names))
    born = np.flatnonzero(candidates.own_snapshots)
    weights[born[-1:]] = 1.0
    return weights


@register_sampler("80/20")
def weigh_latest_and_past(candidates: Candidates) -> FloatArray:
    """Four fifths the newest snapshot, one fifth everybody else alike."""
    latest = weigh_latest(candidates)
    return mix(
        (1 - UNIFORM_SHARE, latest), (UNIFORM_SHARE, np.where(latest > 0, 0.0, 1.0)), fill=True
    )


@register_sampler("pfsp")
def weigh_by_priority(candidates: Candidates) -> FloatArray:
    """35 % latest, 50 % prioritised fictitious self-play, 15 % verification."""
    return mix(
        (LATEST_SHARE, weigh_latest(candidates)),
        (PRIORITISED_SHARE, weigh_losses(candidates)),
        (1 - LATEST_SHARE - PRIORITISED_SHARE, weigh_forgotten(candidates)),
        fill=True,
    )


@register_sampler("psro")
def weigh_by_nash(candidates: Candidates) -> FloatArray:
    """Four fifths the Nash mixture of the pool's payoff, one fifth everybody alike."""
    expected = expected_payoff(candidates.names, candidates.ratings, candidates.payoff)
    mixture = nash_average(expected - 0.5).mixture
    return mix((1 - UNIFORM_SHARE, mixture), (UNIFORM_SHARE, weigh_uniformly(candidates)))


def weigh_losses(candidates: Candidates) -> FloatArray:
    """PFSP, squared: (1 - x)^2 with x the learner's expected score; finds problems."""
    weights: FloatArray = (1 - candidates.scores) ** 2
    return weights


def weigh_even_games(candidates: Candidates) -> FloatArray:
    """PFSP, variance: x (1 - x); finds opponents that can just be learned from."""
    weights: FloatArray = candidates.scores * (1 - candidates.scores)
    return weights


def weigh_losses_capped(candidates: Candidates) -> FloatArray:
    """PFSP, linear and capped: min(1/2, 1 - x); for exploiters of the whole league."""
    return np.minimum(0.5, 1 - candidates.scores)


def weigh_forgotten(candidates: Candidates) -> FloatArray:
    """Verification: unanswered exploiters and forgotten snapshots; if there are none, everyone."""
    scores = candidates.scores
    due = candidates.own_snapshots & (scores < FORGOTTEN_BELOW)
    if candidates.is_exploiter is not None:
        due |= candidates.is_exploiter & (scores < EXPLOITER_BELOW)
    return due.astype(np.float64) if due.any() else np.ones(len(scores))


def mix(*branches: tuple[float, FloatArray], fill: bool = False) -> FloatArray:
    """Return weights that draw each branch with its share.

    Args:
        branches: Share and weights, shape (m,), of each; the weights of a branch count by their
            proportions only.
        fill: Give the share of a branch without any weight to the others; otherwise it is lost.
    """
    shares = [(share, weights, float(weights.sum())) for share, weights in branches]
    drawn = [(share, weights / total) for share, weights, total in shares if total > 0]
    if not drawn:
        return np.zeros(len(branches[0][1]))
    whole = sum(share for share, _ in drawn) if fill else 1.0
    mixed: FloatArray = np.sum([share / whole * weights for share, weights in drawn], axis=0)
    return mixed


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
    return normalise_weights(SAMPLERS[sampler], candidates, floor, name=sampler)


def normalise_weights(
    sampler: Sampler, candidates: Candidates, floor: float, *, name: str
) -> FloatArray:
    """Return the probabilities of a sampler, as `opponent_probabilities` does for a named one."""
    count = len(candidates.names)
    if count == 0:
        raise ValueError("expected at least one opponent in the pool, got none")
    if not 0 <= floor <= 1:
        raise ValueError(f"expected a floor in 0..1, got {floor!r}")
    weights = sampler(candidates)
    if weights.shape != (count,) or not np.all(np.isfinite(weights)) or np.any(weights < 0):
        raise ValueError(f"expected {count} finite weights >= 0 from {name!r}, got {weights}")
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


def expected_payoff(names: Sequence[str], ratings: FloatArray, payoff: Payoff | None) -> FloatArray:
    """Return each member's expected score against each: by ratings, blended with their games.

    Args:
        names: The m members.
        ratings: Elo points, shape (m,); NaN counts as the median of the others.
        payoff: Results of games between them; None goes by the ratings alone.

    Returns:
        Shape (m, m).
    """
    known = ratings[np.isfinite(ratings)]
    middle = float(np.median(known)) if len(known) else 0.0
    elo = np.nan_to_num(ratings, nan=middle)
    predicted = expected_score(elo, elo)
    return (
        predicted if payoff is None else payoff.among(names).blended_scores(predicted, PRIOR_GAMES)
    )
