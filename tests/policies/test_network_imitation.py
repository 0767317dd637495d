"""Imitation: the network comes to choose as its teacher does."""

from __future__ import annotations

import pytest
import torch

from envs.curriculum import Curriculum
from policies.network import NetworkConfig, build_network
from policies.network.imitation import ImitationConfig, ImitationReport, imitate
from policies.search import SearchPolicy


def test_a_network_learns_to_choose_as_the_search() -> None:
    torch.manual_seed(0)
    network = build_network(NetworkConfig())
    config = ImitationConfig(decisions=8_192, games=64, batch=1_024, minibatch=128)
    reports: list[ImitationReport] = []
    imitate(network, SearchPolicy(1), config, Curriculum(solo=1.0), 0, reports.append)
    assert [report.decisions for report in reports][-1] >= 8_192
    assert reports[0].agreement < 0.3
    assert reports[-1].agreement > 0.55
    assert reports[-1].loss < 0.8 * reports[0].loss


def test_it_is_the_same_for_one_seed() -> None:
    config = ImitationConfig(decisions=200, games=16, batch=100, minibatch=50, epochs=1)
    losses = []
    for _ in range(2):
        torch.manual_seed(1)
        network = build_network(NetworkConfig(hidden=8))
        reports: list[ImitationReport] = []
        imitate(network, SearchPolicy(1), config, Curriculum((3,)), 5, reports.append)
        losses.append([report.loss for report in reports])
    assert losses[0] == losses[1]


@pytest.mark.parametrize("field", ["decisions", "games", "epochs", "temperature"])
def test_impossible_numbers_are_refused(field: str) -> None:
    with pytest.raises(ValueError, match=f"expected {field} >"):
        ImitationConfig(**{field: 0})
