"""The reference rules as a backend: any number in one process, and no emulator needed."""

from __future__ import annotations

import numpy as np

from envs.backends.base import BackendError
from envs.game.rules import ReferenceGame
from envs.game.setup import RoundSetup


class ReferenceBackend:
    """Plays rounds on `ReferenceGame`."""

    name = "reference"
    digest = "0" * 40

    def __init__(self) -> None:
        self.game = ReferenceGame.from_setup(RoundSetup())
        self._starts: dict[RoundSetup, np.ndarray] = {}

    def start_round(self, setup: RoundSetup) -> None:
        if setup not in self._starts:
            self._starts[setup] = ReferenceGame.from_setup(setup).ram()
        self.game = ReferenceGame(self._starts[setup])

    def next_round(self) -> None:
        raise BackendError("expected single rounds, got a set")

    def step(self, pads: tuple[int, int]) -> None:
        self.game.step(pads)

    def ram(self) -> np.ndarray:
        return self.game.ram()

    def save(self) -> bytes:
        return self.game.ram().tobytes()

    def load(self, savestate: bytes) -> None:
        self.game = ReferenceGame(savestate)

    def screen(self) -> np.ndarray:
        picture = np.zeros((224, 240, 3), np.uint8)
        picture[: len(self.game.ram()) // 240, :, 0] = 1
        return picture

    def close(self) -> None:
        pass
