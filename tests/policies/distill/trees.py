"""Random trees for tests."""

from __future__ import annotations

import numpy as np

from policies.distill.spec import FEATURES, MAX_SLOPE, MAX_THRESHOLD, MAX_VALUE, MIN_SLOPE
from policies.distill.tree import Leaf, Node, Split


def draw_tree(rng: np.random.Generator, leaves: int) -> Node:
    """Return a tree with so many leaves and thresholds inside the features' ranges."""
    if leaves == 1:
        value = int(rng.integers(MAX_VALUE + 1))
        return Leaf(value, int(rng.integers(MIN_SLOPE, MAX_SLOPE + 1)))
    left = int(rng.integers(1, leaves))
    feature = int(rng.integers(len(FEATURES)))
    most = min(FEATURES[feature].high, MAX_THRESHOLD)
    threshold = int(rng.integers(FEATURES[feature].low + 1, most + 1))
    return Split(feature, max(1, threshold), draw_tree(rng, left), draw_tree(rng, leaves - left))
