"""What a run does at each point of its course: the phase it is in, and the values that change."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Final

from envs.reward import RewardConfig
from league.learning_settings import PhaseSettings
from league.settings import RunConfig
from league.training.steering import Steering

_RESULTS: Final = ("win", "loss")


@dataclass(frozen=True, slots=True)
class Schedule:
    """The two phases of a run."""

    solo: PhaseSettings
    versus: PhaseSettings
    solo_share: float
    """Share of the run that is the first phase."""
    reward: RewardConfig

    @classmethod
    def from_config(cls, config: RunConfig) -> Schedule:
        """Return the schedule of a run."""
        return cls(config.solo, config.versus, config.training.solo, config.env.reward)

    def is_solo(self, share: float) -> bool:
        """Whether only solo games begin when a share of the run is done, 0..1."""
        return share < self.solo_share

    def steer(self, share: float) -> Steering:
        """Return what the next iteration goes by when a share of the run is done, 0..1."""
        if self.is_solo(share):
            phase, done = self.solo, share / self.solo_share
        else:
            rest = 1.0 - self.solo_share
            phase, done = self.versus, (share - self.solo_share) / rest if rest else 1.0

        def between(start: float, end: float) -> float:
            return start + (end - start) * min(done, 1.0)

        return Steering(
            learning_rate=between(phase.learning_rate, phase.final_learning_rate),
            entropy=between(phase.ent_coef, phase.final_ent_coef),
            gamma=phase.gamma,
            reward=self._shape(between(phase.shaping, phase.final_shaping), self.is_solo(share)),
            solo=self.is_solo(share),
        )

    def steer_versus(self, done: float) -> Steering:
        """Return what the next iteration goes by when a share of the second phase is done, 0..1."""
        return self.steer(self.solo_share + (1.0 - self.solo_share) * done)

    def _shape(self, weight: float, solo: bool) -> RewardConfig:
        shaping = {
            item.name: weight * getattr(self.reward, item.name)
            for item in fields(self.reward)
            if item.name not in _RESULTS
        }
        if solo:
            # Nobody takes garbage from a solo game; paid for, it would be made instead of clears.
            shaping["garbage_sent"] = 0.0
        return replace(self.reward, **shaping)
