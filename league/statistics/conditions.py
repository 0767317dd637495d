"""Ratings per condition, and what a level of handicap is worth.

Elo points mean something within one condition only: at a higher level the same difference in
play decides more games. So every even condition has a fit of its own; games with unequal levels
enter one joint fit per speed and format, where the level is a covariate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from league.payoff import Payoff
from league.ratings import ANCHOR_RATING, Ratings, Tally, fit_ratings
from league.records import Condition, ConditionCount, ResultCount
from league.statistics.proportion import Proportion


@dataclass(frozen=True, slots=True)
class ConditionRatings:
    """The ladder of one condition."""

    condition: Condition
    """Both seats alike."""
    ratings: Ratings
    draws: Proportion


@dataclass(frozen=True, slots=True)
class Handicap:
    """What a virus level is worth at one speed and format."""

    condition: Condition
    """The condition with the fewest levels among those joined; its levels are not the point."""
    elo_per_level: float
    """Elo points that playing one level above the opponent costs."""
    lower: float
    upper: float
    """Elo points per level: 95 % interval."""
    games: int
    """Decisive games with unequal levels."""


def rate_conditions(
    counts: Iterable[ConditionCount],
    *,
    anchor: str,
    anchor_rating: float = ANCHOR_RATING,
    parents: Mapping[str, str] | None = None,
) -> list[ConditionRatings]:
    """Fit every condition under which both seats play alike, each by itself.

    Args:
        counts: Results by condition; those of uneven conditions are left out.
        anchor: Player whose rating is fixed in every condition.
        anchor_rating: Elo points of the anchor.
        parents: As for `league.ratings.fit_ratings`.

    Returns:
        One fit per even condition, by level, speed, format, backend and frame limit.
    """
    tables: dict[Condition, list[ResultCount]] = defaultdict(list)
    for one in counts:
        if _is_even(one.condition):
            tables[one.condition].append(one.count)
    fits = []
    for condition in sorted(tables, key=_sort_key):
        payoff = Payoff.from_counts(tables[condition])
        ratings = fit_ratings(
            payoff.tallies(), anchor=anchor, anchor_rating=anchor_rating, parents=parents
        )
        fits.append(ConditionRatings(condition, ratings, payoff.draw_rate()))
    return fits


def estimate_handicaps(counts: Iterable[ConditionCount], *, anchor: str) -> list[Handicap]:
    """Return what a level is worth in Elo, for every speed and format with unequal levels.

    One rating per player and one cost per level are fitted to all levels together; read it as the
    mean over the levels that were played.

    Args:
        counts: Results by condition.
        anchor: Player whose rating is fixed; any player with games will do.
    """
    groups: dict[tuple[object, ...], list[ConditionCount]] = defaultdict(list)
    for one in counts:
        if one.condition.speeds[0] == one.condition.speeds[1]:
            groups[_sort_key(one.condition)[2:]].append(one)
    handicaps = []
    for group in groups.values():
        tallies = [tally for one in group if (tally := _as_tally(one)) is not None]
        games = sum(one.wins_0 + one.wins_1 for one in tallies if one.levels_above)
        ratings = fit_ratings(tallies, anchor=anchor)
        if ratings.level_cost is None or ratings.level_cost_sd is None:
            continue
        half_width = 1.96 * ratings.level_cost_sd
        handicaps.append(
            Handicap(
                condition=min((one.condition for one in group), key=_sort_key),
                elo_per_level=ratings.level_cost,
                lower=ratings.level_cost - half_width,
                upper=ratings.level_cost + half_width,
                games=games,
            )
        )
    return handicaps


def _is_even(condition: Condition) -> bool:
    return condition.levels[0] == condition.levels[1] and (
        condition.speeds[0] == condition.speeds[1]
    )


def _sort_key(condition: Condition) -> tuple[int, int, int, str, str, int]:
    return (
        *condition.levels,
        condition.speeds[0],
        condition.episode,
        condition.backend,
        condition.max_frames,
    )


def _as_tally(one: ConditionCount) -> Tally | None:
    """Return the decisive games of a count; None for draws and games without a result."""
    left, right = one.condition.levels
    if one.count.result not in ("win", "loss"):
        return None
    won = one.count.result == "win"
    games = one.count.games
    return Tally(
        *one.count.players,
        wins_0=games if won else 0,
        wins_1=0 if won else games,
        levels_above=left - right,
    )
