"""The ladder of a run, computed from its database; printing it is for the command line."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from league.payoff import Payoff, Record, decisive_pairs
from league.ratings import ANCHOR_RATING, Ratings, fit_ratings
from league.records import RatingRow
from league.statistics.conditions import ConditionRatings, rate_conditions
from league.store import Store


@dataclass(frozen=True, slots=True)
class Standing:
    """One line of the ladder."""

    rank: int
    """From 1; by fitted rating, see the interval before reading much into it."""
    player: str
    elo: float
    lower: float
    upper: float
    """Elo points, 95 %; infinite on a side that the games leave open."""
    kind: str
    """See `league.statistics.rating_bounds.Kind`."""
    record: Record
    """Results over all rated games."""
    env_steps: int | None
    """Env steps at which a snapshot was taken; None for scripted players."""
    role: str | None
    """The learner that a snapshot is a copy of, `main` or an exploiter; None for scripted ones."""


def rate_players(store: Store, anchor: str, anchor_rating: float = ANCHOR_RATING) -> Ratings:
    """Fit the ratings of a run from its evaluation games.

    Training games never enter: the learner changes while it plays them.
    """
    payoff = Payoff.from_counts(store.count_results("evaluation"))
    parents = {row.id: row.parent for row in store.snapshots() if row.parent is not None}
    return fit_ratings(
        payoff.tallies(),
        anchor=anchor,
        anchor_rating=anchor_rating,
        parents=parents,
        pairs=decisive_pairs(store.pairs("evaluation")),
    )


def rate_players_by_condition(
    store: Store, anchor: str, anchor_rating: float = ANCHOR_RATING
) -> list[ConditionRatings]:
    """Fit the ratings of a run anew for every condition that its evaluation games were played in.

    Args:
        store: The run's database.
        anchor: Player whose rating is fixed in every condition.
        anchor_rating: Elo points of the anchor.
    """
    parents = {row.id: row.parent for row in store.snapshots() if row.parent is not None}
    return rate_conditions(
        store.count_conditions("evaluation"),
        anchor=anchor,
        anchor_rating=anchor_rating,
        parents=parents,
    )


def rating_rows(iteration: int, ratings: Ratings) -> list[RatingRow]:
    """Return ratings as rows of the database."""
    return [
        RatingRow(iteration, one.name, one.elo, one.lower, one.upper, one.kind, one.games)
        for one in ratings.ladder()
    ]


def read_standings(store: Store) -> list[Standing]:
    """Return the ladder as it stood after the newest rated iteration, the best first.

    A player whose every game ended without a winner has its fitted rating only if it is the
    anchor; otherwise it is not on the ladder.
    """
    payoff = Payoff.from_counts(store.count_results("evaluation"))
    born = {row.id: row for row in store.snapshots()}
    nothing = Record(0, 0, 0, 0)
    return [
        Standing(
            rank=rank,
            player=row.player,
            elo=row.elo,
            lower=row.lower,
            upper=row.upper,
            kind=row.kind,
            record=payoff.record_of(row.player) if row.player in payoff.names else nothing,
            env_steps=born[row.player].env_steps if row.player in born else None,
            role=born[row.player].role if row.player in born else None,
        )
        for rank, row in enumerate(store.ratings(), start=1)
    ]


def describe_standings(standings: Iterable[Standing]) -> list[dict[str, Any]]:
    """Return the ladder as JSON types; a side that the games leave open is None."""
    lines = []
    for standing in standings:
        line = {**asdict(standing), **asdict(standing.record), "score": standing.record.score}
        del line["record"]
        lines.append({key: _finite_or_none(value) for key, value in line.items()})
    return lines


def _finite_or_none(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
