"""The trainer on a toy game: it learns, repeats itself, resumes, seats opponents and reports."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from envs.game.setup import RoundSetup
from envs.starts import EpisodeStart
from league.learning_settings import ProcessSettings, TrainingSettings
from league.players import load_policy
from league.training.algorithm import TrainerSetup
from league.training.parallel_table import ParallelTable
from league.training.ppo import SAMPLES
from league.training.roster import MAIN, Opponent, Roster, Weights
from league.training.state import TrainerState, TrainerStateError
from league.training.steering import Steering
from league.training.trainer import Trainer
from policies.network import NetworkConfig, build_network
from tests.league.training.toy_env import STEPS, ToyEnv

pytestmark = [pytest.mark.usefixtures("ray")]

SIZES = NetworkConfig(kind="column", column_features=8, hidden=32)
GAMES = 4


def make_table(make_env: Callable[[], Any] = ToyEnv) -> ParallelTable:
    return ParallelTable([make_env() for _ in range(GAMES)], ("compact",))


def draw_game(rng: np.random.Generator, solo: bool) -> EpisodeStart:
    return EpisodeStart(RoundSetup(rng_word=int(rng.integers(2, 2**16))))


def make_setup(make_env: Callable[[], Any] = ToyEnv, **processes: Any) -> TrainerSetup:
    return TrainerSetup(
        training=TrainingSettings(
            train_batch_size=400,
            minibatch_size=100,
            num_epochs=4,
        ),
        processes=ProcessSettings(games=GAMES, **processes),
        make_network=partial(build_network, SIZES),
        seed=1,
        scripted={"random": load_policy("random"), "greedy": load_policy("greedy")},
        make_table=partial(make_table, make_env),
        draw_game=draw_game,
    )


@pytest.fixture(scope="module")
def trainer(ray: None) -> Iterator[Trainer]:
    with Trainer(make_setup()) as opened:
        yield opened


def train(
    trainer: Trainer,
    iteration: int,
    opponents: Sequence[Opponent],
    *,
    learning_rate: float = 1e-3,
    self_play: float = 0.0,
) -> Any:
    return trainer.train(
        Roster(iteration, tuple(opponents), self_play), Steering(learning_rate, gamma=0.0)
    )


def make_weights(seed: int) -> Weights:
    torch.manual_seed(seed)
    state = build_network(SIZES).state_dict()
    return {name: value.numpy().copy() for name, value in state.items()}


def equal(one: Weights, other: Weights) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[key], other[key]) for key in one)


def runner_weights(runner: Any) -> Weights:
    """What a runner plays `main` with."""
    state = runner.module[MAIN].network.state_dict()
    return {name: value.numpy().copy() for name, value in state.items()}


def learner_weights(learner: Any) -> Weights:
    """What a learner has learned."""
    state = learner.module[MAIN].unwrapped().network.state_dict()
    return {name: value.numpy().copy() for name, value in state.items()}


def local_weights(trainer: Trainer) -> Weights:
    return runner_weights(trainer._algorithm.env_runner_group.local_env_runner)


def test_it_learns() -> None:
    with Trainer(make_setup()) as trainer:
        returns = []
        for iteration in range(15):
            report = train(
                trainer, iteration, [Opponent("random")], learning_rate=3e-3, self_play=0.5
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
            reports = [train(trainer, number, opponents, self_play=0.2) for number in range(2)]
            results.append(([report.games for report in reports], trainer.weights()))
    assert results[0][0] == results[1][0]
    assert equal(results[0][1], results[1][1])


def test_a_loaded_state_goes_on_where_it_was_saved(tmp_path: Path) -> None:
    opponents = [Opponent("main-0000", make_weights(0))]
    with Trainer(make_setup()) as first:
        for iteration in range(2):
            train(first, iteration, opponents)
        first.state().save(tmp_path)
        saved, memory = first.weights(), first.state().optimizer
    continued = []
    for _ in range(2):
        with Trainer(make_setup()) as second:
            second.load_state(TrainerState.load(tmp_path))
            assert equal(second.weights(), saved)
            assert equal(second.state().optimizer, memory)
            assert equal(local_weights(second), saved)
            report = train(second, 2, opponents)
            continued.append((report.games, second.weights()))
    assert continued[0][0] == continued[1][0]
    assert equal(continued[0][1], continued[1][1])
    assert not equal(continued[0][1], saved)


def test_the_optimizer_goes_on_too(tmp_path: Path) -> None:
    """A fresh Adam would make another step from the same weights."""
    opponents = [Opponent("random")]
    with Trainer(make_setup()) as first:
        train(first, 0, opponents)
        state = first.state()
    results = []
    for optimizer in (state.optimizer, {}):
        with Trainer(make_setup()) as second:
            second.load_state(TrainerState(state.weights, optimizer))
            train(second, 1, opponents)
            results.append(second.weights())
    assert not equal(results[0], results[1])


def test_a_state_of_another_network_is_refused(trainer: Trainer) -> None:
    state = trainer.state()
    torch.manual_seed(0)
    other = build_network(replace(SIZES, hidden=16)).state_dict()
    weights = {name: value.numpy() for name, value in other.items()}
    with pytest.raises(TrainerStateError, match=r"expected weight 'merge\.0\.bias' of shape"):
        trainer.load_state(replace(state, weights=weights))


def test_training_leaves_the_snapshots_alone(trainer: Trainer) -> None:
    frozen = [make_weights(1), make_weights(2)]
    opponents = [Opponent(f"main-000{index}", weights) for index, weights in enumerate(frozen)]
    before = trainer.weights()
    train(trainer, 100, opponents)
    assert not equal(trainer.weights(), before)
    assert equal(local_weights(trainer), trainer.weights())
    for slot, weights in enumerate(frozen):
        assert equal(weights, make_weights(slot + 1)), "the snapshot itself was changed"


def test_a_new_roster_takes_over_between_games(trainer: Trainer) -> None:
    train(trainer, 110, [Opponent("main-0001", make_weights(1))])
    games = train(trainer, 111, [Opponent("main-0002", make_weights(2))]).games
    met = [game.opponent for game in games]
    # At most the games that were running are of the old roster.
    assert set(met[GAMES:]) == {"main-0002"}
    assert set(met[:GAMES]) <= {"main-0001", "main-0002"}


def test_opponents_and_seats_are_as_drawn(trainer: Trainer) -> None:
    opponents = [Opponent("random"), Opponent("greedy")]
    games = [
        game
        for iteration in range(120, 126)
        for game in train(trainer, iteration, opponents, learning_rate=0.0, self_play=0.5).games
    ]
    shares = Counter(game.opponent for game in games)
    assert 0.35 < shares[MAIN] / len(games) < 0.65
    assert 0.1 < shares["random"] / len(games) < 0.4
    assert 0.3 < np.mean([game.main_seat for game in games]) < 0.7
    assert len({game.rng_word for game in games}) > 0.98 * len(games)


def test_the_report_tells_what_happened(trainer: Trainer) -> None:
    report = train(trainer, 140, [Opponent("random")])
    assert 400 <= report.env_steps < 400 + GAMES
    assert len(report.games) == pytest.approx(400 / STEPS, abs=GAMES)
    expected = {"policy_loss", "vf_loss", "entropy", "vf_explained_var", "mean_kl_loss"}
    assert expected <= set(report.losses)
    assert report.losses["entropy"] > 0
    assert report.sampling_seconds > 0
    assert report.learning_seconds > 0
    assert report.choices is not None
    assert report.choices.legal_choices == 12
    assert not report.choices.equal_masks
    for game in report.games:
        assert game.frames == STEPS
        assert game.viruses == round(10 * game.main_return)
        assert game.score in (0.0, 0.5, 1.0)


def test_the_learning_rate_is_the_one_asked_for(trainer: Trainer) -> None:
    before = trainer.weights()
    train(trainer, 150, [Opponent("random")], learning_rate=0.0)
    assert equal(trainer.weights(), before)


def test_an_unknown_scripted_opponent_is_refused(trainer: Trainer) -> None:
    with pytest.raises(KeyError, match="nobody"):
        train(trainer, 160, [Opponent("nobody")])


def test_remote_runners_play_and_follow_the_learner() -> None:
    with Trainer(make_setup(num_env_runners=2)) as trainer:
        opponents = [Opponent("main-0000", make_weights(0)), Opponent("random")]
        report = train(trainer, 0, opponents)
        assert 400 <= report.env_steps < 400 + 2 * GAMES
        assert {game.opponent for game in report.games} == {"main-0000", "random"}

        def read(runner: Any) -> tuple[int, Weights]:
            return os.getpid(), runner_weights(runner)

        found = trainer._algorithm.env_runner_group.foreach_env_runner(read, local_env_runner=False)
        assert len({pid for pid, _ in found} - {os.getpid()}) == 2
        for _, main in found:
            assert equal(main, trainer.weights())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:ray")
@pytest.mark.parametrize("learners", [1, 2])
def test_remote_learners_learn_together(learners: int) -> None:
    with Trainer(make_setup(num_learners=learners)) as trainer:
        before = trainer.weights()
        for iteration in range(2):
            report = train(trainer, iteration, [Opponent("random")], self_play=0.5)
        group = trainer._algorithm.learner_group
        states = [result.get() for result in group.foreach_learner(learner_weights)]
        assert len(states) == learners
        assert all(equal(state, trainer.weights()) for state in states)
        assert not equal(before, trainer.weights())
        assert equal(local_weights(trainer), trainer.weights())
        assert report.learning_seconds > 0


def test_overlapped_training_learns_and_repeats_itself() -> None:
    returns, first = train_overlapped(4)
    assert train_overlapped(4) == (returns, first)
    returns, _ = train_overlapped(25)
    chance, best = STEPS / 10 / 12, STEPS / 10
    assert returns[0] < 2 * chance
    assert np.mean(returns[-3:]) > 0.6 * best


def train_overlapped(iterations: int) -> tuple[list[float], dict[str, bytes]]:
    """Return the mean return of every iteration, and the weights in the end."""
    with Trainer(make_setup(num_env_runners=1, overlap=True)) as trainer:
        returns = []
        for iteration in range(iterations):
            opponents = [Opponent("random")]
            report = train(trainer, iteration, opponents, learning_rate=3e-3, self_play=0.5)
            returns.append(float(np.mean([game.main_return for game in report.games])))
        return returns, {name: value.tobytes() for name, value in trainer.weights().items()}


def test_an_overlapped_runner_plays_on_while_the_learner_learns_and_follows_it() -> None:
    with Trainer(make_setup(num_env_runners=1, overlap=True)) as trainer:
        group = trainer._algorithm.env_runner_group
        fresh = trainer.state()
        for iteration in range(2):
            train(trainer, iteration, [Opponent("random")])
            assert group.num_in_flight_async_reqs(SAMPLES) == 1
        # Asked behind the batch being played, so it has taken the newest weights by then.
        assert equal(
            group.foreach_env_runner(runner_weights, local_env_runner=False)[0], trainer.weights()
        )
        trainer.load_state(fresh)
        assert group.num_in_flight_async_reqs(SAMPLES) == 0, (
            "that batch was played with other weights"
        )
        assert train(trainer, 2, [Opponent("random")]).env_steps >= 400


def test_remote_runners_compete_on_equal_terms() -> None:
    # Ray starts its workers with a niceness of 15, which starves them beside any other work.
    with Trainer(make_setup(num_env_runners=1)) as trainer:
        group = trainer._algorithm.env_runner_group
        niceness = group.foreach_env_runner(measure_niceness, local_env_runner=False)
    assert niceness == [measure_niceness(None)]


def measure_niceness(runner: object) -> int:
    return os.getpriority(os.PRIO_PROCESS, 0)


@pytest.mark.parametrize("overlap", [False, True])
def test_an_error_in_a_remote_runner_arrives_with_its_traceback(overlap: bool) -> None:
    broken = partial(ToyEnv, fail_after=30)
    with (
        Trainer(make_setup(broken, num_env_runners=1, overlap=overlap)) as trainer,
        pytest.raises(Exception, match=r"(?s)toy_env\.py.*the toy broke on purpose"),
    ):
        train(trainer, 0, [Opponent("random")])


def test_overlap_without_a_runner_beside_the_learner_is_refused() -> None:
    with pytest.raises(ValueError, match="overlap: expected num_env_runners of 1 or more"):
        ProcessSettings(overlap=True)
