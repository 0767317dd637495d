"""A small network that knows only what the tree knows, and practises against `greedy`.

A teacher sees far more than the tree does, and what it does for reasons that the tree cannot see is
noise to it. So a network that scores candidates by the tree's own features first learns the
teacher's choices, then plays: proximal policy optimisation. The tree is grown from its scores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from envs.backends.native_duel import MAX_CANDIDATES, list_candidates, read_positions
from envs.game.layout import CELLS, COLUMNS
from envs.game.placement import NUM_POSES
from policies.distill.choices import pack_rows
from policies.distill.collect import Lessons
from policies.distill.practice_games import NUM_SUMMARY, Choice, PracticeGames
from policies.distill.spec import FEATURES, MAX_THRESHOLD

_LARGEST: Final = torch.tensor([min(feature.high, MAX_THRESHOLD) for feature in FEATURES])
"""By feature: larger values count as this one, as they do to a tree."""
_OFFSETS: Final = torch.cumsum(_LARGEST + 1, 0) - _LARGEST - 1
"""By feature: the input of its value 0; a value has an input of its own."""
_INPUTS: Final = int((_LARGEST + 1).sum())
_UNITS: Final = 64
_WARM_UP_BATCH: Final = 1024
_WARM_UP_EPOCHS: Final = 3
_SHARPER: Final = 4.0
"""By what scores are multiplied between learning and practice."""
_NO_SCORE: Final = -1e9


@dataclass(frozen=True, slots=True)
class PracticeConfig:
    """How long and how a network practises."""

    updates: int = 500
    games: int = 256
    """Side by side."""
    horizon: int = 64
    """Capsules of every game between two updates."""
    epochs: int = 8
    """Passes over the capsules of an update."""
    batch: int = 2048
    """Capsules of a gradient step."""
    learning_rate: float = 1e-3
    """Of Adam at the start; falls linearly to a twentieth."""
    gamma: float = 1.0
    """Discount of a capsule: a game takes a hundred, and its end is what counts."""
    gae_lambda: float = 0.99
    clip: float = 0.2
    entropy: float = 0.01
    """Weight at the start; falls linearly to a tenth."""


class SmallNetwork(nn.Module):
    """Scores feature rows, each by itself; a second part values positions while it practises."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(_INPUTS, _UNITS, bias=False)
        nn.init.normal_(self.first.weight, std=0.3)
        self.rest = nn.Sequential(
            nn.ReLU(), nn.Linear(_UNITS, _UNITS), nn.ReLU(), nn.Linear(_UNITS, 1)
        )
        self.value = nn.Sequential(
            nn.Linear(NUM_SUMMARY, _UNITS), nn.Tanh(), nn.Linear(_UNITS, _UNITS), nn.Tanh(),
            nn.Linear(_UNITS, 1),
        )  # fmt: skip

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the scores, float32 (n,), of what `encode_rows` made of rows."""
        scores: Tensor = self.rest(self.first(inputs))
        return scores.squeeze(-1)


def encode_rows(rows: np.ndarray) -> Tensor:
    """Return a one for the value of each feature, zeros beside it, float32 (n, inputs).

    Args:
        rows: uint8 (n, features).
    """
    ones = torch.minimum(torch.from_numpy(rows.astype(np.int64)), _LARGEST) + _OFFSETS
    return torch.zeros(len(rows), _INPUTS).scatter_(1, ones, 1.0)


class Rows:
    """The candidates of some positions; equal ones are scored once."""

    def __init__(self, features: np.ndarray, is_candidate: np.ndarray) -> None:
        """Merge them.

        Args:
            features: uint8 (n, 30, features).
            is_candidate: bool (n, 30).
        """
        self._is_candidate = torch.from_numpy(is_candidate)
        rows = features[is_candidate]
        _, first, places = np.unique(pack_rows(rows), return_index=True, return_inverse=True)
        self._unique = encode_rows(rows[first])
        self._places = torch.zeros(is_candidate.shape, dtype=torch.int64)
        self._places[self._is_candidate] = torch.from_numpy(places)

    def score(self, network: SmallNetwork, chosen: Tensor | slice = slice(None)) -> Tensor:
        """Return scores, float32 (n, 30), of the chosen positions; least for no candidate."""
        places = self._places[chosen]
        # index_select: indexing takes twice the time on the way back.
        scores = network(self._unique).index_select(0, places.flatten()).view(places.shape)
        return torch.where(self._is_candidate[chosen], scores, _NO_SCORE)


@dataclass(frozen=True, slots=True)
class _Played:
    """What was chosen between two updates, and how it turned out; tensors are by capsule."""

    rows: Rows
    summary: Tensor
    choices: Tensor
    log_probabilities: Tensor
    advantages: Tensor
    returns: Tensor
    ended: int
    """Games."""
    won: int


def practise(
    lessons: Lessons,
    targets: np.ndarray,
    config: PracticeConfig,
    rng: np.random.Generator,
    *,
    threads: int | None = 1,
    on_update: Callable[[int, float], None] | None = None,
) -> SmallNetwork:
    """Return a network that has learned from lessons first, then from its own games.

    Args:
        lessons: Positions with their candidates.
        targets: float64 (n, 30), how much the teacher wants each candidate; rows sum to 1.
        config: How long.
        rng: Source of set-ups, weights and choices.
        threads: Threads that share the games; torch gets one, so that sums come out alike.
        on_update: Called with the update and the share of games won since the last one.
    """
    threads_before = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(2**31)))
        network = SmallNetwork()
        _warm_up(network, lessons, targets)
        games = PracticeGames(config.games, rng, threads=threads)
        optimiser = torch.optim.Adam(network.parameters(), lr=config.learning_rate, eps=1e-5)
        for update in range(config.updates):
            left = 1 - update / config.updates
            optimiser.param_groups[0]["lr"] = config.learning_rate * (0.05 + 0.95 * left)
            played = _play(network, games, config, rng)
            _learn(network, optimiser, played, config, config.entropy * (0.1 + 0.9 * left))
            if on_update is not None:
                on_update(update, played.won / max(1, played.ended))
        games.close()
    torch.set_num_threads(threads_before)
    return network


def _warm_up(network: SmallNetwork, lessons: Lessons, targets: np.ndarray) -> None:
    """Learn what the teacher would choose."""
    rows, wanted = Rows(lessons.features, lessons.is_candidate), torch.from_numpy(targets)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    for _ in range(_WARM_UP_EPOCHS):
        for chosen in _shuffle(len(lessons), _WARM_UP_BATCH):
            logs = torch.log_softmax(rows.score(network, chosen), 1)
            loss = -(wanted[chosen] * logs).sum(1).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    # What the teacher sees and the network does not brings its scores close to each other. In
    # practice it chooses by chance, and would mostly lose by that.
    with torch.no_grad():
        for weights in network.rest[-1].parameters():
            weights.mul_(_SHARPER)


def _play(
    network: SmallNetwork, games: PracticeGames, config: PracticeConfig, rng: np.random.Generator
) -> _Played:
    """Let the network choose by chance, each candidate as likely as its score says."""
    shape = (config.horizon, config.games)
    choices, logs = np.zeros(shape, np.int64), np.zeros(shape, np.float32)
    rewards, ended = np.zeros(shape, np.float32), np.zeros(shape, np.bool_)
    seen, won = [], 0
    for step in range(config.horizon):
        seen.append(games.look())
        choices[step], logs[step] = _draw(network, seen[-1], rng)
        poses = np.take_along_axis(seen[-1].poses, choices[step][:, None], axis=1)[:, 0]
        rewards[step], ended[step], wins = games.play(poses)
        won += int((wins & ended[step]).sum())
    summary = torch.from_numpy(np.stack([*(one.summary for one in seen), games.look().summary]))
    with torch.inference_mode():
        values = network.value(summary).squeeze(-1).numpy()
    advantages = _estimate_advantages(values, rewards, ended, config)
    features = np.concatenate([one.features for one in seen])
    return _Played(
        rows=Rows(features, np.concatenate([one.is_candidate for one in seen])),
        summary=summary[:-1].flatten(0, 1),
        choices=torch.from_numpy(choices.reshape(-1)),
        log_probabilities=torch.from_numpy(logs.reshape(-1)),
        advantages=torch.from_numpy(advantages.reshape(-1)),
        returns=torch.from_numpy((advantages + values[:-1]).reshape(-1)),
        ended=int(ended.sum()),
        won=won,
    )


def _draw(
    network: SmallNetwork, choice: Choice, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return a choice for each game, int64 (games,), and its log-probability, float32."""
    with torch.inference_mode():
        scores = Rows(choice.features, choice.is_candidate).score(network)
        logs = torch.log_softmax(scores, 1).numpy()
    drawn = (logs + rng.gumbel(size=logs.shape)).argmax(axis=1)
    return drawn, np.take_along_axis(logs, drawn[:, None], axis=1)[:, 0]


