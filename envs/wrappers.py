"""Wrappers for learners: stacked frames and small pictures from SuperSuit, and a video recorder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import Space
from pettingzoo import ParallelEnv
from pettingzoo.utils import BaseParallelWrapper

from envs.video import VideoWriter


def stack_frames(
    env: ParallelEnv[str, np.ndarray, int], size: int
) -> ParallelEnv[str, np.ndarray, int]:
    """Show the last `size` observations, stacked on the last axis, the newest last.

    Before the episode has that many, zeros stand for the missing ones.

    Args:
        env: An env with vector or image observations.
        size: Observations in the stack, 1 or more.

    Raises:
        ValueError: `size` is impossible.
    """
    if size < 1:
        raise ValueError(f"expected a stack of 1 or more, got {size!r}")
    import supersuit

    stacked = supersuit.frame_stack_v1(env, stack_size=size)
    # SuperSuit shifts one array in place and hands it out every time; learners keep observations.
    return supersuit.observation_lambda_v0(stacked, _copy, _same_space)


def shrink_pixels(
    env: ParallelEnv[str, np.ndarray, int], width: int = 80, height: int = 72
) -> ParallelEnv[str, np.ndarray, int]:
    """Show `observation="pixels"` in grey and smaller, uint8 (height, width).

    Args:
        env: An env with picture observations, (224, 240, 3).
        width: Columns to shrink to.
        height: Rows to shrink to.
    """
    import supersuit

    grey = supersuit.color_reduction_v0(env, mode="full")
    return supersuit.resize_v1(grey, x_size=width, y_size=height)


def _copy(observation: np.ndarray, _: Space[np.ndarray]) -> np.ndarray:
    return observation.copy()


def _same_space(space: Space[np.ndarray]) -> Space[np.ndarray]:
    return space


class RecordEpisode(BaseParallelWrapper[str, np.ndarray, int]):
    """Writes the picture after every step to a video file; one file per wrapper.

    The env needs `render_mode="rgb_array"`. The file is complete at the end of the first episode
    or on `close`.
    """

    def __init__(self, env: ParallelEnv[str, np.ndarray, int], path: str | Path) -> None:
        """Record `env` to `path`.

        Raises:
            ValueError: The env gives no pictures.
        """
        super().__init__(env)
        mode = env.unwrapped.render_mode
        if mode != "rgb_array":
            raise ValueError(f"expected an env with render_mode='rgb_array', got {mode!r}")
        rate = float(env.unwrapped.metadata["render_fps"])
        self._writer = VideoWriter(Path(path), pictures_per_second=rate)
        self._recording = True

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, dict[str, Any]]]:
        """Reset the env; the first episode is the one that is recorded."""
        observations, infos = self.env.reset(seed=seed, options=options)
        self._record()
        return observations, infos

    def step(
        self, actions: Mapping[str, int]
    ) -> tuple[
        dict[str, np.ndarray],
        dict[str, float],
        dict[str, bool],
        dict[str, bool],
        dict[str, dict[str, Any]],
    ]:
        """Step the env and add its picture."""
        observations, rewards, terminations, truncations, infos = self.env.step(actions)
        self._record()
        if not self.env.agents:
            self._finish()
        return observations, rewards, terminations, truncations, infos

    def close(self) -> None:
        """Finish the file and close the env."""
        self._finish()
        self.env.close()

    def _record(self) -> None:
        if self._recording:
            picture = self.env.render()
            assert isinstance(picture, np.ndarray)
            self._writer.add(picture)

    def _finish(self) -> None:
        self._writer.close()
        self._recording = False
