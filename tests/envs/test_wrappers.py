"""Stacked frames, small pictures, and the recorder."""

from __future__ import annotations

from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from envs.game.layout import FRAME_RATE
from envs.wrappers import RecordEpisode, shrink_pixels, stack_frames
from tests.envs.conftest import MakeEnv

pytestmark = pytest.mark.emulator

ACTIONS = {"player_0": 1, "player_1": 2}


def test_stack_puts_the_newest_last(make_env: MakeEnv) -> None:
    env = stack_frames(make_env(), 3)
    first, _ = env.reset(seed=0)
    second = env.step(ACTIONS)[0]
    size = env.unwrapped.observation_space("player_0").shape[0]
    stacked = second["player_1"]
    assert stacked.shape == env.observation_space("player_1").shape == (3 * size,)
    assert not stacked[:size].any(), "zeros before there were three"
    np.testing.assert_array_equal(stacked[size : 2 * size], first["player_1"][-size:])


def test_planes_stack_along_the_channels(make_env: MakeEnv) -> None:
    env = stack_frames(make_env(observation="planes"), 4)
    observations, _ = env.reset(seed=0)
    assert observations["player_0"].shape == (16, 8, 4 * 24)


def test_stack_of_none_is_refused(make_env: MakeEnv) -> None:
    with pytest.raises(ValueError, match="1 or more, got 0"):
        stack_frames(make_env(), 0)


def test_pixels_shrink_to_grey(make_env: MakeEnv) -> None:
    env = shrink_pixels(make_env(observation="pixels"), width=40, height=36)
    observations, _ = env.reset(seed=0)
    assert observations["player_0"].shape == (36, 40)
    assert observations["player_0"].dtype == np.uint8
    assert env.observation_space("player_0").contains(observations["player_0"])


def test_recorder_writes_the_first_episode(make_env: MakeEnv, tmp_path: Path) -> None:
    path = tmp_path / "episode.mp4"
    env = RecordEpisode(make_env(render_mode="rgb_array", action_repeat=2, max_frames=20), path)
    for _ in range(2):
        env.reset(seed=0)
        while env.agents:
            env.step(ACTIONS)
    env.close()
    pictures, seconds = imageio_ffmpeg.count_frames_and_secs(str(path))
    assert pictures == 1 + 10
    assert seconds == pytest.approx(pictures * 2 / FRAME_RATE, abs=0.02)


def test_recorder_needs_pictures(make_env: MakeEnv, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="render_mode='rgb_array', got None"):
        RecordEpisode(make_env(), tmp_path / "never.mp4")
