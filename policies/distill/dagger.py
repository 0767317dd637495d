"""From a teacher to trees of several sizes: DAgger, growth, choice by play, tuning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from policies.distill.collect import MATCH_MIXES, Lessons, collect_lessons
from policies.distill.grow import Examples, grow_tree
from policies.distill.practice import PracticeConfig, PracticeTeacher, practise
from policies.distill.spec import MAX_LEAVES
from policies.distill.teacher import Teacher
from policies.distill.tree import Node, count_leaves, make_page
from policies.distill.tune import (
    TuneConfig,
    rank_by_matches,
    rank_trees,
    tune_for_matches,
    tune_leaves,
)

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
    practice: PracticeConfig = field(default_factory=PracticeConfig)
    """Of a network, for the goal `match`."""
    match_positions: int = 24_000
    """Judged by that network in each iteration."""
    match_softness: tuple[float, ...] = (1.15, 0.9, 1.4)
    """Temperatures that are tried on its scores; DAgger plays with the first."""
    match_games: int = 2_000
    """Against `greedy`, by which the best tree of that network is found."""
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
    rng = np.random.default_rng(config.seed)
    stages = _run_dagger(teacher, config, rng, report)
    is_match = config.tune.goal == "match"
    practised = _run_practice(teacher.name, stages[-1], config, rng, report) if is_match else []
    found = []
    for size in config.sizes:
        # A stream of its own: a size comes out alike with others beside it and alone.
        rng = np.random.default_rng([config.seed, size])
        untuned, iteration = _pick_best(stages, size, config, rng, report)
        tuned = untuned
        if is_match:
            grown, iteration = _pick_practised(practised, size, config, rng, report)
            tuned = _tune_for_matches(grown, size, config, rng, report)
        elif config.tune.goal == "solo":
            tuned = _tune(untuned, size, config, rng, report)
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
    return _iterate(
        lambda page, share: collect_lessons(teacher, page, config.positions, share, rng),
        lambda lessons: make_targets(lessons, config.softness[0]),
        config,
        report,
    )


def _run_practice(
    name: str, lessons: Lessons, config: DistillConfig, rng: np.random.Generator, report: Report
) -> list[Lessons]:
    """Let a network learn from lessons and practise; return what it then has to say."""

    def show(update: int, won: float) -> None:
        if (update + 1) % 10 == 0:
            report(
                f"practice {update + 1} of {config.practice.updates}: won {won:.3f} of its games"
            )

    targets = make_targets(lessons, config.softness[0])
    network = practise(
        lessons, targets, config.practice, rng, threads=config.threads, on_update=show
    )
    teacher = PracticeTeacher(network, f"{name}, practised")
    return _iterate(
        lambda page, share: collect_lessons(
            teacher, page, config.match_positions, share, rng, MATCH_MIXES
        ),
        lambda found: make_targets(found, config.match_softness[0]),
        config,
        report,
    )


def _iterate(
    collect: Callable[[np.ndarray | None, float], Lessons],
    aim: Callable[[Lessons], np.ndarray],
    config: DistillConfig,
    report: Report,
) -> list[Lessons]:
    """Collect lessons where the tree grown from those before leads to."""
    stages: list[Lessons] = []
    page = None
    for iteration in range(config.iterations):
        new = collect(page, _LATER_SHARE if iteration else _FIRST_SHARE)
        stages.append(Lessons.join([*stages[-1:], new]))
        tree = _grow(stages[-1], aim(stages[-1]), max(config.sizes))
        page = make_page(tree)
        report(
            f"dagger {iteration + 1} of {config.iterations}: {len(stages[-1])} positions, "
            f"agreement {measure_agreement(tree, new):.3f} on the new ones"
        )
    return stages


def _grow(lessons: Lessons, targets: np.ndarray, leaves: int) -> Node:
    real = lessons.is_candidate
    return grow_tree(Examples.merge(lessons.features[real], targets[real]), leaves)


def _tune(
    tree: Node, size: int, config: DistillConfig, rng: np.random.Generator, report: Report
) -> Node:
    def show(generation: int, cost: float) -> None:
        if (generation + 1) % 10 == 0:
            report(f"tune {size} leaves: generation {generation + 1}, cost {cost:.3f}")

    return tune_leaves(tree, config.tune, rng, threads=config.threads, on_generation=show)


def _tune_for_matches(
    tree: Node, size: int, config: DistillConfig, rng: np.random.Generator, report: Report
) -> Node:
    def show(generation: int, score: float) -> None:
        if (generation + 1) % 10 == 0:
            report(f"tune {size} leaves: generation {generation + 1}, score {score:.3f}")

    return tune_for_matches(tree, config.tune, rng, threads=config.threads, on_generation=show)


def _grow_all(
    stages: Sequence[Lessons], softness: Sequence[float], leaves: int
) -> tuple[list[tuple[int, float]], list[Node]]:
    """Return the iteration, from 0 on, and the temperature of each tree, and the trees."""
    recipes = [(iteration, one) for iteration in range(len(stages)) for one in softness]
    trees = [
        _grow(stages[iteration], make_targets(stages[iteration], one), leaves)
        for iteration, one in recipes
    ]
    return recipes, trees


def _pick_practised(
    stages: Sequence[Lessons],
    leaves: int,
    config: DistillConfig,
    rng: np.random.Generator,
    report: Report,
) -> tuple[Node, int]:
    """Return the tree of a size that loses the fewest games to `greedy`, and its iteration."""
    recipes, trees = _grow_all(stages, config.match_softness, leaves)
    lost = rank_by_matches(trees, config.match_games, rng, threads=config.threads)
    best = int(lost.argmin())
    report(f"grow {leaves} leaves: best of {len(trees)} by matches lost {lost[best]:.3f}")
    return trees[best], recipes[best][0] + 1


def _pick_best(
    stages: Sequence[Lessons],
    leaves: int,
    config: DistillConfig,
    rng: np.random.Generator,
    report: Report,
) -> tuple[Node, int]:
    """Return the tree of a size that plays best, and its iteration."""
    recipes, trees = _grow_all(stages, config.softness, leaves)
    costs = rank_trees(trees, config.ranking_games, rng, threads=config.threads)
    best = int(costs.argmin())
    report(
        f"grow {leaves} leaves: best of {len(trees)} by play is iteration "
        f"{recipes[best][0] + 1}, cost {costs[best]:.3f}"
    )
    return trees[best], recipes[best][0] + 1
