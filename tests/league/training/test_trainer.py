"""The trainer on a toy game: it learns, repeats itself, resumes, swaps opponents and reports."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from league.players import load_policy
from league.settings import TrainingSettings
from league.training.algorithm import TrainerSetup
from league.training.environment import ParallelEnvMaker
from league.training.roster import MAIN, Opponent, Weights
from league.training.state import TrainerState, TrainerStateError
from league.training.trainer import Trainer
from policies.network import NetworkConfig, build_network
from tests.league.training.toy_env import STEPS, ToyEnv

pytestmark = [
    pytest.mark.usefixtures("ray"),
    # A second trainer in one process registers RLlib's internal environment id again.
    pytest.mark.filterwarnings("ignore:.*Overriding environment"),
]

SIZES = NetworkConfig(column_features=8, hidden=32)


def make_setup(
    runners: int = 0, make_env: ParallelEnvMaker = ToyEnv, **changes: Any
) -> TrainerSetup:
    training = TrainingSettings(
        train_batch_size=400, minibatch_size=100, num_epochs=4, gamma=0.5, ent_coef=0.0
    )
    object.__setattr__(training, "num_env_runners", runners)
    setup = TrainerSetup(
        training=training,
        network=SIZES,
        seed=1,
        slots=2,
        scripted={"random": load_policy("random"), "greedy": load_policy("greedy")},
        make_env=make_env,
    )
    return replace(setup, **changes)


@pytest.fixture(scope="module")
def trainer(ray: None) -> Iterator[Trainer]:
    with Trainer(make_setup()) as opened:
        yield opened


def make_weights(seed: int) -> Weights:
    torch.manual_seed(seed)
    state = build_network(SIZES).state_dict()
    return {name: value.numpy().copy() for name, value in state.items()}


def equal(one: Weights, other: Weights) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[key], other[key]) for key in one)


def module_weights(trainer: Trainer, module: str) -> Weights:
    """What a runner's module holds."""
    runner = trainer._algorithm.env_runner_group.local_env_runner
    state = runner.module[module].network.state_dict()
    return {name: value.numpy().copy() for name, value in state.items()}


def test_it_learns() -> None:
    with Trainer(make_setup()) as trainer:
        returns = []
        for iteration in range(15):
            report = trainer.train(
                iteration, [Opponent("random")], learning_rate=3e-3, self_play=0.5
            )
            returns.append(np.mean([game.main_return for game in report.games]))
    chance, best = STEPS / 10 / 12, STEPS / 10
    assert returns[0] < 2 * chance
    assert np.mean(returns[-3:]) > 0.6 * best


def test_one_seed_gives_one_result() -> None:
    results = []
    for _ in range(2):
        with Trainer(make_setup()) as trainer:
            opponents = [Opponent("main-0000", make_weights(0)), Opponent("random")]
            reports = [
                trainer.train(iteration, opponents, learning_rate=1e-3, self_play=0.2)
                for iteration in range(2)
            ]
            results.append(([report.games for report in reports], trainer.weights()))
    assert results[0][0] == results[1][0]
    assert equal(results[0][1], results[1][1])


def test_a_loaded_state_goes_on_where_it_was_saved(tmp_path: Path) -> None:
    opponents = [Opponent("main-0000", make_weights(0))]
    with Trainer(make_setup()) as first:
        for iteration in range(2):
            first.train(iteration, opponents, learning_rate=1e-3)
        first.state().save(tmp_path)
        saved, memory = first.weights(), first.state().optimizer
    continued = []
    for _ in range(2):
        with Trainer(make_setup()) as second:
            second.load_state(TrainerState.load(tmp_path))
            assert equal(second.weights(), saved)
            assert equal(second.state().optimizer, memory)
            assert equal(module_weights(second, MAIN), saved)
            report = second.train(2, opponents, learning_rate=1e-3)
            continued.append((report.games, second.weights()))
    assert continued[0][0] == continued[1][0]
    assert equal(continued[0][1], continued[1][1])
    assert not equal(continued[0][1], saved)


def test_the_optimizer_goes_on_too(tmp_path: Path) -> None:
    """A fresh Adam would make another step from the same weights."""
    opponents = [Opponent("random")]
    with Trainer(make_setup()) as first:
        first.train(0, opponents, learning_rate=1e-3)
        state = first.state()
    results = []
    for optimizer in (state.optimizer, {}):
        with Trainer(make_setup()) as second:
            second.load_state(TrainerState(state.weights, optimizer))
            second.train(1, opponents, learning_rate=1e-3)
            results.append(second.weights())
    assert not equal(results[0], results[1])


