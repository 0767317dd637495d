"""The game on the reference rules, in plain Python: slow, and needs no compiler."""

from __future__ import annotations

import numpy as np

from envs.backends.image_backend import ImageBackend, check_mode, check_poke
from envs.game.layout import RAM_SIZE, Address
from envs.game.rules import ReferenceGame
from envs.game.setup import RoundSetup


class ReferenceBackend(ImageBackend):
    """One game on `envs.game.rules.ReferenceGame`."""

    name = "reference"

    def __init__(self, *, rendering: bool = True) -> None:
        """Open a game that has not started; see `ImageBackend`."""
        super().__init__(rendering=rendering)
        self._game = ReferenceGame(bytes(RAM_SIZE))

    def enter_setup(self, setup: RoundSetup) -> None:
        """Go to the entry of a round: the next frame runs set-up."""
        self._game = ReferenceGame.at_entry(setup)

    def ram(self) -> np.ndarray:
        """Return a copy of the RAM, uint8 (2048,)."""
        return self._game.ram()

    def poke(self, address: int, value: int) -> None:
        """Write one byte of RAM; see `ImageBackend.poke`."""
        check_poke(address, value)
        self._game.set_ram({int(address): int(value)})

    def _run_frame(self, first: int, second: int) -> None:
        check_mode(int(self._game.ram()[Address.MODE]))
        self._game.step((first, second))

    def _set_ram(self, ram: np.ndarray) -> None:
        self._game = ReferenceGame(ram)
