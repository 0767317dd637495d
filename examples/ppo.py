"""PPO in one file: learns to place capsules on the batched simulator, alone or against itself.

Read it to see what training does here, copy it to try a learning rule of your own; nothing in the
league needs it. A capsule takes some tens of frames, so time is counted in frames: a return is
discounted by `gamma` per 60 of them (a second of play), from one decision of a seat to its next.

    python examples/ppo.py
    python examples/ppo.py --versus --updates 100 --levels 0 5 10
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from envs.candidates import CAPACITY
from envs.curriculum import Curriculum
from envs.game.outcome import END_REASONS
from envs.game.placement import WAIT
from envs.reward import RewardConfig
from envs.vector import DrawSetup, UniformSetups, VectorEnv, VectorStep
from policies.base import CandidateBatch
from policies.network import NetworkConfig, build_network
from policies.network.base import Network

FRAMES_PER_SECOND = 60
_CLEAR = END_REASONS.index("clear") + 1


@dataclass(frozen=True)
class PpoConfig:
    """Everything that a run depends on besides its seed."""

    network: NetworkConfig = field(default_factory=NetworkConfig)
    """Must be of the kind `candidate`."""
    draw_setup: DrawSetup = field(default_factory=lambda: Curriculum(solo=1.0, thinned=0.5))
    """How episodes are set up; in solo rounds only seat 0 decides."""
    reward: RewardConfig = field(default_factory=lambda: RewardConfig(virus=0.05))
    stall: float = -1.0
    """Paid to both seats when an episode runs into the frame limit: else stalling is learned."""
    max_frames: int = 18_000
    """Frame limit of an episode: five minutes."""
    games: int = 256
    """Games that run side by side."""
    horizon: int = 32
    """Steps of every game between two updates."""
    minibatch: int = 1024
    """Decisions per gradient step."""
    epochs: int = 2
    """Passes over the decisions of an update."""
    learning_rate: float = 1e-3
    """Of Adam at the start; falls linearly to a twentieth."""
    gamma: float = 0.99
    """Discount per second of play."""
    gae_lambda: float = 0.95
    """Weight of later decisions in an advantage, per decision."""
    clip: float = 0.2
    """By how much an update may change a probability, as a share, before its gradient stops."""
    entropy: float = 0.01
    """Weight of the entropy at the start; falls linearly to a fifth."""
    value_weight: float = 0.5
    """Weight of the value loss."""
    max_grad_norm: float = 0.5
    bfloat16: bool = False
    """Compute matrix products in bfloat16: faster on CPUs that have it."""


@dataclass
class Decisions:
    """Decisions of any seats, one per row, as the network reads them and as they turned out."""

    inputs: dict[str, Tensor]
    """`compact`, `rows` and `count` of `policies.network`."""
    choices: Tensor
    """int64: the row that was chosen."""
    log_probabilities: Tensor
    """float32, of the choices when they were made."""
    values: Tensor
    """float32, as the network saw them then."""
    advantages: Tensor
    """float32."""

    def __len__(self) -> int:
        return len(self.choices)

    def select(self, rows: Tensor) -> Decisions:
        """Return some of them, without the padding that they do not need."""
        count = self.inputs["count"][rows]
        inputs = {name: value[rows] for name, value in self.inputs.items() if name != "rows"}
        inputs["rows"] = self.inputs["rows"][:, : int(count.max())][rows]
        others = (self.choices, self.log_probabilities, self.values, self.advantages)
        return Decisions(inputs, *(value[rows] for value in others))


@dataclass
class Results:
    """How episodes ended."""

    episodes: int = 0
    clears: int = 0

    def add(self, step: VectorStep, env: VectorEnv) -> None:
        """Count the episodes that a step ended."""
        self.episodes += int((step.terminated | step.truncated).sum())
        self.clears += int((env.games.reasons == _CLEAR)[env.games.winners == 0].sum())


class Collector:
    """Plays the games of an env with a network that samples, and keeps what its seats decide."""

    def __init__(self, config: PpoConfig, seed: int) -> None:
        self.config = config
        self.env = VectorEnv(
            config.games,
            draw_setup=config.draw_setup,
            reward=config.reward,
            max_frames=config.max_frames,
            candidates=CAPACITY,
        )
        self.step = self.env.reset(seed)

    def collect(self, network: Network) -> tuple[Decisions, Results]:
        """Run every game for `horizon` steps."""
        horizon, results = self.config.horizon, Results()
        shape = (horizon + 1, *self.step.due.shape)
        due, values = np.zeros(shape, bool), np.zeros(shape, np.float32)
        rewards, frames = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        ended = np.zeros(shape, bool)
        batches, choices, log_probabilities = [], [], []
        for t in range(horizon):
            due[t] = self.step.due
            batch = show_due(self.env, due[t])
            logits, values[t][due[t]] = evaluate(network, batch)
            choice, log_probability = sample(logits)
            batches.append(batch)
            choices.append(choice)
            log_probabilities.append(log_probability)
            actions = np.full(due[t].shape, WAIT)
            actions[due[t]] = batch.poses[np.arange(len(choice)), choice]
            self.step = self.env.step(actions)
            results.add(self.step, self.env)
            rewards[t] = self.step.rewards + self.config.stall * self.step.truncated[:, None]
            frames[t] = self.step.frames[:, None]
            ended[t] = (self.step.terminated | self.step.truncated)[:, None]
        due[horizon] = self.step.due
        values[horizon][due[horizon]] = evaluate(network, show_due(self.env, due[horizon]))[1]
        advantages, known = estimate_advantages(
            due, values, rewards, frames, ended, self.config.gamma, self.config.gae_lambda
        )
        decided = due[:horizon]
        decisions = Decisions(
            inputs=join_inputs(batches),
            choices=torch.from_numpy(np.concatenate(choices)),
            log_probabilities=torch.from_numpy(np.concatenate(log_probabilities)),
            values=torch.from_numpy(values[:horizon][decided]),
            advantages=torch.from_numpy(advantages[decided]),
        )
        return decisions.select(torch.from_numpy(np.flatnonzero(known[decided]))), results


def show_due(env: VectorEnv, due: np.ndarray) -> CandidateBatch:
    """Return what the seats that must decide are shown, in the order of `due`."""
    games = env.games
    counts = games.candidate_counts[due]
    most = max(int(counts.max(initial=0)), 1)
    rows, poses = games.candidates[:, :, :most], games.candidate_poses[:, :, :most]
    return CandidateBatch.trim(games.observations[due], rows[due], poses[due], counts)


def evaluate(network: Network, batch: CandidateBatch) -> tuple[np.ndarray, np.ndarray]:
    """Return logits, float32 (batch, K), and values, float32 (batch,)."""
    with torch.inference_mode():
        inputs = {name: torch.from_numpy(value) for name, value in batch.to_columns().items()}
        logits, values = network(inputs)
    return logits.numpy(), values.numpy()


def sample(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Draw a choice from each row of logits; return choices and their log-probabilities."""
    scores = torch.from_numpy(logits)
    noise = -torch.log(torch.empty_like(scores).exponential_())
    choices = (scores + noise).argmax(1)
    taken = torch.log_softmax(scores, 1).gather(1, choices[:, None]).squeeze(1)
    return choices.numpy(), taken.numpy()


