"""Random rounds, each fixed by one number."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from envs.game.layout import Button, Speed
from envs.game.setup import NUM_SEEDS, RoundSetup, seed_to_word

PADS = (
    0,
    Button.LEFT,
    Button.RIGHT,
    Button.DOWN,
    Button.DOWN,
    Button.DOWN,
    Button.A,
    Button.B,
    Button.LEFT | Button.A,
    Button.RIGHT | Button.B,
    Button.DOWN | Button.LEFT,
)
HOLD_FRAMES = 4


def make_setup(seed: int) -> RoundSetup:
    """Levels, speeds, word and offset, all from one number; every other round at equal levels."""
    rng = np.random.default_rng(seed)
    left, right = (int(level) for level in rng.integers(0, 21, 2))
    return RoundSetup(
        levels=(left, left if seed % 2 else right),
        speeds=(Speed(int(rng.integers(3))), Speed(int(rng.integers(3)))),
        rng_word=seed_to_word(int(rng.integers(NUM_SEEDS))),
        frame_offset=int(rng.integers(1000)),
    )


def random_pads(seed: int) -> Iterator[tuple[int, int]]:
    """Pads that change every few frames, endlessly."""
    rng = np.random.default_rng(seed)
    while True:
        pads = (int(rng.choice(PADS)), int(rng.choice(PADS)))
        for _ in range(HOLD_FRAMES):
            yield pads
