"""How the players of a run play: the columns of `league eval`, from the games that rated them.

Games on the simulator carry these facts in their stats (`describe_facts`); others show a result
only. Also forgetting: whether the newest snapshot still beats those before it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from league.evaluate.evaluate import PlayStyle, sum_up_style
from league.game_facts import SeatFacts
from league.payoff import pair_scores
from league.records import GameRow, Result
from league.standings import rate_players
from league.statistics.head_to_head import EloDifference, elo_difference
from league.statistics.proportion import Proportion, estimate_proportion
from league.store import Store
from league.tracking.play_facts import SeatPlay

FACTS_KEY: Final = "play"
"""Key of the facts by seat in the stats of a game."""
_POINTS: Final[dict[Result, float]] = {"win": 1.0, "draw": 0.5, "loss": 0.0}
"""For seat 0; a stopped game has none."""


@dataclass(frozen=True, slots=True)
class PlayLine:
    """How one player did and played in a run's rated games."""

    player: str
    seat_scores: tuple[float, float]
    """Mean score from the left and from the right seat; NaN where no game has a result."""
    wins_by_clearing: Proportion
    """Among its wins."""
    style: PlayStyle | None
    """None where no game tells."""


@dataclass(frozen=True, slots=True)
class SeatAdvantage:
    """What sitting in the left seat is worth."""

    elo: float
    """Elo points."""
    standard_error: float
    """Elo points; NaN where the games do not tell."""


@dataclass(frozen=True, slots=True)
class Forgetting:
    """The earlier snapshot of its own that a newest snapshot does worst against."""

    newest: str
    earlier: str
    score: EloDifference
    """Of the newest; a score whose upper end is below 0.5 says that something was lost."""


@dataclass(frozen=True, slots=True)
class RunPlay:
    """What a report on a run says besides its ladder."""

    lines: tuple[PlayLine, ...]
    """In the order of the ladder."""
    seat: SeatAdvantage | None
    """None before the first rating."""
    forgetting: tuple[Forgetting, ...]
    """One for each role whose newest snapshot met an earlier one."""


def describe_facts(facts: tuple[SeatFacts, SeatFacts]) -> list[dict[str, Any]]:
    """Return facts by seat as JSON types, for the stats of a game."""
    return [asdict(seat) for seat in facts]


def read_run_play(store: Store) -> RunPlay:
    """Sum up a run's rated games."""
    games: dict[str, list[tuple[int, GameRow]]] = defaultdict(list)
    for _, game in store.games("evaluation"):
        for seat, player in enumerate(game.players):
            games[player].append((seat, game))
    ladder = [row.player for row in store.ratings()]
    return RunPlay(
        lines=tuple(_sum_up(player, games[player]) for player in ladder),
        seat=_estimate_seat(store),
        forgetting=tuple(_find_all_forgetting(store)),
    )


def describe_run_play(play: RunPlay) -> dict[str, dict[str, Any]]:
    """Return the columns of each player as JSON types, by player."""
    lost = {one.newest: one for one in play.forgetting}
    return {line.player: _describe_line(line, lost.get(line.player)) for line in play.lines}


def _describe_line(line: PlayLine, lost: Forgetting | None) -> dict[str, Any]:
    described: dict[str, Any] = {
        "seat_scores": list(line.seat_scores),
        "wins_by_clearing": line.wins_by_clearing.share,
        "forgetting": None,
    }
    if line.style is not None:
        described |= asdict(line.style)
    if lost is not None:
        described["forgetting"] = describe_forgetting(lost)
    cleaned: dict[str, Any] = clean_json(described)
    return cleaned


def describe_forgetting(lost: Forgetting) -> dict[str, Any]:
    """Return forgetting as JSON types."""
    described: dict[str, Any] = clean_json({"against": lost.earlier, **asdict(lost.score)})
    return described


def clean_json(value: Any) -> Any:
    """Return JSON types in which None stands for infinities and NaN."""
    if isinstance(value, dict):
        return {key: clean_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean_json(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _sum_up(player: str, games: list[tuple[int, GameRow]]) -> PlayLine:
    scores: tuple[list[float], list[float]] = ([], [])
    wins = clears = 0
    facts = []
    for seat, game in games:
        if game.result in _POINTS:
            points = _POINTS[game.result]
            score = 1 - points if seat else points
            scores[seat].append(score)
            wins += score == 1
            clears += score == 1 and game.reason == "clear"
        if FACTS_KEY in game.stats:
            facts.append(_read_facts(game.stats[FACTS_KEY][seat]))
    return PlayLine(
        player=player,
        seat_scores=(_mean(scores[0]), _mean(scores[1])),
        wins_by_clearing=estimate_proportion(clears, wins),
        style=sum_up_style(facts) if facts else None,
    )


def _read_facts(described: Mapping[str, Any]) -> SeatFacts:
    play = described["play"]
    return SeatFacts(
        play=SeatPlay(
            frames=play["frames"],
            capsules=tuple(play["capsules"]),
            viruses=tuple(play["viruses"]),
            volleys=play["volleys"],
            solo=play["solo"],
        ),
        viruses_first_minute=described["viruses_first_minute"],
        cause=described["cause"],
    )


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else float("nan")


def _estimate_seat(store: Store) -> SeatAdvantage | None:
    # The anchor alone has a rating without a width.
    anchors = [row for row in store.ratings() if row.lower == row.upper]
    if not anchors:
        return None
    ratings = rate_players(store, anchors[0].player, anchors[0].elo)
    return SeatAdvantage(ratings.seat_bonus, ratings.seat_bonus_sd)


def find_forgetting(store: Store, snapshot: str) -> Forgetting | None:
    """Return a snapshot's worst result against an earlier one of its role; None without games."""
    roles = {row.id: row.role for row in store.snapshots()}
    same = [name for name, role in roles.items() if role == roles.get(snapshot)]
    earlier = same[: same.index(snapshot)] if snapshot in same else []
    pairs = store.pairs("evaluation")
    scores = {one: pair_scores(pairs, snapshot, one) for one in earlier}
    met = {one: elo_difference(values) for one, values in scores.items() if len(values)}
    if not met:
        return None
    worst = min(met, key=lambda one: met[one].score)
    return Forgetting(snapshot, worst, met[worst])


def _find_all_forgetting(store: Store) -> list[Forgetting]:
    newest = {row.role: row.id for row in store.snapshots()}
    found = [find_forgetting(store, snapshot) for snapshot in newest.values()]
    return [one for one in found if one is not None]
