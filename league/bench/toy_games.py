"""Games small enough to know the truth of: a skill with a cyclic style, and rock-paper-scissors.

A player is a vector of parameters; its chances and what a learning step gains are formulas. They
put matchmaking, roles and ratings to the test without any network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from league.statistics.elo import sigmoid

FloatArray = NDArray[np.float64]

ROCK_PAPER_SCISSORS: Final = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], np.float64)
"""Points of the row against the column."""


class ToyGame(Protocol):
    """A symmetric two-player game whose players are parameter vectors."""

    def start(self) -> FloatArray:
        """Return the parameters of a player that has learned nothing, shape (d,)."""
        ...

    def score(self, first: FloatArray, second: FloatArray) -> float:
        """Return the expected score of `first`, 0..1."""
        ...

    def learn(
        self, player: FloatArray, opponents: Sequence[FloatArray], rng: np.random.Generator
    ) -> FloatArray:
        """Return the player after one update against opponents that count alike."""
        ...

    def best_response_score(self, player: FloatArray) -> float:
        """Return the score of the best player with no more skill against `player`."""
        ...


@dataclass(frozen=True, slots=True)
class DiscGame:
    """Skill decides, and so does style: a point in the unit disc that beats those to its right.

    log odds = (skill_a - skill_b) + swing * (style_a x style_b). Only the centre cannot be
    exploited. Skill grows by what even games teach, so weak opponents teach nothing.

    Source: Balduzzi et al. (2019), "Open-ended learning in symmetric zero-sum games", disc game.
    """

    swing: float = 2.0
    """Nats that the best style gains on the edge of the disc."""
    skill_step: float = 0.1
    style_step: float = 0.4
    noise: float = 0.02
    """Standard deviation of every update, per parameter."""

    def start(self) -> FloatArray:
        """Return (skill, x, y) of a player without skill, with a style on the edge."""
        return np.array([0.0, 0.7, 0.0])

    def score(self, first: FloatArray, second: FloatArray) -> float:
        """Return the expected score of `first`, 0..1."""
        return float(sigmoid(self._log_odds(first, second)))

    def learn(
        self, player: FloatArray, opponents: Sequence[FloatArray], rng: np.random.Generator
    ) -> FloatArray:
        """Climb the expected score, with noise; the style stays within the disc."""
        gradient = np.zeros(3)
        for other in opponents:
            chance = self.score(player, other)
            slope = np.array([1.0, self.swing * other[2], -self.swing * other[1]])
            gradient += chance * (1 - chance) * slope / len(opponents)
        steps = np.array([self.skill_step, self.style_step, self.style_step])
        moved: FloatArray = player + steps * gradient + rng.normal(0, self.noise, 3)
        radius = float(np.hypot(moved[1], moved[2]))
        if radius > 1:
            moved[1:] /= radius
        return moved

    def best_response_score(self, player: FloatArray) -> float:
        """Return the score of the best style against `player` at the same skill."""
        return float(sigmoid(self.swing * np.hypot(player[1], player[2])))

    def _log_odds(self, first: FloatArray, second: FloatArray) -> float:
        style = first[1] * second[2] - first[2] * second[1]
        return float(first[0] - second[0] + self.swing * style)


@dataclass(frozen=True, slots=True)
class MatrixGame:
    """A symmetric zero-sum game in one move, played by softmax policies over its actions."""

    points: FloatArray
    """Of the row action against the column action, shape (k, k), antisymmetric, in -1..1."""
    step: float = 0.5
    entropy: float = 0.0
    """Weight of the entropy bonus."""
    noise: float = 0.05
    """Standard deviation of every update, per logit."""

    def start(self) -> FloatArray:
        """Return the logits of a player that prefers the first action."""
        logits = np.zeros(len(self.points))
        logits[0] = 1.0
        return logits

    def policy(self, player: FloatArray) -> FloatArray:
        """Return the probability of each action, shape (k,)."""
        weights = np.exp(player - player.max())
        chances: FloatArray = weights / weights.sum()
        return chances

    def score(self, first: FloatArray, second: FloatArray) -> float:
        """Return the expected score of `first`: 0.5 plus half of the points."""
        return 0.5 + 0.5 * float(self.policy(first) @ self.points @ self.policy(second))

    def learn(
        self, player: FloatArray, opponents: Sequence[FloatArray], rng: np.random.Generator
    ) -> FloatArray:
        """Follow the policy gradient of points plus entropy, with noise."""
        mean = np.mean([self.policy(other) for other in opponents], axis=0)
        chances = self.policy(player)
        values = self.points @ mean - self.entropy * np.log(np.maximum(chances, 1e-12))
        gradient = chances * (values - chances @ values)
        moved: FloatArray = player + self.step * gradient + rng.normal(0, self.noise, len(player))
        # Far logits learn nothing any more, as with any policy that is clipped.
        clipped: FloatArray = np.clip(moved - moved.max(), -8.0, 0.0)
        return clipped

    def best_response_score(self, player: FloatArray) -> float:
        """Return the score of the best answer to `player`."""
        return 0.5 + 0.5 * self.exploitability(self.policy(player))

    def exploitability(self, mixture: FloatArray) -> float:
        """Return the points of the best answer to a mixture of actions, shape (k,)."""
        return float(np.max(self.points @ mixture))
