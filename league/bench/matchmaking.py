"""`league bench matchmaking`: the presets at equal budget, on games whose truth is a formula.

Every preset trains one learner for the same number of updates, slots and games, with the same
manager, pool and ratings as a run. The games are toys: they show which way a rule errs, not how
strong it makes a player of the real game.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from statistics import fmean
from typing import Any, Final

import numpy as np

from league.bench.toy_games import ROCK_PAPER_SCISSORS, DiscGame, MatrixGame
from league.bench.toy_league import ToyLeague, ToySettings, run_toy_league
from league.matchmaking import SAMPLERS

PRESETS: Final = ("latest", "80/20", "uniform", "elo", "pfsp", "psro")
"""The presets that the project ships; a registered one of the user's own is added to the table."""
DISC_UPDATES: Final = 800
MATRIX_UPDATES: Final = 400
COLUMNS: Final = {
    "skill": "skill",
    "forgetting": "worst score against own past",
    "best_response": "score of a best response",
    "latest": "latest exploitable",
    "nash": "pool's Nash exploitable",
}
"""Heading by measure: three of the disc game, then two of rock-paper-scissors."""


def run_matchmaking_bench(
    seeds: int = 3, *, scale: float = 1.0, on_league: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Run every registered preset with the same seeds and budget.

    Args:
        seeds: Seeds 0, 1, ... of every preset, 1 or more.
        scale: Factor on the number of updates.
        on_league: Called after every league.

    Returns:
        JSON types: the budget, and by preset a list of one dictionary of measures per seed.
    """
    names = [*PRESETS, *(name for name in SAMPLERS if name not in PRESETS)]
    results: dict[str, list[dict[str, float]]] = {}
    for name in names:
        results[name] = []
        for seed in range(seeds):
            results[name].append(
                {
                    **_measure_disc(name, round(scale * DISC_UPDATES), seed),
                    **_measure_matrix(name, round(scale * MATRIX_UPDATES), seed),
                }
            )
            on_league()
    budget = {"disc": round(scale * DISC_UPDATES), "rps": round(scale * MATRIX_UPDATES)}
    return {"seeds": seeds, "updates": budget, "presets": results}


def format_bench(report: dict[str, Any]) -> Iterator[str]:
    """Yield the report as a Markdown table: means over the seeds, and the range in brackets."""
    yield "| preset | " + " | ".join(COLUMNS.values()) + " |"
    yield "|---" * (1 + len(COLUMNS)) + "|"
    for name, runs in report["presets"].items():
        cells = (_format_cell([run[measure] for run in runs]) for measure in COLUMNS)
        yield f"| {name} | " + " | ".join(cells) + " |"


def _measure_disc(matchmaking: str, updates: int, seed: int) -> dict[str, float]:
    game = DiscGame()
    settings = ToySettings(updates, snapshot_every=20, matchmaking=matchmaking)
    league = run_toy_league(game, settings, seed)
    return {
        "skill": float(league.main[0]),
        "forgetting": league.worst_score_against_the_past(),
        "best_response": game.best_response_score(league.main),
    }


def _measure_matrix(matchmaking: str, updates: int, seed: int) -> dict[str, float]:
    game = MatrixGame(ROCK_PAPER_SCISSORS, step=0.2, entropy=0.2, noise=0.01)
    settings = ToySettings(updates, snapshot_every=10, matchmaking=matchmaking)
    league = run_toy_league(game, settings, seed)
    return {
        "latest": game.exploitability(game.policy(league.main)),
        "nash": game.exploitability(_mean_policy(game, league)),
    }


def _mean_policy(game: MatrixGame, league: ToyLeague) -> np.ndarray:
    """Return what the Nash mixture of the pool plays, shape (k,)."""
    shares = league.nash_of_the_pool()
    policies = np.array([game.policy(league.players[name]) for name in shares])
    mean: np.ndarray = np.array(list(shares.values())) @ policies
    return mean


def _format_cell(values: Sequence[float]) -> str:
    return f"{fmean(values):.2f} ({min(values):.2f}..{max(values):.2f})"
