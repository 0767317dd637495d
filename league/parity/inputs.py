"""Who presses the buttons in a trace: one source of pads per seat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np

from envs.backends.native_search import pack_images
from envs.backends.simulator import SimulatorBackend
from envs.game.layout import Address, Button, Mode, PillDuelAddress
from envs.game.state import GameState
from envs.placement import SeatPlacement
from envs.seat import Frame, Seat, decide
from policies.base import Policy
from policies.search import SearchPolicy

_A, _B = int(Button.A), int(Button.B)
_LEFT, _RIGHT = int(Button.LEFT), int(Button.RIGHT)
_DOWN, _UP = int(Button.DOWN), int(Button.UP)
START: Final = int(Button.START)
SOFT_RESET: Final = int(Button.A | Button.B | Button.SELECT | Button.START)

PLAYING_PADS: Final = (
    *(0, _LEFT, _RIGHT, _DOWN, _DOWN, _A, _B, _A | _LEFT, _A | _RIGHT, _B | _LEFT, _B | _RIGHT),
    *(_DOWN | _LEFT, _DOWN | _RIGHT),
)
"""What a person presses."""
ODD_PADS: Final = (
    *(_A | _B, _A | _B | _LEFT, _UP, _UP | _DOWN, _LEFT | _RIGHT, _LEFT | _RIGHT | _B),
    *(_DOWN | _A, int(Button.SELECT), START | _LEFT, 0xFF),
)
"""What fingers do that slip; the emulated console takes it all."""


class PadSource(Protocol):
    """Presses the buttons of one seat."""

    def press(self, ram: np.ndarray) -> int:
        """Return the pad byte of the next frame, given the RAM before it, uint8 (2048,)."""
        ...


class RandomPads:
    """Holds random buttons for random times."""

    def __init__(self, rng: np.random.Generator, pads: Sequence[int], longest: int) -> None:
        """Draw from `pads`, each held for 1 to `longest` frames."""
        self._rng = rng
        self._pads = tuple(pads)
        self._longest = longest
        self._pad = 0
        self._left = 0

    def press(self, ram: np.ndarray) -> int:
        """Return the pad byte of the next frame."""
        if self._left == 0:
            self._pad = self._pads[int(self._rng.integers(len(self._pads)))]
            self._left = int(self._rng.integers(1, self._longest + 1))
        self._left -= 1
        return self._pad


class HeldPads:
    """Holds one pad byte: DOWN stacks capsules in the middle until the player tops out."""

    def __init__(self, pad: int = _DOWN) -> None:
        """Hold `pad`."""
        self._pad = pad

    def press(self, ram: np.ndarray) -> int:
        """Return the pad byte of the next frame."""
        return self._pad


class PolicyPads:
    """Plays a policy."""

    def __init__(
        self, policy: Policy, seat: int, backend: SimulatorBackend, rng: np.random.Generator
    ) -> None:
        """Let `policy` play `seat` of the game on `backend`."""
        self._seat = Seat(seat, policy, rng)
        self._backend = backend

    def press(self, ram: np.ndarray) -> int:
        """Return the pad byte of the next frame."""
        if self._seat.must_decide:
            decide([self._seat], [Frame(self._backend, ram, GameState.from_ram(ram))])
        self._seat.pass_frame()
        return self._seat.pad


class SearchPads:
    """Plays the placements of a search."""

    def __init__(self, policy: SearchPolicy, seat: int) -> None:
        """Let `policy` play `seat`."""
        self._policy = policy
        self._seat = seat
        self._placement = SeatPlacement(seat)

    def press(self, ram: np.ndarray) -> int:
        """Return the pad byte of the next frame."""
        self._placement.see(ram.tobytes())
        if self._placement.is_due:
            (action,) = self._policy.choose_placements(pack_images(ram[None], self._seat))
            self._placement.choose(int(action))
        return self._placement.next_pad()


class RoundEndPads:
    """Player 1 between rounds and while paused: taps START, as someone who wants to go on."""

    def __init__(self, rng: np.random.Generator) -> None:
        """Draw the taps from `rng`."""
        self._playing = RandomPads(rng, (0, 0, START, START, _LEFT, START | _A), 8)

    @staticmethod
    def applies(ram: np.ndarray) -> bool:
        """Tell whether the round is over or paused."""
        if ram[Address.MODE] == Mode.PLAY:
            return bool(ram[PillDuelAddress.PHASE] or ram[Address.PAUSED])
        return bool(ram[Address.MODE] in (Mode.TOP_OUT, Mode.END))

    def press(self, ram: np.ndarray) -> int:
        """Return the pad byte of the next frame."""
        return self._playing.press(ram)
