"""Tunes the leaf values of a tree by what comes of its games.

The questions of the tree and the slopes of its leaves stay as they are. Every generation plays all
its members on the same set-ups, which are new for each generation. Solo rounds are few capsules'
difference, and the cross-entropy method finds it; matches are won and lost by chance, and an
evolution strategy of many members with few games each follows what little each of them tells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from envs.game.layout import Speed
from policies.distill.play import (
    SoloResult,
    count_start_viruses,
    draw_starts,
    play_capsules,
    play_match_pages,
)
from policies.distill.spec import MAX_VALUE
from policies.distill.tree import Node, list_leaves, make_page, replace_leaves

Goal = Literal["none", "solo", "match"]
GOALS: Final[tuple[Goal, ...]] = ("none", "solo", "match")
LEVELS: Final = (5, 10, 15)
MATCH_LEVELS: Final = (5, 10)

_SPREAD: Final = 4.5
"""Standard deviation of the first generation."""
_LEAST_SPREAD: Final = 0.6
"""What the first generation's elite cannot take from the spread; it shrinks with each."""
_SHRINKS: Final = 0.92
_KEPT: Final = 0.3
"""Share of mean and spread that a generation keeps."""
_ELITE: Final = 0.25
_TRIAL: Final = 4
"""Games by which tuned and untuned are compared in the end, in those of a generation."""
_MATCH_SPREADS: Final = (1.0, 0.5)
"""Standard deviation of the members of the first and of the last generation."""
_STEP: Final = 0.2
"""How far the mean moves along what a generation tells, in spreads."""
_MOMENTUM: Final = 0.9
"""Share of what the generations before have told."""
_MATCH_TRIAL: Final = 2
"""Games by which tuned and untuned are compared in the end, in those of a generation."""
_AHEAD: Final = 0.5
"""Gain of ending a game a whole bottle ahead, in games won."""
_NOT_CLEARED: Final = 6.0
"""Cost of a round that was not cleared, in capsules a virus; each virus left adds to it."""
_VIRUS_LEFT: Final = 4.0


@dataclass(frozen=True, slots=True)
class TuneConfig:
    """How long to tune."""

    goal: Goal = "solo"
    generations: int = 60
    members: int = 60
    games: int = 60
    """Games of a member in a generation."""


MATCH_TUNING: Final = TuneConfig("match", generations=40, members=256, games=8)
"""For matches. The mean learns as much from many members with few games each as from few with
many, and more of the directions that it could take."""


def tune_leaves(
    tree: Node,
    config: TuneConfig,
    rng: np.random.Generator,
    *,
    threads: int | None = 1,
    on_generation: Callable[[int, float], None] | None = None,
) -> Node:
    """Return the tree with leaf values that play better; the tree itself if none were found.

    Args:
        tree: What to start from.
        config: Effort.
        rng: Source of members and set-ups.
        threads: Threads that share the games.
        on_generation: Called with the generation and the cost of its mean.
    """
    mean = np.array(list_leaves(tree), np.float64)
    spread = np.full(len(mean), _SPREAD)
    elite = max(2, round(config.members * _ELITE))
    for generation in range(config.generations):
        drawn = mean + spread * rng.standard_normal((config.members, len(mean)))
        drawn[0] = mean
        members = _round_leaves(drawn)
        costs = _measure(_make_pages(tree, drawn), config.games, rng, threads)
        best = members[np.argsort(costs, kind="stable")[:elite]]
        mean = _KEPT * mean + (1 - _KEPT) * best.mean(axis=0)
        least = _LEAST_SPREAD * _SHRINKS**generation
        spread = _KEPT * spread + (1 - _KEPT) * best.std(axis=0) + least
        if on_generation is not None:
            on_generation(generation, float(costs[0]))
    tuned = replace_leaves(tree, _round_leaves(mean).tolist())
    # The mean of good trees need not be a good tree: fresh games decide.
    pages = np.stack([make_page(tree), make_page(tuned)])
    before, after = _measure(pages, _TRIAL * config.games, rng, threads)
    return tuned if after < before else tree


