"""What is shown to those who choose among candidates: feature rows of many positions at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from envs.game.placement import WAIT


@dataclass(frozen=True, slots=True)
class CandidateBatch:
    """What policies that choose among candidates are shown, row by row of a batch.

    A row has one candidate at least: where no pose can be reached it is WAIT, with features 0.
    """

    compact: np.ndarray
    """uint8 (batch, 314), the position from the acting seat's view."""
    rows: np.ndarray
    """uint8 (batch, K, 78), features of each candidate (`envs.candidates`); K is the most that any
    position of the batch has."""
    poses: np.ndarray
    """int16 (batch, K), the placement that each candidate is."""
    counts: np.ndarray
    """int64 (batch,), candidates that count, 1..K."""

    def __len__(self) -> int:
        return len(self.counts)

    @classmethod
    def trim(
        cls, compact: np.ndarray, rows: np.ndarray, poses: np.ndarray, counts: np.ndarray
    ) -> CandidateBatch:
        """Make a batch of tables that are padded to any number of rows, and may be empty.

        Args:
            compact: uint8 (batch, 314).
            rows: uint8 (batch, capacity, 78), capacity 1 or more; kept or copied, not changed.
            poses: Integers (batch, capacity).
            counts: Integers (batch,), 0..capacity.
        """
        most = max(int(counts.max(initial=0)), 1)
        rows, poses = rows[:, :most], poses[:, :most].astype(np.int16)
        empty = np.flatnonzero(counts == 0)
        if len(empty):
            rows = rows.copy()
            rows[empty] = 0
            poses[empty] = WAIT
        return cls(compact, rows, poses, np.maximum(counts, 1).astype(np.int64))

    @classmethod
    def join(cls, batches: Sequence[CandidateBatch]) -> CandidateBatch:
        """Return all batches as one, as wide as the widest of them."""
        width = max(batch.rows.shape[1] for batch in batches)
        total = sum(len(batch) for batch in batches)
        rows = np.zeros((total, width, *batches[0].rows.shape[2:]), np.uint8)
        poses = np.full((total, width), WAIT, np.int16)
        start = 0
        for batch in batches:
            end, own = start + len(batch), batch.rows.shape[1]
            rows[start:end, :own], poses[start:end, :own] = batch.rows, batch.poses
            start = end
        compact = np.concatenate([batch.compact for batch in batches])
        return cls(compact, rows, poses, np.concatenate([batch.counts for batch in batches]))

    def to_columns(self) -> dict[str, np.ndarray]:
        """Return what networks read, by the names of `policies.network.Network.columns`."""
        rows = np.ascontiguousarray(self.rows)
        return {"compact": self.compact, "rows": rows, "count": self.counts}
