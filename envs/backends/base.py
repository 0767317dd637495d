"""What every backend gives: one frame with both pads, the RAM image, save and load, a picture.

A backend runs the game and knows no RL. Everything above reads its RAM through
`envs.game.state.GameState`.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np

from envs.game.setup import RoundSetup


class BackendError(RuntimeError):
    """A backend cannot do what was asked; the message says what to do about it."""


@runtime_checkable
class Backend(Protocol):
    """One running game for two pads.

    Backends are opened by their constructor and hold real resources: call `close`, or use the
    object as a context manager where it offers that.
    """

    @property
    def name(self) -> str:
        """Short name used on command lines: `retro`, `simulator`, ..."""
        ...

    @property
    def digest(self) -> str:
        """Lower-case SHA-1 that names the game being run (the headerless ROM)."""
        ...

    def start_round(self, setup: RoundSetup) -> None:
        """Start a round from a fresh boot state.

        Returns on the first frame on which every active seat can act; set-up and intro frames
        are not steps.

        Raises:
            BackendError: The game did not get there; the last mode seen is named.
        """
        ...

    def next_round(self) -> None:
        """Go from the end of a round to the next one of the same set.

        Player 1's START is pressed on the first frame that accepts it. Returns as `start_round`.

        Raises:
            BackendError: The round has not ended, or the set is over.
        """
        ...

    def step(self, pads: tuple[int, int]) -> None:
        """Run one frame with the pad bytes (`envs.game.layout.Button` bits) of both seats."""
        ...

    def ram(self) -> np.ndarray:
        """Return the CPU RAM, uint8 of shape (2048,), as a copy that the caller owns."""
        ...

    def save(self) -> bytes:
        """Return a savestate that `load` of the same backend and digest accepts."""
        ...

    def load(self, savestate: bytes) -> None:
        """Continue from `savestate`.

        Raises:
            ValueError: The savestate is broken or belongs to another game, core or version.
        """
        ...

    def screen(self) -> np.ndarray:
        """Return the picture, uint8 of shape (height, width, 3), RGB."""
        ...

    def close(self) -> None:
        """Release the game; safe to call twice."""
        ...
