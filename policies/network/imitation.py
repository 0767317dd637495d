"""Imitation: a network learns to choose as a search does, as a warm start for training.

The network plays, with choices drawn from its own policy, and the search says what it would have
done in every position that comes up: so the network is taught where its own play leads. What the
search knows of the next capsule the network cannot see, so it learns the choice that is best on
average. The value is not taught.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from envs.candidates import CAPACITY
from envs.game.placement import WAIT
from envs.vector import DrawSetup, VectorEnv
from policies.base import CandidateBatch
from policies.guided import judge_candidates
from policies.network.base import Network
from policies.network.build import NetworkConfig, build_network
from policies.search import SearchPolicy


@dataclass(frozen=True, slots=True)
class ImitationConfig:
    """How long and in what portions a network imitates.

    Raises:
        ValueError: A number is out of range.
    """

    decisions: int = 131_072
    """Positions to learn from, 1 or more."""
    games: int = 256
    """Games that run side by side."""
    batch: int = 8_192
    """Positions between two updates."""
    minibatch: int = 1_024
    """Positions per gradient step."""
    epochs: int = 4
    """Passes over each batch."""
    learning_rate: float = 1e-3
    """Of Adam at the start; falls linearly to a tenth."""
    temperature: float = 1.0
    """The taught policy is the softmax of the search's values over this; they count a virus as
    about 10."""

    def __post_init__(self) -> None:
        for name in ("decisions", "games", "batch", "minibatch", "epochs"):
            if getattr(self, name) < 1:
                raise ValueError(f"expected {name} >= 1, got {getattr(self, name)!r}")
        for name in ("learning_rate", "temperature"):
            if not getattr(self, name) > 0:
                raise ValueError(f"expected {name} > 0, got {getattr(self, name)!r}")


@dataclass(frozen=True, slots=True)
class ImitationReport:
    """Means over one batch."""

    decisions: int
    """Positions so far."""
    loss: float
    """Cross-entropy with the taught policy, in nats."""
    agreement: float
    """Share of positions in which the network's best choice was the search's, before learning."""


def imitate(
    network: Network,
    search: SearchPolicy,
    config: ImitationConfig,
    draw_setup: DrawSetup,
    seed: int,
    report: Callable[[ImitationReport], None] = lambda numbers: None,
) -> None:
    """Teach a network, in place, to choose as `search` does.

    Args:
        network: Of the kind `candidate`.
        search: The teacher.
        config: How long.
        draw_setup: How episodes start.
        seed: Of the games and of all that is drawn.
        report: Called after every update.

    Raises:
        BackendError: The native extension was not built.
    """
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(network.parameters(), lr=config.learning_rate, eps=1e-5)
    env = VectorEnv(config.games, draw_setup=draw_setup, candidates=CAPACITY)
    try:
        shown = _play(env, network, seed, generator)
        seen = 0
        while seen < config.decisions:
            batch = CandidateBatch.join(_take(shown, config.batch))
            targets = _teach(search, batch, config.temperature)
            seen += len(batch)
            rate = config.learning_rate * (1.0 - 0.9 * min(seen / config.decisions, 1.0))
            optimiser.param_groups[0]["lr"] = rate
            loss, agreement = _learn(network, optimiser, batch, targets, config, generator)
            report(ImitationReport(seen, loss, agreement))
    finally:
        env.close()


def teach_network(
    network: NetworkConfig,
    search: SearchPolicy,
    config: ImitationConfig,
    draw_setup: DrawSetup,
    seed: int,
    report: Callable[[ImitationReport], None] = lambda numbers: None,
) -> dict[str, np.ndarray]:
    """Return the weights, by name, of a new network that `imitate` taught.

    Args:
        network: Kind and size; the kind must be `candidate`.
        search: The teacher.
        config: How long.
        draw_setup: How episodes start.
        seed: Also of the first weights.
        report: Called after every update.

    Raises:
        BackendError: The native extension was not built.
    """
    torch.manual_seed(seed)
    pupil = build_network(network)
    imitate(pupil, search, config, draw_setup, seed, report)
    return {name: value.numpy() for name, value in pupil.state_dict().items()}


def _play(
    env: VectorEnv, network: Network, seed: int, generator: torch.Generator
) -> Iterator[CandidateBatch]:
    """Yield what due seats are shown, step by step, while the network plays on."""
    step, games = env.reset(seed), env.games
    while True:
        due = step.due.copy()
        counts = games.candidate_counts[due]
        most = max(int(counts.max()), 1)
        rows, poses = games.candidates[:, :, :most], games.candidate_poses[:, :, :most]
        batch = CandidateBatch.trim(games.observations[due], rows[due], poses[due], counts)
        yield batch
        with torch.inference_mode():
            odds = torch.softmax(network(_to_tensors(batch))[0], 1)
            choices = torch.multinomial(odds, 1, generator=generator)[:, 0].numpy()
        actions = np.full(due.shape, WAIT)
        actions[due] = batch.poses[np.arange(len(batch)), choices]
        step = env.step(actions)


def _take(shown: Iterator[CandidateBatch], least: int) -> list[CandidateBatch]:
    """Take batches until they hold `least` positions."""
    batches: list[CandidateBatch] = []
    while sum(map(len, batches)) < least:
        batches.append(next(shown))
    return batches


def _teach(search: SearchPolicy, batch: CandidateBatch, temperature: float) -> Tensor:
    """Return the taught policy, float32 (batch, K)."""
    values = judge_candidates(search, batch)
    # Where the search has nothing to say there is but one choice, WAIT.
    values[~np.isfinite(values).any(1), 0] = 0.0
    return torch.softmax(torch.from_numpy(values / temperature), 1).float()


def _learn(
    network: Network,
    optimiser: torch.optim.Optimizer,
    batch: CandidateBatch,
    targets: Tensor,
    config: ImitationConfig,
    generator: torch.Generator,
) -> tuple[float, float]:
    """Pass over a batch; return the mean loss and the agreement before it."""
    inputs, losses = _to_tensors(batch), []
    with torch.inference_mode():
        same = network(inputs)[0].argmax(1) == targets.argmax(1)
    for _ in range(config.epochs):
        for rows in torch.randperm(len(batch), generator=generator).split(config.minibatch):
            logits, _ = network({name: column[rows] for name, column in inputs.items()})
            loss = -(targets[rows] * torch.log_softmax(logits, 1)).sum(1).mean()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            losses.append(float(loss.detach()))
    return float(np.mean(losses)), float(same.float().mean())


def _to_tensors(batch: CandidateBatch) -> dict[str, Tensor]:
    return {name: torch.from_numpy(column) for name, column in batch.to_columns().items()}