def _estimate_advantages(
    values: np.ndarray, rewards: np.ndarray, ended: np.ndarray, config: PracticeConfig
) -> np.ndarray:
    """Generalised advantage estimation, float32 (steps, games); `values` has a step more."""
    advantages = np.zeros_like(rewards)
    later = np.zeros_like(rewards[0])
    for step in reversed(range(len(rewards))):
        kept = config.gamma * ~ended[step]
        later = rewards[step] + kept * (values[step + 1] + config.gae_lambda * later)
        later = (later - values[step]).astype(np.float32)
        advantages[step] = later
    return advantages


def _learn(
    network: SmallNetwork,
    optimiser: torch.optim.Optimizer,
    played: _Played,
    config: PracticeConfig,
    entropy_weight: float,
) -> None:
    for _ in range(config.epochs):
        for chosen in _shuffle(len(played.choices), config.batch):
            logs = torch.log_softmax(played.rows.score(network, chosen), 1)
            taken = logs.gather(1, played.choices[chosen, None]).squeeze(1)
            ratio = (taken - played.log_probabilities[chosen]).exp()
            advantages = played.advantages[chosen]
            advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
            clipped = ratio.clamp(1 - config.clip, 1 + config.clip)
            policy_loss = -torch.min(ratio * advantages, clipped * advantages).mean()
            values = network.value(played.summary[chosen]).squeeze(-1)
            value_loss = (values - played.returns[chosen]).square().mean()
            entropy = -(logs.exp() * logs).sum(1).mean()
            loss = policy_loss + 0.5 * value_loss - entropy_weight * entropy
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 0.5)
            optimiser.step()


def _shuffle(count: int, size: int) -> Iterator[Tensor]:
    """Yield batches of all places, in random order; a smaller rest is left out."""
    order, size = torch.randperm(count), min(size, count)
    return (order[start : start + size] for start in range(0, count - size + 1, size))


class PracticeTeacher:
    """A network that has practised, as a teacher."""

    is_soft: Final = True

    def __init__(self, network: SmallNetwork, name: str) -> None:
        self._network = network
        self.name = name

    def score_poses(self, images: np.ndarray, seat: int) -> np.ndarray:
        """Return the network's scores; see `policies.distill.teacher.Teacher`."""
        candidates, counts = list_candidates(read_positions(images, seat))
        is_candidate = np.arange(MAX_CANDIDATES) < counts[:, None]
        with torch.inference_mode():
            judged = Rows(candidates["features"], is_candidate).score(self._network).numpy()
        poses = (
            candidates["rotation"].astype(np.int64) * CELLS
            + candidates["row"].astype(np.int64) * COLUMNS
            + candidates["column"]
        )
        scores = np.full((len(images), NUM_POSES), -np.inf)
        rows, columns = np.nonzero(is_candidate)
        scores[rows, poses[rows, columns]] = judged[rows, columns]
        return scores
