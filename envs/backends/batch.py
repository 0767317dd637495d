"""Many games at once on the native simulator: N frames per call, no Python in the loop.

The GIL is released during each call, and nothing is allocated in it. The games' RAM images lie in
one array that callers read and may write.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final, Self

import numpy as np

from envs.backends.base import BackendError
from envs.backends.boot import START_FRAME_CAP
from envs.backends.images import check_bytes, check_simulated
from envs.backends.native_library import load_library
from envs.backends.native_pool import NativePool
from envs.backends.simulator import enter_setups
from envs.game.layout import NUM_SEATS, RAM_SIZE
from envs.game.setup import RoundSetup

_MAX_FRAMES: Final = 2**31 - 1


class BatchSimulator:
    """A fixed number of games, stepped together; each has its own set-up and pads."""

    def __init__(self, games: int, *, threads: int | None = 1) -> None:
        """Open games that have not started: their RAM is zero.

        Args:
            games: How many, 1 or more.
            threads: Threads that share the games, this one included. None takes one for each
                processor that this process may use; a number above that is cut down to it, as
                more would only get in each other's way.

        Raises:
            ValueError: A number is below 1.
            BackendError: The simulator was not built, or the threads cannot be had.
        """
        if games < 1:
            raise ValueError(f"expected games to be 1 or more, got {games}")
        self._library = load_library()
        self._pool = NativePool(threads, games)
        self._images = np.zeros((games, RAM_SIZE), np.uint8)
        self._address = self._images.ctypes.data
        # The GIL is no protection: closing must not take the threads from under a call.
        self._lock = threading.Lock()

    @property
    def games(self) -> int:
        """Number of games."""
        return len(self._images)

    @property
    def threads(self) -> int:
        """Threads in use, this one included."""
        return self._pool.threads

    @property
    def images(self) -> np.ndarray:
        """The RAM of every game, uint8 (games, 2048): live, changed by each call.

        Any byte may be written; a game with impossible bytes goes on in some way, without harm to
        the others.
        """
        return self._images[:]

    def start(self, setups: Sequence[RoundSetup], games: Sequence[int] | None = None) -> None:
        """Start rounds; each game is then at the first frame on which every active seat can act.

        Args:
            setups: One set-up per game.
            games: Which games; default: all.

        Raises:
            ValueError: Another number of set-ups than games, or no such game.
        """
        chosen = self._check_games(games)
        if len(setups) != len(chosen):
            raise ValueError(f"expected {len(chosen)} set-ups, one per game, got {len(setups)}")
        images = np.empty((len(chosen), RAM_SIZE), np.uint8)
        enter_setups(self._library, images, list(setups))
        if self._library.pill_run_to_control(images.ctypes.data, len(chosen), START_FRAME_CAP):
            raise BackendError(f"expected control within {START_FRAME_CAP} frames of set-up")
        self._images[chosen] = images

    def load(self, images: np.ndarray, games: Sequence[int] | None = None) -> None:
        """Continue games from RAM images.

        Args:
            images: uint8 (number of games, 2048), copied.
            games: Which games; default: all.

        Raises:
            ValueError: Another shape or type, no such game, or an image from which no game can go
                on; names the field, the value and what was expected.
        """
        chosen = self._check_games(games)
        for image in check_bytes("RAM images", images, (len(chosen), RAM_SIZE)):
            check_simulated(image)
        self._images[chosen] = images

    def hold(self, pads: np.ndarray, frames: int = 1) -> None:
        """Hold the pads of each game for some frames.

        Args:
            pads: uint8 (games, 2), the pad bytes of both seats.
            frames: How many, 0 or more.

        Raises:
            ValueError: The pads have another shape or type, or `frames` is out of range.
        """
        pads = check_bytes("pads", pads, (self.games, NUM_SEATS))
        if not 0 <= frames <= _MAX_FRAMES:
            raise ValueError(f"expected frames to be 0..{_MAX_FRAMES}, got {frames}")
        with self._lock:
            self._library.pill_hold(
                self._pool.open(), self._address, self.games, pads.ctypes.data, int(frames)
            )

    def play(self, pads: np.ndarray) -> None:
        """Run a script for each game.

        Args:
            pads: uint8 (games, frames, 2), the pad bytes of both seats, frame by frame.

        Raises:
            ValueError: The scripts have another shape or type.
        """
        pads = check_bytes("pad scripts", pads, (self.games, None, NUM_SEATS))
        if pads.shape[1] > _MAX_FRAMES:
            raise ValueError(f"expected at most {_MAX_FRAMES} frames, got {pads.shape[1]}")
        with self._lock:
            self._library.pill_play(
                self._pool.open(), self._address, self.games, pads.ctypes.data, pads.shape[1]
            )

    def close(self) -> None:
        """End the threads; safe to call twice. The next call would start them again."""
        with self._lock:
            self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _check_games(self, games: Sequence[int] | None) -> np.ndarray:
        if games is None:
            return np.arange(self.games)
        chosen = np.array(games, np.int64).reshape(-1)
        if len(chosen) and not (chosen.min() >= 0 and chosen.max() < self.games):
            raise ValueError(f"expected games of 0..{self.games - 1}, got {chosen.tolist()}")
        return chosen
