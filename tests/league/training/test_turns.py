"""Learners that take turns in one trainer: games, weights and Adam's memory stay their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs.game.layout import Speed
from league.config import render_config
from league.evaluation import Evaluator, make_setup
from league.learners import FOLDER, Learners
from league.learning_settings import (
    CurriculumSettings,
    NetworkSettings,
    ProcessSettings,
    TrainingSettings,
)
from league.loop import LeagueLoop, Workplace, is_complete
from league.run import _trainer_setup
from league.rundir import RunDir
from league.settings import EnvSettings, EvaluationSettings, LeagueSettings, RunConfig, RunSettings
from league.standings import read_standings
from league.store import Store
from league.training.bank import OpponentBank
from league.training.roster import MAIN, Opponent, Roster
from league.training.state import STATE_FILE, TrainerState
from league.training.steering import Steering
from league.training.trainer import Trainer
from tests.league.loop_fakes import FakeTracker
from tests.league.training import test_sampler, test_trainer

pytestmark = [pytest.mark.usefixtures("ray")]

OTHER = "exploiter"
STEERING = Steering(1e-3, gamma=0.0)


@pytest.mark.parametrize(
    "processes", [{}, {"num_env_runners": 1}, {"num_env_runners": 1, "overlap": True}]
)
def test_a_game_belongs_to_one_learner(processes: dict[str, Any]) -> None:
    """Games that are running when the turn changes wait; after a new start they are dropped."""
    with Trainer(test_trainer.make_setup(**processes)) as trainer:
        learners, weights = Learners(trainer), trainer.weights()
        live = Opponent(MAIN, weights, is_live=True)
        rosters = [
            Roster(0, (Opponent("random"),), self_play=0.5),
            Roster(1, (live,), learner=OTHER, is_anew=True),
            Roster(2, (Opponent("random"),), self_play=0.5),
            Roster(3, (live,), learner=OTHER),
            Roster(4, (Opponent("greedy"),), learner=OTHER, is_anew=True),
        ]
        met = []
        for roster in rosters:
            learners.take_turn(roster.learner, weights if roster.is_anew else None)
            met.append({game.opponent for game in trainer.train(roster, STEERING).games})
    assert met == [{"random", MAIN}, {MAIN}, {"random", MAIN}, {MAIN}, {"greedy"}]


def test_self_play_is_the_learners_own() -> None:
    with Trainer(test_trainer.make_setup()) as trainer:
        report = trainer.train(Roster(0, (), 1.0, learner=OTHER), STEERING)
    assert {game.opponent for game in report.games} == {OTHER}


def test_a_fresh_state_takes_adams_memory_away() -> None:
    with Trainer(test_trainer.make_setup()) as trainer:
        trainer.train(Roster(0, (Opponent("random"),)), STEERING)
        assert trainer.state().optimizer
        trainer.load_state(TrainerState(test_trainer.make_weights(3), {}))
        assert trainer.state().optimizer == {}
        assert test_trainer.equal(trainer.weights(), test_trainer.make_weights(3))


def test_a_sampler_serves_one_learner() -> None:
    config = test_sampler.CANDIDATE
    network = test_sampler.make_network(config)
    sampler = test_sampler.make_sampler(test_sampler.open_simulator(network), config)
    sampler.prepare(Roster(0, (Opponent("noop"),)), Steering(0.0))
    with pytest.raises(ValueError, match="expected a roster for 'main', got 'exploiter'"):
        sampler.prepare(Roster(1, (Opponent("noop"),), learner=OTHER), Steering(0.0))
    sampler.close()


def test_a_learner_is_no_opponent_of_its_own() -> None:
    with pytest.raises(ValueError, match="expected opponents other than the learner 'exploiter'"):
        Roster(0, (Opponent(OTHER, {}),), learner=OTHER)


def test_an_opponent_that_learns_is_met_as_it_is_now() -> None:
    """A snapshot keeps the weights that it came with, a learner has new ones in every roster."""
    config = test_sampler.CANDIDATE
    table = test_sampler.open_simulator(test_sampler.make_network(config))
    rng = np.random.default_rng(0)
    table.reset(lambda: test_sampler.draw_game(rng, False))
    due = table.list_due()
    states = [test_sampler.make_network(config, seed).state_dict() for seed in (1, 2)]
    weights = [{name: value.numpy() for name, value in state.items()} for state in states]

    def choose(bank: OpponentBank, number: int, *, is_live: bool) -> list[int]:
        bank.load(Roster(number, (Opponent("one", weights[number], is_live),)), ())
        chosen: list[int] = bank.choose("one", table, due, rng).tolist()
        return chosen

    def make_bank() -> OpponentBank:
        return OpponentBank(lambda: test_sampler.make_network(config), {})

    expected = [choose(make_bank(), number, is_live=False) for number in (0, 1)]
    assert expected[0] != expected[1]
    live, frozen = make_bank(), make_bank()
    assert [choose(live, number, is_live=True) for number in (0, 1)] == expected
    assert [choose(frozen, number, is_live=False) for number in (0, 1)] == [expected[0]] * 2
    table.close()


CONFIG = RunConfig(
    run=RunSettings(name="turns", seed=4),
    env=EnvSettings(max_frames=2000),
    curriculum=CurriculumSettings(levels=(0,)),
    network=NetworkSettings(hidden=8),
    training=TrainingSettings(
        total_env_steps=2400, solo=0.2, train_batch_size=400, minibatch_size=200, num_epochs=1
    ),
    processes=ProcessSettings(games=8),
    league=LeagueSettings(
        slots=2,
        snapshot_every=800,
        main_exploiters=1,
        league_exploiters=1,
        exploiter_share=0.6,
        exploiter_turn=1,
        exploiter_env_steps=600,
    ),
    evaluation=EvaluationSettings(
        level=0, speed=Speed.HI, pairs=1, past_snapshots=1, max_frames=9000, wait=True
    ),
)
"""A real run of a few seconds: real games, real learning, real ratings."""


def go_on(path: Path, should_stop: Callable[[], bool]) -> bool:
    """Start the run, or go on with it, in a trainer of its own."""
    run_dir = RunDir(path)
    if not run_dir.exists():
        RunDir.create(path, render_config(CONFIG))
    with (
        (Store if run_dir.database.is_file() else Store.create)(run_dir.database) as store,
        Evaluator(make_setup(CONFIG, run_dir)) as evaluator,
        Trainer(_trainer_setup(CONFIG)) as trainer,
    ):
        work = Workplace(
            CONFIG, run_dir, store, trainer, evaluator, FakeTracker(), lambda status: None
        )
        return LeagueLoop(work).run(should_stop)


def test_a_real_run_trains_exploiters_and_freezes_them(tmp_path: Path) -> None:
    path = tmp_path / "turns"
    run_dir = RunDir(path)
    learners = ("main_exploiter_1", "league_exploiter_1")

    def list_kept() -> set[str]:
        folders = [run_dir.checkpoint(one) for one in run_dir.list_checkpoints()[-1:]]
        return {one.parent.name for place in folders for one in (place / FOLDER).rglob(STATE_FILE)}

    assert not go_on(path, lambda: list_kept() == set(learners)), "never both to go on with"
    assert go_on(path, lambda: False)
    with Store(run_dir.database, read_only=True) as store:
        assert is_complete(CONFIG, run_dir, store)
        rows = store.snapshots()
        games = [row for _, row in store.games("train")]
        rated = {line.player: line.role for line in read_standings(store)}
    for learner in learners:
        frozen = [row for row in rows if row.role == learner]
        assert frozen, learner
        assert {row.parent for row in frozen} <= {row.id for row in rows if row.role == MAIN}
        assert len({row.sha256 for row in rows}) == len(rows), "nobody stood still"
        assert any(learner in game.players for game in games)
        assert any(rated.get(row.id) == learner for row in frozen)
    met = {game.players for game in games if learners[0] in game.players}
    assert {name for pair in met for name in pair} <= {learners[0], MAIN, "inert"} | {
        row.id for row in rows if row.role == MAIN
    }