def tune_for_matches(
    tree: Node,
    config: TuneConfig,
    rng: np.random.Generator,
    *,
    threads: int | None = 1,
    on_generation: Callable[[int, float], None] | None = None,
) -> Node:
    """Return the tree with leaf values that win more games against `greedy`, itself if none do.

    Args:
        tree: What to start from.
        config: Effort.
        rng: Source of members and set-ups.
        threads: Threads that share the games.
        on_generation: Called with the generation and the mean score of its members.
    """
    mean = np.array(list_leaves(tree), np.float64)
    velocity = np.zeros_like(mean)
    pairs = config.members // 2
    first, last = _MATCH_SPREADS
    for generation in range(config.generations):
        spread = first * (last / first) ** (generation / config.generations)
        # Each direction is tried both ways on the same set-ups: what both share says nothing.
        directions = rng.standard_normal((pairs, len(mean)))
        members = mean + spread * np.concatenate([directions, -directions])
        gains, score = _measure_gains(_make_pages(tree, members), config.games, rng, threads)
        velocity *= _MOMENTUM
        velocity += (1 - _MOMENTUM) * _find_slope(directions, gains[:pairs] - gains[pairs:])
        mean = np.clip(mean + _STEP * spread * velocity, 0, MAX_VALUE)
        if on_generation is not None:
            on_generation(generation, score)
    tuned = replace_leaves(tree, _round_leaves(mean).tolist())
    trial = _MATCH_TRIAL * config.members * config.games
    pages = np.stack([make_page(tree), make_page(tuned)])
    (before, after), _ = _measure_gains(pages, trial, rng, threads)
    return tuned if after > before else tree


def _measure_gains(
    pages: np.ndarray, games: int, rng: np.random.Generator, threads: int | None
) -> tuple[np.ndarray, float]:
    """Return what each tree gains in a game, float64 (trees,), and the mean score of all."""
    starts = draw_starts(rng, games, MATCH_LEVELS, (Speed.MED,), solo=False)
    scores, ahead = play_match_pages(pages, starts, threads=threads)
    gains: np.ndarray = (scores + _AHEAD * ahead).mean(axis=1)
    return gains, float(scores.mean())


def _find_slope(directions: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """Return where gains grow, float64 (n,): standard normal in each number if by chance alone.

    Source: Salimans et al. (2017), evolution strategies with mirrored sampling; gains are
    divided by their standard deviation, so that the step does not shrink as games are won.

    Args:
        directions: float64 (pairs, n).
        gains: float64 (pairs,): what each direction gained over its opposite.
    """
    spread = gains.std()
    if spread == 0.0:
        return np.zeros(directions.shape[1])
    slope: np.ndarray = gains / spread @ directions / np.sqrt(len(gains))
    return slope


def _make_pages(tree: Node, values: np.ndarray) -> np.ndarray:
    members = _round_leaves(values)
    return np.stack([make_page(replace_leaves(tree, member.tolist())) for member in members])


def count_cost(result: SoloResult, viruses: np.ndarray) -> np.ndarray:
    """Return what each round cost, float64 (n,): capsules a virus, more where it was not cleared.

    Args:
        result: Of the rounds.
        viruses: int64 (n,), viruses at the start of each.
    """
    left = (viruses - result.viruses) / viruses
    failed = _NOT_CLEARED + _VIRUS_LEFT * left
    cost: np.ndarray = np.where(result.cleared, result.capsules / viruses, failed)
    return cost


def rank_trees(
    trees: Sequence[Node], games: int, rng: np.random.Generator, *, threads: int | None = 1
) -> np.ndarray:
    """Return the mean cost of each tree over the same solo rounds, float64 (n,)."""
    return _measure(np.stack([make_page(tree) for tree in trees]), games, rng, threads)


def rank_by_matches(
    trees: Sequence[Node], games: int, rng: np.random.Generator, *, threads: int | None = 1
) -> np.ndarray:
    """Return what share of the same games each tree loses to `greedy`, float64 (n,)."""
    starts = draw_starts(rng, games, MATCH_LEVELS, (Speed.MED,), solo=False)
    pages = np.stack([make_page(tree) for tree in trees])
    scores, _ = play_match_pages(pages, starts, threads=threads)
    lost: np.ndarray = 1.0 - scores.mean(axis=1)
    return lost


def _round_leaves(values: np.ndarray) -> np.ndarray:
    rounded: np.ndarray = np.clip(np.rint(values), 0, MAX_VALUE).astype(np.int64)
    return rounded


def _measure(
    pages: np.ndarray, games: int, rng: np.random.Generator, threads: int | None
) -> np.ndarray:
    """Return the cost of each tree, float64 (trees,)."""
    starts = draw_starts(rng, games, LEVELS, (Speed.MED,), solo=True)
    return _mean_cost(pages, starts, threads)


def _mean_cost(pages: np.ndarray, starts: np.ndarray, threads: int | None) -> np.ndarray:
    result = play_capsules(pages, starts, threads=threads)
    viruses = np.tile(count_start_viruses(starts), len(pages))
    costs: np.ndarray = count_cost(result, viruses).reshape(len(pages), -1).mean(axis=1)
    return costs
