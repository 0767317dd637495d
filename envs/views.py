"""Both seats' observations of one frame, by kind; each shows the acting seat's bottle first."""

from __future__ import annotations

from typing import Final, Literal, Protocol, get_args

import numpy as np

from envs.backends.base import Backend
from envs.candidates import TABLE_SHAPE, encode_candidates, make_empty_table
from envs.game.layout import (
    CELLS,
    COLUMNS,
    FIELD_BASES,
    PLAYER_BASES,
    PLAYER_BLOCK_SIZE,
    RAM_SIZE,
    ROWS,
    Address,
)
from envs.game.state import GameState
from envs.observation import (
    COMPACT_SIZE,
    COMPACT_SPEC,
    PlaneKind,
    count_planes,
    encode_compact_ram,
    encode_planes,
)

ObservationKind = Literal["compact", "planes", "candidates", "ram", "pixels"]
OBSERVATION_KINDS: Final[tuple[ObservationKind, ...]] = get_args(ObservationKind)

SCREEN_SHAPE: Final = (224, 240, 3)
"""Rows, columns and colours of the picture."""
_LEFT_BOTTLE, _RIGHT_BOTTLE = slice(16, 96), slice(144, 224)
"""Screen columns of each bottle with its walls and preview."""
BOTH: Final = (True, True)
"""Both seats are to choose."""


class Observe(Protocol):
    """Makes both seats' observations of a frame."""

    def __call__(
        self, backend: Backend, ram: np.ndarray, due: tuple[bool, bool] = BOTH
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return what each seat sees.

        Args:
            backend: The running game.
            ram: Its RAM, uint8 (2048,).
            due: Which seats are to choose; only they are shown candidates.
        """
        ...


def observation_shape(kind: ObservationKind, planes: PlaneKind) -> tuple[int, ...]:
    """Return the shape of one seat's observation, always uint8."""
    shapes: dict[ObservationKind, tuple[int, ...]] = {
        "compact": (COMPACT_SIZE,),
        "planes": (ROWS, COLUMNS, count_planes(planes)),
        "candidates": TABLE_SHAPE,
        "ram": (RAM_SIZE,),
        "pixels": SCREEN_SHAPE,
    }
    return shapes[kind]


def make_observe(kind: ObservationKind, planes: PlaneKind) -> Observe:
    """Return the function that makes both seats' observations."""
    observes: dict[ObservationKind, Observe] = {
        "compact": lambda backend, ram, due=BOTH: _observe_compact(ram),
        "planes": lambda backend, ram, due=BOTH: _observe_planes(ram, planes),
        "candidates": lambda backend, ram, due=BOTH: _observe_candidates(ram, due),
        "ram": lambda backend, ram, due=BOTH: (ram, swap_ram(ram)),
        "pixels": lambda backend, ram, due=BOTH: _observe_pixels(backend),
    }
    return observes[kind]


def swap_ram(ram: np.ndarray) -> np.ndarray:
    """Return the RAM as player 2 sees it: both players' blocks, bottles and pads exchanged."""
    return ram.take(_SWAPPED)


def swap_screen(screen: np.ndarray) -> np.ndarray:
    """Return the picture as player 2 sees it: both bottles exchanged.

    What is written between the bottles stays, player 1's numbers on the left.
    """
    swapped = screen.copy()
    swapped[:, _LEFT_BOTTLE] = screen[:, _RIGHT_BOTTLE]
    swapped[:, _RIGHT_BOTTLE] = screen[:, _LEFT_BOTTLE]
    return swapped


def _observe_compact(ram: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # The other seat's vector is the same bytes in another order: a third of encoding it anew.
    first = encode_compact_ram(ram, 0)
    return first, first.take(_SWAPPED_COMPACT)


def _observe_planes(ram: np.ndarray, planes: PlaneKind) -> tuple[np.ndarray, np.ndarray]:
    state = GameState.from_ram(ram)
    return encode_planes(state, 0, planes), encode_planes(state, 1, planes)


def _observe_candidates(ram: np.ndarray, due: tuple[bool, bool]) -> tuple[np.ndarray, np.ndarray]:
    first = encode_candidates(ram, 0) if due[0] else make_empty_table()
    second = encode_candidates(ram, 1) if due[1] else make_empty_table()
    return first, second


def _observe_pixels(backend: Backend) -> tuple[np.ndarray, np.ndarray]:
    screen = backend.screen()
    return screen, swap_screen(screen)


def _list_swapped() -> np.ndarray:
    """Source address of every byte of the RAM that player 2 sees."""
    source = np.arange(RAM_SIZE)
    pairs = [
        (*PLAYER_BASES, PLAYER_BLOCK_SIZE),
        (*FIELD_BASES, CELLS),
        (Address.PAD1_PRESSED, Address.PAD2_PRESSED, 1),
        (Address.PAD1_HELD, Address.PAD2_HELD, 1),
    ]
    for first, second, size in pairs:
        source[first : first + size] = np.arange(second, second + size)
        source[second : second + size] = np.arange(first, first + size)
    return source


_SWAPPED: Final = _list_swapped()


def _list_swapped_compact() -> np.ndarray:
    """Source of every byte of `compact` as the other seat sees it."""
    source = np.arange(COMPACT_SIZE)
    for name, field in COMPACT_SPEC.items():
        owner, _, rest = name.partition(".")
        if owner == "own":
            other = COMPACT_SPEC[f"opponent.{rest}"]
            own_bytes = np.arange(field.offset, field.offset + field.size)
            other_bytes = np.arange(other.offset, other.offset + other.size)
            source[own_bytes], source[other_bytes] = other_bytes, own_bytes
    return source


_SWAPPED_COMPACT: Final = _list_swapped_compact()
