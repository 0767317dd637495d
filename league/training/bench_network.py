"""The network of `league bench train`'s comparison with RLlib's own runner: a plain small CNN."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from envs.game.layout import CELLS, COLUMNS, NUM_SEATS, ROWS
from envs.game.placement import NUM_PLACEMENTS
from policies.network import MASKED, Network

_BITS: Final = 8
_HIDDEN: Final = 256


class PlanesNetwork(Network):
    """Two strided convolutions over both bottles, 32 and 64 wide, and a layer of 256.

    A plane is one bit of every cell's code, 16 planes together.
    """

    columns = ("compact", "mask")
    observation = "compact"
    actions = "placement"

    def __init__(self) -> None:
        super().__init__()
        self.read = nn.Sequential(
            nn.Conv2d(NUM_SEATS * _BITS, 32, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(64 * (ROWS // 4) * (COLUMNS // 4), _HIDDEN),
            nn.ReLU(),
        )
        self.policy = nn.Linear(_HIDDEN, NUM_PLACEMENTS)
        self.value = nn.Linear(_HIDDEN, 1)

    def forward(self, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Return logits of the 513 placements, and values; see `Network.forward`."""
        cells = inputs["compact"][:, : NUM_SEATS * CELLS].view(-1, NUM_SEATS, 1, ROWS, COLUMNS)
        bits = torch.arange(_BITS, dtype=torch.uint8, device=cells.device)
        planes = (cells >> bits[:, None, None]) & 1
        hidden = self.read(planes.flatten(1, 2).float())
        logits = self.policy(hidden).masked_fill(inputs["mask"] == 0, MASKED)
        return logits, self.value(hidden).squeeze(1)
