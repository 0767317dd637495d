"""`league eval`: plays a frozen suite and sums up what happened, by condition and by opponent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from envs.backends.simulator import SimulatorBackend
from envs.game.layout import FRAME_RATE
from league.evaluate.suites import SoloPart, Suite, VersusPart
from league.game_facts import FIRST_MINUTE, SeatFacts, read_facts
from league.match import MatchGame
from league.simulator_games import play_on_simulator
from league.statistics.head_to_head import EloDifference, elo_difference
from league.statistics.proportion import Proportion, estimate_proportion
from league.tracking.play_facts import PHASES
from policies.base import Policy
from policies.rollout import GameRecord

QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
TAIL: Final = 0.1
"""Share of the slowest clears that the CVaR is the mean of."""
_FRAMES_PER_MINUTE: Final = 60 * FRAME_RATE


@dataclass(frozen=True, slots=True)
class PlayStyle:
    """How a policy played some games, over all of them together."""

    viruses_per_minute: float
    viruses_first_minute: float
    """The same rate over the first minute of each game."""
    volleys_per_minute: float
    capsules_per_virus: tuple[float, ...]
    """By phase, `league.tracking.play_facts.PHASES`; NaN where no virus was cleared in it."""
    top_outs: dict[str, int]
    """Games in which it topped out, by cause, `league.game_facts.TOP_OUT_CAUSES`."""


@dataclass(frozen=True, slots=True)
class ClearTimes:
    """Frames that cleared rounds took."""

    mean: float
    quantiles: tuple[float, ...]
    """At `QUANTILES`."""
    tail_mean: float
    """CVaR: mean of the slowest `TAIL` of them, at least one."""


@dataclass(frozen=True, slots=True)
class SoloResult:
    """Solo rounds under one condition."""

    part: SoloPart
    clears: Proportion
    stops: int
    """Rounds that met the frame limit."""
    times: ClearTimes | None
    """None where nothing was cleared."""
    style: PlayStyle
    forfeits: int


@dataclass(frozen=True, slots=True)
class VersusResult:
    """Pairs of games against one anchor."""

    part: VersusPart
    score: EloDifference | None
    """Of the policy; from pairs. None where no pair has two results."""
    wins: int
    draws: int
    losses: int
    stops: int
    """Games that met the frame limit."""
    seat_scores: tuple[float, float]
    """Mean score from the left and from the right seat; NaN where no game has a result."""
    wins_by_clearing: Proportion
    """Among its wins; the others are the opponent's top-outs."""
    style: PlayStyle
    forfeits: int


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """A policy's results on a suite."""

    policy: str
    suite: str
    digest: str
    """Of the suite's games, `Suite.hash_games`."""
    backend: str
    """Digest of the game that was played."""
    solo: tuple[SoloResult, ...]
    versus: tuple[VersusResult, ...]


def run_suite(
    policy: Policy,
    suite: Suite,
    load_anchor: Callable[[str], Policy],
    on_game: Callable[[], None] | None = None,
) -> SuiteResult:
    """Play all games of a suite.

    Args:
        policy: Who is measured.
        suite: What is played.
        load_anchor: Makes a policy of an anchor's text.
        on_game: Called after every game.

    Raises:
        BackendError: The simulator was not built.
    """
    runner = _Runner(policy, suite, on_game or _ignore)
    solo = tuple(runner.play_solo(part) for part in suite.solo)
    versus = tuple(runner.play_versus(part, load_anchor(part.anchor)) for part in suite.versus)
    digest = SimulatorBackend(rendering=False).digest
    return SuiteResult(policy.name, suite.name, suite.hash_games(), digest, solo, versus)


def _ignore() -> None:
    pass


