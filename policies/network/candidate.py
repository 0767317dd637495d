"""The default network: scores every candidate placement from its features.

One small network is shared by all candidates of all positions, so what is learned in one column and
colour holds in all of them. Features and context name no colour, so the game's colour symmetry is
exact by construction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor, nn

from envs.candidates import NUM_FEATURES
from policies.feature_statistics import FEATURE_MEANS, FEATURE_STDS
from policies.network.base import MASKED, Inputs, Network, init_layer
from policies.network.context import ContextReader

_LIMIT: Final = 6.0
"""Normalised features are clamped to this, either way."""


class CandidateNetwork(Network):
    """A softmax over candidates, and a value from what they have in common.

    Every row goes through the same two layers, the first of them conditioned on the position. The
    value reads the position, the mean of all rows' last hidden layer, and the mean weighted by the
    policy, which tells how good the best choices are.
    """

    columns = ("compact", "rows", "count")
    observation = "candidates"
    actions = "placement"

    _mean: Tensor
    _scale: Tensor

    def __init__(self, *, hidden: int) -> None:
        """Make fresh weights.

        Args:
            hidden: Width of both layers.
        """
        super().__init__()
        # Part of the weights: a network must be shown what it was trained on.
        mean, scale = _make_normalisation()
        self.register_buffer("_mean", mean)
        self.register_buffer("_scale", scale)
        self.read_context = ContextReader()
        self.read_row = nn.Linear(NUM_FEATURES, hidden)
        self.condition = nn.Linear(self.read_context.size, hidden, bias=False)
        self.combine = nn.Linear(hidden, hidden)
        self.score = nn.Linear(hidden, 1)
        self.read_value = nn.Linear(2 * hidden + self.read_context.size, hidden)
        self.value = nn.Linear(hidden, 1)
        for layer in (self.read_row, self.condition, self.combine, self.read_value):
            init_layer(layer, 2**0.5)
        # A nearly uniform first policy: nothing is ruled out before anything was tried.
        init_layer(self.score, 0.01)
        init_layer(self.value, 1.0)

    def forward(self, inputs: Inputs) -> tuple[Tensor, Tensor]:
        """Return logits of the rows, and values; see `Network.forward`."""
        rows, counts = inputs["rows"], inputs["count"].long()
        context = self.read_context(inputs["compact"])
        batch, capacity, width = rows.shape
        # Only rows that count are computed, whatever they are padded to.
        is_real = torch.arange(capacity, device=rows.device) < counts[:, None]
        places = is_real.view(-1).nonzero().squeeze(1)
        owners = places.div(capacity, rounding_mode="floor")
        features = rows.reshape(-1, width).index_select(0, places).float()
        features = features.sub_(self._mean).mul_(self._scale).clamp_(-_LIMIT, _LIMIT)
        # In place wherever autograd allows: these are the largest arrays there are.
        hidden = self.read_row(features).add_(self.condition(context).index_select(0, owners))
        hidden = self.combine(hidden.relu_()).relu_()
        scores = self.score(hidden).squeeze(1).float()
        logits = scores.new_full((batch * capacity,), MASKED).index_copy(0, places, scores)
        logits = logits.view(batch, capacity)
        weights = torch.softmax(logits.detach(), 1).view(-1).index_select(0, places)
        pooled = [
            _sum_rows(hidden, owners, batch) / counts[:, None],
            _sum_rows(hidden * weights[:, None].to(hidden.dtype), owners, batch),
            context,
        ]
        value = self.value(torch.relu(self.read_value(torch.cat(pooled, 1))))
        return logits, value.squeeze(1).float()


def add_features(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Fit weights that know only the first features to all of today's.

    What is new begins without any effect, so the network plays as before until it learns more.

    Args:
        weights: `state_dict` of a candidate network; one that knows all comes back as it is.
    """
    known = weights["_mean"].shape[0]
    mean, scale = _make_normalisation()
    unread = weights["read_row.weight"].new_zeros(
        weights["read_row.weight"].shape[0], NUM_FEATURES - known
    )
    return {
        **weights,
        "_mean": torch.cat([weights["_mean"], mean[known:]]),
        "_scale": torch.cat([weights["_scale"], scale[known:]]),
        "read_row.weight": torch.cat([weights["read_row.weight"], unread], 1),
    }


def _make_normalisation() -> tuple[Tensor, Tensor]:
    """Return mean and inverse spread of each feature, float32 (NUM_FEATURES,)."""
    return torch.tensor(FEATURE_MEANS), 1.0 / torch.tensor(FEATURE_STDS)


def _sum_rows(hidden: Tensor, owners: Tensor, batch: int) -> Tensor:
    """Return the sum of each position's rows, (batch, width)."""
    return hidden.new_zeros(batch, hidden.shape[1]).index_add(0, owners, hidden)
