"""What the loop shows and logs: an iteration's report as metrics, and its games as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from statistics import fmean
from typing import Final

from envs.game.setup import canonical_word
from league.evaluation import result_of
from league.learners import Trained
from league.records import Condition, GameRow, PairRow, RatingRow, SnapshotRow
from league.settings import LeagueSettings, RunConfig
from league.statistics.online_elo import OnlineElo
from league.tracking import rating_metrics
from league.tracking.play_metrics import list_choice_metrics, list_game_metrics
from league.training.report import IterationReport, TrainingGame
from league.training.roster import INERT, MAIN

_LOSSES = {
    "policy_loss": "train/policy_loss",
    "vf_loss": "train/value_loss",
    "entropy": "train/entropy",
    "mean_kl_loss": "train/kl",
    "vf_explained_var": "train/explained_variance",
    "gradients_default_optimizer_global_norm": "train/gradient_norm",
}
"""Metric by the learner's name of it."""
_SCORES: Final = {"win": 1.0, "draw": 0.5, "loss": 0.0}


def list_metrics(
    *,
    iteration: int,
    snapshots: Sequence[SnapshotRow],
    rated_games: int,
    learning_rate: float,
    trained: Trained | None,
    rated: Sequence[RatingRow],
    pairs: Sequence[PairRow],
    league: LeagueSettings,
) -> dict[str, float]:
    """Return everything there is to log after an iteration, by name of `metrics.METRICS`.

    Args:
        iteration: Iterations finished.
        snapshots: All snapshots, in the order of their birth.
        rated_games: Evaluation games in the log.
        learning_rate: Step size of the next iteration.
        trained: What training reported; None if the iteration did not train.
        rated: New ratings; empty if there are none.
        pairs: All pairs that were rated, in the order in which they were recorded.
        league: Names the anchor and its rating.
    """
    metrics: dict[str, float] = {
        "league/iteration": iteration,
        "league/snapshots": len(snapshots),
        "league/rated_games": rated_games,
        **rating_metrics(rated),
    }
    elo = {row.player: row.elo for row in rated}
    newest = [row.id for row in snapshots if row.role == MAIN and row.id in elo]
    if newest:
        metrics["league/elo"] = elo[newest[-1]]
        metrics["league/online_elo"] = find_online_elo(newest[-1], snapshots, pairs, league)
    if trained is not None and trained.is_main:
        metrics |= {"train/learning_rate": learning_rate, **_list_training(trained.report)}
    elif trained is not None:
        metrics |= _list_exploiting(trained)
    return metrics


def find_online_elo(
    player: str, snapshots: Sequence[SnapshotRow], pairs: Sequence[PairRow], league: LeagueSettings
) -> float:
    """Return where a snapshot stands on the scale that moves with every game; no rating.

    It is made anew from the log, so a resumed run goes on with the same curve. The arguments are
    those of `list_metrics`.
    """
    online = OnlineElo(anchor=league.anchor, start=league.anchor_rating)
    parents = {row.id: row.parent for row in snapshots}
    known: set[str] = set()
    for pair in pairs:
        for name in pair.players:
            if name in parents and name not in known:
                online.enter(name, parents[name])
                known.add(name)
        for result in pair.results:
            if result != "stopped":
                online.add(*pair.players, score=_SCORES[result])
    return online[player]


def make_training_row(config: RunConfig, learner: str, game: TrainingGame) -> GameRow:
    """Return a training game as a row of the log; ratings never use it."""
    env = config.env
    players = (learner, game.opponent) if game.main_seat == 0 else (game.opponent, learner)
    return GameRow(
        purpose="train",
        condition=Condition(
            levels=(game.level, game.level),
            speeds=(game.speed, game.speed),
            backend=env.backend,
            max_frames=env.max_frames,
        ),
        seed=canonical_word(game.rng_word),
        players=players,
        result=result_of(game.winner_seat, stopped=game.end_reason == "frame_limit"),
        reason=game.end_reason,
        frames=game.frames,
        stats={"main": asdict(game)},
    )


def _list_exploiting(trained: Trained) -> dict[str, float]:
    """Return the metrics of an exploiter's iteration; none of them is a curve of main's."""
    name, report = trained.learner, trained.report
    metrics = {f"exploiter_seconds/{name}": report.sampling_seconds + report.learning_seconds}
    scores = [game.score for game in report.games if game.opponent != INERT]
    decided = [score for score in scores if score is not None]
    if decided:
        metrics[f"exploiter_score/{name}"] = fmean(decided)
    if report.choices is not None and report.choices.free_decisions:
        metrics[f"exploiter_entropy_ratio/{name}"] = report.choices.entropy_ratio
    return metrics


def _list_training(report: IterationReport) -> dict[str, float]:
    metrics = {name: report.losses[key] for key, name in _LOSSES.items() if key in report.losses}
    metrics["speed/sampling_seconds"] = report.sampling_seconds
    metrics["speed/learning_seconds"] = report.learning_seconds
    metrics["speed/steps_per_second"] = report.steps_per_second
    seconds = report.sampling_seconds + report.learning_seconds
    metrics["speed/frames_per_second"] = sum(game.frames for game in report.games) / seconds
    if report.choices is not None:
        metrics |= list_choice_metrics(report.choices)
    return metrics | list_game_metrics(report.games)
