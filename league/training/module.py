"""The learning network as RLlib's module."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import torch
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module.apis.value_function_api import ValueFunctionAPI
from ray.rllib.core.rl_module.torch import TorchRLModule
from torch import Tensor

from league.training.roster import Weights
from league.training.rows import ACTION, INPUT

MAKE_NETWORK: Final = "make_network"
"""Key of what makes the network in RLlib's `model_config`."""
BFLOAT16: Final = "bfloat16"
"""Key of whether to learn in bfloat16 where the processor has it."""
_BFLOAT16_CAPABILITIES: Final = ("avx512_bf16", "amx_bf16", "bf16")
"""What torch calls instructions for bfloat16, of x86 and of ARM."""
_NETWORK: Final = "network."
"""What RLlib's module state puts before the name of each of the network's weights."""


def to_module_state(weights: Weights) -> dict[str, np.ndarray]:
    """Return the state of a network module from a network's weights, as copies."""
    # Arrays that come out of Ray's object store are read-only, which torch does not like.
    return {_NETWORK + name: np.array(value) for name, value in weights.items()}


def to_weights(state: dict[str, Any]) -> Weights:
    """Return a network's weights from the state of its module, as copies."""
    return {name.removeprefix(_NETWORK): np.array(value) for name, value in state.items()}


def has_bfloat16(device: str) -> bool:
    """Tell whether a kind of device computes in bfloat16 by itself, and does not emulate it.

    oneDNN's own answer will not do: it is also yes where every AVX-512 processor can emulate it,
    which takes half as long again as float32.
    """
    if device == "cpu":
        capabilities = torch.cpu.get_capabilities()
        return any(capabilities.get(name, False) for name in _BFLOAT16_CAPABILITIES)
    return device == "cuda" and torch.cuda.is_bf16_supported()


class MainModule(TorchRLModule, ValueFunctionAPI):
    """The network that learns; runners call `network` directly, the learner `forward_train`."""

    def setup(self) -> None:
        """Build the network with what is in `model_config`."""
        self.network = self.model_config[MAKE_NETWORK]()

    def _forward_train(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        kind = batch[ACTION].device.type
        fast = self.model_config[BFLOAT16] and has_bfloat16(kind)
        with torch.autocast(kind, torch.bfloat16, enabled=fast):
            return self._forward(batch)

    def _forward(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        logits, values = self.network({name: batch[INPUT + name] for name in self.network.columns})
        # The value rides along, so that the loss needs no second pass.
        return {Columns.ACTION_DIST_INPUTS: logits, Columns.EMBEDDINGS: values}

    def compute_values(self, batch: dict[str, Any], embeddings: Tensor | None = None) -> Tensor:
        """Return the value of each row, float32 (batch,)."""
        if embeddings is not None:
            return embeddings
        values: Tensor = self._forward(batch)[Columns.EMBEDDINGS]
        return values
