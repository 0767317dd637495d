"""What the driver may change from iteration to iteration."""

from __future__ import annotations

from dataclasses import dataclass, field

from envs.reward import RewardConfig


@dataclass(frozen=True, slots=True)
class Steering:
    """Settings of one iteration."""

    learning_rate: float
    """Step size of Adam."""
    entropy: float = 0.0
    """Weight of the entropy bonus."""
    gamma: float = 0.99
    """Discount per 60 frames of play."""
    reward: RewardConfig = field(default_factory=RewardConfig)
    """What the games pay; envs other than the simulator pay what they were made with."""
    solo: bool = False
    """Whether all games that begin are solo."""
