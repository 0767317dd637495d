"""The gates of `league export`: what a tree must still be able to do, measured in games.

Every gate has its games, its value with a 95 % interval, and the bound that it is held to. What
only informs is measured beside them and never gates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from envs.game.layout import Speed
from league.rng import make_rng
from league.statistics.proportion import Proportion, estimate_proportion
from policies.base import Policy
from policies.distill.play import (
    Player,
    SoloResult,
    draw_starts,
    play_match,
    play_solo,
)
from policies.distill.tree import Node, make_page
from policies.greedy import GreedyPolicy
from policies.scripted import NoopPolicy, RandomPolicy
from policies.search import SearchPolicy

GAMES: Final = 400
"""Games of each gate in a full export."""
SOLO_BOUNDS: Final = {0: 0.98, 5: 0.98, 10: 0.95}
"""By level: clears that are asked for where the teacher reaches `STRONG`."""
STRONG: Final = 0.98
WEAK: Final = 0.5
"""Clears below which a teacher is too weak to be distilled."""
SHARE_OF_WEAKER: Final = 0.95
"""Of the teacher's clears, where it does not reach `STRONG`."""
MOST_CAPSULES: Final = 1.5
"""Capsules of a cleared round, in those of the teacher."""
CAPSULE_LEVELS: Final = (5, 10)
MATCH_LEVELS: Final = (5, 10)
RETENTION: Final = 0.80
"""Of the teacher's mean score against the pool."""

_BASELINES: Final[tuple[tuple[Policy, float], ...]] = (
    (RandomPolicy(), 0.98),
    (NoopPolicy(), 0.98),
    (GreedyPolicy(), 0.95),
)
POOL: Final[tuple[Policy, ...]] = (
    NoopPolicy(),
    RandomPolicy(),
    GreedyPolicy(),
    SearchPolicy(depth=1),
)
"""Whom tree and teacher both meet for the retention."""
_POOL_LEVEL: Final = 5

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Gate:
    """One measured demand."""

    name: str
    value: float
    lower: float
    """Of the 95 % interval of the value."""
    upper: float
    bound: float
    at_least: bool
    """Whether the value must reach the bound, or must not exceed it."""
    games: int
    note: str = ""

    @property
    def is_passed(self) -> bool:
        """Whether the value, not its interval, keeps the bound."""
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def describe(self) -> str:
        """Return one line for people."""
        sign = ">=" if self.at_least else "<="
        verdict = "pass" if self.is_passed else "FAIL"
        line = (
            f"{verdict}  {self.name}: {self.value:.3f} ({self.lower:.3f}..{self.upper:.3f}), "
            f"asked {sign} {self.bound:.3f}, {self.games} games"
        )
        return f"{line}; {self.note}" if self.note else line

    def to_plain(self) -> dict[str, Any]:
        """Return plain JSON values."""
        plain = asdict(self)
        for name in ("value", "lower", "upper", "bound"):
            number = plain[name]
            plain[name] = round(number, 6) if np.isfinite(number) else None
        return plain | {"is_passed": self.is_passed}


def measure_gates(
    tree: Node, teacher: Policy, seed: int, games: int, threads: int, report: Report
) -> list[Gate]:
    """Measure every gate.

    Args:
        tree: What is exported.
        teacher: The policy that it was distilled from.
        seed: Fixes set-ups; equal seeds give equal numbers.
        games: Of each gate.
        threads: Threads that share the games.
        report: Called with a line for each gate.
    """
    page = make_page(tree)
    gates: list[Gate] = []

    def add(new: Sequence[Gate]) -> None:
        gates.extend(new)
        for gate in new:
            report(gate.describe())

    for level in SOLO_BOUNDS:
        add(_measure_solo(page, teacher, level, seed, games, threads))
    for level in MATCH_LEVELS:
        for opponent, bound in _BASELINES:
            add([_measure_baseline(page, opponent, bound, level, seed, games, threads)])
    add([_measure_retention(page, teacher, seed, games, threads)])
    return gates


