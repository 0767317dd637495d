"""Neural policies: networks by kind, and their `Policy` form.

The env hands out compact codes and candidate rows; everything that a network wants is expanded in
here, on the learner's device. Knows no trainer and no files: RLlib's modules, the example in
`examples/ppo.py` and `league.snapshots` all build on it.
"""

from policies.network.base import MASKED, Network
from policies.network.build import NETWORK_KINDS, NetworkConfig, build_network
from policies.network.column import NUM_ACTIONS
from policies.network.expansion import CompactExpansion
from policies.network.policy import NetworkPolicy

__all__ = [
    "MASKED",
    "NETWORK_KINDS",
    "NUM_ACTIONS",
    "CompactExpansion",
    "Network",
    "NetworkConfig",
    "NetworkPolicy",
    "build_network",
]
