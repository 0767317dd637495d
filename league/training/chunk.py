"""Ready training rows on their way from a runner to RLlib's learner.

A `Chunk` rides through RLlib's stock `PPO.training_step` in the place of an episode, and
`ChunkToBatch` is the whole learner connector: advantages are estimated where the game is played,
with the values of the forward pass that chose the actions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch
from ray.rllib.connectors.connector_v2 import ConnectorV2
from torch import Tensor

from league.training.roster import MAIN
from league.training.rows import ACTION, ADVANTAGE, Rows, concatenate_rows

_SMALLEST_SPREAD = 1e-4


class Chunk:
    """Training rows of `main`; its length is their number.

    A plain class on purpose: RLlib's tree functions take it as a leaf.
    """

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows[ACTION])

    def __getitem__(self, part: slice) -> Self:
        """Return some of the rows; RLlib cuts what several learners share."""
        return type(self)({name: values[part] for name, values in self.rows.items()})

    def slice(self, part: slice, len_lookback_buffer: int | None = None) -> Self:
        """Return some of the rows; there is nothing to look back to."""
        return self[part]


class ChunkToBatch(ConnectorV2):
    """Joins chunks into one batch of tensors on the learner's device."""

    def __call__(
        self, *, rl_module: Any, batch: Mapping[str, Any], episodes: Sequence[Chunk], **kwargs: Any
    ) -> dict[str, dict[str, Tensor]]:
        """Return the columns of `main`, with advantages of mean 0 and variance 1."""
        rows = concatenate_rows([chunk.rows for chunk in episodes])
        advantages = rows[ADVANTAGE]
        spread = max(float(advantages.std()), _SMALLEST_SPREAD)
        rows[ADVANTAGE] = (advantages - advantages.mean()) / np.float32(spread)
        device = next(rl_module[MAIN].parameters()).device
        return {MAIN: {name: _to_tensor(values, device) for name, values in rows.items()}}


def _to_tensor(values: np.ndarray, device: torch.device) -> Tensor:
    # What comes out of Ray's object store is read-only, which torch does not like.
    writable = values if values.flags.writeable else values.copy()
    return torch.from_numpy(writable).to(device)
