"""The league manager: when `main` is frozen, whom it meets next, and which games rate a snapshot.

A state machine over counters and named random streams. It plays nothing, writes nothing and knows
no RLlib: the run asks, acts, and keeps `state_dict` in its checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from envs.game.setup import NUM_SEEDS
from league.matchmaking import Candidates, FloatArray, draw_opponents, opponent_probabilities
from league.pool import OpponentPool
from league.rng import RngStreams, make_rng
from league.settings import EvaluationSettings, LeagueSettings

LAST_GAP: Final = 0.1
"""Share of the run that must lie between the last two snapshots for a last one to be worth it."""
_MAX_POLICY_SEED: Final = 2**31


@dataclass(frozen=True, slots=True)
class PlannedPair:
    """Two games to be played on one round with the seats swapped."""

    players: tuple[str, str]
    """Policy ids by seat of the first game; the second game swaps them."""
    round_seed: int
    """Seed of the round, 0..32766."""
    policy_seed: int
    """Seed of everything that the policies draw in the two games."""


class LeagueManager:
    """Decides for one learner, `role`, and its pool."""

    def __init__(
        self,
        league: LeagueSettings,
        evaluation: EvaluationSettings,
        *,
        total_env_steps: int,
        seed: int,
        role: str = "main",
    ) -> None:
        """Start a league without snapshots.

        Args:
            league: Pool, matchmaking and snapshot rule.
            evaluation: Which games rate a snapshot.
            total_env_steps: Length of the run.
            seed: Seed of the run.
            role: The learner; its snapshots are called `role-0000`, `role-0001`, ...
        """
        self._league = league
        self._evaluation = evaluation
        self._total_env_steps = total_env_steps
        self._role = role
        self._pool = OpponentPool(league.scripted, league.max_snapshots)
        self._streams = RngStreams(seed)
        # Every rated pair takes the next round of one fixed shuffle, so none comes twice.
        self._rounds = make_rng(seed, "evaluation/rounds").permutation(NUM_SEEDS)
        self._num_pairs = 0
        self._last_snapshot_steps: int | None = None

    @property
    def pool(self) -> OpponentPool:
        """The opponents; add to it through `add_snapshot` only."""
        return self._pool

    def opponent_shares(self, ratings: Mapping[str, float]) -> dict[str, float]:
        """Return the probability of each active member to be drawn for a slot.

        Args:
            ratings: Elo points of rated players; the learner stands where its newest rated
                snapshot stands.
        """
        candidates = self._candidates(ratings)
        return dict(zip(candidates.names, self._probabilities(candidates).tolist(), strict=True))

    def choose_opponents(self, ratings: Mapping[str, float]) -> list[str]:
        """Draw the opponent of every slot for the next iteration; one may hold several slots.

        Args:
            ratings: As for `opponent_shares`.
        """
        candidates = self._candidates(ratings)
        rng = self._streams["matchmaking"]
        chances = self._probabilities(candidates)
        return draw_opponents(candidates, chances, self._league.slots, rng)

    def is_snapshot_due(self, env_steps: int, *, last: bool = False) -> bool:
        """Whether the learner should be frozen now.

        It is at the start, then whenever `snapshot_every` steps have passed, and at the end of
        the run if a tenth of the run has.

        Args:
            env_steps: Env steps that the learner has seen.
            last: The run ends here.
        """
        if self._last_snapshot_steps is None:
            return True
        passed = env_steps - self._last_snapshot_steps
        enough = LAST_GAP * self._total_env_steps if last else self._league.snapshot_every
        return passed >= min(enough, self._league.snapshot_every)

    def add_snapshot(self, env_steps: int) -> str:
        """Name a new snapshot, put it into the pool and return its id."""
        name = f"{self._role}-{len(self._pool.snapshots):04d}"
        self._pool.add(name)
        self._last_snapshot_steps = env_steps
        return name

    def plan_evaluation(self, snapshot: str) -> list[PlannedPair]:
        """Return the pairs that rate a new snapshot: the same number against each opponent.

        Every pair has a round of its own. All of them are played, whatever the score, so the
        number of games never depends on their results.
        """
        rng = self._streams["evaluation/policies"]
        planned = []
        for opponent in self._rating_opponents(snapshot):
            for _ in range(self._evaluation.pairs):
                round_seed = int(self._rounds[self._num_pairs % NUM_SEEDS])
                policy_seed = int(rng.integers(1, _MAX_POLICY_SEED))
                planned.append(PlannedPair((snapshot, opponent), round_seed, policy_seed))
                self._num_pairs += 1
        return planned

    def state_dict(self) -> dict[str, Any]:
        """Return what the next iteration depends on, as JSON types."""
        return {
            "pool": self._pool.state_dict(),
            "streams": self._streams.state_dict(),
            "num_pairs": self._num_pairs,
            "last_snapshot_steps": self._last_snapshot_steps,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was taken.

        Raises:
            ValueError: The state belongs to a run with another seed.
        """
        self._streams.load_state_dict(state["streams"])
        self._pool.load_state_dict(state["pool"])
        self._num_pairs = state["num_pairs"]
        self._last_snapshot_steps = state["last_snapshot_steps"]

    def _candidates(self, ratings: Mapping[str, float]) -> Candidates:
        names = self._pool.active
        rated = [name for name in self._pool.snapshots if name in ratings]
        return Candidates(
            names=names,
            ratings=np.array([ratings.get(name, np.nan) for name in names]),
            is_snapshot=np.array([self._pool.is_snapshot(name) for name in names]),
            learner_rating=ratings[rated[-1]] if rated else np.nan,
            sigma=self._league.sigma,
        )

    def _probabilities(self, candidates: Candidates) -> FloatArray:
        return opponent_probabilities(self._league.matchmaking, candidates, self._league.floor)

    def _rating_opponents(self, snapshot: str) -> list[str]:
        """Return the scripted opponents and a spread of the snapshots before this one."""
        snapshots = self._pool.snapshots
        earlier = snapshots[: snapshots.index(snapshot)]
        count = min(self._evaluation.past_snapshots, len(earlier))
        # From the newest down to the first: close ones are informative, far ones show forgetting.
        picks = np.linspace(len(earlier) - 1, 0, count).round().astype(int)
        return [*self._evaluation.opponents, *(earlier[pick] for pick in picks)]
