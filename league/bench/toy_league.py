"""A league over a toy game, through the same manager, pool, ratings and matchmaking as a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from league.bench.toy_games import ToyGame
from league.manager import LeagueManager, PlannedPair
from league.payoff import Payoff
from league.ratings import Ratings, fit_ratings
from league.records import ResultCount
from league.rng import RngStreams
from league.roles import MAIN, Exploiter
from league.settings import EvaluationSettings, LeagueSettings
from league.statistics.nash import nash_average

FloatArray = NDArray[np.float64]

ANCHOR: Final = "greedy"
"""The player that never learns; it stands where learning starts."""
_GAMES: Final = 8
"""Training games per slot and update."""


@dataclass(frozen=True, slots=True)
class ToySettings:
    """Length and rules of a toy league; the same for every preset that is compared."""

    updates: int = 600
    """Updates of all learners together."""
    snapshot_every: int = 15
    """Updates of main between two snapshots."""
    slots: int = 4
    matchmaking: str = "pfsp"
    main_exploiters: int = 0
    pairs: int = 8
    """Rated pairs against each opponent of a new snapshot."""
    max_snapshots: int = 32
    snapshot_gate: str = "time"


@dataclass(slots=True)
class ToyLeague:
    """Everything that a finished league knows."""

    game: ToyGame
    manager: LeagueManager
    players: dict[str, FloatArray]
    """Parameters of the anchor and of every snapshot."""
    main: FloatArray
    """Parameters of main at the end."""
    counts: list[ResultCount] = field(default_factory=list)
    """Rated games."""
    drawn: list[str] = field(default_factory=list)
    """Main's opponent in every training game, in order."""
    shares: list[dict[str, float]] = field(default_factory=list)
    """What main's opponents were drawn with, by its updates."""
    ratings: Ratings | None = None

    def worst_score_against_the_past(self) -> float:
        """Return main's expected score against the snapshot of its own that it does worst with."""
        own = self.manager.pool.snapshots_of_main()
        return min(self.game.score(self.main, self.players[name]) for name in own)

    def nash_of_the_pool(self) -> dict[str, float]:
        """Return the Nash mixture of all snapshots by their true scores."""
        names = self.manager.pool.snapshots
        table = [[self.game.score(self.players[a], self.players[b]) for b in names] for a in names]
        mixture = nash_average(np.array(table) - 0.5).mixture
        return dict(zip(names, mixture.tolist(), strict=True))


def run_toy_league(
    game: ToyGame,
    settings: ToySettings,
    seed: int,
    *,
    learn: Callable[[FloatArray, list[FloatArray], np.random.Generator], FloatArray] | None = None,
) -> ToyLeague:
    """Run a league from start to end.

    Args:
        game: What is played.
        settings: Length and rules.
        seed: Fixes everything.
        learn: Takes the place of `game.learn`, for example to learn nothing.

    Returns:
        The league as it ended.
    """
    return _Runner(game, settings, seed, learn or game.learn).run()


class _Runner:
    def __init__(
        self,
        game: ToyGame,
        settings: ToySettings,
        seed: int,
        learn: Callable[[FloatArray, list[FloatArray], np.random.Generator], FloatArray],
    ) -> None:
        self._settings = settings
        self._learn = learn
        exploiters = [
            Exploiter(f"main_exploiter_{number}", "main_exploiter", max_env_steps=100)
            for number in range(settings.main_exploiters)
        ]
        manager = LeagueManager(
            LeagueSettings(
                scripted=(ANCHOR,),
                anchor=ANCHOR,
                slots=settings.slots,
                matchmaking=settings.matchmaking,
                snapshot_every=settings.snapshot_every,
                max_snapshots=settings.max_snapshots,
                snapshot_gate="gsprt" if settings.snapshot_gate == "gsprt" else "time",
                # Each learner as often as any other.
                exploiter_share=len(exploiters) / (1 + len(exploiters)),
                exploiter_turn=1,
            ),
            EvaluationSettings(opponents=(ANCHOR,), pairs=settings.pairs),
            total_env_steps=settings.updates,
            seed=seed,
            exploiters=exploiters,
        )
        self._league = ToyLeague(game, manager, {ANCHOR: game.start()}, game.start())
        self._learners: dict[str, FloatArray] = {MAIN: game.start()}
        self._streams = RngStreams(seed)
        self._elo: dict[str, float] = {}
        self._payoff: Payoff | None = None
        self._parents: dict[str, str] = {}

    def run(self) -> ToyLeague:
        league, manager = self._league, self._league.manager
        updates = 0
        self._freeze(manager.add_snapshot(0), MAIN)
        for _ in range(self._settings.updates):
            learner = self._update()
            updates += learner == MAIN
            if learner == MAIN and manager.is_snapshot_due(updates):
                self._freeze(manager.add_snapshot(updates, self._elo, self._payoff), MAIN)
            elif manager.is_exploiter_due(learner):
                name, _ = manager.add_exploiter(learner, self._elo, self._payoff)
                self._freeze(name, learner)
        league.main = self._learners[MAIN]
        return league

    def _update(self) -> str:
        """Let one learner play and learn; return its name."""
        league, manager = self._league, self._league.manager
        shares = manager.opponent_shares(self._elo, self._payoff)
        turn = manager.next_turn(self._elo, self._payoff)
        if turn.start_from is not None:
            self._learners[turn.learner] = league.players[turn.start_from]
        player = self._learners[turn.learner]
        opponents = [self._parameters(name) for name in turn.opponents]
        rng = self._streams[f"train/{turn.learner}"]
        results = [
            (name, score)
            for name, other in zip(turn.opponents, opponents, strict=True)
            for score in self._play(player, other, _GAMES, rng)
        ]
        if turn.learner == MAIN:
            league.shares.append(shares)
            league.drawn += [name for name, _ in results]
        manager.record_games(results, learner=turn.learner, env_steps=1)
        self._learners[turn.learner] = self._learn(player, opponents, rng)
        return turn.learner

    def _parameters(self, name: str) -> FloatArray:
        return self._learners[MAIN] if name == MAIN else self._league.players[name]

    def _play(
        self, player: FloatArray, other: FloatArray, games: int, rng: np.random.Generator
    ) -> list[float]:
        wins = rng.random(games) < self._league.game.score(player, other)
        return [float(won) for won in wins]

    def _freeze(self, name: str, learner: str) -> None:
        """Store a snapshot, play the games that rate it, and fit all ratings anew."""
        league = self._league
        own = league.manager.pool.snapshots_of_main()
        if learner == MAIN and len(own) > 1:
            self._parents[name] = own[-2]
        league.players[name] = self._learners[learner].copy()
        for pair in league.manager.plan_evaluation(name):
            league.counts += self._play_pair(pair)
        self._payoff = Payoff.from_counts(league.counts)
        league.ratings = fit_ratings(self._payoff.tallies(), anchor=ANCHOR, parents=self._parents)
        self._elo = {line.name: line.elo for line in league.ratings.ladder()}

    def _play_pair(self, pair: PlannedPair) -> list[ResultCount]:
        rng = self._streams["evaluation"]
        counts = []
        for first, second in (pair.players, pair.players[::-1]):
            a, b = self._league.players[first], self._league.players[second]
            won = self._play(a, b, 1, rng)[0] == 1.0
            counts.append(ResultCount((first, second), "win" if won else "loss", 1))
        return counts
