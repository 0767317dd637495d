"""From a teacher to trees of several sizes: DAgger, growth, choice by play, tuning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from policies.distill.choices import SOFTNESS, Choices, make_targets
from policies.distill.collect import MATCH_MIXES, Lessons, collect_lessons
from policies.distill.grow import grow_trees
from policies.distill.practice import PracticeConfig, PracticeTeacher, practise
from policies.distill.spec import MAX_LEAVES
from policies.distill.teacher import Teacher
from policies.distill.tree import Node, count_leaves, make_page
from policies.distill.tune import (
    Goal,
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
    softness: float = SOFTNESS
    """Temperature of the teacher's scores, in median gaps between the best and the second best."""
    growth_positions: int = 24_000
    """Positions that a tree is grown from at most; of more than these, several trees are."""
    ranking_games: int = 200
    """Solo rounds by which the best tree of each size is found."""
    tune: TuneConfig = field(default_factory=TuneConfig)
    practice: PracticeConfig = field(default_factory=PracticeConfig)
    """Of a network, for the goal `match`."""
    match_positions: int = 24_000
    """Judged by that network in each iteration."""
    match_games: int = 4_000
    """Against `greedy`, by which the best tree of that network is found."""
    threads: int = 2

    def __post_init__(self) -> None:
        """Check ranges.

        Raises:
            ValueError: A number is out of range.
        """
        if not self.sizes or not all(1 <= size <= MAX_LEAVES for size in self.sizes):
            raise ValueError(f"expected sizes of 1..{MAX_LEAVES} leaves, got {self.sizes!r}")
        numbers = (
            self.iterations, self.positions, self.growth_positions, self.ranking_games, self.threads
        )  # fmt: skip
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


@dataclass(frozen=True, slots=True)
class _Stage:
    """An iteration of DAgger."""

    lessons: Lessons
    """All that are known by then."""
    trees: list[Node]
    """Of each size."""


def distill(teacher: Teacher, config: DistillConfig, report: Report) -> list[Distilled]:
    """Distil a teacher into trees of each size.

    Args:
        teacher: Whom to learn from.
        config: Sizes and effort.
        report: Called with lines of progress.
    """
    rng = np.random.default_rng(config.seed)
    stages = _run_dagger(teacher, config, rng, report)
    lessons = stages[-1].lessons
    is_match = config.tune.goal == "match"
    practised = _run_practice(teacher.name, lessons, config, rng, report) if is_match else []
    grown, played = (_list_trees(some, config, report) for some in (stages, practised))
    found = []
    for index, size in enumerate(config.sizes):
        # A stream of its own: the largest size comes out alike with others beside it and alone.
        rng = np.random.default_rng([config.seed, size])
        untuned, iteration = _pick(grown, index, "solo", config, rng, report)
        best = untuned
        if is_match:
            best, iteration = _pick(played, index, "match", config, rng, report)
        tuned = best if config.tune.goal == "none" else _tune(best, size, config, rng, report)
        agreement = measure_agreement(tuned, lessons)
        found.append(Distilled(count_leaves(tuned), untuned, tuned, iteration, agreement))
    return found


def measure_agreement(tree: Node, lessons: Lessons) -> float:
    """Return the share of positions in which a tree takes the teacher's best candidate."""
    from envs.backends.native_duel import choose_candidates

    choices = choose_candidates(lessons.positions, make_page(tree))
    return float((choices == lessons.scores.argmax(axis=1)).mean())


def _run_dagger(
    teacher: Teacher, config: DistillConfig, rng: np.random.Generator, report: Report
) -> list[_Stage]:
    """Let the teacher judge where the trees lead to."""
    return _iterate(
        lambda page, share: collect_lessons(teacher, page, config.positions, share, rng),
        config,
        report,
    )