def measure_against_teacher(
    tree: Node, teacher: Policy, level: int, seed: int, games: int, threads: int
) -> Proportion:
    """Return what the tree scores against its teacher, which informs and never gates."""
    starts = _draw(f"teacher {level}", seed, games // 2, level, solo=False)
    return _estimate(play_match(make_page(tree), teacher, starts, threads=threads))


def _measure_solo(
    page: np.ndarray, teacher: Policy, level: int, seed: int, games: int, threads: int
) -> list[Gate]:
    """Measure clears of a level, and the capsules that they take."""
    starts = _draw(f"solo {level}", seed, games, level, solo=True)
    own = play_solo(page, starts, threads=threads)
    taught = play_solo(teacher, starts, threads=threads)
    strong = taught.clear_rate >= STRONG
    bound = SOLO_BOUNDS[level] if strong else SHARE_OF_WEAKER * taught.clear_rate
    note = f"teacher {taught.clear_rate:.3f}"
    if taught.clear_rate < WEAK:
        bound, note = np.inf, f"{note}: too weak to be distilled"
    rate = estimate_proportion(int(own.cleared.sum()), games)
    gates = [
        Gate(
            f"solo clears, level {level}",
            rate.share,
            rate.lower,
            rate.upper,
            bound,
            True,
            games,
            note,
        )
    ]
    return gates + _compare_capsules(own, taught, level) if level in CAPSULE_LEVELS else gates


def _compare_capsules(own: SoloResult, taught: SoloResult, level: int) -> list[Gate]:
    """Return the gate on capsules; the interval is that of a ratio of two means."""
    cleared = own.cleared.any() and taught.cleared.any()
    ratio = own.capsules_to_clear / taught.capsules_to_clear if cleared else np.inf
    error = np.hypot(_relative_error(own), _relative_error(taught))
    spread = 1.96 * ratio * error if np.isfinite(ratio) else 0.0
    return [
        Gate(
            f"capsules by the teacher's, level {level}",
            ratio,
            ratio - spread,
            ratio + spread,
            MOST_CAPSULES,
            False,
            len(own.cleared),
            f"{own.capsules_to_clear:.1f} and {taught.capsules_to_clear:.1f} capsules",
        )
    ]


def _relative_error(result: SoloResult) -> float:
    """Return the standard error of the mean of cleared rounds' capsules, in that mean."""
    capsules = result.capsules[result.cleared]
    if len(capsules) < 2:
        return float("inf")
    return float(capsules.std(ddof=1) / np.sqrt(len(capsules)) / capsules.mean())


def _measure_baseline(
    page: np.ndarray,
    opponent: Policy,
    bound: float,
    level: int,
    seed: int,
    games: int,
    threads: int,
) -> Gate:
    starts = _draw(f"{opponent.name} {level}", seed, games // 2, level, solo=False)
    score = _estimate(play_match(page, opponent, starts, threads=threads))
    return Gate(
        f"score against {opponent.name}, level {level}",
        score.share,
        score.lower,
        score.upper,
        bound,
        True,
        score.games,
    )


def _measure_retention(
    page: np.ndarray, teacher: Policy, seed: int, games: int, threads: int
) -> Gate:
    """Measure the tree's mean score against the pool, in that of its teacher."""
    scores: dict[str, list[np.ndarray]] = {"tree": [], "teacher": []}
    players: dict[str, Player] = {"tree": page, "teacher": teacher}
    for opponent in POOL:
        starts = _draw(
            f"pool {opponent.name}", seed, max(1, games // (2 * len(POOL))), _POOL_LEVEL, solo=False
        )
        for name, player in players.items():
            scores[name].append(play_match(player, opponent, starts, threads=threads))
    own, taught = (_estimate(np.concatenate(scores[name], axis=1)) for name in players)
    share = taught.share if taught.share > 0 else float("nan")
    return Gate(
        f"score against the pool by the teacher's, level {_POOL_LEVEL}",
        own.share / share,
        own.lower / share,
        own.upper / share,
        RETENTION,
        True,
        own.games,
        f"{own.share:.3f} and {taught.share:.3f}; pool: "
        + ", ".join(opponent.name for opponent in POOL),
    )


def _draw(stream: str, seed: int, games: int, level: int, *, solo: bool) -> np.ndarray:
    rng = make_rng(seed, f"export/{stream}")
    return draw_starts(rng, games, (level,), (Speed.MED,), solo=solo)


def _estimate(scores: np.ndarray) -> Proportion:
    return estimate_proportion(float(scores.sum()), scores.size)
