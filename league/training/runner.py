"""The stock multi-agent env runner with a roster of opponents and errors that reach the driver."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
import ray
import torch
from ray.rllib.callbacks.callbacks import RLlibCallback
from ray.rllib.core import COMPONENT_RL_MODULE
from ray.rllib.env.multi_agent_env_runner import MultiAgentEnvRunner
from ray.rllib.env.multi_agent_episode import MultiAgentEpisode

from league.training.module import to_module_state
from league.training.report import TrainingGame
from league.training.roster import MAIN, Roster, Seating, draw_seating
from league.training.session import quiet_ray

Result = TypeVar("Result")

GAMES_METRIC: Final = "training_games"
"""Metric under which runners hand over the games that ended, one item per game."""

_SEATING: Final = "seating"


@dataclass(frozen=True, slots=True)
class SeatMap:
    """RLlib's agent-to-module mapping of one episode; callable as RLlib expects."""

    modules: dict[str, str]

    def __call__(self, agent_id: str, episode: MultiAgentEpisode, **kwargs: Any) -> str:
        """Return the module that plays `agent_id`."""
        return self.modules[agent_id]


class LeagueEnvRunner(MultiAgentEnvRunner):
    """RLlib's own runner for one environment, whose opponents come from a `Roster`.

    A new roster takes effect when the next episode starts: a game is never handed from one
    opponent to another in the middle.
    """

    def __init__(self, config: Any, **kwargs: Any) -> None:
        self._roster: Roster | None = None
        self._next_roster: Roster | None = None
        self._episodes = 0
        quiet_ray()
        super().__init__(config, **kwargs)

    def apply(self, func: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
        """Call `func` with this runner, and let its errors through.

        The base class logs an error and kills the process, so that the driver sees a dead actor
        without a reason; this way it sees the traceback. Where failed runners are to be replaced,
        the process must die as there.
        """
        if self.config.restart_failed_env_runners:
            return super().apply(func, *args, **kwargs)  # type: ignore[no-any-return]
        return func(self, *args, **kwargs)

    def set_state(self, state: dict[str, Any]) -> None:
        """Take over `main` from the learner, and nothing else.

        The learner holds a module for every slot as well, and sends it along whenever there are
        statistics of it. Its weights mean nothing: those of a slot come from the roster alone.
        """
        if COMPONENT_RL_MODULE in state:
            modules = state[COMPONENT_RL_MODULE]
            if isinstance(modules, ray.ObjectRef):
                modules = ray.get(modules)
            kept = {MAIN: modules[MAIN]} if MAIN in modules else {}
            state = {**state, COMPONENT_RL_MODULE: kept}
        super().set_state(state)

    def set_roster(self, roster: Roster) -> None:
        """Play `roster` from the next episode on."""
        self._next_roster = roster

    def begin_episode(self, episode: MultiAgentEpisode) -> None:
        """Draw opponent, seats and seeds of `episode`, which has no data yet.

        Raises:
            RuntimeError: No roster was set.
        """
        self._adopt_roster()
        roster = self._roster
        if roster is None:
            raise RuntimeError("expected a roster before sampling, call set_roster first")
        seating = draw_seating(
            self.config.env_config["seed"], roster, self.worker_index or 0, self._episodes
        )
        self._episodes += 1
        self._seed_episode(seating)
        agents = self._env().possible_agents
        modules = [roster.module_of(seating.slot)] * len(agents)
        modules[seating.main_seat] = MAIN
        # On the episode, not in `custom_data`: RLlib asks for it before it copies that.
        episode.agent_to_module_mapping_fn = SeatMap(dict(zip(agents, modules, strict=True)))
        episode.custom_data[_SEATING] = (seating, roster.player_of(seating.slot))

    def _adopt_roster(self) -> None:
        if self._next_roster is None:
            return
        self._roster, self._next_roster = self._next_roster, None
        self._episodes = 0
        for slot, opponent in enumerate(self._roster.opponents):
            if opponent.weights is not None:
                module = self.module[self._roster.module_of(slot)]
                module.set_state(to_module_state(opponent.weights))

    def _seed_episode(self, seating: Seating) -> None:
        self._env().next_seed = seating.round_seed
        # RLlib samples actions from torch's global generator.
        torch.manual_seed(seating.policy_seed)
        sequence = np.random.SeedSequence(seating.policy_seed)
        for module, child in zip(
            self.module.values(), sequence.spawn(len(self.module)), strict=True
        ):
            if hasattr(module, "seed"):
                module.seed(child)

    def _env(self) -> Any:
        return self.env.envs[0].unwrapped


class LeagueCallbacks(RLlibCallback):
    """Connects RLlib's episode events to `LeagueEnvRunner`."""

    def on_episode_created(
        self, *, episode: MultiAgentEpisode, env_runner: LeagueEnvRunner, **kwargs: Any
    ) -> None:
        """Seat the players of a new episode."""
        env_runner.begin_episode(episode)

    def on_episode_end(
        self,
        *,
        episode: MultiAgentEpisode,
        prev_episode_chunks: Sequence[MultiAgentEpisode],
        metrics_logger: Any,
        **kwargs: Any,
    ) -> None:
        """Report a finished game."""
        chunks = [*prev_episode_chunks, episode]
        metrics_logger.log_value(GAMES_METRIC, _read_game(chunks), reduce="item_series")


def map_to_main(agent_id: str, episode: MultiAgentEpisode, **kwargs: Any) -> str:
    """RLlib's mapping before `begin_episode` has decided; no episode is played with it."""
    return MAIN


def _read_game(chunks: Sequence[MultiAgentEpisode]) -> TrainingGame:
    """Read a finished game from its chunks; infos come at the reset and at the end only."""
    seating, player = chunks[-1].custom_data[_SEATING]
    agents = list(chunks[-1].agent_to_module_mapping_fn.modules)
    main = agents[seating.main_seat]
    start, end = chunks[0].get_infos(0)[main], chunks[-1].get_infos(-1)[main]
    return TrainingGame(
        opponent=player,
        main_seat=seating.main_seat,
        round_seed=seating.round_seed,
        main_return=float(sum(chunk.agent_episodes[main].get_return() for chunk in chunks)),
        winner_seat=None if end["winner"] is None else agents.index(end["winner"]),
        end_reason=end["end_reason"],
        frames=end["frames"],
        capsules=end["capsules"],
        viruses=start["viruses"] - end["viruses"],
        lines=end["lines"],
        garbage_sent=end["garbage_sent"],
    )
