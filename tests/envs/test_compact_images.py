"""Images drawn from compact observations: what they show, and what searches read off them."""

from __future__ import annotations

import numpy as np
import pytest

from envs.backends.native_search import pack_images
from envs.compact import encode_compact_ram
from envs.compact_images import draw_images
from envs.game.layout import Speed
from envs.vector import UniformSetups, VectorEnv


@pytest.fixture(scope="module")
def env() -> VectorEnv:
    """Games after some random capsules."""
    setups = UniformSetups(levels=(0, 9, 20), speed=Speed.HI)
    made = VectorEnv(48, draw_setup=setups)
    rng = np.random.default_rng(1)
    made.reset(seed=4)
    for _ in range(40):
        made.step(made.games.draw_actions(rng))
    return made


@pytest.mark.parametrize("seat", [0, 1])
def test_an_image_shows_what_the_observation_showed(env: VectorEnv, seat: int) -> None:
    observations = np.stack([encode_compact_ram(image, seat) for image in env.games.images])
    images = draw_images(observations)
    shown = np.stack([encode_compact_ram(image, 0) for image in images])
    assert np.array_equal(shown, observations)


@pytest.mark.parametrize("seat", [0, 1])
def test_a_search_reads_the_same_off_it(env: VectorEnv, seat: int) -> None:
    due = env.games.due[:, seat]
    assert due.sum() > 10
    expected = pack_images(env.games.images[due], seat)
    drawn = pack_images(draw_images(env.games.observations[due, seat]), 0)
    assert np.array_equal(drawn, expected)


def test_other_arrays_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected observations, uint8 \(n, 314\)"):
        draw_images(np.zeros((2, 10), np.uint8))
