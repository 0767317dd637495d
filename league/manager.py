"""The league manager: who learns, whom it meets, when it is frozen, which games rate a snapshot.

A state machine over counters and named random streams. It plays nothing, writes nothing and knows
no RLlib: the run asks, acts, and keeps `state_dict` in its checkpoint.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from envs.game.setup import NUM_SEEDS
from league.matchmaking import (
    Candidates,
    FloatArray,
    draw_opponents,
    expected_payoff,
    opponent_probabilities,
)
from league.payoff import Payoff
from league.pool import OpponentPool
from league.recent import GameScore, RecentResults
from league.rng import RngStreams, make_rng
from league.roles import MAIN, Exploiter, Role, Turn
from league.settings import EvaluationSettings, LeagueSettings
from league.snapshot_gate import SnapshotGate
from league.statistics.nash import nash_average

LAST_GAP: Final = 0.1
"""Share of the run that must lie between the last two snapshots for a last one to be worth it."""
EARLY_GAP: Final = 0.25
"""Share of `snapshot_every` that must have passed before the gate can freeze main."""
NASH_SHARE: Final = 0.02
"""Probability in the Nash mixture that protects a snapshot from being retired."""
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


def make_exploiters(league: LeagueSettings) -> list[Exploiter]:
    """Return the exploiters of a run: `main_exploiter_1`, ..., `league_exploiter_1`, ..."""
    counts: dict[Role, int] = {
        "main_exploiter": league.main_exploiters,
        "league_exploiter": league.league_exploiters,
    }
    return [
        Exploiter(f"{role}_{number}", role, max_env_steps=league.exploiter_env_steps)
        for role, count in counts.items()
        for number in range(1, count + 1)
    ]


class LeagueManager:
    """Decides for `main`, the exploiters, and the pool that they share."""

    def __init__(
        self,
        league: LeagueSettings,
        evaluation: EvaluationSettings,
        *,
        total_env_steps: int,
        seed: int,
        role: str = MAIN,
        exploiters: Sequence[Exploiter] = (),
        solo_env_steps: int = 0,
    ) -> None:
        """Start a league without snapshots.

        Args:
            league: Pool, matchmaking and snapshot rule.
            evaluation: Which games rate a snapshot.
            total_env_steps: Length of the run.
            seed: Seed of the run.
            role: Main's name; its snapshots are called `role-0000`, `role-0001`, ...
            exploiters: Those that learn in turn with main.
            solo_env_steps: Env steps that main plays alone first. What it is then can neither be
                exploited nor be a start: exploiters begin with main's first snapshot after that.
        """
        self._league = league
        self._evaluation = evaluation
        self._total_env_steps = total_env_steps
        self._role = role
        self._exploiters = {one.name: one for one in exploiters}
        self._solo_env_steps = solo_env_steps
        self._pool = OpponentPool(league.scripted, league.max_snapshots)
        self._streams = RngStreams(seed)
        # Every rated pair takes the next round of one fixed shuffle, so none comes twice.
        self._rounds = make_rng(seed, "evaluation/rounds").permutation(NUM_SEEDS)
        self._num_pairs = 0
        self._num_iterations = 0
        """Since exploiters began."""
        self._num_solo_snapshots = 0
        """How many of main's snapshots are no start for an exploiter."""
        self._last_snapshot_steps: int | None = None
        self._recent = RecentResults()
        self._gate = SnapshotGate(league.snapshot_gate, league.gate_elo, league.snapshot_min_games)

    @property
    def pool(self) -> OpponentPool:
        """The opponents; add to it through `add_snapshot` only."""
        return self._pool

    def opponent_shares(
        self, ratings: Mapping[str, float], payoff: Payoff | None = None
    ) -> dict[str, float]:
        """Return the probability of each active member to be drawn for a slot of main.

        Args:
            ratings: Elo points of rated players; main stands where its newest rated snapshot
                stands.
            payoff: Results of the rated games; None goes by the ratings alone.
        """
        candidates = self._candidates(ratings, payoff)
        return dict(zip(candidates.names, self._probabilities(candidates).tolist(), strict=True))

    def choose_opponents(
        self, ratings: Mapping[str, float], payoff: Payoff | None = None
    ) -> list[str]:
        """Draw main's opponent of every slot for the next iteration; one may hold several slots.

        Args:
            ratings: As for `opponent_shares`.
            payoff: As for `opponent_shares`.
        """
        candidates = self._candidates(ratings, payoff)
        rng = self._streams["matchmaking"]
        chances = self._probabilities(candidates)
        return draw_opponents(candidates, chances, self._league.slots, rng)

    def next_turn(self, ratings: Mapping[str, float], payoff: Payoff | None = None) -> Turn:
        """Return who learns in the next iteration, and against whom.

        Exploiters have `exploiter_share` of the turns, evenly spread, one after the other; a turn
        is `exploiter_turn` iterations.
        Call it once an iteration, after main's first snapshot.

        Args:
            ratings: As for `opponent_shares`.
            payoff: As for `opponent_shares`.
        """
        learner = self._next_learner()
        if learner == self._role:
            return Turn(learner, tuple(self.choose_opponents(ratings, payoff)), None)
        exploiter, rng = self._exploiters[learner], self._streams[f"exploiter/{learner}"]
        if exploiter.start is None:
            exploiter.begin(self._starts(), rng)
        candidates = self._candidates(ratings, payoff, exploiter)
        opponents = exploiter.choose_opponents(
            candidates, self._league.slots, self._league.floor, rng
        )
        return Turn(learner, tuple(opponents), exploiter.take_start())

    def record_games(
        self, results: Iterable[GameScore], *, learner: str | None = None, env_steps: int = 0
    ) -> None:
        """Count the training games of an iteration: they steer matchmaking and the gate.

        Args:
            results: Opponent and score of each game; None for a game without a result.
            learner: Who played them; None is main.
            env_steps: Env steps of the iteration.
        """
        if learner in self._exploiters:
            self._exploiters[learner].record(results, env_steps)
            return
        results = list(results)
        self._recent.update(results)
        newest = self._pool.snapshots_of_main()[-1:]
        self._gate.add([score for name, score in results if (name,) == newest], len(results))

    def is_snapshot_due(self, env_steps: int, *, last: bool = False) -> bool:
        """Whether main should be frozen now.

        It is at the start, then whenever `snapshot_every` steps have passed or the gate says that
        main is stronger than its newest snapshot, and at the end of the run if a tenth of the run
        has passed.

        Args:
            env_steps: Env steps that main has seen.
            last: The run ends here.
        """
        if self._last_snapshot_steps is None:
            return True
        passed = env_steps - self._last_snapshot_steps
        every = self._league.snapshot_every
        if last:
            return passed >= min(LAST_GAP * self._total_env_steps, every)
        if passed >= every and self._gate.has_games:
            return True
        return self._gate.is_stronger() and passed >= EARLY_GAP * every

    def add_snapshot(
        self,
        env_steps: int,
        ratings: Mapping[str, float] | None = None,
        payoff: Payoff | None = None,
    ) -> str:
        """Name a new snapshot of main, put it into the pool and return its id.

        Args:
            env_steps: Env steps that main has seen.
            ratings: As for `opponent_shares`; they protect the best from being retired.
            payoff: The same, for the Nash support.
        """
        name = f"{self._role}-{len(self._pool.snapshots_of_main()):04d}"
        self._pool.add(name, ratings=ratings, support=self._nash_support(ratings or {}, payoff))
        self._num_solo_snapshots += env_steps < self._solo_env_steps
        self._last_snapshot_steps = env_steps
        self._gate.clear()
        return name

    def list_going_on(self) -> list[str]:
        """Return the exploiters whose next turn needs the weights that they have now."""
        return [name for name, exploiter in self._exploiters.items() if exploiter.goes_on]

    def exploiter_share(self, learner: str) -> float:
        """Return the share of its env steps that an exploiter has done, 0..1.

        Args:
            learner: Its name. Counted since it last started or was frozen.
        """
        return self._exploiters[learner].share

    def is_exploiter_due(self, learner: str) -> bool:
        """Whether an exploiter should be frozen now; never true of main."""
        return learner in self._exploiters and self._exploiters[learner].is_freeze_due()

    def add_exploiter(
        self,
        learner: str,
        ratings: Mapping[str, float] | None = None,
        payoff: Payoff | None = None,
    ) -> tuple[str, str | None]:
        """Name a snapshot of an exploiter, put it into the pool, and let the exploiter go on.

        Store its weights under the name returned: the next turn may start from others.

        Args:
            learner: Name of the exploiter.
            ratings: As for `add_snapshot`.
            payoff: As for `add_snapshot`.

        Returns:
            Id of the new snapshot, and the snapshot that it grew from.
        """
        exploiter = self._exploiters[learner]
        number = sum(name.startswith(f"{learner}-") for name in self._pool.snapshots)
        name, parent = f"{learner}-{number:04d}", exploiter.start
        self._pool.add(
            name, exploiter=True, ratings=ratings, support=self._nash_support(ratings or {}, payoff)
        )
        exploiter.freeze(self._starts(), self._streams[f"exploiter/{learner}"])
        return name, parent

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
            "num_turns": self._num_iterations,
            "num_solo_snapshots": self._num_solo_snapshots,
            "recent": self._recent.state_dict(),
            "gate": self._gate.state_dict(),
            "exploiters": {name: one.state_dict() for name, one in self._exploiters.items()},
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
        self._num_iterations = state["num_turns"]
        # Runs from before there were exploiters have none, and nothing else asks.
        self._num_solo_snapshots = state.get("num_solo_snapshots", 0)
        self._recent.load_state_dict(state["recent"])
        self._gate.load_state_dict(state["gate"])
        for name, exploiter in self._exploiters.items():
            exploiter.load_state_dict(state["exploiters"][name])
        self._last_snapshot_steps = state["last_snapshot_steps"]

    def _starts(self) -> tuple[str, ...]:
        """Return main's snapshots that an exploiter may start from."""
        return self._pool.snapshots_of_main()[self._num_solo_snapshots :]

    def _next_learner(self) -> str:
        """Count an iteration, and return whose it is."""
        if not self._exploiters or not self._starts():
            return self._role
        turn = self._num_iterations // self._league.exploiter_turn
        before, after = (self._count_exploiter_turns(turn + more) for more in (0, 1))
        self._num_iterations += 1
        if after == before:
            return self._role
        return tuple(self._exploiters)[before % len(self._exploiters)]

    def _count_exploiter_turns(self, turns: int) -> int:
        # A product that falls short of a whole number by rounding alone is that number.
        return math.floor(turns * self._league.exploiter_share + 1e-9)

    def _candidates(
        self,
        ratings: Mapping[str, float],
        payoff: Payoff | None,
        exploiter: Exploiter | None = None,
    ) -> Candidates:
        names, pool = self._pool.active, self._pool
        elo = np.array([ratings.get(name, np.nan) for name in names])
        if exploiter is None:
            stands_at = [name for name in pool.snapshots_of_main() if name in ratings][-1:]
            points, games = self._recent.points(names), self._recent.games(names)
        else:
            start = exploiter.start
            stands_at = [start] if start is not None and start in ratings else []
            points, games = exploiter.recent(names)
        return Candidates(
            names=names,
            ratings=elo,
            is_snapshot=np.array([pool.is_snapshot(name) for name in names]),
            learner_rating=ratings[stands_at[0]] if stands_at else np.nan,
            sigma=self._league.sigma,
            is_exploiter=np.array([pool.is_exploiter(name) for name in names]),
            points=points,
            games=games,
            payoff=payoff,
        )

    def _nash_support(self, ratings: Mapping[str, float], payoff: Payoff | None) -> list[str]:
        """Return the active snapshots in the Nash mixture of the rated games, if there are any."""
        if payoff is None:
            return []
        names = self._pool.active
        elo = np.array([ratings.get(name, np.nan) for name in names])
        mixture = nash_average(expected_payoff(names, elo, payoff) - 0.5).mixture
        return [name for name, share in zip(names, mixture, strict=True) if share > NASH_SHARE]

    def _probabilities(self, candidates: Candidates) -> FloatArray:
        return opponent_probabilities(self._league.matchmaking, candidates, self._league.floor)

    def _rating_opponents(self, snapshot: str) -> list[str]:
        """Return the scripted opponents and a spread of the snapshots before this one."""
        snapshots = self._pool.snapshots
        before = snapshots[: snapshots.index(snapshot)]
        earlier = [name for name in before if not self._pool.is_exploiter(name)]
        count = min(self._evaluation.past_snapshots, len(earlier))
        # From the newest down to the first: close ones are informative, far ones show forgetting.
        picks = np.linspace(len(earlier) - 1, 0, count).round().astype(int)
        return [*self._evaluation.opponents, *(earlier[pick] for pick in picks)]
