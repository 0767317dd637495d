"""Teachers, positions, tuning, and distillation from end to end in small."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from envs.actions import BUTTON_ACTIONS
from envs.backends.native_duel import MAX_CANDIDATES, Duels
from envs.game.layout import Button, Speed
from policies.base import View
from policies.distill.choices import make_targets
from policies.distill.collect import collect_lessons
from policies.distill.dagger import DistillConfig, distill
from policies.distill.play import (
    MAX_CAPSULES,
    count_start_viruses,
    draw_starts,
    play_capsules,
    play_match,
    play_match_pages,
    play_solo,
)
from policies.distill.spec import MAX_VALUE
from policies.distill.teacher import NO_POSE, choose_poses, make_teacher
from policies.distill.tree import decode_page, list_leaves, make_page, replace_leaves
from policies.distill.tune import TuneConfig, rank_trees, tune_for_matches, tune_leaves
from policies.export.cartridge import read_page, read_rom
from policies.greedy import GreedyPolicy
from policies.scripted import NoopPolicy, RandomPolicy
from policies.search import SearchPolicy
from tests.policies.distill.trees import draw_tree

_SMALL = DistillConfig(
    sizes=(4, 16),
    iterations=2,
    positions=400,
    ranking_games=20,
    tune=TuneConfig("solo", generations=2, members=6, games=8),
    threads=1,
)


@dataclass(frozen=True)
class LeftmostPolicy:
    """Always puts the capsule into the leftmost column that it can reach, as it spawned."""

    name: str = "leftmost"
    view: View = field(default_factory=lambda: View("position", "placement"))
    deterministic: bool = True

    def initial_state(self, batch: int) -> None:
        return None

    def act(
        self, observations: Any, masks: np.ndarray | None, state: None, rng: np.random.Generator
    ) -> tuple[np.ndarray, None]:
        assert masks is not None
        flat = masks[:, :128].reshape(-1, 16, 8)
        columns = flat.any(axis=1).argmax(axis=1)
        rows = [int(np.flatnonzero(one[:, x])[-1]) for one, x in zip(flat, columns, strict=True)]
        return np.array(rows) * 8 + columns, None


@dataclass(frozen=True)
class DropPolicy:
    """Holds DOWN."""

    name: str = "drop"
    view: View = field(default_factory=lambda: View("position"))
    deterministic: bool = True

    def initial_state(self, batch: int) -> None:
        return None

    def act(
        self, observations: Any, masks: np.ndarray | None, state: None, rng: np.random.Generator
    ) -> tuple[np.ndarray, None]:
        down = BUTTON_ACTIONS.index(Button.DOWN)
        return np.full(len(observations), down), None


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    starts = draw_starts(np.random.default_rng(0), 12, (5, 10), (Speed.MED,), solo=False)
    return Duels(starts).images.copy()


def test_a_search_scores_many_placements(images: np.ndarray) -> None:
    teacher = make_teacher(SearchPolicy(), np.random.default_rng(0))
    scores = teacher.score_poses(images, 1)
    assert teacher.is_soft
    assert (np.isfinite(scores).sum(axis=1) > 1).all()


def test_a_placement_is_its_own_label(images: np.ndarray) -> None:
    teacher = make_teacher(LeftmostPolicy(), np.random.default_rng(0))
    scores = teacher.score_poses(images, 0)
    assert (np.isfinite(scores).sum(axis=1) == 1).all()
    assert (scores.argmax(axis=1) % 8 == 0).all()


def test_pressed_buttons_are_played_to_the_lock(images: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    poses = choose_poses(DropPolicy(), images, 1, rng)
    assert (poses // 128 == 0).all()
    assert (poses % 8 == 3).all()
    steered = choose_poses(GreedyPolicy(), images, 0, rng)
    assert (steered != NO_POSE).all()
    assert len(set((steered % 8).tolist())) > 2


def test_soft_targets_follow_the_scores_and_sum_to_one() -> None:
    rng = np.random.default_rng(3)
    teacher = make_teacher(SearchPolicy(depth=1), rng)
    lessons = collect_lessons(teacher, None, 60, 1.0, rng)
    targets = make_targets(lessons, 0.5)
    assert np.allclose(targets.sum(axis=1), 1.0)
    assert (targets.argmax(axis=1) == lessons.scores.argmax(axis=1)).all()
    assert (targets[~lessons.is_candidate] == 0).all()
    assert targets.shape == (len(lessons), MAX_CANDIDATES)
    assert (make_targets(lessons, 0.1).max(axis=1) >= targets.max(axis=1) - 1e-12).all()


def test_rounds_without_frames_end_as_those_with() -> None:
    rng = np.random.default_rng(5)
    starts = draw_starts(rng, 40, (0, 5, 10, 20), tuple(Speed), solo=True)
    for leaves in (1, 30, 64):
        page = make_page(draw_tree(rng, leaves))
        framed, quick = play_solo(page, starts), play_capsules(page[None], starts)
        # Rounds that go on for ever are stopped, each kind at its own limit.
        ended = framed.capsules < MAX_CAPSULES
        assert ended.sum() >= 20
        assert (framed.cleared == quick.cleared)[ended].all()
        assert (framed.capsules == quick.capsules)[ended].all()
        assert (framed.viruses == quick.viruses)[ended].all()
        assert (quick.capsules[~ended] == MAX_CAPSULES).all()
    assert (count_start_viruses(starts)[:4] == [4, 24, 44, 84]).all()


def test_a_match_counts_both_seats() -> None:
    starts = draw_starts(np.random.default_rng(6), 6, (0,), (Speed.MED,), solo=False)
    search = SearchPolicy(depth=1)
    assert play_match(search, NoopPolicy(), starts).mean() == 1.0
    assert play_match(NoopPolicy(), search, starts).mean() == 0.0
    assert play_match(search, RandomPolicy(), starts).shape == (2, 6)


def test_players_from_outside_play_as_the_built_in_ones() -> None:
    """The same search once in native code, and once asked capsule by capsule."""
    starts = draw_starts(np.random.default_rng(8), 4, (3,), (Speed.MED,), solo=True)
    page = make_page(draw_tree(np.random.default_rng(8), 8))
    versus = draw_starts(np.random.default_rng(8), 4, (3,), (Speed.MED,), solo=False)
    first, second = SearchPolicy(depth=1), SearchPolicy(depth=1, width=3)
    assert play_solo(first, starts).cleared.all()
    direct = play_match(first, page, versus)
    assert (play_match(page, first, versus) == 1.0 - direct[::-1]).all()
    # Depth 1 has no width, so the two searches play alike and equal games are drawn or mirrored.
    assert play_match(first, second, versus).mean() == 0.5


def test_tuning_makes_a_spoilt_tree_better() -> None:
    rng = np.random.default_rng(2)
    config = replace(_SMALL, sizes=(16,), tune=TuneConfig("none"))
    good = distill(make_teacher(SearchPolicy(depth=1), rng), config, lambda _: None)[0].tuned
    spoilt = replace_leaves(good, [MAX_VALUE - value for value in list_leaves(good)])
    effort = TuneConfig("solo", generations=8, members=24, games=16)
    tuned = tune_leaves(spoilt, effort, np.random.default_rng(1))
    costs = rank_trees([good, spoilt, tuned], 40, np.random.default_rng(0))
    assert costs[0] < costs[1]
    assert costs[2] < costs[1]


def test_tuning_for_matches_makes_a_spoilt_tree_better() -> None:
    good = decode_page(read_page(read_rom()))
    values = np.array(list_leaves(good)) + 7 * np.random.default_rng(4).standard_normal(64)
    spoilt = replace_leaves(good, np.clip(np.rint(values), 0, MAX_VALUE).astype(int).tolist())
    effort = TuneConfig("match", generations=20, members=48, games=6)
    scores: list[float] = []
    tuned = tune_for_matches(
        spoilt, effort, np.random.default_rng(1), on_generation=lambda _, one: scores.append(one)
    )
    assert len(scores) == 20
    starts = draw_starts(np.random.default_rng(0), 300, (5,), (Speed.MED,), solo=False)
    pages = np.stack([make_page(spoilt), make_page(tuned)])
    _, ahead = play_match_pages(pages, starts)
    assert ahead[1].mean() > ahead[0].mean() + 0.01


def test_distilling_is_the_same_every_time_and_teaches_something() -> None:
    def run() -> list[Any]:
        teacher = make_teacher(SearchPolicy(depth=1), np.random.default_rng(0))
        return distill(teacher, _SMALL, lambda _: None)

    first, second = run(), run()
    assert first == second
    assert [one.leaves for one in first] == [4, 16]
    large = first[1]
    starts = draw_starts(np.random.default_rng(9), 40, (5,), (Speed.MED,), solo=True)
    chance = make_page(draw_tree(np.random.default_rng(9), 16))
    learned = play_solo(make_page(large.tuned), starts).viruses.mean()
    assert learned > 1.5 * play_solo(chance, starts).viruses.mean()
    assert large.agreement > 0.15
