"""A game table over any list of PettingZoo `ParallelEnv`s with two agents.

The emulator trains through this, and so does a third-party game: its observations become the one
input of its network, and a step counts as a second of play unless `infos` tell the frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from pettingzoo import ParallelEnv

from envs.candidates import NO_POSE, POSE_BYTES, encode_candidates, read_poses
from envs.game.layout import NUM_SEATS
from envs.game.placement import WAIT
from envs.observation import decode_compact
from envs.reward import RewardConfig
from envs.starts import EpisodeStart
from league.training.tables import (
    FRAMES_PER_DISCOUNT,
    DrawStart,
    EndedGame,
    Inputs,
    SeatCounts,
    TableStep,
)
from policies.base import CandidateBatch, Policy

AnyEnv: TypeAlias = ParallelEnv[str, Any, Any]

_Infos = dict[str, dict[str, Any]]


class ParallelTable:
    """Games that are stepped one after the other, from Python."""

    def __init__(self, envs: Sequence[AnyEnv], columns: Sequence[str]) -> None:
        """Make a table whose games have not begun.

        Args:
            envs: One env per game, with two possible agents each. Those of this project may give
                placements; then the env's RAM is read for candidates.
            columns: Inputs of the networks: the observation under the first name, then `mask`; or
                those of a network that chooses among candidates.

        Raises:
            ValueError: An env does not have two agents.
        """
        self._tables = [_EnvGame(env) for env in envs]
        self._columns = tuple(columns)
        self._has_candidates = "rows" in columns
        self.has_masks = self._has_candidates or "mask" in columns

    @property
    def games(self) -> int:
        """How many games there are."""
        return len(self._tables)

    def reset(self, draw_start: DrawStart) -> None:
        """Begin all games."""
        self._draw_start = draw_start
        for game in self._tables:
            game.begin(draw_start())

    def find_start(self, game: int) -> EpisodeStart:
        """Return how the running game began."""
        return self._tables[game].start

    def list_due(self) -> np.ndarray:
        """Return the seats that must decide: all, or where there are placements those that may."""
        flags = [due for game in self._tables for due in game.list_due()]
        return np.flatnonzero(flags)

    def observe(self, seats: np.ndarray) -> Inputs:
        """Return the network's inputs."""
        if self._has_candidates:
            return self._list_candidates(seats).to_columns()
        inputs = {self._columns[0]: self._stack_observations(seats)}
        if "mask" in self._columns:
            inputs["mask"] = self._stack_masks(seats)
        return inputs

    def count_viruses(self, seats: np.ndarray) -> np.ndarray | None:
        """Return the viruses left in each seat's bottle; None where `infos` do not tell."""
        counts = [self._find(seat).infos_of(seat % NUM_SEATS).get("viruses") for seat in seats]
        return None if None in counts else np.array(counts)

    def find_actions(self, seats: np.ndarray, choices: np.ndarray) -> np.ndarray:
        """Return the pose of each chosen candidate; other networks choose actions themselves."""
        if not self._has_candidates:
            return choices
        poses = self._list_candidates(seats).poses.astype(np.int64)
        chosen: np.ndarray = poses[np.arange(len(seats)), choices]
        return chosen

    def ask_policy(self, policy: Policy, seats: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return a policy's actions; it may ask for anything that `compact` holds."""
        compact = self._stack_observations(seats)
        observations: Any
        match policy.view.observation:
            case "candidates":
                observations = self._list_candidates(seats)
            case "position":
                observations = [decode_compact(row) for row in compact]
            case _:
                observations = compact
        masks = self._stack_masks(seats) if policy.view.actions == "placement" else None
        return policy.act(observations, masks, policy.initial_state(len(seats)), rng)[0]

    def set_reward(self, reward: RewardConfig) -> None:
        """Do nothing: an env pays what it was made with."""

    def step(self, seats: np.ndarray, actions: np.ndarray) -> TableStep:
        """Step every env; one that ends is reset."""
        chosen = np.full((self.games, NUM_SEATS), self._idle_action)
        chosen.reshape(-1)[seats] = actions
        frames = np.zeros(self.games, np.int32)
        rewards = np.zeros((self.games, NUM_SEATS), np.float32)
        ended = []
        for index, game in enumerate(self._tables):
            frames[index], rewards[index] = game.step(chosen[index])
            if game.is_over:
                ended.append(game.describe_end(index))
                game.begin(self._draw_start())
        return TableStep(frames, rewards, tuple(ended))

    def close(self) -> None:
        """Close all envs; safe to call twice."""
        for game in self._tables:
            game.env.close()

    @property
    def _idle_action(self) -> int:
        """What a seat does that is not due; it is asked for nothing, so all others are."""
        return WAIT if self._tables[0].has_placements else 0

    def _find(self, seat: int) -> _EnvGame:
        return self._tables[seat // NUM_SEATS]

    def _stack_observations(self, seats: np.ndarray) -> np.ndarray:
        return np.stack([self._find(seat).observe(seat % NUM_SEATS) for seat in seats])

    def _stack_masks(self, seats: np.ndarray) -> np.ndarray:
        rows = [self._find(seat).infos_of(seat % NUM_SEATS)["action_mask"] for seat in seats]
        return np.stack(rows)

    def _list_candidates(self, seats: np.ndarray) -> CandidateBatch:
        tables = np.stack([self._find(seat).tabulate(seat % NUM_SEATS) for seat in seats])
        poses = read_poses(tables)
        return CandidateBatch.trim(
            self._stack_observations(seats),
            tables[:, :, POSE_BYTES:],
            poses,
            (poses != NO_POSE).sum(1),
        )


class _EnvGame:
    """One env and what it showed last."""

    def __init__(self, env: AnyEnv) -> None:
        if len(env.possible_agents) != NUM_SEATS:
            raise ValueError(f"expected an env with 2 agents, got {env.possible_agents}")
        self.env = env
        self.is_over = False
        self._agents = list(env.possible_agents)
        self._observations: dict[str, Any] = {}
        self._infos: _Infos = {}
        self._candidates: dict[int, np.ndarray] = {}
        """Tables of the seats that were asked for since the last step."""

    @property
    def has_placements(self) -> bool:
        """Whether seats choose placements, and wait in between."""
        masks = self.infos_of(0).get("action_mask")
        return masks is not None and len(masks) == WAIT + 1

    def begin(self, start: EpisodeStart) -> None:
        """Reset the env; those of this project take the whole set-up."""
        setup = start.setup
        options = None
        if hasattr(self.env, "backend"):
            options = {
                "levels": setup.levels,
                "speeds": setup.speeds,
                "solo": setup.solo,
                "rng_word": setup.rng_word,
            }
        seed = None if options else setup.rng_word
        self._observations, self._infos = self.env.reset(seed=seed, options=options)
        self.start = start
        self._candidates.clear()
        self.is_over = False
        self._first = self._infos
        self._frames = 0
        self._returns = np.zeros(NUM_SEATS)
        self._volleys = [0] * NUM_SEATS

    def step(self, actions: np.ndarray) -> tuple[int, np.ndarray]:
        """Step the env; return the frames that passed and what they paid."""
        before = self._infos
        self._candidates.clear()
        choices = dict(zip(self._agents, actions.tolist(), strict=True))
        self._observations, paid, terminated, truncated, self._infos = self.env.step(choices)
        self.is_over = any(terminated.values()) or any(truncated.values())
        rewards = np.array([paid[agent] for agent in self._agents], np.float32)
        self._returns += rewards
        for seat, agent in enumerate(self._agents):
            sent = [infos[agent].get("garbage_sent", 0) for infos in (before, self._infos)]
            self._volleys[seat] += sent[1] > sent[0]
        total = self.infos_of(0).get("frames", self._frames + FRAMES_PER_DISCOUNT)
        passed, self._frames = total - self._frames, total
        return passed, rewards

    def describe_end(self, index: int) -> EndedGame:
        """Return how the game ended; without word from the env the larger return wins."""
        infos = self.infos_of(0)
        if "end_reason" in infos:
            winner = infos["winner"]
            seat = None if winner is None else self._agents.index(winner)
        else:
            left, right = self._returns
            seat = None if left == right else int(right > left)
        return EndedGame(
            game=index,
            start=self.start,
            winner_seat=seat,
            end_reason=infos.get("end_reason", "clear" if seat is not None else "both_clear"),
            frames=self._frames,
            seats=(self._count(0), self._count(1)),
        )

    def list_due(self) -> list[bool]:
        """Return which seats must decide."""
        if not self.has_placements:
            return [True] * NUM_SEATS
        return [not self.infos_of(seat)["action_mask"][WAIT] for seat in range(NUM_SEATS)]

    def infos_of(self, seat: int) -> dict[str, Any]:
        """Return a seat's infos."""
        return self._infos[self._agents[seat]]

    def observe(self, seat: int) -> Any:
        """Return a seat's observation."""
        return self._observations[self._agents[seat]]

    def tabulate(self, seat: int) -> np.ndarray:
        """Return the candidates of a seat of this project's env, see `envs.candidates`."""
        if seat not in self._candidates:
            env: Any = self.env
            self._candidates[seat] = encode_candidates(env.backend.ram(), seat)
        return self._candidates[seat]

    def _count(self, seat: int) -> SeatCounts:
        first, last = self._first[self._agents[seat]], self.infos_of(seat)
        return SeatCounts(
            viruses=first.get("viruses", 0) - last.get("viruses", 0),
            lines=last.get("lines", 0),
            garbage_sent=last.get("garbage_sent", 0),
            capsules=last.get("capsules", 0),
            volleys=self._volleys[seat],
        )
