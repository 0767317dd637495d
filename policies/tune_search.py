"""Finds the weights of `search` by the cross-entropy method: `python -m policies.tune_search`.

Each iteration draws weights around the mean, plays solo rounds with each draw, all on the same
boards, and moves mean and spread to the best draws. It starts from weights set by hand and prints
the fields of `SearchWeights`; with the default arguments, the committed ones.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import astuple, dataclass, fields
from typing import Final

import numpy as np

from envs.game.layout import Speed
from policies.search import BOTTLE_TERMS, CAPSULE_TERMS, SearchPolicy, SearchWeights
from policies.search_rounds import Rounds, play_solo_rounds

HAND_WEIGHTS: Final = SearchWeights(
    lock_frames=-0.004,
    settle_frames=-0.004,
    viruses_cleared=6.0,
    cells_cleared=0.1,
    rounds=0.1,
    lines=0.1,
    max_height=-0.1,
    height_squares=-0.25,
    spawn_height=-0.2,
    high_stack=-0.3,
    colour_changes=-0.45,
    buried=-0.6,
    buried_runs=-0.5,
    open_viruses=0.3,
    holes=-0.35,
    loose_cells=-0.05,
    top_virus_one=0.2,
    top_virus_two=0.9,
    top_virus_three=1.9,
    top_two=0.3,
    top_three=0.7,
    row_virus_two=0.2,
    row_virus_three=0.9,
    row_two=0.05,
    row_three=0.3,
)
"""Where the search for weights begins."""

TERMS: Final = (*CAPSULE_TERMS, *BOTTLE_TERMS)
"""The weights that are tuned."""
SETTINGS: Final = ((10, Speed.HI), (20, Speed.MED))
"""Levels and speeds that are played."""
MAX_FRAMES: Final = 14_400

_COST_PER_MINUTE: Final = 0.2
_FRAMES_PER_MINUTE: Final = 3600
_FIRST_SPREAD: Final = 0.6
_LEAST_SPREAD: Final = 0.02
"""Spread of the first draws, and the least one, in parts of the weight that tuning starts from."""
_DECIMALS: Final = 4


@dataclass(frozen=True, slots=True)
class TuningConfig:
    """How long to tune, and from which stream."""

    seed: int = 0
    depth: int = 1
    iterations: int = 20
    draws: int = 28
    best: int = 6
    """Draws that the mean moves to."""
    rounds: int = 12
    """Rounds of each draw at each of `SETTINGS`."""


def tune_weights(
    config: TuningConfig, on_iteration: Callable[[int, float], None] | None = None
) -> SearchWeights:
    """Return tuned weights, rounded to four decimals.

    Args:
        config: Seed and size.
        on_iteration: Called with the number of the iteration and the mean score of its best draws.
    """
    rng = np.random.default_rng(config.seed)
    mean = np.array([getattr(HAND_WEIGHTS, term) for term in TERMS])
    start = np.abs(mean)
    spread = _FIRST_SPREAD * start
    for iteration in range(config.iterations):
        draws = rng.normal(mean, spread, (config.draws, len(mean)))
        draws[0] = mean
        boards = int(rng.integers(2**31))
        scores = np.array([score_weights(make_weights(draw), config, boards) for draw in draws])
        best = np.argsort(-scores, kind="stable")[: config.best]
        mean = draws[best].mean(axis=0)
        # A spread that follows the best draws alone closes too soon.
        slack = _FIRST_SPREAD * (1 - iteration / config.iterations) ** 2 / 4
        spread = draws[best].std(axis=0) + np.maximum(slack, _LEAST_SPREAD) * start
        if on_iteration is not None:
            on_iteration(iteration, float(scores[best].mean()))
    return make_weights(np.round(mean, _DECIMALS))


def score_weights(weights: SearchWeights, config: TuningConfig, boards: int) -> float:
    """Return the mean score of rounds played with `weights` on the boards of a seed."""
    policy = SearchPolicy(depth=config.depth, weights=weights)
    scores = [
        score_rounds(
            play_solo_rounds(
                policy, level, speed, config.rounds, seed=boards, max_frames=MAX_FRAMES
            ),
            4 * (level + 1),
        )
        for level, speed in SETTINGS
    ]
    return float(np.mean(scores))


def score_rounds(rounds: Rounds, viruses: int) -> float:
    """Return 1 for a clear, the share of viruses cleared, less what the time costs; the mean.

    A round that was not cleared costs as much time as there is.
    """
    minutes = np.where(rounds.cleared, rounds.minutes, MAX_FRAMES / _FRAMES_PER_MINUTE)
    score = rounds.cleared + rounds.viruses / viruses - _COST_PER_MINUTE * minutes
    return float(score.mean())


def make_weights(values: np.ndarray) -> SearchWeights:
    """Return weights with `values` for `TERMS`."""
    return SearchWeights(**dict(zip(TERMS, values.tolist(), strict=True)))


def main() -> None:
    """Tune as the arguments say and print the weights."""
    default = TuningConfig()
    parser = argparse.ArgumentParser(description="Tune the weights of `search`.")
    for one, value in zip(fields(default), astuple(default), strict=True):
        parser.add_argument(f"--{one.name}", type=int, default=value)
    weights = tune_weights(TuningConfig(**vars(parser.parse_args())), _report_iteration)
    for term in TERMS:
        sys.stdout.write(f"{term}: float = {getattr(weights, term)}\n")


def _report_iteration(number: int, score: float) -> None:
    sys.stderr.write(f"iteration {number}: {score:.3f}\n")


if __name__ == "__main__":
    main()
