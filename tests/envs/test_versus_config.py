"""The arguments of the versus environment."""

from __future__ import annotations

from typing import Any

import pytest

from envs.game.layout import Speed
from envs.game.setup import RoundSetup
from envs.reward import RewardConfig
from envs.versus_config import VersusConfig


def test_defaults() -> None:
    config = VersusConfig()
    assert config.make_setup() == RoundSetup()
    assert config.max_frames == 36_000
    assert config.reward == RewardConfig()
    assert not config.draws


@pytest.mark.parametrize(
    ("arguments", "draws"),
    [
        ({"render_mode": "rgb_array"}, True),
        ({"observation": "pixels"}, True),
        ({"rendering": True}, True),
        ({"rendering": False}, False),
    ],
)
def test_machine_draws_only_where_a_picture_is_asked_for(
    arguments: dict[str, Any], draws: bool
) -> None:
    assert VersusConfig(**arguments).draws is draws


def test_levels_and_speeds_for_each_seat() -> None:
    setup = VersusConfig(level=(1, 20), speed=("low", 2), solo=True).make_setup()
    assert setup == RoundSetup((1, 20), (Speed.LOW, Speed.HI), solo=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"backend": "rtero"}, "did you mean 'retro'"),
        ({"observation": "pixel"}, "did you mean 'pixels'"),
        ({"observation": "planes", "planes": "bitplanes"}, "did you mean 'bitplane'"),
        ({"actions": "button"}, "did you mean 'buttons'"),
        ({"episode": "sets"}, "did you mean 'set'"),
        ({"render_mode": "rgb"}, "expected render_mode out of None, human, rgb_array"),
        ({"action_repeat": 0}, "expected action_repeat to be an integer 1..255"),
        ({"action_repeat": 256}, "expected action_repeat"),
        ({"action_repeat": 1.0}, "expected action_repeat"),
        ({"max_frames": 0}, "expected max_frames to be an integer 1 or more"),
        ({"level": 21}, r"expected levels\[0\]"),
        ({"speed": "FAST"}, "expected a speed out of LOW, MED, HI"),
        ({"reward": {"win": 1}}, "expected reward to be a RewardConfig"),
        ({"observation": "pixels", "rendering": False}, "expected rendering=True"),
        ({"render_mode": "human", "rendering": False}, "expected rendering=True"),
    ],
)
def test_impossible_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VersusConfig.from_arguments(arguments)


def test_unknown_argument_names_the_nearest() -> None:
    with pytest.raises(TypeError, match="did you mean 'level'"):
        VersusConfig.from_arguments({"levle": 3})
