"""Resumable trainer state as one safetensors file; never a pickle, also not RLlib's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from league.errors import LeagueError
from league.training.roster import Weights

STATE_FILE: Final = "trainer.safetensors"
FORMAT: Final = "pill-league-trainer-1"

_WEIGHTS: Final = "weights/"
_OPTIMIZER: Final = "optimizer/"


class TrainerStateError(LeagueError):
    """A trainer state that is missing, broken, of another version or of another network."""


@dataclass(frozen=True, slots=True)
class TrainerState:
    """What a trainer needs to go on; counters and RNG streams belong to the run."""

    weights: Weights
    """Weights of `main` by name."""
    optimizer: dict[str, np.ndarray]
    """Adam's memory by `PARAMETER.NAME`, e.g. `0.exp_avg`; parameters by their order."""

    def save(self, folder: Path) -> None:
        """Write the state into an existing folder."""
        tensors = {_WEIGHTS + name: value for name, value in self.weights.items()}
        tensors |= {_OPTIMIZER + name: value for name, value in self.optimizer.items()}
        # safetensors writes the buffer as it lies, so it must be in C order.
        arrays = {name: np.array(value, order="C") for name, value in tensors.items()}
        (folder / STATE_FILE).write_bytes(save(arrays, metadata={"format": FORMAT}))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a state back.

        Raises:
            TrainerStateError: The file is missing, broken or of another version.
        """
        path = folder / STATE_FILE
        try:
            with safe_open(path, framework="numpy") as file:
                found = (file.metadata() or {}).get("format")
                if found != FORMAT:
                    raise TrainerStateError(f"expected format {FORMAT!r} in {path}, got {found!r}")
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise TrainerStateError(f"expected a trainer state at {path}: {error}") from error
        return cls(_take(tensors, _WEIGHTS), _take(tensors, _OPTIMIZER))


def _take(tensors: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }


def flatten_optimizer(state: dict[int, dict[str, Any]]) -> dict[str, np.ndarray]:
    """Return the `state` of a torch optimizer's state dict in the form of `TrainerState`."""
    return {
        f"{parameter}.{name}": np.asarray(value, np.float32)
        for parameter, memory in state.items()
        for name, value in memory.items()
    }


def unflatten_optimizer(optimizer: dict[str, np.ndarray]) -> dict[int, dict[str, np.ndarray]]:
    """Undo `flatten_optimizer`."""
    state: dict[int, dict[str, np.ndarray]] = {}
    for key, value in optimizer.items():
        parameter, _, name = key.partition(".")
        state.setdefault(int(parameter), {})[name] = value
    return state
