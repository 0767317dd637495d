"""Lessons whose scores follow a known rule."""

from __future__ import annotations

import numpy as np

from envs.backends.native_duel import MAX_CANDIDATES
from policies.distill.collect import Lessons
from policies.distill.spec import DEPTH, NUM_FEATURES


def draw_lessons(rng: np.random.Generator, positions: int, most: int = MAX_CANDIDATES) -> Lessons:
    """Positions in which two features decide what a candidate is worth."""
    features = rng.integers(0, 8, (positions, MAX_CANDIDATES, NUM_FEATURES)).astype(np.uint8)
    features[:, :, DEPTH] += 8
    counts = rng.integers(1, most + 1, positions).astype(np.int32)
    scores = 4.0 * (features[:, :, 2] < 3) + 2.0 * (features[:, :, 5] >= 6)
    scores += rng.normal(0, 0.1, scores.shape)
    scores[np.arange(MAX_CANDIDATES) >= counts[:, None]] = -np.inf
    return Lessons(np.zeros((positions, 131), np.uint8), features, scores, counts)
