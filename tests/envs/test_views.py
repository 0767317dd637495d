"""Both seats' observations: shapes, and the same game seen from the other side."""

from __future__ import annotations

import numpy as np
import pytest

from envs.game.state import GameState
from envs.observation import encode_compact, encode_planes
from envs.views import (
    OBSERVATION_KINDS,
    SCREEN_SHAPE,
    ObservationKind,
    make_observe,
    observation_shape,
    swap_ram,
    swap_screen,
)
from tests.envs.game.test_state import make_ram

RAM = np.frombuffer(make_ram(), np.uint8)
STATE = GameState.from_ram(RAM)


class Screen:
    """A backend that only has a picture."""

    def __init__(self) -> None:
        self.picture = np.random.default_rng(0).integers(256, size=SCREEN_SHAPE, dtype=np.uint8)

    def screen(self) -> np.ndarray:
        return self.picture.copy()


@pytest.mark.parametrize("kind", OBSERVATION_KINDS)
def test_observations_have_their_shape(kind: ObservationKind) -> None:
    seen = make_observe(kind, "bitplane")(Screen(), RAM)  # type: ignore[arg-type]
    for observation in seen:
        assert observation.shape == observation_shape(kind, "bitplane")
        assert observation.dtype == np.uint8


def test_compact_and_planes_are_those_of_each_seat() -> None:
    screen = Screen()
    compact = make_observe("compact", "bitplane")(screen, RAM)  # type: ignore[arg-type]
    planes = make_observe("planes", "extended")(screen, RAM)  # type: ignore[arg-type]
    for seat in range(2):
        np.testing.assert_array_equal(compact[seat], encode_compact(STATE, seat))
        np.testing.assert_array_equal(planes[seat], encode_planes(STATE, seat, "extended"))


def test_swapped_ram_is_the_game_with_the_seats_exchanged() -> None:
    swapped = swap_ram(RAM)
    assert GameState.from_ram(swapped).players == STATE.swapped().players
    np.testing.assert_array_equal(swap_ram(swapped), RAM)


def test_swapped_screen_exchanges_the_bottles_and_keeps_the_middle() -> None:
    screen = Screen().screen()
    swapped = swap_screen(screen)
    np.testing.assert_array_equal(swapped[:, 24:88], screen[:, 152:216])
    np.testing.assert_array_equal(swapped[:, 96:144], screen[:, 96:144])
    np.testing.assert_array_equal(swap_screen(swapped), screen)
