"""The PettingZoo environment as RLlib's runners see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pettingzoo import ParallelEnv
from ray.rllib.env.wrappers.pettingzoo_env import ParallelPettingZooEnv
from ray.tune.registry import register_env

ENV_NAME: Final = "league-parallel-env"
"""Name under which the environment of a run is registered with RLlib."""

ParallelEnvMaker = Callable[[], ParallelEnv[str, Any, Any]]
"""Makes one environment; it must survive pickling by reference (a function or a partial)."""


class SeededParallelEnv(ParallelPettingZooEnv):
    """RLlib's wrapper, with the seed of the next round chosen from outside and fewer infos.

    RLlib resets a finished environment without a seed; the runner draws one per episode instead
    and leaves it here. RLlib also stores and sends the infos of every step; only those of the
    reset and of the last step are passed on.
    """

    def __init__(self, env: ParallelEnv[str, Any, Any]) -> None:
        super().__init__(env)
        self.next_seed: int | None = None
        """Seed of the next `reset` that is called without one."""

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Start an episode; shapes as in `ParallelEnv.reset`."""
        chosen = self.next_seed if seed is None else seed
        observations, infos = super().reset(seed=chosen, options=options)
        return observations, infos

    def step(
        self, action_dict: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, float], dict[str, bool], dict[str, bool], dict[str, Any]]:
        """Step both seats; shapes as in `ParallelEnv.step`."""
        observations, rewards, ended, cut, infos = super().step(action_dict)
        if not (ended["__all__"] or cut["__all__"]):
            infos = {}
        return observations, rewards, ended, cut, infos


def register_parallel_env(make_env: ParallelEnvMaker) -> None:
    """Make `make_env` the environment behind `ENV_NAME`, in this process and in Ray's workers."""
    register_env(ENV_NAME, lambda _context: SeededParallelEnv(make_env()))
