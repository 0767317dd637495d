"""The image network: convolutions over the own bottle, one logit per pose.

It sees the board alone, without computed features; for comparison, and for pixels later.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn

from envs.game.capsule import NUM_ROTATIONS
from policies.network.base import MASKED, Inputs, Network, init_layer
from policies.network.expansion import PLANES, CompactExpansion

_LAYERS: Final = 3


class SpatialNetwork(Network):
    """Three convolutions at full resolution, then a map of logits for each rotation.

    Colours come renamed by the capsule (`CompactExpansion`). Numbers, capsules and the opponent's
    bottle reach every cell as a bias.
    """

    columns = ("compact", "mask")
    observation = "compact"
    actions = "placement"

    def __init__(self, *, channels: int, hidden: int) -> None:
        """Make fresh weights.

        Args:
            channels: Of each convolution.
            hidden: Width of the layer from which the value is read.
        """
        super().__init__()
        self.expand = CompactExpansion()
        sizes = (PLANES, *(channels,) * _LAYERS)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, 3, padding=1) for before, after in pairwise(sizes)
        )
        self.condition = nn.Linear(self.expand.num_numbers + PLANES, channels)
        self.spread = nn.Linear(2 * channels, channels)
        self.policy = nn.Conv2d(channels, NUM_ROTATIONS, 1)
        self.value = nn.Sequential(
            nn.Linear(2 * channels + self.expand.num_numbers, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 1),
        )
        # A nearly uniform first policy: nothing is ruled out before anything was tried.
        init_layer(self.policy, 0.01)

    def forward(self, inputs: Inputs) -> tuple[Tensor, Tensor]:
        """Return logits of the 513 placements, and values; see `Network.forward`."""
        planes, numbers = self.expand(inputs["compact"])
        bias = self.condition(torch.cat([numbers, planes[:, 1].mean((2, 3))], 1))
        image = torch.relu(self.convolutions[0](planes[:, 0]) + bias[..., None, None])
        image = torch.relu(self.convolutions[1](image))
        pooled = torch.cat([image.mean((2, 3)), image.amax((2, 3))], 1)
        spread = self.spread(pooled)[..., None, None]
        image = torch.relu(self.convolutions[2](image) + spread)
        poses = self.policy(image).flatten(1).float()
        # Where WAIT is legal nothing else is, so its logit says nothing.
        logits = torch.cat([poses, poses.new_zeros(len(poses), 1)], 1)
        values = self.value(torch.cat([pooled, numbers], 1)).squeeze(1).float()
        return logits.masked_fill(inputs["mask"] == 0, MASKED), values
