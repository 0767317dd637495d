"""What every network offers: named inputs in, logits and values out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from torch import Tensor, nn

from policies.base import Actions, Observation

MASKED: Final = -1e9
"""Logit of a choice that cannot be taken: finite, so that entropies and divergences stay so."""

Inputs = Mapping[str, Tensor]
"""The columns of a batch by name; the first axis is the batch."""


class Network(nn.Module):
    """Policy and value of one kind of input.

    Weights are the `state_dict`: parameters, and buffers that belong to them.
    """

    columns: ClassVar[tuple[str, ...]]
    """Names of the inputs that `forward` reads."""
    observation: ClassVar[Observation]
    """What a policy with this network must be shown."""
    actions: ClassVar[Actions]
    """What it chooses."""

    def forward(self, inputs: Inputs) -> tuple[Tensor, Tensor]:
        """Evaluate a batch.

        Args:
            inputs: Holds `columns`, further ones are ignored:
                `compact` uint8 (batch, 314), own seat first;
                `rows` uint8 (batch, K, 78), candidate features, for any K;
                `count` integers (batch,), how many of the rows count, 1..K;
                `mask` int8 (batch, 513), 1 for legal placements.

        Returns:
            Logits, float32 (batch, choices), `MASKED` for what cannot be chosen; and values,
            float32 (batch,). Choices are buttons, row indices or placements, by kind.
        """
        raise NotImplementedError


def init_layer(layer: nn.Linear | nn.Conv2d, gain: float) -> None:
    """Start a layer from orthogonal weights of size `gain`, without bias."""
    nn.init.orthogonal_(layer.weight, gain)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
