"""The image network: a logit per pose, masked."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from envs.game.placement import NUM_PLACEMENTS
from envs.vector import UniformSetups, VectorEnv
from policies.base import View
from policies.network import MASKED, Network, NetworkConfig, NetworkPolicy, build_network

VIEW = View("compact", "placement")
SMALL = NetworkConfig("spatial", channels=4, hidden=8)


@pytest.fixture(scope="module")
def shown() -> tuple[np.ndarray, np.ndarray]:
    """Observations and masks of due seats after some random capsules."""
    env = VectorEnv(20, draw_setup=UniformSetups(levels=(1, 15)))
    rng = np.random.default_rng(2)
    env.reset(seed=2)
    for _ in range(15):
        step = env.step(env.games.draw_actions(rng))
    return step.observations[step.due], step.masks[step.due]


def make_network() -> Network:
    torch.manual_seed(0)
    network = build_network(SMALL).eval()
    with torch.no_grad():
        network.get_parameter("policy.weight").mul_(300)
    return network


def test_only_legal_placements_have_logits(shown: tuple[np.ndarray, np.ndarray]) -> None:
    observations, masks = shown
    inputs = {"compact": torch.from_numpy(observations), "mask": torch.from_numpy(masks)}
    with torch.inference_mode():
        logits, values = make_network()(inputs)
    assert logits.shape == (len(observations), NUM_PLACEMENTS)
    assert values.shape == (len(observations),)
    assert ((logits.numpy() == np.float32(MASKED)) == (masks == 0)).all()


@pytest.mark.parametrize("greedy", [True, False])
def test_the_policy_chooses_legal_placements(
    shown: tuple[np.ndarray, np.ndarray], greedy: bool
) -> None:
    observations, masks = shown
    view = View("compact", "placement", greedy=greedy)
    policy = NetworkPolicy(make_network(), view, "x")
    poses, _ = policy.act(observations, masks, None, np.random.default_rng(0))
    assert masks[np.arange(len(poses)), poses].all()
    assert len(set(poses.tolist())) > 3


def test_it_cannot_do_without_masks(shown: tuple[np.ndarray, np.ndarray]) -> None:
    policy = NetworkPolicy(make_network(), VIEW, "x")
    with pytest.raises(ValueError, match="expected masks of shape"):
        policy.act(shown[0], None, None, np.random.default_rng(0))


def test_every_weight_learns(shown: tuple[np.ndarray, np.ndarray]) -> None:
    observations, masks = shown
    network = make_network().train()
    logits, values = network(
        {"compact": torch.from_numpy(observations), "mask": torch.from_numpy(masks)}
    )
    best = torch.softmax(logits, 1).square().sum()
    (best + values.square().sum()).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
