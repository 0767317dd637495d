"""Takes the screenshots of the documentation from the cartridge, on the emulator.

`python docs/screenshots.py` rewrites `docs/images/*.png`; the same games give the same pictures.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from envs.actions import BUTTON_ACTIONS
from envs.backends.boot import run_to_control
from envs.backends.retro import RetroBackend
from envs.game.layout import (
    EMPTY,
    FIELD_BASES,
    Button,
    Mode,
    PlayerOffset,
    Tile,
    player_address,
)
from envs.game.setup import RoundSetup
from envs.game.state import GameState
from policies.greedy import GreedyPolicy

FOLDER = Path(__file__).parent / "images"
SCALE = 2
BOOT_FRAMES = 30
SETUP = RoundSetup(levels=(8, 8), rng_word=0x2ACA)
MID_ROUND_FRAMES = 3000
MIN_CIRCLES = 4
CPU_FRAMES = 2400


def main() -> None:
    """Take all pictures."""
    FOLDER.mkdir(exist_ok=True)
    with RetroBackend() as backend:
        for _ in range(BOOT_FRAMES):
            backend.step((0, 0))
        save_picture(backend, "title")
        backend.step((Button.START, 0))
        for frame in range(BOOT_FRAMES):
            backend.step((Button.RIGHT if frame % 2 else 0, Button.RIGHT if frame % 4 > 1 else 0))
        save_picture(backend, "options")
        backend.start_round(SETUP)
        # Crowns are what earlier rounds of a set leave behind.
        backend.poke(player_address(0, PlayerOffset.CROWNS), 1)
        backend.poke(player_address(1, PlayerOffset.CROWNS), 2)
        play(backend, MID_ROUND_FRAMES)
        save_picture(backend, "round")
        play_until_clear(backend)
        save_picture(backend, "clear")
    with RetroBackend() as backend:
        choose_two_cpus(backend)
        save_picture(backend, "cpu_options")
        tap(backend, Button.START)
        run_to_control(backend, solo=False)
        for _ in range(CPU_FRAMES):
            backend.step((0, 0))
        save_picture(backend, "cpu_round")


def choose_two_cpus(backend: RetroBackend) -> None:
    """Go from power-on to the options, with player 1's pad: level 8, both bottles to the CPU."""
    for _ in range(BOOT_FRAMES):
        backend.step((0, 0))
    tap(backend, Button.START)
    for _ in range(BOOT_FRAMES):
        backend.step((0, 0))
    for _ in range(8):
        tap(backend, Button.RIGHT)
        tap(backend, Button.RIGHT, hold=Button.A)
    for _ in range(3):
        tap(backend, Button.DOWN)
    tap(backend, Button.RIGHT)
    tap(backend, Button.RIGHT, hold=Button.A)


def tap(backend: RetroBackend, button: int, hold: int = 0) -> None:
    """Press a button of player 1 for a frame, with another one held before and during it."""
    for pad in (hold, hold | button, 0, 0):
        backend.step((pad, 0))


def play(backend: RetroBackend, frames: int) -> None:
    """Let greedy play both seats."""
    policy = GreedyPolicy()
    rng = np.random.default_rng(0)
    states = [policy.initial_state(1), policy.initial_state(1)]
    for _ in range(frames):
        pads = []
        position = GameState.from_ram(backend.ram())
        if position.mode != Mode.PLAY:
            return
        for seat, view in enumerate((position, position.swapped())):
            action, states[seat] = policy.act([view], None, states[seat], rng)
            pads.append(int(BUTTON_ACTIONS[int(action[0])]))
        backend.step((pads[0], pads[1]))


def play_until_clear(backend: RetroBackend) -> None:
    """Go on until the picture shows a line being cleared."""
    for _ in range(MID_ROUND_FRAMES):
        play(backend, 1)
        ram = backend.ram()
        cells = ram[FIELD_BASES[0] : FIELD_BASES[1] + 0x80]
        circles = (cells & 0xF0 == Tile.CLEARED) & (cells != EMPTY)
        if circles.sum() >= MIN_CIRCLES and ram[player_address(0, PlayerOffset.STATUS)] < 2:
            backend.step((0, 0))
            return


def save_picture(backend: RetroBackend, name: str) -> None:
    """Write the picture of the last frame."""
    picture = Image.fromarray(backend.screen())
    size = (picture.width * SCALE, picture.height * SCALE)
    picture.resize(size, Image.Resampling.NEAREST).quantize(16).save(FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
