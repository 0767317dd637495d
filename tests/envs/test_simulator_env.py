"""The versus environment without an emulator: what needs several games in one process."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import supersuit
from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test, seed_test

from envs import drmario_versus_v0
from envs.drmario_versus_v0 import AGENTS, env, parallel_env, raw_env
from envs.views import OBSERVATION_KINDS
from tests.native import needs_native

BACKENDS = ("simulator", "reference")
CYCLES = 60

pytestmark = [
    needs_native,
    # PettingZoo's own tests warn about its recommendations; each is decided in the env's page.
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("observation", OBSERVATION_KINDS)
def test_parallel_api(backend: str, observation: str) -> None:
    made = parallel_env(backend=backend, observation=observation)
    parallel_api_test(made, num_cycles=CYCLES)
    made.close()


def test_turn_based_api() -> None:
    made = env(backend="simulator")
    api_test(made, num_cycles=CYCLES)
    made.close()


@pytest.mark.parametrize("backend", BACKENDS)
def test_equal_seeds_give_equal_episodes(backend: str) -> None:
    parallel_seed_test(lambda: parallel_env(backend=backend), num_cycles=CYCLES)


def test_equal_seeds_give_equal_turn_based_episodes() -> None:
    seed_test(lambda: raw_env(backend="simulator"), num_cycles=CYCLES)


def test_all_backends_give_the_same_episode() -> None:
    episodes = [play_episode(parallel_env(backend=backend, level=2)) for backend in BACKENDS]
    assert episodes[0] == episodes[1]


@pytest.mark.emulator
def test_the_emulator_gives_the_same_episode(user_data: object) -> None:
    episodes = [
        play_episode(parallel_env(backend=backend, level=2)) for backend in ("simulator", "retro")
    ]
    assert episodes[0] == episodes[1]


def play_episode(made: parallel_env, steps: int = 150) -> list[Any]:
    """Return all that an agent sees in some steps of one seed."""
    rng = np.random.default_rng(0)
    observations, infos = made.reset(seed=5)
    seen: list[Any] = [describe(observations), str(infos)]
    for actions in rng.integers(12, size=(steps, 2)).tolist():
        observations, *rest = made.step(dict(zip(AGENTS, actions, strict=True)))
        seen += [describe(observations), str(rest)]
        if not made.agents:
            break
    made.close()
    return seen


def describe(observations: dict[str, np.ndarray]) -> dict[str, bytes]:
    return {agent: observation.tobytes() for agent, observation in observations.items()}


def test_games_in_one_process_do_not_touch() -> None:
    alone = play_episode(parallel_env(backend="simulator"))
    neighbour = parallel_env(backend="simulator")
    neighbour.reset(seed=9)
    assert play_episode(parallel_env(backend="simulator")) == alone
    neighbour.step(dict.fromkeys(AGENTS, 3))
    neighbour.close()


def make_vector(base_class: str, processes: int = 0, **arguments: Any) -> Any:
    """Return two games, four seats, as one vector environment of SuperSuit."""
    single = supersuit.pettingzoo_env_to_vec_env_v1(
        parallel_env(backend="simulator", action_repeat=4, **arguments)
    )
    return supersuit.concat_vec_envs_v1(single, 2, num_cpus=processes, base_class=base_class)


@pytest.mark.parametrize("processes", [0, 2])
def test_supersuit_puts_games_side_by_side(processes: int) -> None:
    vector = make_vector("gymnasium", processes, max_frames=400)
    lanes = 2 * len(AGENTS)
    assert vector.num_envs == lanes
    vector.reset(seed=3)
    rng = np.random.default_rng(0)
    finished = 0
    for _ in range(220):
        observations, rewards, terminated, truncated, _ = vector.step(rng.integers(12, size=lanes))
        assert observations.shape == (lanes, *vector.observation_space.shape)
        assert observations.dtype == np.uint8
        assert rewards.shape == (lanes,)
        finished += int(np.logical_or(terminated, truncated).sum())
    assert finished >= lanes
    vector.close()


def test_stable_baselines_learns_on_the_vector() -> None:
    library = pytest.importorskip("stable_baselines3")
    vector = make_vector("stable_baselines3", max_frames=2000)
    model = library.PPO("MlpPolicy", vector, n_steps=32, batch_size=64, n_epochs=1, device="cpu")
    before = [parameter.clone() for parameter in model.policy.parameters()]
    model.learn(256)
    assert model.num_timesteps == 256
    assert any(
        not old.equal(new) for old, new in zip(before, model.policy.parameters(), strict=True)
    )
    vector.close()


def test_pixels_need_no_emulator() -> None:
    made = parallel_env(backend="simulator", render_mode="rgb_array", observation="pixels")
    observations, _ = made.reset(seed=0)
    picture = made.render()
    assert picture is not None
    assert np.array_equal(picture, observations["player_0"])
    assert len(np.unique(picture)) > 3
    made.close()


def test_set_goes_on_to_the_next_round() -> None:
    made = parallel_env(
        backend="simulator", episode="set", level=(20, 5), speed=("HI", "LOW"), action_repeat=8
    )
    made.reset(seed=0)
    info: dict[str, Any] = {}
    while made.agents:
        _, _, _, _, infos = made.step({"player_0": 3, "player_1": 0})
        info = infos["player_0"]
    assert info["winner"] == "player_1"
    assert info["end_reason"] == "top_out"
    assert "crowns=3" in info["position"]
    made.close()


def test_savestates_move_between_games() -> None:
    first = parallel_env(backend="simulator")
    first.reset(seed=4)
    first.step(dict.fromkeys(AGENTS, 3))
    assert first.backend is not None
    saved = first.backend.save()
    second = parallel_env(backend="reference")
    observations, _ = second.reset(options={"savestate": saved})
    assert np.array_equal(observations["player_0"], first.state())
    first.close()
    second.close()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"backend": "simulatr"}, "did you mean 'simulator'"),
        ({"backend": "simulator", "game": "DrMario-Nes-v0"}, "rules built in"),
    ],
)
def test_bad_backends_are_refused(arguments: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        drmario_versus_v0.parallel_env(**arguments)
