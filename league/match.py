"""Matches: two policies meet in pairs of games on one round, with the seats swapped.

The pair is the unit of statistics: both games of a pair have the same viruses and capsules, so
what remains is the difference between the policies.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from envs.backends.base import Backend
from envs.backends.simulator import SimulatorBackend
from envs.game.layout import MAX_LEVEL, NUM_SEATS, Speed
from envs.game.outcome import END_REASONS
from envs.game.setup import NUM_SEEDS, RoundSetup, seed_to_word
from league.errors import LeagueError
from league.outside.command import CommandPolicy
from league.outside.forfeits import play_with_forfeits
from league.rng import make_rng
from league.simulator_games import play_on_simulator
from league.statistics.head_to_head import EloDifference, elo_difference
from league.statistics.proportion import Proportion, estimate_proportion
from policies.base import Policy
from policies.rollout import MAX_FRAMES, Game, GameRecord, play_games

_NUM_POLICY_SEEDS: Final = 2**31


class MatchError(LeagueError):
    """A match that cannot be played as asked."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What both seats play under."""

    level: int = 0
    """Virus level 0..20; level n starts with 4 n + 4 viruses."""
    speed: Speed = Speed.MED
    max_frames: int = MAX_FRAMES
    """Frames after which a game ends without a winner."""

    def __post_init__(self) -> None:
        """Check ranges.

        Raises:
            MatchError: A value is out of range.
        """
        if not 0 <= self.level <= MAX_LEVEL:
            raise MatchError(f"expected level in 0..{MAX_LEVEL}, got {self.level!r}")
        if self.max_frames < 1:
            raise MatchError(f"expected max_frames >= 1, got {self.max_frames!r}")


@dataclass(frozen=True, slots=True)
class MatchGame:
    """One game of a match between A and B."""

    pair: int
    """Number of the pair, from 0; its two games follow each other."""
    seat_of_a: int
    record: GameRecord
    forfeit: str | None = None
    """Why the loser could not go on; None where the game was played out."""

    @property
    def score_of_a(self) -> float | None:
        """1 win, 0.5 draw, 0 loss of A; None where the frame limit left the game without one."""
        if self.record.reason == "frame_limit":
            return None
        return 0.5 if self.record.winner is None else float(self.record.winner == self.seat_of_a)


@dataclass(frozen=True, slots=True)
class SeatResults:
    """Results of A from one seat."""

    wins: int
    draws: int
    losses: int
    stopped: int
    """Games that met the frame limit: no result, and no draw either."""


@dataclass(frozen=True, slots=True)
class MatchResult:
    """A match that was played, from A's point of view."""

    policies: tuple[str, str]
    """Names of A and B."""
    conditions: Conditions
    seed: int
    backend: tuple[str, str]
    """Name of the backend, and the digest of the game it runs."""
    games: tuple[MatchGame, ...]
    """Two games per pair: first A in seat 0, then A in seat 1."""

    @property
    def score(self) -> float | None:
        """A's (W + D/2) / games, over the games with a result; None where there is none."""
        scores = [score for game in self.games if (score := game.score_of_a) is not None]
        return sum(scores) / len(scores) if scores else None

    @property
    def elo(self) -> EloDifference | None:
        """Elo points of A over B, with a 95 % interval, from the pairs with two results."""
        pairs = zip(self.games[::2], self.games[1::2], strict=True)
        both = [(first.score_of_a, second.score_of_a) for first, second in pairs]
        scores = [(one + two) / 2 for one, two in both if one is not None and two is not None]
        return elo_difference(scores) if scores else None

    @property
    def mean_frames(self) -> float:
        """Frames per game."""
        return sum(game.record.frames for game in self.games) / len(self.games)

    def count_results(self, seat: int) -> SeatResults:
        """Count A's results in the games that it played from `seat`."""
        counts = Counter(game.score_of_a for game in self.games if game.seat_of_a == seat)
        return SeatResults(counts[1.0], counts[0.5], counts[0.0], counts[None])

    def count_reasons(self) -> dict[str, int]:
        """Count the games by end reason, every reason included."""
        counts: Counter[str] = Counter(game.record.reason for game in self.games)
        return {reason: counts[reason] for reason in (*END_REASONS, "forfeit")}

    def share_of_clears(self, player: int) -> Proportion:
        """Return the share of wins of A (player 0) or B (1) that came by clearing the bottle."""
        wins = [game for game in self.games if game.record.winner == game.seat_of_a ^ player]
        clears = sum(game.record.reason == "clear" for game in wins)
        return estimate_proportion(clears, len(wins))

    @property
    def forfeits(self) -> tuple[str, ...]:
        """Why games were forfeited, every reason once."""
        return tuple(dict.fromkeys(one.forfeit for one in self.games if one.forfeit is not None))


def make_pair(
    players: tuple[Policy, Policy], setup: RoundSetup, policy_seed: int
) -> tuple[Game, Game]:
    """Return the two games of a pair: `players` by seat in the first one, swapped in the second.

    Every player of either game has a random stream of its own.

    Args:
        players: Policies by seat of the first game.
        setup: The round of both games.
        policy_seed: Fixes everything that the policies draw.
    """
    first, second = (
        [make_rng(policy_seed, f"pair/{game}/{player}") for player in range(NUM_SEATS)]
        for game in range(NUM_SEATS)
    )
    a, b = players
    return Game(setup, (a, b), (first[0], first[1])), Game(setup, (b, a), (second[1], second[0]))