class _Runner:
    """Plays the parts of a suite for one policy."""

    def __init__(self, policy: Policy, suite: Suite, on_game: Callable[[], None]) -> None:
        self._policy = policy
        self._suite = suite
        self._on_game = on_game
        self._simulator = SimulatorBackend(rendering=False)

    def play_solo(self, part: SoloPart) -> SoloResult:
        games = self._suite.make_solo_games(self._policy, part)
        records, forfeits = play_on_simulator(
            games, max_frames=self._suite.max_frames, on_game=lambda *_: self._on_game()
        )
        facts = [self._read(record, 0) for record in records]
        cleared = [record.frames for record in records if record.reason == "clear"]
        return SoloResult(
            part=part,
            clears=estimate_proportion(len(cleared), len(records)),
            stops=sum(record.reason == "frame_limit" for record in records),
            times=sum_up_times(cleared),
            style=sum_up_style([one for one in facts if one is not None]),
            forfeits=len(forfeits),
        )

    def play_versus(self, part: VersusPart, anchor: Policy) -> VersusResult:
        games = self._suite.make_versus_games(self._policy, anchor, part)
        records, forfeits = play_on_simulator(
            games, max_frames=self._suite.max_frames, on_game=lambda *_: self._on_game()
        )
        played = [MatchGame(*divmod(index, 2), record) for index, record in enumerate(records)]
        facts = [self._read(game.record, game.seat_of_a) for game in played]
        scores = Counter(game.score_of_a for game in played)
        clears = sum(game.score_of_a == 1 and game.record.reason == "clear" for game in played)
        return VersusResult(
            part=part,
            score=score_pairs(played),
            wins=scores[1.0],
            draws=scores[0.5],
            losses=scores[0.0],
            stops=scores[None],
            seat_scores=(mean_score(played[::2]), mean_score(played[1::2])),
            wins_by_clearing=estimate_proportion(clears, scores[1.0]),
            style=sum_up_style([one for one in facts if one is not None]),
            forfeits=len(forfeits),
        )

    def _read(self, record: GameRecord, seat: int) -> SeatFacts | None:
        """Return what the policy did; None for a forfeited game, which has no replay."""
        if not record.replay:
            return None
        return read_facts(record.setup, record.replay, self._simulator)[seat]


def sum_up_times(frames: Sequence[int]) -> ClearTimes | None:
    """Return how long cleared rounds took; None where there are none."""
    if not frames:
        return None
    ordered = np.sort(np.array(frames, np.float64))
    slowest = ordered[-max(1, round(TAIL * len(ordered))) :]
    quantiles = tuple(float(value) for value in np.quantile(ordered, QUANTILES))
    return ClearTimes(float(ordered.mean()), quantiles, float(slowest.mean()))


def sum_up_style(facts: Sequence[SeatFacts]) -> PlayStyle:
    """Return how a seat played over all of some games together."""
    frames = sum(one.play.frames for one in facts)
    first = sum(min(one.play.frames, FIRST_MINUTE) for one in facts)
    capsules = np.array([one.play.capsules for one in facts], np.int64).reshape(-1, len(PHASES))
    viruses = np.array([one.play.viruses for one in facts], np.int64).reshape(-1, len(PHASES))
    causes = Counter(one.cause for one in facts if one.cause is not None)
    return PlayStyle(
        viruses_per_minute=_per_minute(int(viruses.sum()), frames),
        viruses_first_minute=_per_minute(sum(one.viruses_first_minute for one in facts), first),
        volleys_per_minute=_per_minute(sum(one.play.volleys for one in facts), frames),
        capsules_per_virus=tuple(
            float(count / cleared) if cleared else float("nan")
            for count, cleared in zip(capsules.sum(0), viruses.sum(0), strict=True)
        ),
        top_outs={str(cause): count for cause, count in sorted(causes.items())},
    )


def _per_minute(count: int, frames: int) -> float:
    return count * _FRAMES_PER_MINUTE / frames if frames else float("nan")


def score_pairs(played: Sequence[MatchGame]) -> EloDifference | None:
    """Return A's score over pairs of games that follow each other; None where none has results."""
    pairs = [
        (one.score_of_a, two.score_of_a) for one, two in zip(played[::2], played[1::2], strict=True)
    ]
    means = [(one + two) / 2 for one, two in pairs if one is not None and two is not None]
    return elo_difference(means) if means else None


def mean_score(played: Sequence[MatchGame]) -> float:
    """Return A's mean score; NaN where no game has a result."""
    scores = [score for game in played if (score := game.score_of_a) is not None]
    return sum(scores) / len(scores) if scores else float("nan")
