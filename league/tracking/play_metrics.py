"""What training games and decisions come to, as metrics: pure functions of facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Final

from envs.game.layout import FRAME_RATE
from league.tracking.play_facts import PHASES, Choices, SeatPlay
from league.training.report import TrainingGame
from league.training.roster import MAIN

_FRAMES_PER_MINUTE: Final = 60 * FRAME_RATE
_STOPPED: Final = "frame_limit"


def list_choice_metrics(choices: Choices) -> dict[str, float]:
    """Return the metrics of `main`'s decisions in an iteration."""
    metrics = {
        "policy/decisions": choices.decisions,
        "policy/legal_choices": choices.legal_choices,
        "policy/entropy": choices.entropy,
        "policy/equal_masks": float(choices.equal_masks),
    }
    if choices.free_decisions:
        metrics["policy/entropy_ratio"] = choices.entropy_ratio
    return metrics


def list_game_metrics(games: Sequence[TrainingGame]) -> dict[str, float]:
    """Return the metrics of the training games that ended in an iteration.

    What has no value, such as a share of no games, is left out.
    """
    if not games:
        return {}
    metrics = {
        "play/games": len(games),
        "play/return": fmean(game.main_return for game in games),
        "play/game_frames": fmean(game.frames for game in games),
        "play/capsules": fmean(game.capsules for game in games),
        "play/viruses": fmean(game.viruses for game in games),
        "play/lines": fmean(game.lines for game in games),
        "play/garbage_sent": fmean(game.garbage_sent for game in games),
        "play/clears": sum(map(has_cleared, games)),
        "play/top_out_share": fmean(map(has_topped_out, games)),
        "play/stall_share": fmean(game.end_reason == _STOPPED for game in games),
    }
    opponents = Counter(game.opponent for game in games)
    metrics |= {f"opponents/{name}": count / len(games) for name, count in opponents.items()}
    metrics |= _list_results(games)
    metrics |= _list_solo([game for game in games if is_solo(game)])
    return metrics | list_rates([game.play for game in games if game.play is not None])


def list_rates(plays: Sequence[SeatPlay]) -> dict[str, float]:
    """Return viruses and volleys a minute of play, and capsules for each virus, by phase too.

    All games of the iteration count as one long game, so short ones weigh less.
    """
    frames = sum(play.frames for play in plays)
    if not frames:
        return {}
    capsules = _add_up(play.capsules for play in plays)
    viruses = _add_up(play.viruses for play in plays)
    metrics = {"play/viruses_per_minute": sum(viruses) / frames * _FRAMES_PER_MINUTE}
    versus = [play for play in plays if not play.solo]
    versus_frames = sum(play.frames for play in versus)
    if versus_frames:
        volleys = sum(play.volleys for play in versus)
        metrics["play/volleys_per_minute"] = volleys / versus_frames * _FRAMES_PER_MINUTE
    if sum(viruses):
        metrics["play/capsules_per_virus"] = sum(capsules) / sum(viruses)
    for phase, used, cleared in zip(PHASES, capsules, viruses, strict=True):
        if cleared:
            metrics[f"play/capsules_per_virus_{phase}"] = used / cleared
    return metrics


def is_solo(game: TrainingGame) -> bool:
    """Tell whether the other bottle was inert."""
    return game.play is not None and game.play.solo


def has_won(game: TrainingGame) -> bool:
    """Tell whether `main` won."""
    return game.winner_seat == game.main_seat


def has_cleared(game: TrainingGame) -> bool:
    """Tell whether `main` won by clearing its bottle."""
    return has_won(game) and game.end_reason == "clear"


def has_topped_out(game: TrainingGame) -> bool:
    """Tell whether `main` lost by topping out; alone or together with the opponent."""
    return game.end_reason == "both_top_out" or (game.end_reason == "top_out" and not has_won(game))


def _list_results(games: Sequence[TrainingGame]) -> dict[str, float]:
    """Return the metrics of who won, and by what."""
    metrics: dict[str, float] = {}
    # A game against itself says nothing about main's strength, and neither does one alone.
    others = [game for game in games if game.opponent != MAIN and not is_solo(game)]
    scores = [game.score for game in others if game.score is not None]
    if scores:
        metrics["play/score"] = fmean(scores)
    wins = [game for game in games if has_won(game)]
    if wins:
        metrics["play/clear_win_share"] = fmean(map(has_cleared, wins))
    decided = [game for game in games if game.winner_seat is not None]
    if decided:
        metrics["play/clear_share"] = fmean(game.end_reason == "clear" for game in decided)
    return metrics


def _list_solo(games: Sequence[TrainingGame]) -> dict[str, float]:
    """Return the share of solo games that were cleared, of all and of whole bottles by level."""
    if not games:
        return {}
    metrics = {"solo/clear_share": fmean(map(has_cleared, games))}
    whole = [game for game in games if not game.thinned]
    for level in sorted({game.level for game in whole}):
        metrics[f"solo/clear_share_by_level/{level}"] = fmean(
            has_cleared(game) for game in whole if game.level == level
        )
    return metrics


def _add_up(counts: Iterable[tuple[int, int, int]]) -> list[int]:
    return [sum(column) for column in zip(*counts, strict=True)]
