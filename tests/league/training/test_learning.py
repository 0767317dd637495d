"""A short training learns the game: the whole path from the simulator to a player that clears."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from envs.game.setup import RoundSetup, seed_to_word
from envs.reward import RewardConfig
from league.learning_settings import CurriculumSettings, ProcessSettings, TrainingSettings
from league.training.algorithm import TrainerSetup
from league.training.curriculum import GameDraw
from league.training.roster import Roster
from league.training.simulator_table import SimulatorTable
from league.training.steering import Steering
from league.training.trainer import Trainer
from policies.base import View
from policies.decision_games import play_decision_games
from policies.network import NetworkConfig, NetworkPolicy, build_network
from policies.rollout import Game

ROUNDS = 100
GAMES = 256
ITERATIONS = 20
BATCH = 4096


@pytest.mark.usefixtures("ray")
def test_level_0_is_learned_in_seconds() -> None:
    network = NetworkConfig()
    setup = TrainerSetup(
        training=TrainingSettings(train_batch_size=BATCH, minibatch_size=512),
        processes=ProcessSettings(games=GAMES),
        make_network=partial(build_network, network),
        seed=0,
        scripted={},
        make_table=partial(
            SimulatorTable,
            GAMES,
            ("compact", "rows", "count"),
            reward=RewardConfig(),
            max_frames=9000,
        ),
        draw_game=GameDraw(CurriculumSettings(levels=(0, 1))),
        stall=-1.0,
    )
    with Trainer(setup) as trainer:
        for iteration in range(ITERATIONS):
            trainer.train(
                Roster(iteration, (), 1.0),
                Steering(1.5e-3, 0.01, reward=RewardConfig(virus=0.05), solo=True),
            )
        weights = trainer.weights()
    learned = build_network(network)
    learned.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    policy = NetworkPolicy(learned, View("candidates", "placement"), "learned")
    rng = np.random.default_rng(0)
    games = [
        Game(RoundSetup(rng_word=seed_to_word(seed), solo=True), (policy, policy), (rng, rng))
        for seed in range(ROUNDS)
    ]
    played = play_decision_games(games, max_frames=9000)
    assert sum(one.record.reason == "clear" for one in played) >= 0.9 * ROUNDS