def test_a_state_of_another_network_is_refused(trainer: Trainer) -> None:
    state = trainer.state()
    torch.manual_seed(0)
    other = build_network(NetworkConfig(column_features=8, hidden=16)).state_dict()
    weights = {name: value.numpy() for name, value in other.items()}
    with pytest.raises(TrainerStateError, match=r"expected weight 'merge\.0\.bias' of shape"):
        trainer.load_state(replace(state, weights=weights))


def test_slots_hold_the_snapshots_and_training_leaves_them_alone(trainer: Trainer) -> None:
    frozen = [make_weights(1), make_weights(2)]
    opponents = [Opponent(f"main-000{index}", weights) for index, weights in enumerate(frozen)]
    before = trainer.weights()
    trainer.train(100, opponents, learning_rate=1e-3)
    assert not equal(trainer.weights(), before)
    for slot, weights in enumerate(frozen):
        assert equal(module_weights(trainer, f"opp_{slot}"), weights)
        assert equal(weights, make_weights(slot + 1)), "the snapshot itself was changed"
    assert equal(module_weights(trainer, MAIN), trainer.weights())


def test_a_new_roster_takes_over_between_games(trainer: Trainer) -> None:
    first = [Opponent("main-0001", make_weights(1))]
    second = [Opponent("main-0002", make_weights(2))]
    trainer.train(110, first, learning_rate=1e-3)
    games = trainer.train(111, second, learning_rate=1e-3).games
    met = [game.opponent for game in games]
    # At most the game that was running, and the one seated behind it, are of the old roster.
    assert set(met[2:]) == {"main-0002"}
    assert set(met[:2]) <= {"main-0001", "main-0002"}


def test_opponents_and_seats_are_as_drawn(trainer: Trainer) -> None:
    opponents = [Opponent("random"), Opponent("greedy")]
    games = [
        game
        for iteration in range(120, 126)
        for game in trainer.train(iteration, opponents, learning_rate=0.0, self_play=0.5).games
    ]
    shares = Counter(game.opponent for game in games)
    assert 0.35 < shares[MAIN] / len(games) < 0.65
    assert 0.1 < shares["random"] / len(games) < 0.4
    assert 0.3 < np.mean([game.main_seat for game in games]) < 0.7
    assert len({game.round_seed for game in games}) == len(games)


def test_the_report_tells_what_happened(trainer: Trainer) -> None:
    report = trainer.train(140, [Opponent("random")], learning_rate=1e-3)
    assert report.env_steps == 400
    assert len(report.games) == pytest.approx(400 / STEPS, abs=1)
    assert {"policy_loss", "vf_loss", "entropy", "vf_explained_var"} <= set(report.losses)
    assert report.losses["entropy"] > 0
    assert report.sampling_seconds > 0
    assert report.learning_seconds > 0
    for game in report.games:
        assert game.frames == STEPS
        assert game.viruses == round(10 * game.main_return)
        assert game.score in (0.0, 0.5, 1.0)


def test_the_learning_rate_is_the_one_asked_for(trainer: Trainer) -> None:
    before = trainer.weights()
    trainer.train(150, [Opponent("random")], learning_rate=0.0)
    assert equal(trainer.weights(), before)


def test_more_opponents_than_slots_are_refused(trainer: Trainer) -> None:
    with pytest.raises(ValueError, match="expected at most 2 opponents, got 3"):
        trainer.train(160, [Opponent("random")] * 3, learning_rate=1e-3)


def test_remote_runners_play_and_follow_the_learner() -> None:
    with Trainer(make_setup(runners=2)) as trainer:
        opponents = [Opponent("main-0000", make_weights(0)), Opponent("random")]
        report = trainer.train(0, opponents, learning_rate=1e-3)
        assert report.env_steps == 400
        assert {game.opponent for game in report.games} == {"main-0000", "random"}

        def read(runner: Any) -> tuple[int, Any, Any]:
            modules = runner.module
            return (
                os.getpid(),
                modules[MAIN].network.policy.weight.detach().numpy(),
                modules["opp_0"].network.policy.weight.detach().numpy(),
            )

        found = trainer._algorithm.env_runner_group.foreach_env_runner(read, local_env_runner=False)
        assert len({pid for pid, _, _ in found} - {os.getpid()}) == 2
        for _, main, opponent in found:
            assert np.array_equal(main, trainer.weights()["policy.weight"])
            assert np.array_equal(opponent, make_weights(0)["policy.weight"])


def test_an_error_in_a_remote_runner_arrives_with_its_traceback() -> None:
    broken = partial(ToyEnv, fail_after=30)
    with (
        Trainer(make_setup(runners=1, make_env=broken)) as trainer,
        pytest.raises(Exception, match=r"(?s)toy_env\.py.*the toy broke on purpose"),
    ):
        trainer.train(0, [Opponent("random")], learning_rate=1e-3)
