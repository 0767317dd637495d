"""Search guided by a network: the two ends of its trust, and what it can choose."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from envs.backends.native_search import pack_images
from envs.candidates import CAPACITY
from envs.game.placement import NUM_POSES, WAIT
from envs.vector import UniformSetups, VectorEnv
from policies.base import CandidateBatch, View
from policies.guided import GuidedPolicy
from policies.network import NetworkConfig, NetworkPolicy, build_network
from policies.search import SearchPolicy

RNG = np.random.default_rng(0)
VIEW = View("candidates", "placement")


@pytest.fixture(scope="module")
def network() -> NetworkPolicy:
    torch.manual_seed(0)
    made = build_network(NetworkConfig(hidden=8))
    with torch.no_grad():
        made.get_parameter("score.weight").mul_(300)
    return NetworkPolicy(made, VIEW, "net")


@pytest.fixture(scope="module")
def shown() -> tuple[CandidateBatch, np.ndarray]:
    """What seat 0 of some games is shown, and the packed positions behind it."""
    env = VectorEnv(40, draw_setup=UniformSetups(levels=(2, 14)), candidates=CAPACITY)
    rng = np.random.default_rng(1)
    env.reset(seed=3)
    for _ in range(21):
        env.step(env.games.draw_actions(rng))
    games, due = env.games, env.games.due[:, 0]
    batch = CandidateBatch.trim(
        games.observations[due, 0],
        games.candidates[due, 0],
        games.candidate_poses[due, 0],
        games.candidate_counts[due, 0],
    )
    return batch, pack_images(games.images[due], 0)


@pytest.mark.parametrize("depth", [1, 2])
def test_without_trust_it_plays_as_the_search(
    network: NetworkPolicy, shown: tuple[CandidateBatch, np.ndarray], depth: int
) -> None:
    batch, positions = shown
    search = SearchPolicy(depth)
    poses, _ = GuidedPolicy(network, "x", search, trust=0.0).act(batch, None, None, RNG)
    assert np.array_equal(poses, search.choose_placements(positions))


def test_with_all_trust_it_plays_as_the_network(
    network: NetworkPolicy, shown: tuple[CandidateBatch, np.ndarray]
) -> None:
    batch, _ = shown
    guided = GuidedPolicy(network, "x", SearchPolicy(2, NUM_POSES), trust=1e9)
    poses, _ = guided.act(batch, None, None, RNG)
    assert np.array_equal(poses, network.act(batch, None, None, RNG)[0])


def test_only_what_was_looked_into_is_chosen(
    network: NetworkPolicy, shown: tuple[CandidateBatch, np.ndarray]
) -> None:
    batch, positions = shown
    search = SearchPolicy(2, width=3)
    poses, _ = GuidedPolicy(network, "x", search, trust=1e9).act(batch, None, None, RNG)
    values = search.judge_placements(positions)
    assert np.isfinite(values[np.arange(len(poses)), poses]).all()
    assert (poses != search.choose_placements(positions)).any()


def test_nothing_to_place_is_wait(
    network: NetworkPolicy, shown: tuple[CandidateBatch, np.ndarray]
) -> None:
    batch, _ = shown
    empty = CandidateBatch.trim(batch.compact, batch.rows, batch.poses, np.zeros(len(batch), int))
    poses, _ = GuidedPolicy(network, "x").act(empty, None, None, RNG)
    assert (poses == WAIT).all()


def test_impossible_arguments_are_refused(network: NetworkPolicy) -> None:
    with pytest.raises(ValueError, match="expected trust to be a number >= 0"):
        GuidedPolicy(network, "x", trust=-1.0)
    pads = build_network(NetworkConfig("column", hidden=8))
    with pytest.raises(ValueError, match="expected a network that takes its best candidate"):
        GuidedPolicy(NetworkPolicy(pads, View("compact"), "pads"), "x")
