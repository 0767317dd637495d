"""The drawn picture is the cartridge's, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from envs.backends.image_backend import ImageBackend
from envs.backends.picture import PICTURE_SHAPE, draw_picture
from envs.backends.reference import ReferenceBackend
from envs.backends.retro import RetroBackend
from envs.backends.simulator import SimulatorBackend
from envs.game.layout import (
    RAM_SIZE,
    Address,
    Button,
    Mode,
    PillDuelAddress,
    PlayerOffset,
    Speed,
    player_address,
)
from envs.game.setup import RoundSetup
from league.parity.inputs import PLAYING_PADS, RandomPads, RoundEndPads
from tests.native import needs_native

FRAMES = 1200
AREAS = {
    "bottle 1": (slice(72, 200), slice(24, 88)),
    "bottle 2": (slice(72, 200), slice(152, 216)),
    "preview 1": (slice(43, 51), slice(48, 64)),
    "preview 2": (slice(43, 51), slice(176, 192)),
    "levels": (slice(35, 43), slice(101, 140)),
    "counts": (slice(183, 191), slice(102, 139)),
    "crowns": (slice(80, 128), slice(104, 128)),
}
"""Rows and columns of what a player looks at."""


def play_set(retro: RetroBackend, drawn: ImageBackend, setup: RoundSetup, frames: int) -> set[str]:
    """Play a set on both and compare every frame; return what was seen."""
    rng = np.random.default_rng(0)
    first, second = (RandomPads(rng, (*PLAYING_PADS, *[int(Button.DOWN)] * 8), 12) for _ in "ab")
    round_end = RoundEndPads(rng)
    retro.start_round(setup)
    drawn.start_round(setup)
    seen = set()
    for frame in range(frames):
        ram = retro.ram()
        if ram[Address.MODE] == Mode.OPTIONS:
            break
        pads = (round_end if round_end.applies(ram) else first).press(ram), second.press(ram)
        if frame == 20:
            pads = int(Button.START), 0
        retro.step(pads)
        drawn.step(pads)
        expected, picture = retro.screen(), drawn.screen()
        for name, area in AREAS.items():
            assert np.array_equal(picture[area], expected[area]), f"{name} in frame {frame}"
        assert np.array_equal(picture, expected), f"beyond the areas in frame {frame}"
        seen |= describe(retro.ram())
    return seen


def describe(ram: np.ndarray) -> set[str]:
    seen = {Mode(int(ram[Address.MODE])).name}
    seen |= {"paused"} if ram[Address.PAUSED] else set()
    seen |= {"a crown"} if ram[player_address(0, PlayerOffset.CROWNS)] else set()
    return seen


@needs_native
@pytest.mark.emulator
def test_simulator_draws_every_frame_of_a_set_as_the_cartridge(retro: RetroBackend) -> None:
    setup = RoundSetup(levels=(20, 3), speeds=(Speed.HI, Speed.HI))
    seen = play_set(retro, SimulatorBackend(), setup, frames=4 * FRAMES)
    assert {"PLAY", "TOP_OUT", "END", "INTRO", "paused"} <= seen


@needs_native
@pytest.mark.emulator
def test_simulator_draws_a_clear_as_the_cartridge(retro: RetroBackend) -> None:
    drawn = SimulatorBackend()
    setup = RoundSetup(levels=(7, 7), rng_word=0x1234)
    for backend in (retro, drawn):
        backend.start_round(setup)
        # One virus left, below the falling capsule, and the capsule of its colour.
        for cell in range(128):
            backend.poke(0x0400 + cell, 0xD1 if cell in (107, 115, 123) else 0xFF)
        backend.poke(player_address(0, PlayerOffset.VIRUSES), 0x03)
        for offset in (PlayerOffset.COLOUR_FIRST, PlayerOffset.COLOUR_SECOND):
            backend.poke(player_address(0, offset), 1)
    assert isinstance(drawn, SimulatorBackend)
    drawn.load_ram(drawn.ram())
    seen = set()
    for frame in range(420):
        pads = (int(Button.DOWN), 0) if frame < 300 or frame % 2 else (int(Button.START), 0)
        retro.step(pads)
        drawn.step(pads)
        # The poked bottle stays off the cartridge's screen until its first redraw.
        if frame > 80:
            assert np.array_equal(drawn.screen(), retro.screen()), f"frame {frame}"
            seen.add(int(retro.ram()[PillDuelAddress.PHASE]))
    assert {1, 2, 3, 4, 5} <= seen


@pytest.mark.emulator
def test_reference_draws_as_the_cartridge(retro: RetroBackend) -> None:
    play_set(retro, ReferenceBackend(), RoundSetup(levels=(2, 11)), frames=250)


@needs_native
def test_picture_of_an_image_is_what_a_standing_game_shows() -> None:
    backend = SimulatorBackend()
    backend.start_round(RoundSetup(levels=(5, 5)))
    assert np.array_equal(draw_picture(backend.ram()), backend.screen())
    picture = backend.screen()
    assert picture.shape == PICTURE_SHAPE
    assert picture.dtype == np.uint8
    picture[:] = 0
    assert backend.screen().any(), "a picture is the caller's own"


@needs_native
def test_savestate_shows_its_own_picture() -> None:
    backend = SimulatorBackend()
    backend.start_round(RoundSetup(levels=(5, 5)))
    for _ in range(40):
        backend.step((int(Button.DOWN), 0))
    saved, ram = backend.save(), backend.ram()
    backend.start_round(RoundSetup(levels=(20, 20)))
    backend.load(saved)
    assert np.array_equal(backend.screen(), draw_picture(ram))


def test_any_bytes_can_be_drawn() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        image = rng.integers(256, size=RAM_SIZE).astype(np.uint8)
        image[Address.MODE] = Mode.PLAY
        image[PillDuelAddress.PHASE] = image[Address.PAUSED] = 0
        image[player_address(0, PlayerOffset.NEXT_ACTION)] = 0
        assert draw_picture(image).shape == PICTURE_SHAPE


def test_other_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(2048,\), got \(10,\)"):
        draw_picture(np.zeros(10, np.uint8))
