"""A two-seat game that is learned in seconds and looks like the real one to RLlib.

Every step shows a column 0..7; pressing the button of that number scores. Who scores more wins.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete
from pettingzoo import ParallelEnv

from envs.observation import COMPACT_HIGH, COMPACT_SPEC
from policies.network import NUM_ACTIONS

STEPS = 20
_COLUMN = COMPACT_SPEC["own.x"].offset


class ToyEnv(ParallelEnv[str, np.ndarray, int]):
    metadata: dict[str, Any] = {"name": "toy_v0", "render_modes": []}  # noqa: RUF012

    def __init__(self, fail_after: int | None = None) -> None:
        self.possible_agents = ["player_0", "player_1"]
        self.agents: list[str] = []
        self.render_mode = None
        self._fail_after = fail_after
        self._total = 0

    def observation_space(self, agent: str) -> Box:
        return Box(np.zeros_like(COMPACT_HIGH), COMPACT_HIGH, dtype=np.uint8)

    def action_space(self, agent: str) -> Discrete[np.int64]:
        return Discrete(NUM_ACTIONS)

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, dict[str, Any]]]:
        self._rng = np.random.default_rng(seed)
        self._scores = dict.fromkeys(self.possible_agents, 0)
        self._step = 0
        self.agents = list(self.possible_agents)
        return self._observe(), {agent: self._info(agent, done=False) for agent in self.agents}

    def step(
        self, actions: dict[str, int]
    ) -> tuple[
        dict[str, np.ndarray],
        dict[str, float],
        dict[str, bool],
        dict[str, bool],
        dict[str, dict[str, Any]],
    ]:
        self._total += 1
        if self._total == self._fail_after:
            raise RuntimeError("the toy broke on purpose")
        hits = {agent: int(action) == self._column for agent, action in actions.items()}
        for agent, hit in hits.items():
            self._scores[agent] += hit
        self._step += 1
        done = self._step == STEPS
        infos = {agent: self._info(agent, done) for agent in self.agents}
        rewards = {agent: float(hit) / 10 for agent, hit in hits.items()}
        ended, cut = dict.fromkeys(self.agents, done), dict.fromkeys(self.agents, False)
        observations = self._observe()
        if done:
            self.agents = []
        return observations, rewards, ended, cut, infos

    def _observe(self) -> dict[str, np.ndarray]:
        self._column = int(self._rng.integers(8))
        observation = np.zeros_like(COMPACT_HIGH)
        observation[_COLUMN] = self._column
        return {agent: observation.copy() for agent in self.possible_agents}

    def _info(self, agent: str, done: bool) -> dict[str, Any]:
        info: dict[str, Any] = dict.fromkeys(("lines", "garbage_sent", "capsules"), 0)
        info |= {"frames": self._step, "viruses": STEPS - self._scores[agent]}
        if done:
            best = max(self._scores.values())
            leaders = [name for name, score in self._scores.items() if score == best]
            info["winner"] = leaders[0] if len(leaders) == 1 else None
            info["end_reason"] = "clear" if len(leaders) == 1 else "both_clear"
        return info

    def render(self) -> None:
        return None

    def close(self) -> None:
        return None