def _run_practice(
    name: str, lessons: Lessons, config: DistillConfig, rng: np.random.Generator, report: Report
) -> list[_Stage]:
    """Let a network learn from lessons and practise; then it is the teacher."""

    def show(update: int, won: float) -> None:
        if (update + 1) % 10 == 0:
            report(
                f"practice {update + 1} of {config.practice.updates}: won {won:.3f} of its games"
            )

    targets = make_targets(lessons, config.softness)
    network = practise(
        lessons, targets, config.practice, rng, threads=config.threads, on_update=show
    )
    teacher = PracticeTeacher(network, f"{name}, practised")
    return _iterate(
        lambda page, share: collect_lessons(
            teacher, page, config.match_positions, share, rng, MATCH_MIXES
        ),
        config,
        report,
    )


def _iterate(
    collect: Callable[[np.ndarray | None, float], Lessons], config: DistillConfig, report: Report
) -> list[_Stage]:
    """Collect lessons where the largest tree grown from those before leads to."""
    stages: list[_Stage] = []
    page = None
    for iteration in range(config.iterations):
        new = collect(page, _LATER_SHARE if iteration else _FIRST_SHARE)
        lessons = Lessons.join([*(stage.lessons for stage in stages[-1:]), new])
        stages.append(_Stage(lessons, _grow(_list_shares(lessons, config)[0], config)))
        largest = max(stages[-1].trees, key=count_leaves)
        page = make_page(largest)
        report(
            f"dagger {iteration + 1} of {config.iterations}: {len(lessons)} positions, "
            f"agreement {measure_agreement(largest, new):.3f} on the new ones"
        )
    return stages


def _list_shares(lessons: Lessons, config: DistillConfig) -> list[Lessons]:
    """Return lessons in shares that are small enough to grow trees from, all of all iterations."""
    count = -(-len(lessons) // config.growth_positions)
    return [lessons.thin(start, count) for start in range(count)]


def _grow(lessons: Lessons, config: DistillConfig) -> list[Node]:
    return grow_trees(Choices.merge(lessons, config.softness), config.sizes)


def _list_trees(
    stages: Sequence[_Stage], config: DistillConfig, report: Report
) -> list[tuple[int, list[Node]]]:
    """Return all trees of each size, those of the last stage's other shares too.

    Returns:
        The iteration of each, from 1 on, and the trees by size.
    """
    trees = [(iteration, stage.trees) for iteration, stage in enumerate(stages, 1)]
    for lessons in _list_shares(stages[-1].lessons, config)[1:] if stages else []:
        report(f"grow trees from another {len(lessons)} positions")
        trees.append((len(stages), _grow(lessons, config)))
    return trees


def _pick(
    grown: Sequence[tuple[int, list[Node]]],
    index: int,
    goal: Goal,
    config: DistillConfig,
    rng: np.random.Generator,
    report: Report,
) -> tuple[Node, int]:
    """Return the tree of a size that clears best, or loses least to `greedy`; and its iteration."""
    trees = [sizes[index] for _, sizes in grown]
    if goal == "match":
        costs = rank_by_matches(trees, config.match_games, rng, threads=config.threads)
    else:
        costs = rank_trees(trees, config.ranking_games, rng, threads=config.threads)
    best = int(costs.argmin())
    iteration, sizes = grown[best]
    report(
        f"grow {config.sizes[index]} leaves: best of {len(trees)} by {goal} games is of iteration "
        f"{iteration}, {'lost' if goal == 'match' else 'cost'} {costs[best]:.3f}"
    )
    return sizes[index], iteration


def _tune(
    tree: Node, size: int, config: DistillConfig, rng: np.random.Generator, report: Report
) -> Node:
    is_match = config.tune.goal == "match"

    def show(generation: int, measured: float) -> None:
        if (generation + 1) % 10 == 0:
            what = "score" if is_match else "cost"
            report(f"tune {size} leaves: generation {generation + 1}, {what} {measured:.3f}")

    tune = tune_for_matches if is_match else tune_leaves
    return tune(tree, config.tune, rng, threads=config.threads, on_generation=show)
