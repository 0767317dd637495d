"""The one table of metric names: what each curve is called, its unit, its meaning, its source.

Every writer of metrics uses it and every tracker refuses other names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from league.checks import suggest
from league.tracking.play_facts import PHASES

STEP_METRIC: Final = "league/env_steps"
"""What every curve is drawn against."""

Source = Literal["loop", "ratings", "learner", "games", "choices", "clock", "alarms"]
"""Who gives the value: the loop's counters, the rating fit, RLlib's learner, the training games of
the iteration (`TrainingGame`), `main`'s decisions (`play_facts.Choices`), wall time, or
`alarms`."""
Summary = Literal["last", "max", "mean"]
"""The one number that stands for a whole curve."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One line of the table."""

    name: str
    """A final `*` stands for a player or a level: one curve each."""
    unit: str
    meaning: str
    source: Source
    summary: Summary = "last"


_PHASE_NAMES: Final = {"above_32": "more than 32", "9_to_32": "9 to 32", "up_to_8": "8 or fewer"}

METRICS: Final = (
    Metric(STEP_METRIC, "decisions", "decisions of main that were trained on so far", "loop"),
    Metric("league/iteration", "iterations", "iterations finished", "loop"),
    Metric("league/snapshots", "snapshots", "snapshots taken", "loop"),
    Metric("league/rated_games", "games", "evaluation games in the log", "loop"),
    Metric("league/elo", "Elo", "rating of main's newest snapshot", "ratings", "max"),
    Metric("league/online_elo", "Elo", "online Elo of the same, K = 16: no rating", "ratings"),
    Metric("elo/*", "Elo", "rating of a player after each refit", "ratings"),
    Metric("elo_lower/*", "Elo", "lower end of its 95 % interval, where games give one", "ratings"),
    Metric("elo_upper/*", "Elo", "upper end of its 95 % interval, where games give one", "ratings"),
    Metric("opponents/*", "", "share of the iteration's training games with a player", "games"),
    Metric("train/policy_loss", "", "clipped surrogate loss of PPO", "learner"),
    Metric("train/value_loss", "", "squared error of the value function", "learner"),
    Metric("train/entropy", "nats", "entropy of main's choices while learning", "learner"),
    Metric("train/kl", "nats", "divergence of the updated from the sampling policy", "learner"),
    Metric("train/explained_variance", "", "share of the returns that values explain", "learner"),
    Metric("train/gradient_norm", "", "norm of the gradient before it is clipped", "learner"),
    Metric("train/learning_rate", "", "step size of Adam", "loop"),
    Metric("policy/decisions", "decisions", "decisions in this iteration", "choices"),
    Metric("policy/legal_choices", "choices", "mean legal choices of a decision", "choices"),
    Metric("policy/entropy", "nats", "mean entropy of main's choices while sampling", "choices"),
    Metric("policy/entropy_ratio", "", "mean entropy by that of an even choice, 0..1", "choices"),
    Metric("policy/equal_masks", "", "1 if all masks of the iteration are alike", "choices", "max"),
    Metric("play/games", "games", "training games that ended", "games"),
    Metric("play/score", "", "(W + D/2) / games with a result, against others", "games"),
    Metric("play/return", "", "mean sum of rewards of a game", "games"),
    Metric("play/game_frames", "frames", "mean length of a game", "games"),
    Metric("play/capsules", "capsules", "mean capsules that main locks in a game", "games"),
    Metric("play/viruses", "viruses", "mean viruses that main clears in a game", "games"),
    Metric("play/lines", "lines", "mean lines that main clears in a game", "games"),
    Metric("play/garbage_sent", "halves", "mean garbage that main sends in a game", "games"),
    Metric("play/clears", "games", "games that main won by clearing its bottle", "games"),
    Metric("play/clear_win_share", "", "share of main's wins that are by clearing", "games"),
    Metric("play/clear_share", "", "share of decided games that ended by clearing", "games"),
    Metric("play/top_out_share", "", "share of games that main lost by topping out", "games"),
    Metric("play/stall_share", "", "share of games that met the frame limit", "games"),
    Metric("play/viruses_per_minute", "1/min", "viruses that main clears in play time", "games"),
    Metric("play/volleys_per_minute", "1/min", "attacks of main in versus play time", "games"),
    Metric("play/capsules_per_virus", "", "capsules of main for each virus", "games"),
    *(
        Metric(
            f"play/capsules_per_virus_{phase}",
            "",
            f"the same with {_PHASE_NAMES[phase]} viruses left",
            "games",
        )
        for phase in PHASES
    ),
    Metric("solo/clear_share", "", "share of solo games that main clears", "games"),
    Metric("solo/clear_share_by_level/*", "", "the same of whole bottles at a level", "games"),
    Metric("exploiter_score/*", "", "(W + D/2) / games of an exploiter's iteration", "games"),
    Metric("exploiter_entropy_ratio/*", "", "`policy/entropy_ratio` of an exploiter", "choices"),
    Metric("exploiter_seconds/*", "s", "wall time of an exploiter's iteration", "clock", "mean"),
    Metric("speed/steps_per_second", "1/s", "trained decisions by wall time", "clock", "mean"),
    Metric("speed/frames_per_second", "1/s", "frames of ended games by wall time", "clock", "mean"),
    Metric("speed/sampling_seconds", "s", "wall time of sampling", "clock", "mean"),
    Metric("speed/learning_seconds", "s", "wall time of learning", "clock", "mean"),
    Metric("alarm/entropy", "", "1 while choices stay as good as even", "alarms", "max"),
    Metric("alarm/no_clears", "", "1 while main clears no bottle", "alarms", "max"),
    Metric("alarm/equal_masks", "", "1 while all action masks are alike", "alarms", "max"),
)
"""Every name that a tracker accepts."""

_EXACT: Final = frozenset(metric.name for metric in METRICS if not metric.name.endswith("*"))
_PREFIXES: Final = tuple(metric.name[:-1] for metric in METRICS if metric.name.endswith("*"))


def is_known(name: str) -> bool:
    """Tell whether a name is in the table."""
    return name in _EXACT or name.startswith(_PREFIXES)


def check_names(names: Iterable[str]) -> None:
    """Refuse names that are not in the table.

    Raises:
        ValueError: Names the first one, and the nearest in the table.
    """
    for name in names:
        if not is_known(name):
            known = [metric.name for metric in METRICS]
            raise ValueError(
                f"expected a metric name of league.tracking.metrics.METRICS, got {name!r}"
                f"{suggest(name, known)}; add new names to the table"
            )
