"""The game on the native simulator: the same rules in C++, one game at a time.

Equal to the cartridge in every compared byte of RAM (`league verify`). Many games at once are in
`envs.backends.batch`.
"""

from __future__ import annotations

import ctypes
from typing import Final

import numpy as np

from envs.backends.base import BackendError
from envs.backends.boot import START_FRAME_CAP
from envs.backends.image_backend import ImageBackend, check_mode, check_poke
from envs.backends.images import check_bytes
from envs.backends.native_library import load_library
from envs.backends.picture import Screen
from envs.game.layout import NUM_SEATS, RAM_SIZE, Address
from envs.game.setup import RoundSetup

_NO_POOL: Final = None
_MAX_FRAMES: Final = 2**31 - 1


class SimulatorBackend(ImageBackend):
    """One game on the native simulator."""

    name = "simulator"

    def __init__(self, *, rendering: bool = True, library: ctypes.CDLL | None = None) -> None:
        """Open a game that has not started.

        Args:
            rendering: See `ImageBackend`.
            library: A build of the simulator from `open_library`; default: the installed one.

        Raises:
            BackendError: The simulator was not built.
        """
        super().__init__(rendering=rendering)
        self._library = library if library is not None else load_library()
        self._image = np.zeros(RAM_SIZE, np.uint8)
        # Addresses are kept: asking numpy for one costs more than a frame.
        self._address = self._image.ctypes.data
        self._pads = (ctypes.c_uint8 * NUM_SEATS)()
        self._pads_address = ctypes.addressof(self._pads)

    def enter_setup(self, setup: RoundSetup) -> None:
        """Go to the entry of a round: the next frame runs set-up."""
        enter_setups(self._library, self._image[None], [setup])

    def ram(self) -> np.ndarray:
        """Return a copy of the RAM, uint8 (2048,)."""
        return self._image.copy()

    def poke(self, address: int, value: int) -> None:
        """Write one byte of RAM; see `ImageBackend.poke`."""
        check_poke(address, value)
        self._image[address] = value

    def play(self, pads: np.ndarray) -> None:
        """Run a script.

        Args:
            pads: uint8 (frames, 2), the pad bytes of both seats, frame by frame.

        Raises:
            ValueError: The script has another shape or type.
        """
        script = check_script(pads)
        if self._rendering:
            for first, second in script.tolist():
                self.step((first, second))
        else:
            self._library.pill_play(_NO_POOL, self._address, 1, script.ctypes.data, len(script))

    def trace(self, pads: np.ndarray) -> np.ndarray:
        """Run a script and return the RAM after each frame, uint8 (frames, 2048).

        The picture is as after `load_ram`.

        Args:
            pads: uint8 (frames, 2), the pad bytes of both seats, frame by frame.

        Raises:
            ValueError: The script has another shape or type.
        """
        script = check_script(pads)
        images = np.empty((len(script), RAM_SIZE), np.uint8)
        self._library.pill_trace(self._address, script.ctypes.data, len(script), images.ctypes.data)
        self._screen = Screen(self._image)
        return images

    def _run_frame(self, first: int, second: int) -> None:
        check_mode(int(self._image[Address.MODE]))
        self._pads[0], self._pads[1] = first, second
        self._library.pill_hold(_NO_POOL, self._address, 1, self._pads_address, 1)

    def _set_ram(self, ram: np.ndarray) -> None:
        self._image[:] = ram

    def _run_to_control(self, solo: bool) -> None:
        if self._library.pill_run_to_control(self._address, 1, START_FRAME_CAP):
            raise BackendError(f"expected control within {START_FRAME_CAP} frames of set-up")


def enter_setups(library: ctypes.CDLL, images: np.ndarray, setups: list[RoundSetup]) -> None:
    """Put games at the entry of their rounds.

    Args:
        library: A build of the simulator.
        images: C-contiguous uint8 (games, 2048), overwritten.
        setups: One set-up per game.
    """
    words = np.array([setup.entry_word for setup in setups], np.uint16)
    counters = np.array([setup.entry_frame_counter for setup in setups], np.uint8)
    levels = np.array([setup.levels for setup in setups], np.uint8)
    speeds = np.array([setup.speeds for setup in setups], np.uint8)
    solo = np.array([setup.solo for setup in setups], np.uint8)
    library.pill_enter_setup(
        images.ctypes.data,
        len(images),
        words.ctypes.data,
        counters.ctypes.data,
        levels.ctypes.data,
        speeds.ctypes.data,
        solo.ctypes.data,
    )


def check_script(pads: np.ndarray) -> np.ndarray:
    """Return a pad script as it can be handed to the simulator.

    Raises:
        ValueError: It is not uint8 (frames, 2), or has more frames than an int32 counts.
    """
    script = check_bytes("a pad script", pads, (None, NUM_SEATS))
    if len(script) > _MAX_FRAMES:
        raise ValueError(
            f"expected a pad script of at most {_MAX_FRAMES} frames, got {len(script)}"
        )
    return script
