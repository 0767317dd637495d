"""What a run goes by at each point of its course."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envs.reward import RewardConfig
from league.learning_settings import PhaseSettings, TrainingSettings
from league.schedule import Schedule
from league.settings import EnvSettings, RunConfig

CONFIG = RunConfig(
    env=EnvSettings(reward=RewardConfig(virus=0.05, garbage_sent=0.04)),
    solo=PhaseSettings(learning_rate=1e-3, final_learning_rate=1e-4, gamma=0.9),
    versus=PhaseSettings(
        learning_rate=4e-4,
        final_learning_rate=0.0,
        gamma=0.99,
        ent_coef=0.008,
        final_ent_coef=0.0,
        shaping=0.5,
        final_shaping=0.0,
    ),
    training=TrainingSettings(solo=0.25),
)


def test_each_phase_runs_from_its_start_to_its_end() -> None:
    schedule = Schedule.from_config(CONFIG)
    steps = [schedule.steer(share) for share in (0.0, 0.125, 0.25, 0.625, 1.0)]
    rates = [one.learning_rate for one in steps]
    assert rates == pytest.approx([1e-3, 5.5e-4, 4e-4, 2e-4, 0.0])
    assert [one.gamma for one in steps] == [0.9, 0.9, 0.99, 0.99, 0.99]
    assert [one.solo for one in steps] == [True, True, False, False, False]
    assert [one.entropy for one in steps[2:]] == pytest.approx([0.008, 0.004, 0.0])


def test_shaping_fades_and_results_stay() -> None:
    schedule = Schedule.from_config(CONFIG)
    first, middle, last = (schedule.steer(share).reward for share in (0.25, 0.625, 1.0))
    assert (first.virus, first.garbage_sent) == pytest.approx((0.025, 0.02))
    assert (middle.virus, middle.garbage_sent) == pytest.approx((0.0125, 0.01))
    assert (last.virus, last.garbage_sent) == (0.0, 0.0)
    assert {(one.win, one.loss) for one in (first, middle, last)} == {(1.0, -1.0)}


def test_garbage_pays_nothing_where_nobody_takes_it() -> None:
    reward = Schedule.from_config(CONFIG).steer(0.1).reward
    assert (reward.virus, reward.garbage_sent) == (0.05, 0.0)


@pytest.mark.parametrize("solo", [0.0, 1.0])
def test_a_run_may_have_one_phase(solo: float) -> None:
    schedule = Schedule.from_config(replace(CONFIG, training=TrainingSettings(solo=solo)))
    expected = CONFIG.solo if solo else CONFIG.versus
    assert schedule.steer(0.0).learning_rate == expected.learning_rate
    assert schedule.steer(0.0).solo == bool(solo)
