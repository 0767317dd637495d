"""The network that presses buttons: shared column encoders over both bottles."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from envs.actions import BUTTON_ACTIONS
from envs.game.layout import COLUMNS, ROWS
from policies.network.base import Inputs, Network, init_layer
from policies.network.expansion import PLANES, CompactExpansion

NUM_ACTIONS: Final = len(BUTTON_ACTIONS)


class ColumnNetwork(Network):
    """Policy and value from shared column encoders.

    Every column of both bottles goes through one encoder; two convolutions across columns let
    the own columns see their neighbours. Colours, heights and what lies on what are visible in a
    column, so this learns from far fewer games than convolutions over the image.
    """

    columns = ("compact",)
    observation = "compact"
    actions = "buttons"

    def __init__(self, *, features: int, hidden: int) -> None:
        """Make fresh weights.

        Args:
            features: What the shared encoder computes for each column of a bottle.
            hidden: Width of the layer from which policy and value are read.
        """
        super().__init__()
        self.expand = CompactExpansion()
        self.encode_column = nn.Conv2d(PLANES, features, (ROWS, 1))
        self.mix_columns = nn.Sequential(
            nn.Conv1d(features, features, 3, padding=1),
            nn.ReLU(),
            nn.Conv1d(features, features, 3, padding=1),
            nn.ReLU(),
        )
        self.merge = nn.Sequential(
            nn.Linear(features * COLUMNS + features + self.expand.num_numbers, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
        )
        self.policy = nn.Linear(hidden, NUM_ACTIONS)
        self.value = nn.Linear(hidden, 1)
        # A nearly uniform first policy: nothing is ruled out before anything was tried.
        init_layer(self.policy, 0.01)

    def forward(self, inputs: Inputs) -> tuple[Tensor, Tensor]:
        """Return logits of the 12 buttons, and values; see `Network.forward`."""
        planes, numbers = self.expand(inputs["compact"])
        columns = torch.relu(self.encode_column(planes.flatten(0, 1)).squeeze(2))
        own, opponent = columns[0::2], columns[1::2]
        merged = torch.cat([self.mix_columns(own).flatten(1), opponent.mean(2), numbers], 1)
        hidden = self.merge(merged)
        return self.policy(hidden), self.value(hidden).squeeze(1)
