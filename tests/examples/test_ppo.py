"""The example: its advantages are right, and it learns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from envs.candidates import FEATURE_INDEX
from envs.curriculum import Curriculum
from envs.vector import UniformSetups
from examples.ppo import (
    Collector,
    Learner,
    PpoConfig,
    estimate_advantages,
    evaluate,
    measure_clears,
    show_due,
    train,
)

GAMMA, LAMBDA = 0.9, 0.8


def estimate_plainly(
    due: np.ndarray,
    values: np.ndarray,
    rewards: np.ndarray,
    frames: np.ndarray,
    ended: np.ndarray,
) -> dict[int, float]:
    """Advantages of one stream by step, from the definition: walk from decision to decision."""
    steps = len(due) - 1
    decisions = [t for t in range(steps + 1) if due[t]]
    links: dict[int, tuple[float, float, float, int | None]] = {}
    for t in decisions:
        if t == steps:
            continue
        paid, elapsed, end = 0.0, 0.0, t
        while True:
            paid += rewards[end]
            elapsed += frames[end]
            if ended[end]:
                links[t] = (paid, 0.0, 0.0, None)
                break
            end += 1
            if due[end]:
                discount = GAMMA ** (elapsed / 60)
                links[t] = (paid, discount, values[end], end)
                break
            if end == steps:
                break
    advantages: dict[int, float] = {}
    for t in reversed(decisions):
        if t in links:
            paid, discount, next_value, after = links[t]
            carried = advantages.get(after, 0.0) if after is not None else 0.0
            delta = paid + discount * next_value - values[t]
            advantages[t] = delta + discount * LAMBDA * carried
    return advantages


def test_advantages_follow_each_seat_from_decision_to_decision() -> None:
    rng = np.random.default_rng(0)
    shape = (13, 40, 2)
    due = rng.random(shape) < 0.5
    ended = np.repeat((rng.random(shape[:2]) < 0.15)[..., None], 2, axis=2)
    # A game that ends starts anew with both seats due.
    due[1:][ended[:-1]] = True
    values = np.where(due, rng.normal(size=shape), 0.0).astype(np.float32)
    rewards = rng.normal(size=shape).astype(np.float32)
    frames = np.repeat(rng.integers(1, 90, shape[:2])[..., None], 2, axis=2).astype(np.float32)
    advantages, known = estimate_advantages(due, values, rewards, frames, ended, GAMMA, LAMBDA)
    for game in range(shape[1]):
        for seat in range(2):
            stream = (slice(None), game, seat)
            expected = estimate_plainly(
                due[stream], values[stream], rewards[stream], frames[stream], ended[stream]
            )
            assert sorted(expected) == np.flatnonzero(known[stream]).tolist()
            for t, value in expected.items():
                assert advantages[t, game, seat] == pytest.approx(value, abs=1e-4)


@pytest.mark.parametrize("solo", [True, False])
def test_what_is_kept_is_what_was_decided(solo: bool) -> None:
    config = replace(PpoConfig(), draw_setup=UniformSetups((0, 3), solo=solo), games=16, horizon=12)
    learner, collector = Learner(config, 0), Collector(config, 0)
    decisions, _ = collector.collect(learner.network)
    assert 12 * 16 * 0.9 < len(decisions) <= 12 * 16 * (1 if solo else 2)
    with torch.inference_mode():
        logits, values = learner.network(decisions.inputs)
    chosen = torch.log_softmax(logits, 1).gather(1, decisions.choices[:, None]).squeeze(1)
    assert torch.allclose(chosen, decisions.log_probabilities, atol=1e-4)
    assert torch.allclose(values, decisions.values, atol=1e-4)
    assert (decisions.choices < decisions.inputs["count"]).all()
    collector.env.close()


def test_an_update_makes_good_choices_likelier() -> None:
    config = replace(PpoConfig(), games=32, horizon=8, minibatch=64)
    learner, collector = Learner(config, 0), Collector(config, 0)
    decisions, _ = collector.collect(learner.network)
    upright = decisions.inputs["rows"][..., FEATURE_INDEX["upright"]] == 1
    chose_upright = upright.gather(1, decisions.choices[:, None]).squeeze(1)
    decisions.advantages = torch.where(chose_upright, 1.0, -1.0)

    def measure_upright() -> float:
        with torch.inference_mode():
            odds = torch.softmax(learner.network(decisions.inputs)[0], 1)
        return float((odds * upright).sum(1).mean())

    before = measure_upright()
    numbers = [learner.update(decisions, 0.0) for _ in range(10)][-1]
    assert measure_upright() > before + 0.1
    assert np.isfinite(list(numbers.values())).all()
    collector.env.close()


def test_a_short_training_clears_level_0() -> None:
    setups = Curriculum(tuple(range(6)), solo=1.0, thinned=0.5)
    config = replace(PpoConfig(), draw_setup=setups, horizon=16, minibatch=512)
    network = train(config, seed=0, updates=32)
    assert measure_clears(network, level=0, games=100, seed=1) >= 0.9


@pytest.mark.slow
def test_a_minute_of_training_clears_level_10() -> None:
    clears: list[float] = []
    network = train(PpoConfig(), 0, 50, lambda numbers: clears.append(numbers["clears"]))
    assert measure_clears(network, level=0, games=100, seed=1) >= 0.95
    assert measure_clears(network, level=10, games=100, seed=1) >= 0.9
    assert clears[0] < 0.5 < clears[-1]


def test_only_due_seats_are_shown() -> None:
    config = replace(PpoConfig(), draw_setup=UniformSetups((4,)), games=5)
    collector = Collector(config, 2)
    due = collector.step.due.copy()
    due[1], due[3, 0] = False, False
    batch = show_due(collector.env, due)
    assert len(batch) == due.sum() == 7
    assert np.array_equal(batch.compact, collector.step.observations[due])
    logits, values = evaluate(Learner(config, 0).network, batch)
    assert logits.shape == batch.poses.shape
    assert values.shape == (7,)
    collector.env.close()
