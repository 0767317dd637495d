"""Named random streams of one seed, with a state that can be saved as JSON.

Every use has its own stream, so drawing more for one never shifts another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np


def make_rng(seed: int, name: str) -> np.random.Generator:
    """Return the stream `name` of `seed`, the same in every process and on every machine."""
    digest = hashlib.sha256(name.encode()).digest()
    # Python's own hash of a text differs per process, so the name enters by its digest.
    return np.random.Generator(np.random.PCG64([seed, int.from_bytes(digest[:8], "little")]))


class RngStreams:
    """The streams of one run; each is created at its first use."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._streams: dict[str, np.random.Generator] = {}

    def __getitem__(self, name: str) -> np.random.Generator:
        if name not in self._streams:
            self._streams[name] = make_rng(self._seed, name)
        return self._streams[name]

    def state_dict(self) -> dict[str, Any]:
        """Return the position of every stream used so far, as JSON types."""
        return {
            "seed": self._seed,
            "streams": {name: dict(rng.bit_generator.state) for name, rng in self._streams.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put every stream where `state_dict` saw it.

        Raises:
            ValueError: The state belongs to another seed.
        """
        if state["seed"] != self._seed:
            raise ValueError(f"expected the state of seed {self._seed}, got {state['seed']!r}")
        self._streams = {}
        for name, position in state["streams"].items():
            self[name].bit_generator.state = position