def join_inputs(batches: list[CandidateBatch]) -> dict[str, Tensor]:
    """Return the inputs of all batches, padded to the widest of them."""
    columns = CandidateBatch.join(batches).to_columns()
    return {name: torch.from_numpy(column) for name, column in columns.items()}


def estimate_advantages(
    due: np.ndarray,
    values: np.ndarray,
    rewards: np.ndarray,
    frames: np.ndarray,
    ended: np.ndarray,
    gamma: float,
    gae_lambda: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Generalised advantage estimation over decisions that take different times.

    Each seat of each game is a stream of its own: what a decision earns is all that its seat is
    paid until it decides again, and that next value is discounted by the frames in between.

    Args:
        due: bool (T + 1, ...), which streams decided at a step; the last row is still to decide.
        values: float32 (T + 1, ...), of their positions, where due.
        rewards: float32 (T + 1, ...), paid by each step; the last row is not read.
        frames: float32 (T + 1, ...), that it took.
        ended: bool (T + 1, ...), whether it ended the episode.
        gamma: Discount per second.
        gae_lambda: Weight of later decisions.

    Returns:
        Advantages of the decisions, float32 (T, ...), and which of them are known, bool (T, ...):
        the last decision of a stream is not while nobody has seen where it leads.
    """
    advantages, known = np.zeros_like(values[:-1]), np.zeros_like(due[:-1])
    closed, next_value = due[-1].copy(), np.where(due[-1], values[-1], 0.0)
    carried = np.zeros_like(next_value)
    paid, elapsed = np.zeros_like(next_value), np.zeros_like(next_value)
    for t in reversed(range(len(advantages))):
        for array in (next_value, carried, paid, elapsed):
            array[ended[t]] = 0.0
        closed |= ended[t]
        paid += rewards[t]
        elapsed += frames[t]
        discount = gamma ** (elapsed / FRAMES_PER_SECOND)
        delta = paid + discount * next_value - values[t]
        advantage = delta + discount * gae_lambda * carried
        now = due[t]
        advantages[t], known[t] = np.where(now, advantage, 0.0), now & closed
        carried[now] = np.where(closed, advantage, 0.0)[now]
        next_value[now] = values[t][now]
        paid[now] = elapsed[now] = 0.0
        closed |= now
    return advantages, known


class Learner:
    """A network, its optimiser, and the update."""

    def __init__(self, config: PpoConfig, seed: int) -> None:
        torch.manual_seed(seed)
        self.config = config
        self.network = build_network(config.network)
        self.optimiser = torch.optim.Adam(
            self.network.parameters(), lr=config.learning_rate, eps=1e-5, fused=True
        )

    def update(self, decisions: Decisions, progress: float) -> dict[str, float]:
        """Improve the network; `progress` runs from 0 to 1 over a run."""
        self.optimiser.param_groups[0]["lr"] = self.config.learning_rate * (1 - 0.95 * progress)
        entropy_weight = self.config.entropy * (1 - 0.8 * progress)
        sums: dict[str, float] = {}
        batches = 0
        for _ in range(self.config.epochs):
            for rows in self._shuffle(len(decisions)):
                numbers = self._take_step(decisions.select(rows), entropy_weight)
                batches += 1
                for name, value in numbers.items():
                    sums[name] = sums.get(name, 0.0) + float(value)
        return {name: value / batches for name, value in sums.items()}

    def _shuffle(self, count: int) -> Iterator[Tensor]:
        order, size = torch.randperm(count), min(self.config.minibatch, count)
        return (order[start : start + size] for start in range(0, count - size + 1, size))

    def _take_step(self, batch: Decisions, entropy_weight: float) -> dict[str, Tensor]:
        config = self.config
        with torch.autocast("cpu", torch.bfloat16, enabled=config.bfloat16):
            logits, values = self.network(batch.inputs)
        logs = torch.log_softmax(logits, 1)
        chosen = logs.gather(1, batch.choices[:, None]).squeeze(1)
        log_ratio = chosen - batch.log_probabilities
        ratio = log_ratio.exp()
        advantages = batch.advantages
        scaled = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        clipped = ratio.clamp(1 - config.clip, 1 + config.clip)
        policy_loss = -torch.min(ratio * scaled, clipped * scaled).mean()
        value_loss = (values - (batch.values + advantages)).square().mean()
        entropy = -(logs.exp() * logs).sum(1).mean()
        loss = policy_loss + config.value_weight * value_loss - entropy_weight * entropy
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), config.max_grad_norm)
        self.optimiser.step()
        divergence = (ratio - 1 - log_ratio).mean()
        return {
            "entropy": entropy.detach(),
            "divergence": divergence.detach(),
            "value_loss": value_loss.detach(),
        }


def train(
    config: PpoConfig,
    seed: int,
    updates: int,
    report: Callable[[dict[str, float]], None] = lambda numbers: None,
) -> Network:
    """Train a fresh network and return it; `report` gets numbers after each update."""
    learner, collector = Learner(config, seed), Collector(config, seed)
    decided, start = 0, time.perf_counter()
    for update in range(updates):
        decisions, results = collector.collect(learner.network)
        decided += len(decisions)
        numbers = learner.update(decisions, update / updates)
        clears = results.clears / max(results.episodes, 1)
        seconds = time.perf_counter() - start
        report({"seconds": seconds, "decisions": decided, "clears": clears, **numbers})
    collector.env.close()
    return learner.network


def measure_clears(network: Network, level: int, games: int, seed: int) -> float:
    """Return the share of solo games that the network clears when it plays its best choice."""
    config = PpoConfig(draw_setup=UniformSetups((level,), solo=True), games=games)
    collector = Collector(config, seed)
    won = np.full(games, -1)
    while (won < 0).any():
        batch = show_due(collector.env, collector.step.due)
        actions = np.full(collector.step.due.shape, WAIT)
        choices = evaluate(network, batch)[0].argmax(1)
        actions[collector.step.due] = batch.poses[np.arange(len(choices)), choices]
        step = collector.step = collector.env.step(actions)
        first = (step.terminated | step.truncated) & (won < 0)
        won[first] = (collector.env.games.reasons == _CLEAR)[first]
    collector.env.close()
    return float(won.mean())


def main() -> None:
    """Train as the arguments say, then report how often levels are cleared."""
    parser = argparse.ArgumentParser(description="Train a placement network with PPO.")
    parser.add_argument("--updates", type=int, default=50, help="of 8,192 decisions each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--levels", type=int, nargs="+", default=list(range(11)))
    parser.add_argument("--thinned", type=float, default=0.5, help="share of near-clear starts")
    parser.add_argument("--versus", action="store_true", help="play against itself, not alone")
    options = parser.parse_args()
    torch.set_num_threads(1)
    setups = Curriculum(
        tuple(options.levels), solo=float(not options.versus), thinned=options.thinned
    )
    config = replace(PpoConfig(), draw_setup=setups)
    network = train(config, options.seed, options.updates, report_line)
    for level in sorted({min(options.levels), max(options.levels)}):
        share = measure_clears(network, level, 200, options.seed)
        sys.stdout.write(f"level {level:2}: {share:.1%} of 200 solo games cleared\n")


def report_line(numbers: dict[str, float]) -> None:
    """Print the numbers of an update."""
    sys.stdout.write(" ".join(f"{name} {value:.4g}" for name, value in numbers.items()) + "\n")


if __name__ == "__main__":
    main()
