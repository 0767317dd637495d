"""Random trees for tests."""

from __future__ import annotations

import numpy as np

from policies.distill.spec import FEATURES
from policies.distill.tree import Leaf, Node, Split


def draw_tree(rng: np.random.Generator, leaves: int) -> Node:
    """Return a tree with so many leaves and thresholds inside the features' ranges."""
    if leaves == 1:
        return Leaf(int(rng.integers(1, 128)))
    left = int(rng.integers(1, leaves))
    feature = int(rng.integers(len(FEATURES)))
    threshold = int(rng.integers(FEATURES[feature].low + 1, FEATURES[feature].high + 1))
    return Split(feature, max(1, threshold), draw_tree(rng, left), draw_tree(rng, leaves - left))
