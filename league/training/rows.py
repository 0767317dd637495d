"""Training rows: the columns in which transitions travel from a sampler to the learner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

INPUT: Final = "input/"
"""What stands before the name of a network's column."""
ACTION: Final = "action"
"""int64 (n,): what the network chose."""
LOG_PROBABILITY: Final = "log_probability"
"""float32 (n,): of the choice, when it was drawn."""
ADVANTAGE: Final = "advantage"
"""float32 (n,)."""
VALUE_TARGET: Final = "value_target"
"""float32 (n,)."""

Rows = dict[str, np.ndarray]
"""Columns of training rows, all of one length."""


def concatenate_rows(parts: Sequence[Rows]) -> Rows:
    """Join rows; where parts differ in width (candidates), the narrow ones are padded with 0."""
    return {name: concatenate_padded([part[name] for part in parts]) for name in parts[0]}


def gather_padded(parts: Sequence[np.ndarray], order: np.ndarray) -> np.ndarray:
    """Return some rows of joined arrays in a given order, in one pass.

    Args:
        parts: Arrays as in `concatenate_padded`.
        order: int64 (n,): numbers of rows of the joined array, each once at most.
    """
    total = sum(map(len, parts))
    places = np.full(total, -1)
    places[order] = np.arange(len(order))
    tail = parts[0].shape[1:]
    if tail:
        tail = (max(part.shape[1] for part in parts), *tail[1:])
    gathered = np.zeros((len(order), *tail), parts[0].dtype)
    first = 0
    for part in parts:
        target = places[first : first + len(part)]
        rows = np.flatnonzero(target >= 0)
        first += len(part)
        if tail:
            gathered[target[rows], : part.shape[1]] = part[rows]
        else:
            gathered[target[rows]] = part[rows]
    return gathered


def concatenate_padded(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Join arrays on their first axis; the second may differ in length and is padded with 0.

    Args:
        parts: Arrays of one type and of one shape but for the first two axes.
    """
    if len(parts) == 1:
        return parts[0]
    widths = {part.shape[1] for part in parts if part.ndim > 1}
    if len(widths) <= 1:
        return np.concatenate(parts)
    shape = (sum(map(len, parts)), max(widths), *parts[0].shape[2:])
    joined = np.zeros(shape, parts[0].dtype)
    row = 0
    for part in parts:
        joined[row : row + len(part), : part.shape[1]] = part
        row += len(part)
    return joined
