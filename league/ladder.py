"""`league ladder`: plays the most informative pairs of a run until its ratings are sharp enough.

Every batch of pairs goes into the run's database with fresh ratings in one transaction, so a kill
costs the batch at hand, and the same command goes on from there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from envs.game.setup import NUM_SEEDS
from league.errors import LeagueError
from league.manager import PlannedPair
from league.ratings import Ratings
from league.records import GameRow, RatingRow
from league.rng import make_rng
from league.standings import rate_players, rating_rows
from league.statistics.elo import ELO_PER_NAT
from league.store import Store

OPEN_GAMES: Final = 64
"""Decisive games after which a player that nobody has beaten, or that has beaten nobody, counts as
settled: its interval stays open on one side however much it plays."""
_MAX_POLICY_SEED: Final = 2**31
_GAMES_PER_PAIR: Final = 2

PlayPairs = Callable[[Sequence[PlannedPair]], list[list[GameRow]]]
"""Plays both games of each pair."""


class LadderError(LeagueError):
    """A run whose ladder cannot be climbed."""


@dataclass(frozen=True, slots=True)
class LadderPlan:
    """How long a ladder goes on."""

    anchor: str
    """Player with a fixed rating."""
    anchor_rating: float
    """Elo points."""
    seed: int
    """The run's."""
    target: float
    """Elo points: half the width that no interval may exceed."""
    max_pairs: int
    """Pairs after which it stops in any case."""
    batch: int = 16
    """Pairs that are recorded together."""

    def __post_init__(self) -> None:
        """Check ranges.

        Raises:
            LadderError: A value is out of range.
        """
        if self.target <= 0 or self.max_pairs < 1 or self.batch < 1:
            raise LadderError(
                "expected target > 0, max_pairs >= 1 and batch >= 1, got "
                f"{self.target!r}, {self.max_pairs!r} and {self.batch!r}"
            )


@dataclass(frozen=True, slots=True)
class LadderResult:
    """Where a ladder ended."""

    pairs: int
    """Pairs that were played."""
    ratings: Ratings
    wide: tuple[str, ...]
    """Players whose intervals are still wider than the target."""


def climb_ladder(
    store: Store,
    plan: LadderPlan,
    play: PlayPairs,
    on_batch: Callable[[int, Ratings], None] | None = None,
) -> LadderResult:
    """Play and record pairs until all intervals are narrow enough.

    Args:
        store: The run's database, locked for writing by the caller.
        plan: When to stop.
        play: Plays the pairs.
        on_batch: Called after each batch with its number of pairs and the new ratings.

    Raises:
        LadderError: Fewer than two players have been rated.
        LeagueError: A player cannot be loaded, or the database refuses a game.
    """
    ratings = rate_players(store, plan.anchor, plan.anchor_rating)
    if len(ratings.names) < 2:
        raise LadderError("expected two rated players or more; train until snapshots are rated")
    pairs = 0
    while pairs < plan.max_pairs and (wide := list_wide(ratings, plan.target)):
        match_ups = choose_match_ups(ratings, wide, min(plan.batch, plan.max_pairs - pairs))
        first = store.next_pair()
        planned = [plan_pair(plan.seed, first + n, one) for n, one in enumerate(match_ups)]
        games = [
            replace(game, pair=first + n) for n, both in enumerate(play(planned)) for game in both
        ]
        store.add_games(games, lambda open_store: _rate(open_store, plan))
        ratings = rate_players(store, plan.anchor, plan.anchor_rating)
        pairs += len(planned)
        if on_batch is not None:
            on_batch(len(planned), ratings)
    return LadderResult(pairs, ratings, list_wide(ratings, plan.target))


def list_wide(ratings: Ratings, target: float) -> tuple[str, ...]:
    """Return the players whose interval is wider than twice `target`, in Elo points.

    A side that stays open does not count once the player has `OPEN_GAMES` decisive games.
    """
    wide = []
    for rating in ratings.ladder():
        if rating.name == ratings.anchor:
            continue
        half = (rating.upper - rating.lower) / 2
        if half > target and (math.isfinite(half) or rating.games < OPEN_GAMES):
            wide.append(rating.name)
    return tuple(wide)


def choose_match_ups(ratings: Ratings, wide: Sequence[str], pairs: int) -> list[tuple[str, str]]:
    """Return who should play next: each pair narrows the variances of `wide` the most.

    A pair of games of two players adds the information 2 p (1 - p) about their difference, p being
    the chance of the first. What is known after a pair follows without its result, so the pairs of
    a batch are spread over the players.

    Args:
        ratings: The fit so far.
        wide: Players whose variances count.
        pairs: How many pairs to choose.

    Returns:
        The players of each pair; the same two may come more than once.
    """
    covariance = ratings.covariance.copy()
    chances = ratings.predicted_scores()
    information = _GAMES_PER_PAIR * chances * (1 - chances) / (ratings.dispersion * ELO_PER_NAT**2)
    counted = np.isin(ratings.names, wide)
    first, second = np.triu_indices(len(ratings.names), 1)
    weights = information[first, second]
    chosen = []
    for _ in range(pairs):
        shared = covariance[first] - covariance[second]
        variances = shared[np.arange(len(first)), first] - shared[np.arange(len(first)), second]
        gains = weights * (shared[:, counted] ** 2).sum(1) / (1 + weights * variances)
        best = int(gains.argmax())
        chosen.append((ratings.names[first[best]], ratings.names[second[best]]))
        scale = weights[best] / (1 + weights[best] * variances[best])
        covariance -= scale * np.outer(shared[best], shared[best])
    return chosen


def plan_pair(seed: int, number: int, players: tuple[str, str]) -> PlannedPair:
    """Return the plan of a pair; its number gives it a round that no pair of the run has had.

    The run takes rounds from the front of the same order, the ladder from its end.
    """
    order = make_rng(seed, "evaluation/rounds").permutation(NUM_SEEDS)
    policy_seed = make_rng(seed, f"ladder/policies/{number}").integers(1, _MAX_POLICY_SEED)
    return PlannedPair(players, int(order[-1 - number % NUM_SEEDS]), int(policy_seed))


def _rate(store: Store, plan: LadderPlan) -> list[RatingRow]:
    newest = store.newest_iteration()
    assert newest is not None
    ratings = rate_players(store, plan.anchor, plan.anchor_rating)
    return rating_rows(newest.iteration, ratings)