def make_pairs(
    players: tuple[Policy, Policy], *, pairs: int, conditions: Conditions, seed: int
) -> list[Game]:
    """Return the games of a match, pair after pair; all of it follows from `seed`.

    Every pair has a round of its own, drawn without repetition.

    Raises:
        MatchError: More pairs than there are different rounds, or none.
    """
    if not 1 <= pairs <= NUM_SEEDS:
        raise MatchError(f"expected pairs in 1..{NUM_SEEDS}, the different rounds, got {pairs!r}")
    round_seeds = make_rng(seed, "match/rounds").permutation(NUM_SEEDS)[:pairs]
    policy_seeds = make_rng(seed, "match/policies").integers(_NUM_POLICY_SEEDS, size=pairs)
    games: list[Game] = []
    for round_seed, policy_seed in zip(round_seeds.tolist(), policy_seeds.tolist(), strict=True):
        setup = RoundSetup(
            levels=(conditions.level, conditions.level),
            speeds=(conditions.speed, conditions.speed),
            rng_word=seed_to_word(round_seed),
        )
        games += make_pair(players, setup, policy_seed)
    return games


def play_match(
    a: Policy,
    b: Policy,
    *,
    pairs: int,
    backends: Sequence[Backend],
    conditions: Conditions | None = None,
    seed: int = 0,
    on_game: Callable[[int, GameRecord], None] | None = None,
    on_frame: Callable[[int, Backend], None] | None = None,
) -> MatchResult:
    """Play all pairs of a match, whatever the score.

    Args:
        a: The policy from whose view the result is told.
        b: Its opponent.
        pairs: Pairs of games, 1..32767.
        backends: Opened backends of one kind; one is enough. On the simulator two policies that
            place capsules play the same games a decision at a time, tens of times as fast.
        conditions: Level, speed and frame limit; the defaults are a cold boot's.
        seed: Fixes the rounds and everything that policies draw.
        on_game: Progress, see `play_games`.
        on_frame: Called after every frame, see `play_games`.

    Raises:
        MatchError: The match cannot be played as asked.
        BackendError: A backend failed.
    """
    conditions = conditions or Conditions()
    games = make_pairs((a, b), pairs=pairs, conditions=conditions, seed=seed)
    limit = conditions.max_frames
    forfeits: Mapping[int, str] = {}
    if on_frame is None and _is_simulator(backends):
        records, forfeits = play_on_simulator(games, max_frames=limit, on_game=on_game)
    elif any(isinstance(one, CommandPolicy) for one in (a, b)):
        records, forfeits = play_with_forfeits(
            games, backends[0], max_frames=limit, on_game=on_game, on_frame=on_frame
        )
    else:
        records = play_games(games, backends, max_frames=limit, on_game=on_game, on_frame=on_frame)
    played = [
        MatchGame(*divmod(index, NUM_SEATS), record, forfeits.get(index))
        for index, record in enumerate(records)
    ]
    backend = (backends[0].name, backends[0].digest)
    return MatchResult((a.name, b.name), conditions, seed, backend, tuple(played))


def _is_simulator(backends: Sequence[Backend]) -> bool:
    return bool(backends) and all(one.name == SimulatorBackend.name for one in backends)


def describe_match(result: MatchResult) -> dict[str, Any]:
    """Return a match result as JSON types; the same match gives the same values everywhere.

    `replay_sha1` covers the pads of every frame.
    """
    replays = b"".join(game.record.replay for game in result.games)
    return {
        "a": result.policies[0],
        "b": result.policies[1],
        "pairs": len(result.games) // NUM_SEATS,
        "seed": result.seed,
        "conditions": {**asdict(result.conditions), "speed": result.conditions.speed.name},
        "backend": {"name": result.backend[0], "digest": result.backend[1]},
        "seats": [asdict(result.count_results(seat)) for seat in range(NUM_SEATS)],
        "score": result.score,
        "elo": _describe_elo(result.elo),
        "end_reasons": result.count_reasons(),
        "forfeits": list(result.forfeits),
        "wins_by_clearing": [_describe_share(result, player) for player in range(NUM_SEATS)],
        "mean_frames": result.mean_frames,
        "play": [_describe_play(result, player) for player in range(NUM_SEATS)],
        "replay_sha1": hashlib.sha1(replays).hexdigest(),
    }


def _describe_elo(elo: EloDifference | None) -> dict[str, float | None] | None:
    """Return difference and interval; an end that is infinite is None."""
    if elo is None:
        return None
    ends = {"difference": elo.elo, "lower": elo.lower, "upper": elo.upper}
    return {name: end if math.isfinite(end) else None for name, end in ends.items()}


def _describe_share(result: MatchResult, player: int) -> float | None:
    share = result.share_of_clears(player)
    return share.share if share.games else None


def _describe_play(result: MatchResult, player: int) -> dict[str, float]:
    """Return what A (player 0) or B (1) did per game that was played out."""
    games = [game for game in result.games if game.forfeit is None]
    totals: Counter[str] = Counter()
    for game in games:
        totals.update(asdict(game.record.stats[game.seat_of_a ^ player]))
    return {name: total / len(games) for name, total in totals.items()}
