"""What the loop shows and logs: an iteration's report as metrics, and its games as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from envs.game.setup import canonical_word
from league.evaluation import result_of
from league.records import Condition, GameRow, RatingRow
from league.settings import RunConfig
from league.tracking import rating_metrics
from league.tracking.play_metrics import list_choice_metrics, list_game_metrics
from league.training.report import IterationReport, TrainingGame
from league.training.roster import MAIN

_LOSSES = {
    "policy_loss": "train/policy_loss",
    "vf_loss": "train/value_loss",
    "entropy": "train/entropy",
    "mean_kl_loss": "train/kl",
    "vf_explained_var": "train/explained_variance",
    "gradients_default_optimizer_global_norm": "train/gradient_norm",
}
"""Metric by the learner's name of it."""


def list_metrics(
    *,
    iteration: int,
    snapshots: Sequence[str],
    rated_games: int,
    learning_rate: float,
    report: IterationReport | None,
    rated: Sequence[RatingRow],
) -> dict[str, float]:
    """Return everything there is to log after an iteration, by name of `metrics.METRICS`.

    Args:
        iteration: Iterations finished.
        snapshots: All snapshots, in the order of their birth.
        rated_games: Evaluation games in the log.
        learning_rate: Step size of the next iteration.
        report: What training reported; None if the iteration did not train.
        rated: New ratings; empty if there are none.
    """
    metrics: dict[str, float] = {
        "league/iteration": iteration,
        "league/snapshots": len(snapshots),
        "league/rated_games": rated_games,
        **rating_metrics(rated),
    }
    elo = {row.player: row.elo for row in rated}
    newest = [name for name in snapshots if name in elo]
    if newest:
        metrics["league/elo"] = elo[newest[-1]]
    if report is not None:
        metrics |= {"train/learning_rate": learning_rate, **_list_training(report)}
    return metrics


def make_training_row(config: RunConfig, game: TrainingGame) -> GameRow:
    """Return a training game as a row of the log; ratings never use it."""
    env = config.env
    players = (MAIN, game.opponent) if game.main_seat == 0 else (game.opponent, MAIN)
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
