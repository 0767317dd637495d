"""The walk to set-up on builds of Pill Duel whose menus react late."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from envs.backends.retro import RetroBackend
from envs.game.layout import Speed
from envs.game.setup import RoundSetup
from tests.integrations.test_pill_duel_build import assembler, load_build_script

pytestmark = pytest.mark.emulator

__all__ = ["assembler"]

SETUP = RoundSetup(levels=(5, 10), speeds=(Speed.HI, Speed.LOW), rng_word=0x2ACA)


@pytest.mark.usefixtures("assembler")
@pytest.mark.parametrize("latency", range(1, 31))
def test_walk_reaches_the_same_round_however_late_the_menus(tmp_path: Path, latency: int) -> None:
    rom = load_build_script().build(tmp_path, [f"MENU_LATENCY={latency}"])
    with RetroBackend(rom, cache_folder=tmp_path) as late:
        late.start_round(SETUP)
        reached = late.ram()
    with RetroBackend(cache_folder=tmp_path) as shipped:
        shipped.start_round(SETUP)
        expected = shipped.ram()
    np.testing.assert_array_equal(reached[0x300:0x600], expected[0x300:0x600])
