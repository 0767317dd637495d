"""What training tells of its games and choices, beyond results: plain counts, to be added up.

Whoever plays the games fills these records; `league.tracking.play_metrics` makes curves and
warnings of them. Knows no RLlib.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

PHASES: Final = ("above_32", "9_to_32", "up_to_8")
"""Parts of a game, by the viruses that are left in the seat's bottle when a capsule comes in."""
_MOST_LEFT: Final = (32, 8)
"""A phase ends when no more viruses than this are left."""

PhaseCounts = tuple[int, int, int]
"""One number for each of `PHASES`."""


def find_phase(viruses: Any) -> NDArray[np.int64]:
    """Return the index into `PHASES` for numbers of viruses left, in the shape of `viruses`."""
    left = np.asarray(viruses)
    phases: NDArray[np.int64] = np.zeros(left.shape, np.int64)
    for most in _MOST_LEFT:
        phases += left <= most
    return phases


@dataclass(frozen=True, slots=True)
class SeatPlay:
    """What one seat did in one game."""

    frames: int
    """Frames of play."""
    capsules: PhaseCounts
    """Capsules that it locked, each in the phase in which it came in."""
    viruses: PhaseCounts
    """Viruses that it cleared, each in the phase in which the capsule that did it came in."""
    volleys: int
    """Attacks that it queued: capsules whose cascade cleared two lines or more."""
    solo: bool = False
    """Whether the other bottle was inert."""


@dataclass(frozen=True, slots=True)
class Choices:
    """The decisions of the learner in one iteration, or in a part of it."""

    decisions: int
    """Decisions that are trained on."""
    free_decisions: int
    """Decisions with more than one legal choice."""
    legal_choices: float
    """Mean number of legal choices of a decision."""
    entropy: float
    """Mean entropy of the sampling distribution, nats."""
    entropy_ratio: float
    """Mean of entropy / log(legal choices) over the free decisions, 0..1; 0 if there are none."""
    equal_masks: bool
    """Whether masks were in use and all of them alike, which no real game brings about."""


def count_choices(
    entropies: NDArray[np.floating[Any]],
    legal: NDArray[np.integer[Any]],
    *,
    equal_masks: bool = False,
) -> Choices:
    """Return the facts about some decisions.

    Args:
        entropies: Entropy of the sampling distribution in nats, float (n,).
        legal: Legal choices, integers of 1 or more, (n,).
        equal_masks: See `Choices`.

    Raises:
        ValueError: The shapes differ, there are no decisions, or one has no legal choice.
    """
    if entropies.shape != legal.shape or entropies.ndim != 1 or not len(legal) or legal.min() < 1:
        raise ValueError(
            "expected one entropy and one or more legal choices for each of one or more "
            f"decisions, got shapes {entropies.shape} and {legal.shape}"
        )
    free = legal > 1
    ratios = entropies[free] / np.log(legal[free])
    return Choices(
        decisions=len(legal),
        free_decisions=int(free.sum()),
        legal_choices=float(legal.mean()),
        entropy=float(entropies.mean()),
        entropy_ratio=float(ratios.mean()) if len(ratios) else 0.0,
        equal_masks=equal_masks,
    )


def merge_choices(parts: Iterable[Choices]) -> Choices | None:
    """Return the facts about the decisions of several runners; None where there are none."""
    parts = [part for part in parts if part.decisions]
    if not parts:
        return None
    decisions = sum(part.decisions for part in parts)
    free = sum(part.free_decisions for part in parts)
    weighted = sum(part.entropy_ratio * part.free_decisions for part in parts)
    return Choices(
        decisions=decisions,
        free_decisions=free,
        legal_choices=sum(part.legal_choices * part.decisions for part in parts) / decisions,
        entropy=sum(part.entropy * part.decisions for part in parts) / decisions,
        entropy_ratio=weighted / free if free else 0.0,
        equal_masks=all(part.equal_masks for part in parts),
    )
