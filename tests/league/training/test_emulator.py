"""Training through Stable-Retro: `configs/emulator.yaml` in small."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from league.config import load_config
from league.players import load_policy
from league.training.algorithm import TrainerSetup
from league.training.curriculum import GameDraw
from league.training.make_table import make_table
from league.training.roster import INERT, Opponent, Roster
from league.training.steering import Steering
from league.training.trainer import Trainer
from policies.network import NetworkConfig, build_network

CONFIG = Path(__file__).resolve().parents[3] / "configs" / "emulator.yaml"


@pytest.mark.emulator
@pytest.mark.usefixtures("ray")
def test_the_emulator_trains_placements() -> None:
    config = load_config(
        CONFIG,
        ["training.train_batch_size=64", "training.minibatch_size=32", "curriculum.levels=[0]"],
    )
    network = NetworkConfig(kind=config.network.kind)
    setup = TrainerSetup(
        training=config.training,
        processes=config.processes,
        make_network=partial(build_network, network),
        seed=0,
        scripted={"search:depth=1": load_policy("search:depth=1")},
        make_table=partial(make_table, config.env, network, config.processes.games),
        draw_game=GameDraw(config.curriculum),
        stall=config.env.stall,
    )
    with Trainer(setup) as trainer:
        before = trainer.weights()
        roster = Roster(0, (Opponent("search:depth=1"),))
        solo = trainer.train(roster, Steering(1e-3, solo=True))
        versus = trainer.train(Roster(1, roster.opponents), Steering(1e-3))
        after = trainer.weights()
    assert solo.env_steps >= 64
    assert versus.env_steps >= 64
    assert {game.opponent for game in solo.games} <= {INERT}
    assert any((before[name] != after[name]).any() for name in before)
