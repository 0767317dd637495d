"""The versus environment keeps PettingZoo's contracts."""

from __future__ import annotations

import inspect
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pettingzoo
import pytest
from pettingzoo.test import api_test, parallel_api_test, render_test

import envs
from envs import drmario_versus_v0
from envs.drmario_versus_v0 import env, parallel_env, raw_env
from envs.game.layout import FRAME_RATE
from envs.versus_config import VersusConfig
from envs.views import OBSERVATION_KINDS
from tests.envs.conftest import MakeEnv

pytestmark = pytest.mark.emulator

ROOT = Path(__file__).resolve().parents[2]
CYCLES = 60
"""Enough for the contract; what play leads to is tested elsewhere."""


@pytest.fixture
def open_env(user_data: Path) -> Iterator[list[Any]]:
    """A list of environments to close."""
    opened: list[Any] = []
    yield opened
    for each in opened:
        each.close()


@pytest.mark.parametrize("observation", OBSERVATION_KINDS)
def test_parallel_api(make_env: MakeEnv, observation: str) -> None:
    parallel_api_test(make_env(observation=observation), num_cycles=CYCLES)


@pytest.mark.parametrize(
    "arguments",
    [
        {"observation": "planes", "planes": "extended"},
        {"action_repeat": 4},
        {"episode": "set"},
        {"level": (3, 12), "speed": ("LOW", "HI")},
        {"solo": True},
        {"rendering": True},
        {"max_frames": 20},
    ],
)
def test_parallel_api_with_other_arguments(make_env: MakeEnv, arguments: dict[str, Any]) -> None:
    parallel_api_test(make_env(**arguments), num_cycles=CYCLES)


@pytest.mark.parametrize("observation", OBSERVATION_KINDS)
@pytest.mark.parametrize("make", [raw_env, env])
def test_api_of_the_turn_based_forms(open_env: list[Any], make: Any, observation: str) -> None:
    open_env.append(make(observation=observation))
    api_test(open_env[0], num_cycles=CYCLES)


def test_api_over_the_end_of_an_episode(open_env: list[Any]) -> None:
    open_env.append(env(max_frames=15))
    api_test(open_env[0], num_cycles=CYCLES)


def test_render(user_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    render_test(raw_env)
    assert "▀" in capsys.readouterr().out


@pytest.mark.parametrize("api", ["parallel", "aec"])
def test_registered_by_name(open_env: list[Any], api: Any) -> None:
    made = pettingzoo.make(api, envs.VERSUS_ID, level=2)
    open_env.append(made)
    made.reset(seed=0)
    assert made.unwrapped.metadata["name"] == "drmario_versus_v0"


def test_spaces_are_the_same_objects_every_time(make_env: MakeEnv) -> None:
    made = make_env()
    for agent in made.possible_agents:
        assert made.observation_space(agent) is made.observation_space(agent)
        assert made.action_space(agent) is made.action_space(agent)
    first, second = made.possible_agents
    assert made.action_space(first) is not made.action_space(second), "each has its own sampler"


def test_results_have_the_promised_types(make_env: MakeEnv) -> None:
    made = make_env()
    observations, infos = made.reset(seed=0)
    for agent in made.agents:
        assert made.observation_space(agent).contains(observations[agent])
        assert infos[agent]["action_mask"].dtype == np.int8
    observations, rewards, terminations, truncations, infos = made.step(
        {"player_0": np.int64(1), "player_1": 2}
    )
    for agent in made.agents:
        assert made.observation_space(agent).contains(observations[agent])
        assert type(rewards[agent]) is float
        assert type(terminations[agent]) is bool
        assert type(truncations[agent]) is bool
    assert made.state_space.contains(made.state())


def test_metadata(make_env: MakeEnv) -> None:
    made = make_env(action_repeat=4)
    assert str(made) == "drmario_versus_v0"
    assert made.metadata["render_fps"] == pytest.approx(FRAME_RATE / 4)
    assert made.metadata["is_parallelizable"] is True
    assert parallel_env.metadata["render_fps"] == pytest.approx(FRAME_RATE)


def test_nothing_is_opened_before_the_first_reset(make_env: MakeEnv) -> None:
    first, second = make_env(), make_env()
    assert first.backend is None
    assert second.backend is None
    first.reset(seed=0)
    first.close()
    second.reset(seed=0)


def test_pickles_before_and_after_reset(make_env: MakeEnv) -> None:
    made = make_env(level=(1, 2), action_repeat=3)
    fresh = pickle.loads(pickle.dumps(made))
    made.reset(seed=5)
    expected = made.step({"player_0": 1, "player_1": 2})[0]
    used = pickle.loads(pickle.dumps(made))
    made.close()
    for copy in (fresh, used):
        assert copy.backend is None
        copy.reset(seed=5)
        observations = copy.step({"player_0": 1, "player_1": 2})[0]
        np.testing.assert_array_equal(observations["player_1"], expected["player_1"])
        copy.close()


def test_close_twice_and_reopen(make_env: MakeEnv) -> None:
    made = make_env()
    made.reset(seed=0)
    made.close()
    made.close()
    observations, _ = made.reset(seed=0)
    assert set(observations) == set(made.agents)


def test_forgotten_environment_releases_its_emulator(make_env: MakeEnv) -> None:
    forgotten = parallel_env()
    forgotten.reset(seed=0)
    del forgotten
    make_env().reset(seed=0)


def test_render_without_a_mode_warns(make_env: MakeEnv) -> None:
    made = make_env()
    made.reset(seed=0)
    with pytest.warns(UserWarning, match="render_mode"):
        assert made.render() is None


def test_page_names_every_argument_option_and_observation() -> None:
    page = inspect.getdoc(drmario_versus_v0) or ""
    from envs.reset_options import RESET_KEYS
    from envs.reward import TERM_NAMES

    names = (*VersusConfig.__dataclass_fields__, *RESET_KEYS, *TERM_NAMES, *OBSERVATION_KINDS)
    assert not [name for name in names if f"`{name}`" not in page]


def test_page_names_the_right_shapes() -> None:
    page = inspect.getdoc(drmario_versus_v0) or ""
    size = parallel_env().observation_space("player_0").shape[0]
    assert re.search(rf"`compact` \| \({size},\)", page)


def test_examples_of_the_guide_run(user_data: Path) -> None:
    guide = (ROOT / "docs" / "environment.md").read_text(encoding="utf-8")
    examples = re.findall(r"^```python\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)
    assert len(examples) == 3
    for example in examples:
        command = [sys.executable, "-W", "error", "-c", example]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
