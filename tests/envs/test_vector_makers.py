"""Placements on the simulator through SuperSuit's vector environments and a library on top."""

from __future__ import annotations

import numpy as np
import pytest
import supersuit

from envs.drmario_versus_v0 import parallel_env
from envs.game.placement import NUM_PLACEMENTS

GAMES = 3


def make_vector(base_class: str) -> supersuit.vector.ConcatVecEnv:
    env = parallel_env(backend="simulator", actions="placement", level=3, max_frames=4_000)
    vector = supersuit.pettingzoo_env_to_vec_env_v1(env)
    return supersuit.concat_vec_envs_v1(vector, GAMES, num_cpus=0, base_class=base_class)


def test_supersuit_makes_a_vector_of_seats() -> None:
    vector, rng = make_vector("gymnasium"), np.random.default_rng(0)
    observations, infos = vector.reset(seed=4)
    assert observations.shape == (2 * GAMES, 314)
    ends = 0
    for _ in range(200):
        actions = [rng.choice(np.flatnonzero(info["action_mask"])) for info in infos]
        observations, _, terminations, truncations, infos = vector.step(np.array(actions))
        ends += int(np.sum(terminations | truncations))
    assert ends > 0, "games end and start anew"
    vector.close()


@pytest.mark.filterwarnings("ignore")
def test_stable_baselines_learns_on_it() -> None:
    """Stable-Baselines3 comes with the extra `test`."""
    baselines = pytest.importorskip("stable_baselines3")
    monitor = pytest.importorskip("stable_baselines3.common.vec_env").VecMonitor
    vector = monitor(make_vector("stable_baselines3"))
    assert vector.action_space.n == NUM_PLACEMENTS
    model = baselines.PPO("MlpPolicy", vector, n_steps=64, batch_size=64, n_epochs=1, device="cpu")
    model.learn(512)
    assert model.num_timesteps >= 512
    assert model.ep_info_buffer
