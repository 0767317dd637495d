"""Which network a run has: its kind and its sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from policies.network.base import Network
from policies.network.candidate import CandidateNetwork
from policies.network.column import ColumnNetwork
from policies.network.spatial import SpatialNetwork

NetworkKind = Literal["candidate", "spatial", "column"]
NETWORK_KINDS: Final[tuple[NetworkKind, ...]] = get_args(NetworkKind)


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """Kind and size of a network.

    Raises:
        ValueError: The kind is unknown or a size is below 1.
    """

    kind: NetworkKind = "candidate"
    """`candidate` scores each placement from its features, `spatial` reads the bottles as an image
    and gives placements, `column` presses buttons."""
    hidden: int = 64
    """Width of the layers from which policy and value are read."""
    column_features: int = 48
    """`column`: features that the shared encoder computes for each column of a bottle."""
    channels: int = 24
    """`spatial`: channels of its convolutions."""

    def __post_init__(self) -> None:
        if self.kind not in NETWORK_KINDS:
            known = ", ".join(NETWORK_KINDS)
            raise ValueError(f"expected a network kind ({known}), got {self.kind!r}")
        for name in ("hidden", "column_features", "channels"):
            if getattr(self, name) < 1:
                raise ValueError(f"expected {name} >= 1, got {getattr(self, name)!r}")


def build_network(config: NetworkConfig) -> Network:
    """Build the network that `config` describes, with fresh weights from torch's generator."""
    if config.kind == "candidate":
        return CandidateNetwork(hidden=config.hidden)
    if config.kind == "spatial":
        return SpatialNetwork(channels=config.channels, hidden=config.hidden)
    return ColumnNetwork(features=config.column_features, hidden=config.hidden)
