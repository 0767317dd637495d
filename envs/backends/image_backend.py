"""What backends share whose game is a RAM image and nothing else.

A subclass runs frames; starting, saving, checking and drawing are the same for all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final, Self

import numpy as np

from envs.backends.base import BackendError
from envs.backends.boot import run_to_control, walk_to_next_setup
from envs.backends.images import ROUND_MODES, check_simulated, pack_image, unpack_image
from envs.backends.integrations import PILL_DUEL, accepted_digests
from envs.backends.picture import Screen
from envs.game.layout import RAM_SIZE, PillDuelAddress
from envs.game.setup import RoundSetup

_PLAYABLE: Final = frozenset(int(mode) for mode in ROUND_MODES)


class ImageBackend(ABC):
    """One game of Pill Duel's rules on a RAM image, without an emulator.

    Any number can live in one process; there is nothing to release.
    """

    name: str

    def __init__(self, *, rendering: bool = True) -> None:
        """Open a game that has not started: the RAM is zero.

        Args:
            rendering: False where no picture is needed: a frame is then cheaper, and `screen`
                raises.
        """
        self._rendering = rendering
        self._screen = Screen(np.zeros(RAM_SIZE, np.uint8))

    @property
    def digest(self) -> str:
        """SHA-1 of the cartridge that these rules are held equal to: Pill Duel."""
        return accepted_digests(PILL_DUEL)[0]

    @property
    def rendering(self) -> bool:
        """Whether pictures are kept up."""
        return self._rendering

    @property
    def solo(self) -> bool:
        """Whether player 2's bottle is inert in the running round."""
        return bool(self.ram()[PillDuelAddress.SOLO])

    @abstractmethod
    def enter_setup(self, setup: RoundSetup) -> None:
        """Go to the entry of a round: the next frame runs set-up."""

    @abstractmethod
    def ram(self) -> np.ndarray:
        """Return a copy of the RAM, uint8 (2048,)."""

    @abstractmethod
    def poke(self, address: int, value: int) -> None:
        """Write one byte of RAM.

        Raises:
            ValueError: The address is outside the RAM or the value is no byte.
        """

    @abstractmethod
    def _run_frame(self, first: int, second: int) -> None:
        """Run one frame with both pad bytes."""

    @abstractmethod
    def _set_ram(self, ram: np.ndarray) -> None:
        """Replace the whole RAM by an image that was checked."""

    def start_round(self, setup: RoundSetup) -> None:
        """Start a round; see `envs.backends.base.Backend.start_round`."""
        self.enter_setup(setup)
        self._run_to_control(setup.solo)
        self._screen = Screen(self.ram())

    def next_round(self) -> None:
        """Go on to the next round of the set; see `envs.backends.base.Backend.next_round`."""
        solo = self.solo
        walk_to_next_setup(self, solo)
        self._run_to_control(solo)

    def step(self, pads: tuple[int, int]) -> None:
        """Run one frame with the pad bytes of both seats.

        Raises:
            ValueError: A pad is not a byte.
            BackendError: No round is being played; menus belong to the cartridge.
        """
        first, second = pads
        if not (0 <= first <= 0xFF and 0 <= second <= 0xFF):
            raise ValueError(f"expected pads of 0..255, got {(first, second)!r}")
        if self._rendering:
            self._screen.advance(self.ram())
        self._run_frame(first, second)

    def save(self) -> bytes:
        """Return a savestate: the RAM image with a header."""
        return pack_image(self.ram())

    def load(self, savestate: bytes) -> None:
        """Continue from `savestate`; see `envs.backends.base.Backend.load`."""
        self.load_ram(unpack_image(savestate))

    def load_ram(self, ram: np.ndarray) -> None:
        """Continue from a RAM image.

        Args:
            ram: uint8 (2048,), copied.

        Raises:
            ValueError: No game can go on from it; names the field, the value and what was
                expected.
        """
        check_simulated(ram)
        self._set_ram(ram)
        self._screen = Screen(ram)

    def screen(self) -> np.ndarray:
        """Return the picture of the last frame, uint8 (224, 240, 3), RGB.

        Raises:
            BackendError: The backend was opened with `rendering=False`.
        """
        if not self._rendering:
            raise BackendError("expected rendering=True for a picture, got rendering=False")
        return self._screen.draw()

    def close(self) -> None:  # noqa: B027 - of the protocol
        """Do nothing: there is nothing to release."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _run_to_control(self, solo: bool) -> None:
        run_to_control(self, solo)


def check_mode(mode: int) -> None:
    """Refuse to run a frame of a menu.

    Raises:
        BackendError: The mode is not one of a round.
    """
    if mode not in _PLAYABLE:
        raise BackendError(
            f"expected a round to be played, got mode {mode} (a menu); call start_round"
        )


def check_poke(address: int, value: int) -> None:
    """Refuse a byte that cannot be written.

    Raises:
        ValueError: The address is outside the RAM or the value is no byte.
    """
    if not (0 <= address < RAM_SIZE and 0 <= value <= 0xFF):
        raise ValueError(
            f"expected an address below {RAM_SIZE} and a byte, got {value} at {address}"
        )
