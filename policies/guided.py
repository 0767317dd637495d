"""A network guiding a search: what looks ahead is corrected by what was learned from games.

The search knows what the next capsule will do, the network what pays against an opponent. Each
candidate is scored by the search's value plus the network's logit, times its weight; the search
looks into the placements that are best by one ply, and only these can be chosen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from envs.backends.native_search import pack_images
from envs.compact_images import draw_images
from envs.game.placement import NUM_POSES, WAIT
from policies.base import CandidateBatch, View
from policies.network import NetworkPolicy
from policies.search import SearchPolicy

DEFAULT_TRUST: Final = 0.5


@dataclass(frozen=True, slots=True)
class GuidedPolicy:
    """Places every capsule where search and network together score best.

    Raises:
        ValueError: The network's view shows no candidates, or the trust is no number >= 0.
    """

    network: NetworkPolicy
    name: str
    """The text that names this policy."""
    search: SearchPolicy = field(default_factory=SearchPolicy)
    trust: float = DEFAULT_TRUST
    """What one nat of the network's log-probability is worth in units of the search's value; 0
    plays as the search alone."""

    def __post_init__(self) -> None:
        if self.network.view != View("candidates", "placement"):
            raise ValueError(
                f"expected a network that takes its best candidate, got {self.network.view!r} "
                f"from {self.network.name!r}"
            )
        if not (math.isfinite(self.trust) and self.trust >= 0):
            raise ValueError(f"expected trust to be a number >= 0, got {self.trust!r}")

    @property
    def view(self) -> View:
        """Reads candidates, gives placements."""
        return self.network.view

    @property
    def deterministic(self) -> bool:
        """Ties go to the first candidate."""
        return True

    def initial_state(self, batch: int) -> None:
        """Return None: each position is judged by itself."""

    def act(
        self,
        observations: CandidateBatch,
        masks: np.ndarray | None,
        state: None,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, None]:
        """Choose a placement for each position.

        Args:
            observations: The candidates.
            masks: Ignored: candidates are legal.
            state: None.
            rng: Not drawn from.

        Returns:
            Poses, int64 (batch,), WAIT where there is nothing to place; and None.

        Raises:
            BackendError: The native extension was not built.
        """
        scores = judge_candidates(self.search, observations)
        scores = scores + self.trust * self.network.judge(observations)
        best = scores.argmax(1)
        poses = observations.poses[np.arange(len(best)), best]
        return poses.astype(np.int64), None


def judge_candidates(search: SearchPolicy, batch: CandidateBatch) -> np.ndarray:
    """Return the search's value of each candidate, float32 (batch, K).

    -inf for candidates that it did not look into, for WAIT, and for rows that only pad.

    Raises:
        BackendError: The native extension was not built.
    """
    values = search.judge_placements(pack_images(draw_images(batch.compact), 0))
    poses = batch.poses.astype(np.int64)
    # WAIT has no value; it is a candidate only where it is the only one.
    found = np.take_along_axis(values, np.minimum(poses, NUM_POSES - 1), 1)
    is_real = np.arange(poses.shape[1]) < batch.counts[:, None]
    judged: np.ndarray = np.where(is_real & (poses != WAIT), found, -np.inf)
    return judged
