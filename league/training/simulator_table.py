"""A game table on the native simulator: placements, many games in one call."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

import numpy as np

from envs.backends.native_decisions import STEER, NativeDecisions
from envs.backends.native_vector import EVENTS, NO_WINNER, TOTALS
from envs.candidates import CAPACITY
from envs.game.layout import NUM_SEATS
from envs.game.outcome import END_REASONS
from envs.game.placement import WAIT
from envs.observation import COMPACT_SIZE, COMPACT_SPEC
from envs.reward import RewardConfig
from envs.starts import EpisodeStart
from envs.vector import VectorEnv
from league.training.tables import (
    DrawStart,
    EndedGame,
    Inputs,
    SeatCounts,
    TableStep,
)
from policies.base import CandidateBatch, Policy
from policies.decision_choices import choose, list_greedy_weights

_VIRUSES: Final = COMPACT_SPEC["own.viruses"].offset
_GARBAGE: Final = EVENTS.index("garbage_sent")
_COUNTS: Final = ("viruses", "lines", "garbage_sent", "capsules")
_COUNT_COLUMNS: Final = [TOTALS.index(name) for name in _COUNTS]


class SimulatorTable:
    """Games of `envs.vector`, whose seats place capsules."""

    has_masks: Final = True

    def __init__(
        self, games: int, columns: Sequence[str], *, reward: RewardConfig, max_frames: int
    ) -> None:
        """Make a table whose games have not begun.

        Args:
            games: How many, 1 or more.
            columns: Inputs of the networks, see `policies.network.Network.columns`.
            reward: Weights of the terms.
            max_frames: Frames after which a game ends without a winner.

        Raises:
            BackendError: The simulator was not built.
        """
        self._columns = tuple(columns)
        self._has_candidates = "rows" in columns
        self._env = VectorEnv(
            games,
            draw_setup=self._draw_setup,
            reward=reward,
            max_frames=max_frames,
            candidates=CAPACITY if self._has_candidates else 0,
            # Searching opponents need none.
            candidates_at_once=False,
        )
        vector = self._env.games
        rows = NUM_SEATS * games
        # Views, row by seat; the native code writes into the same memory.
        self._compact = vector.observations.reshape(rows, COMPACT_SIZE)
        self._masks = vector.masks.reshape(rows, -1)
        self._candidates = vector.candidates.reshape(rows, *vector.candidates.shape[2:])
        self._poses = vector.candidate_poses.reshape(rows, -1)
        self._candidate_counts = vector.candidate_counts.reshape(rows)
        self._due = vector.due.reshape(rows)
        self._decisions = NativeDecisions(vector, list_greedy_weights())
        self._actions = np.full((games, NUM_SEATS), WAIT)
        self._volleys = np.zeros((games, NUM_SEATS), np.int64)
        self._starts: list[EpisodeStart] = []
        self._drawn: deque[EpisodeStart] = deque()
        self._queued: list[EpisodeStart] = []

    @property
    def games(self) -> int:
        """How many games there are."""
        return len(self._env.games)

    def reset(self, draw_start: DrawStart) -> None:
        """Begin all games; the start after the running one is always drawn already."""
        self._draw_start = draw_start
        self._drawn.clear()
        self._volleys.fill(0)
        self._env.reset()
        self._starts = [self._drawn.popleft() for _ in range(self.games)]
        self._queued = [self._drawn.popleft() for _ in range(self.games)]

    def find_start(self, game: int) -> EpisodeStart:
        """Return how the running game began."""
        return self._starts[game]

    def list_due(self) -> np.ndarray:
        """Return the seats that must place a capsule."""
        return np.flatnonzero(self._due)

    def observe(self, seats: np.ndarray) -> Inputs:
        """Return the network's inputs; candidates are as wide as the longest list among them."""
        if self._has_candidates:
            return self._list_candidates(seats).to_columns()
        inputs = {"compact": self._compact[seats]}
        if "mask" in self._columns:
            inputs["mask"] = self._masks[seats]
        return inputs

    def count_viruses(self, seats: np.ndarray) -> np.ndarray:
        """Return the viruses left in each due seat's bottle, uint8 (n,)."""
        viruses: np.ndarray = self._compact[seats, _VIRUSES]
        return viruses

    def find_actions(self, seats: np.ndarray, choices: np.ndarray) -> np.ndarray:
        """Return the pose of each chosen candidate; other networks choose poses themselves."""
        if not self._has_candidates:
            return choices
        poses = self._poses[seats, choices].astype(np.int64)
        return np.where(self._candidate_counts[seats] == 0, WAIT, poses)

    def ask_policy(self, policy: Policy, seats: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return a policy's actions; those from `STEER` on are moved by the native code."""
        slots, sides = np.divmod(seats, NUM_SEATS)
        state = policy.initial_state(len(seats))
        return choose(policy, self._env.games, slots, sides, state, rng)[0]

    def set_reward(self, reward: RewardConfig) -> None:
        """Pay by other weights from the next step on."""
        self._env.set_reward(reward)

    def step(self, seats: np.ndarray, actions: np.ndarray) -> TableStep:
        """Run every game to its next decision."""
        self._actions.fill(WAIT)
        self._actions.reshape(-1)[seats] = actions
        if (actions >= STEER).any():
            self._decisions.decide(self._actions)
            self._actions.fill(WAIT)
        shown = self._env.step(self._actions)
        vector = self._env.games
        self._volleys += vector.events[:, :, _GARBAGE] > 0
        ended = tuple(self._describe_end(game) for game in np.flatnonzero(vector.reasons).tolist())
        for one in ended:
            self._starts[one.game] = self._queued[one.game]
            self._queued[one.game] = self._drawn.popleft()
            self._volleys[one.game] = 0
        return TableStep(shown.frames, shown.rewards, ended)

    def close(self) -> None:
        """End the simulator's threads; safe to call twice."""
        self._env.close()

    def _draw_setup(self, stream: np.random.Generator) -> EpisodeStart:
        """Draw as the env asks for starts: by game, ascending; its own stream stays unused."""
        start = self._draw_start()
        self._drawn.append(start)
        return start

    def _list_candidates(self, seats: np.ndarray) -> CandidateBatch:
        self._env.games.show_candidates(seats)
        counts = self._candidate_counts[seats]
        most = max(int(counts.max(initial=0)), 1)
        return CandidateBatch.trim(
            self._compact[seats],
            self._candidates[seats, :most],
            self._poses[seats, :most],
            counts,
        )

    def _describe_end(self, game: int) -> EndedGame:
        vector = self._env.games
        winner = int(vector.winners[game])
        counts = vector.totals[game][:, _COUNT_COLUMNS]
        left, right = (
            SeatCounts(*row) for row in np.column_stack([counts, self._volleys[game]]).tolist()
        )
        return EndedGame(
            game=game,
            start=self._starts[game],
            winner_seat=None if winner == NO_WINNER else winner,
            end_reason=END_REASONS[int(vector.reasons[game]) - 1],
            frames=int(vector.episode_frames[game]),
            seats=(left, right),
        )
