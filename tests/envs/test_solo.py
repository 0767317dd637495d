"""The Gymnasium environment of one learner."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import envs
from envs.drmario_solo_v0 import SoloEnv
from envs.drmario_versus_v0 import parallel_env
from envs.game.state import GameState
from envs.views import OBSERVATION_KINDS
from policies.base import CandidateBatch, View
from policies.greedy import GreedyPolicy
from policies.scripted import RandomPolicy
from policies.search import SearchPolicy
from tests.native import needs_native

BACKENDS = ("simulator", "reference")

pytestmark = needs_native


class FirstCandidate:
    """Places every capsule on the first candidate, and keeps count."""

    name = "first"
    view = View("candidates", "placement")
    deterministic = True

    def __init__(self) -> None:
        self.decisions = 0

    def initial_state(self, batch: int) -> None:
        """Nothing to remember."""

    def act(
        self, observations: CandidateBatch, masks: Any, state: None, rng: np.random.Generator
    ) -> tuple[np.ndarray, None]:
        self.decisions += len(observations)
        return observations.poses[:, 0].astype(np.int64), None


def play_randomly(env: SoloEnv, seed: int = 1) -> tuple[list[Any], dict[str, Any]]:
    """Play an episode of random legal actions; return all that was seen, and the last info."""
    rng = np.random.default_rng(seed)
    observation, info = env.reset(seed=seed)
    seen: list[Any] = [observation.tobytes()]
    done = False
    while not done:
        legal = np.flatnonzero(info["action_mask"])
        observation, reward, terminated, truncated, info = env.step(int(rng.choice(legal)))
        seen += [observation.tobytes(), reward]
        done = terminated or truncated
    env.close()
    return seen, info


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("actions", ["buttons", "placement"])
def test_gymnasium_finds_nothing_to_complain_of(backend: str, actions: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gymnasium.make(envs.SOLO_ID, backend=backend, actions=actions)
        check_env(env.unwrapped)
        env.close()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("observation", OBSERVATION_KINDS)
@pytest.mark.parametrize("opponent", [None, RandomPolicy()])
def test_every_observation_passes_the_check(observation: str, opponent: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = SoloEnv(backend="simulator", observation=observation, opponent=opponent)
        check_env(env, skip_render_check=True)
        env.close()


@pytest.mark.emulator
def test_the_emulator_passes_the_check(user_data: object) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = SoloEnv(backend="retro", max_frames=2_000)
        check_env(env, skip_render_check=True)
        env.close()


@pytest.mark.parametrize("actions", ["buttons", "placement"])
def test_alone_it_is_the_versus_env_with_an_inert_bottle(actions: str) -> None:
    versus = parallel_env(backend="simulator", actions=actions, level=3, solo=True)
    alone = SoloEnv(backend="simulator", actions=actions, level=3)
    rng = np.random.default_rng(2)
    theirs, their_infos = versus.reset(seed=40_000)
    ours, info = alone.reset(seed=40_000)
    for _ in range(60):
        assert np.array_equal(ours, theirs["player_0"])
        assert str(info) == str(their_infos["player_0"])
        action = int(rng.choice(np.flatnonzero(info["action_mask"])))
        theirs, rewards, ends, _, their_infos = versus.step({"player_0": action, "player_1": 0})
        ours, reward, ended, _, info = alone.step(action)
        assert reward == rewards["player_0"]
        assert ended == ends["player_0"]
        if ended:
            break
    versus.close()
    alone.close()


@pytest.mark.parametrize("seat", [0, 1])
def test_opponents_of_any_view_play_the_other_seat(seat: int) -> None:
    for opponent in (GreedyPolicy(), SearchPolicy(depth=1), RandomPolicy(), FirstCandidate()):
        for actions in ("buttons", "placement"):
            env = SoloEnv(
                backend="simulator", opponent=opponent, seat=seat, actions=actions, max_frames=9_000
            )
            _, info = play_randomly(env)
            if isinstance(opponent, (GreedyPolicy, SearchPolicy)):
                assert info["winner"] == f"player_{1 - seat}"


def test_an_opponent_plays_as_in_a_match() -> None:
    """Two seats of one button policy are the same game, whoever of them is the learner."""
    policy = GreedyPolicy()
    versus = parallel_env(backend="simulator", level=2)
    alone = SoloEnv(backend="simulator", level=2, opponent=policy, seat=1)
    versus.reset(seed=3)
    alone.reset(seed=3)
    rng = np.random.default_rng(0)
    while versus.agents:
        assert versus.backend is not None
        assert alone.backend is not None
        assert np.array_equal(versus.backend.ram(), alone.backend.ram())
        own = int(rng.integers(12))
        first, _ = policy.act([read_position(versus)], None, None, rng)
        *_, infos = versus.step({"player_0": int(first[0]), "player_1": own})
        *_, info = alone.step(own)
        assert info["reward_terms"] == infos["player_1"]["reward_terms"]
    assert info["end_reason"] == infos["player_1"]["end_reason"]
    assert info["winner"] == infos["player_1"]["winner"] == "player_0"
    alone.close()
    versus.close()


def read_position(versus: parallel_env) -> Any:
    assert versus.backend is not None
    return GameState.from_ram(versus.backend.ram()).public()


def test_the_same_seed_is_the_same_episode() -> None:
    episodes = [
        play_randomly(SoloEnv(backend="simulator", opponent=RandomPolicy(), actions="placement"))
        for _ in range(2)
    ]
    assert str(episodes[0]) == str(episodes[1])


def test_an_opponent_draws_anew_in_every_episode() -> None:
    env = SoloEnv(backend="simulator", opponent=RandomPolicy(), action_repeat=8)
    env.reset(seed=50_000)
    fields = []
    for _ in range(2):
        env.reset(options={"rng_word": 0x1234})
        for _ in range(80):
            env.step(0)
        assert env.backend is not None
        fields.append(env.backend.ram()[0x500:0x580].tobytes())
    assert fields[0] != fields[1]
    env.close()


def test_sets_go_on_to_the_next_round() -> None:
    env = SoloEnv(
        backend="simulator",
        opponent=SearchPolicy(depth=1),
        episode="set",
        action_repeat=8,
        level=(20, 0),
        speed=("HI", "MED"),
    )
    env.reset(seed=0)
    ended, rewards = False, 0.0
    while not ended:
        _, reward, ended, _, info = env.step(3)
        rewards += reward
    assert "crowns=3" in info["position"]
    assert rewards < -2.5
    env.close()


def test_pictures_and_pickles() -> None:
    env = SoloEnv(backend="simulator", render_mode="rgb_array")
    with pytest.raises(RuntimeError, match="reset"):
        env.render()
    env.reset(seed=0)
    picture = env.render()
    assert picture is not None
    assert picture.shape == (224, 240, 3)
    copy = pickle.loads(pickle.dumps(env))
    observation, _ = copy.reset(seed=0)
    assert np.array_equal(observation, env.reset(seed=0)[0])
    env.close()
    copy.close()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"seat": 2}, ValueError, "expected seat 0 or 1, got 2"),
        ({"seat": 1}, ValueError, "the inert bottle is seat 1's"),
        ({"solo": True}, TypeError, "opponent=None makes the other bottle inert"),
        ({"backnd": "simulator"}, TypeError, "did you mean 'backend'"),
    ],
)
def test_bad_arguments_are_refused(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        SoloEnv(**arguments)


def test_bad_use_is_refused() -> None:
    env = SoloEnv(backend="simulator")
    with pytest.raises(RuntimeError, match="call reset first"):
        env.step(0)
    with pytest.raises(ValueError, match="no reset option solo"):
        env.reset(options={"solo": True})
    with pytest.raises(ValueError, match="did you mean 'levels'"):
        env.reset(options={"level": 3})
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"expected an action 0\.\.11, got 12"):
        env.step(12)
    env.close()


def test_views_that_cannot_be_served_are_refused() -> None:
    class Strange(FirstCandidate):
        view: Any = type("V", (), {"observation": "sound", "actions": "buttons", "stack": 1})

    env = SoloEnv(backend="simulator", opponent=Strange())
    with pytest.raises(ValueError, match="expected observation of 'first' out of compact"):
        env.reset(seed=0)
    env.close()
