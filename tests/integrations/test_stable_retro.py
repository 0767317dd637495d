"""Pill Duel as an integration of Stable-Retro's own `make`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs.backends.integrations import PILL_DUEL, integration_path
from envs.backends.retro import RetroBackend, list_stock_buttons, make_stock_env
from envs.backends.start_state import START_STATE_NAME, make_start_state
from envs.game.layout import Address, Button, PlayerOffset, player_address
from envs.game.setup import RoundSetup
from envs.game.state import GameState

pytestmark = pytest.mark.emulator


@pytest.fixture
def stock() -> Any:
    env = make_stock_env()
    yield env
    env.close()


def press(first: int, second: int) -> np.ndarray:
    return np.concatenate([list_stock_buttons(first), list_stock_buttons(second)])


def test_start_state_is_what_the_rom_makes(user_data: Path) -> None:
    committed = (integration_path(PILL_DUEL) / START_STATE_NAME).read_bytes()
    assert committed == make_start_state(), "run `python -m envs.backends.start_state`"


def test_own_env_begins_with_a_round_and_reads_counters(stock: Any) -> None:
    ram, _ = stock.reset()
    assert GameState.from_ram(ram[:2048]).both_can_act()
    _, reward, done, _, info = stock.step(press(0, 0))
    assert (info["p1_viruses"], info["p2_viruses"], info["p1_capsules"]) == (4, 4, 2)
    assert not done
    assert reward == 0


def test_bcd_counters_read_right(stock: Any) -> None:
    stock.reset()
    for value, shown in ((0x84, 84), (0x09, 9), (0x10, 10)):
        stock.data.memory.assign(player_address(0, PlayerOffset.VIRUSES), "|u1", value)
        assert stock.data.lookup_value("p1_viruses") == shown


def test_done_when_a_bottle_is_clear_and_rewarded_per_virus(stock: Any) -> None:
    stock.reset()
    stock.step(press(0, 0))
    stock.data.memory.assign(player_address(1, PlayerOffset.VIRUSES), "|u1", 0)
    _, _, done, _, info = stock.step(press(0, 0))
    assert info["p2_viruses"] == 0
    assert done


def test_both_routes_play_the_same_game(stock: Any, user_data: Path) -> None:
    """Our backend and `RetroEnv.step` give the same RAM for the same pads."""
    pads = np.random.default_rng(0).integers(16, size=(300, 2)) & ~(Button.START | Button.SELECT)
    ram, _ = stock.reset()
    images = [ram[:2048].copy()]
    for first, second in pads:
        images.append(stock.step(press(int(first), int(second)))[0][:2048].copy())
    stock.close()
    with RetroBackend() as backend:
        backend.start_round(RoundSetup())
        # RetroEnv.reset runs one frame with no buttons after loading the state.
        backend.step((0, 0))
        np.testing.assert_array_equal(images[0], backend.ram())
        for (first, second), image in zip(pads, images[1:], strict=True):
            backend.step((int(first), int(second)))
            np.testing.assert_array_equal(image, backend.ram())
            assert image[Address.PAD1_HELD] == first
