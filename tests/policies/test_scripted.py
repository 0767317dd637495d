"""`noop` and `random`."""

from __future__ import annotations

import numpy as np
import pytest

from envs.actions import BUTTON_ACTIONS
from policies.scripted import NoopPolicy, RandomPolicy


def test_noop_presses_nothing() -> None:
    actions, state = NoopPolicy().act([None] * 3, None, None, np.random.default_rng(0))
    assert actions.tolist() == [0, 0, 0]
    assert actions.dtype == np.int64
    assert state is None
    assert BUTTON_ACTIONS[0] == 0


def test_random_draws_every_action_about_equally_often() -> None:
    actions, _ = RandomPolicy().act([None] * 12_000, None, None, np.random.default_rng(1))
    counts = np.bincount(actions, minlength=len(BUTTON_ACTIONS))
    assert len(counts) == len(BUTTON_ACTIONS)
    assert 850 < counts.min() <= counts.max() < 1150


def test_random_takes_all_its_randomness_from_the_generator() -> None:
    draws = [RandomPolicy().act([None] * 50, None, None, np.random.default_rng(7)) for _ in "ab"]
    assert draws[0][0].tolist() == draws[1][0].tolist()
    assert not RandomPolicy().deterministic
    assert NoopPolicy().deterministic


@pytest.mark.parametrize(
    ("policy", "name"),
    [
        (NoopPolicy(), "noop"),
        (RandomPolicy(), "random"),
        (RandomPolicy(1), "random:action_repeat=1"),
    ],
)
def test_names(policy: NoopPolicy | RandomPolicy, name: str) -> None:
    assert policy.name == name


def test_random_holds_a_choice_for_a_tap() -> None:
    assert RandomPolicy().view.action_repeat == 4
