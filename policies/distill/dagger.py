"""From a teacher to trees of several sizes: DAgger, growth, choice by play, tuning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from policies.distill.collect import Lessons, collect_lessons
from policies.distill.grow import Examples, grow_tree
from policies.distill.spec import MAX_LEAVES
from policies.distill.teacher import Teacher
from policies.distill.tree import Node, count_leaves, make_page
from policies.distill.tune import TuneConfig, rank_trees, tune_leaves

SIZES: Final = (8, 16, 32, 64)
"""Leaves of the sweep."""

Report = Callable[[str], None]
"""Takes a line of progress."""

_FIRST_SHARE: Final = 1.0
_LATER_SHARE: Final = 0.1
"""How often the teacher's choice is played: in the first iteration, and later."""


@dataclass(frozen=True, slots=True)
class DistillConfig:
    """How a policy is distilled; with the policy and the seed it fixes every byte."""

    seed: int = 0
    sizes: tuple[int, ...] = SIZES
    iterations: int = 4
    positions: int = 8_000
    """Judged in each iteration."""
    softness: tuple[float, ...] = (0.7, 1.3)
    """Temperatures that are tried on soft scores, in median gaps between best and second best."""
    ranking_games: int = 200
    """Solo rounds by which the best tree of each size is found."""
    tune: TuneConfig = field(default_factory=TuneConfig)
    threads: int = 2

    def __post_init__(self) -> None:
        """Check ranges.

        Raises:
            ValueError: A number is out of range.
        """
        if not self.sizes or not all(1 <= size <= MAX_LEAVES for size in self.sizes):
            raise ValueError(f"expected sizes of 1..{MAX_LEAVES} leaves, got {self.sizes!r}")
        numbers = (self.iterations, self.positions, self.ranking_games, self.threads)
        if min(numbers) < 1:
            raise ValueError(f"expected positive numbers, got {numbers!r}")


@dataclass(frozen=True, slots=True)
class Distilled:
    """A tree of one size."""

    leaves: int
    """Leaves that it really has, at most those asked for."""
    untuned: Node
    tuned: Node
    """The same tree as `untuned` where nothing is tuned."""
    iteration: int
    """Of DAgger, from 1 on, whose positions it was grown from."""
    agreement: float
    """Share of positions in which the tuned tree takes the teacher's choice."""


def distill(teacher: Teacher, config: DistillConfig, report: Report) -> list[Distilled]:
    """Distil a teacher into trees of each size.

    Args:
        teacher: Whom to learn from.
        config: Sizes and effort.
        report: Called with lines of progress.
    """
    stages = _run_dagger(teacher, config, np.random.default_rng(config.seed), report)
    found = []
    for size in config.sizes:
        # A stream of its own: a size comes out alike with others beside it and alone.
        rng = np.random.default_rng([config.seed, size])
        untuned, iteration = _pick_best(stages, size, config, rng, report)

        def show(generation: int, cost: float, size: int = size) -> None:
            if (generation + 1) % 10 == 0:
                report(f"tune {size} leaves: generation {generation + 1}, cost {cost:.3f}")

        tuned = tune_leaves(untuned, config.tune, rng, threads=config.threads, on_generation=show)
        agreement = measure_agreement(tuned, stages[-1])
        found.append(Distilled(count_leaves(tuned), untuned, tuned, iteration, agreement))
    return found


def measure_agreement(tree: Node, lessons: Lessons) -> float:
    """Return the share of positions in which a tree takes the teacher's best candidate."""
    from envs.backends.native_duel import choose_candidates

    choices = choose_candidates(lessons.positions, make_page(tree))
    return float((choices == lessons.scores.argmax(axis=1)).mean())


def make_targets(lessons: Lessons, softness: float) -> np.ndarray:
    """Return what each candidate is worth, float64 (n, 30): the teacher's policy, softened.

    Args:
        lessons: Positions and scores.
        softness: Temperature in median gaps between the best and the second best score. A
            teacher that only chooses has no gaps: its choice gets 1.
    """
    scores = lessons.scores - lessons.scores.max(axis=1, keepdims=True)
    second = np.sort(scores, axis=1)[:, -2]
    gaps = -second[np.isfinite(second)]
    temperature = softness * float(np.median(gaps)) if len(gaps) else 1.0
    weights = np.exp(scores / max(temperature, 1e-6))
    targets: np.ndarray = weights / weights.sum(axis=1, keepdims=True)
    return targets


def _run_dagger(
    teacher: Teacher, config: DistillConfig, rng: np.random.Generator, report: Report
) -> list[Lessons]:
    """Return the lessons known after each iteration, the last ones all of them."""
    stages: list[Lessons] = []
    page = None
    for iteration in range(config.iterations):
        share = _LATER_SHARE if iteration else _FIRST_SHARE
        new = collect_lessons(teacher, page, config.positions, share, rng)
        stages.append(Lessons.join([*stages[-1:], new]))
        tree = _grow(stages[-1], max(config.sizes), config.softness[0])
        page = make_page(tree)
        report(
            f"dagger {iteration + 1} of {config.iterations}: {len(stages[-1])} positions, "
            f"agreement {measure_agreement(tree, new):.3f} on the new ones"
        )
    return stages


def _grow(lessons: Lessons, leaves: int, softness: float) -> Node:
    real = lessons.is_candidate
    targets = make_targets(lessons, softness)
    return grow_tree(Examples.merge(lessons.features[real], targets[real]), leaves)


def _pick_best(
    stages: Sequence[Lessons],
    leaves: int,
    config: DistillConfig,
    rng: np.random.Generator,
    report: Report,
) -> tuple[Node, int]:
    """Return the tree of a size that plays best, and its iteration."""
    recipes = [
        (iteration, softness) for iteration in range(len(stages)) for softness in config.softness
    ]
    trees = [_grow(stages[iteration], leaves, softness) for iteration, softness in recipes]
    costs = rank_trees(trees, config.ranking_games, rng, threads=config.threads)
    best = int(costs.argmin())
    report(
        f"grow {leaves} leaves: best of {len(trees)} by play is iteration "
        f"{recipes[best][0] + 1}, cost {costs[best]:.3f}"
    )
    return trees[best], recipes[best][0] + 1
