"""The sampling loop on the simulator and on envs: what is handed over is what was played."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch

from envs.drmario_versus_v0 import parallel_env
from envs.game.setup import NUM_SEEDS, RoundSetup, seed_to_word
from envs.reward import RewardConfig
from envs.starts import EpisodeStart
from league.players import load_policy
from league.training.bank import OpponentBank, draw_choices
from league.training.parallel_table import ParallelTable
from league.training.roster import INERT, MAIN, Opponent, Roster
from league.training.rows import ACTION, ADVANTAGE, INPUT, LOG_PROBABILITY
from league.training.sampler import Sample, Sampler, SamplerSetup
from league.training.simulator_table import SimulatorTable
from league.training.steering import Steering
from league.training.tables import GameTable
from policies.network import Network, NetworkConfig, build_network

CANDIDATE = NetworkConfig(hidden=8)
SPATIAL = NetworkConfig(kind="spatial", hidden=8, channels=4)
REWARD = RewardConfig(virus=0.05)


def draw_game(rng: np.random.Generator, solo: bool) -> EpisodeStart:
    word = seed_to_word(int(rng.integers(NUM_SEEDS)))
    return EpisodeStart(RoundSetup(rng_word=word, solo=solo))


def make_network(config: NetworkConfig, seed: int = 0) -> Network:
    torch.manual_seed(seed)
    return build_network(config).eval()


def open_simulator(network: Network) -> GameTable:
    return SimulatorTable(6, network.columns, reward=REWARD, max_frames=6000)


def open_envs(network: Network) -> GameTable:
    envs = [
        parallel_env(backend="simulator", actions="placement", max_frames=6000, reward=REWARD)
        for _ in range(6)
    ]
    return ParallelTable(envs, network.columns)


def make_sampler(table: GameTable, config: NetworkConfig, seed: int = 5) -> Sampler:
    scripted = {name: load_policy(name) for name in ("search:depth=1", "noop")}
    return Sampler(
        table,
        OpponentBank(partial(build_network, config), scripted),
        SamplerSetup(
            seed=seed,
            runner=1,
            gae_lambda=0.95,
            draw_game=draw_game,
        ),
    )


def make_opponent(config: NetworkConfig) -> Opponent:
    state = make_network(config, 1).state_dict()
    return Opponent("main-0000", {name: value.numpy().copy() for name, value in state.items()})


def sample(
    config: NetworkConfig,
    opponents: tuple[Opponent, ...],
    *,
    make_table: Callable[[Network], GameTable] = open_simulator,
    decisions: int = 300,
    self_play: float = 0.0,
    solo: bool = False,
) -> Sample:
    network = make_network(config)
    sampler = make_sampler(make_table(network), config)
    sampler.prepare(Roster(0, opponents, self_play), Steering(0.0, reward=REWARD, solo=solo))
    result = sampler.sample(network, decisions)
    sampler.close()
    return result


@pytest.mark.parametrize("config", [CANDIDATE, SPATIAL], ids=["candidate", "spatial"])
def test_rows_hold_what_the_network_saw_and_did(config: NetworkConfig) -> None:
    network = make_network(config)
    rows = sample(config, (make_opponent(config), Opponent("search:depth=1"))).rows
    inputs = {name: torch.from_numpy(rows[INPUT + name]) for name in network.columns}
    with torch.inference_mode():
        logits, _ = network(inputs)
    log_all = torch.log_softmax(logits, 1).numpy()
    chosen = log_all[np.arange(len(logits)), rows[ACTION]]
    np.testing.assert_allclose(rows[LOG_PROBABILITY], chosen, atol=1e-4)
    assert 300 <= len(logits) < 300 + 12
    assert np.isfinite(rows[ADVANTAGE]).all()


@pytest.mark.parametrize("make_table", [open_simulator, open_envs])
def test_games_are_counted_phase_by_phase(
    make_table: Callable[[Network], GameTable],
) -> None:
    opponents = (make_opponent(CANDIDATE),)
    games = sample(CANDIDATE, opponents, self_play=0.5, decisions=900, make_table=make_table).games
    assert len(games) > 3
    for game in games:
        assert game.play is not None
        assert sum(game.play.viruses) == game.viruses
        # The last capsule may still be falling when the game ends.
        assert sum(game.play.capsules) in (game.capsules, game.capsules + 1)


def test_self_play_trains_both_seats() -> None:
    games = sample(CANDIDATE, (), self_play=1.0, decisions=900).games
    assert games
    assert {game.opponent for game in games} == {MAIN}
    assert {game.main_seat for game in games} == {0, 1}


def test_solo_games_have_nobody_in_the_other_seat() -> None:
    games = sample(CANDIDATE, (Opponent("noop"),), solo=True, decisions=900).games
    assert {(game.opponent, game.main_seat) for game in games} == {(INERT, 0)}
    assert all(game.play is not None and game.play.solo for game in games)


def test_returns_are_what_the_game_pays() -> None:
    games = sample(CANDIDATE, (Opponent("search:depth=1"),), decisions=900).games
    for game in games:
        result = {1.0: 1.0, 0.0: -1.0, 0.5: 0.0, None: 0.0}[game.score]
        assert game.main_return == pytest.approx(result + 0.05 * game.viruses, abs=1e-4)


def test_one_seed_gives_one_sample() -> None:
    opponents = (make_opponent(CANDIDATE), Opponent("search:depth=1"))
    one, other = (sample(CANDIDATE, opponents, self_play=0.3) for _ in range(2))
    assert one.games == other.games
    assert all(np.array_equal(one.rows[name], other.rows[name]) for name in one.rows)


def test_transitions_are_handed_over_once() -> None:
    """Two calls give what one long call gives, but for the boundary's bootstrap."""
    network = make_network(CANDIDATE)
    sampler = make_sampler(open_simulator(network), CANDIDATE)
    sampler.prepare(Roster(0, (Opponent("search:depth=1"),)), Steering(0.0))
    first, second = sampler.sample(network, 200), sampler.sample(network, 200)
    seen = np.concatenate([one.rows[INPUT + "compact"] for one in (first, second)])
    # The frame counter and the capsule count make positions of one game unique.
    assert len(np.unique(seen, axis=0)) > 0.98 * len(seen)
    assert 400 <= len(seen) < 424
    sampler.close()


def test_masked_choices_are_never_drawn() -> None:
    logits = torch.full((2000, 5), -1e9)
    logits[:, 1], logits[:, 3] = 0.0, np.log(3.0)
    rng = np.random.default_rng(0)
    drawn = draw_choices(lambda _: (logits, logits[:, 0]), {}, rng)
    assert set(drawn.choices.tolist()) == {1, 3}
    assert abs((drawn.choices == 3).mean() - 0.75) < 0.04
    np.testing.assert_allclose(np.exp(drawn.log_probabilities[drawn.choices == 3]), 0.75, rtol=1e-5)
    np.testing.assert_allclose(drawn.entropies, 0.5623, atol=1e-3)
    assert (drawn.legal == 2).all()
