"""Games to practise in, the network that practises, and the tree that comes of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from envs.backends.native_duel import MAX_CANDIDATES
from policies.distill.choices import make_targets
from policies.distill.collect import Lessons, collect_lessons
from policies.distill.dagger import DistillConfig, distill
from policies.distill.practice import (
    PracticeConfig,
    PracticeTeacher,
    Rows,
    SmallNetwork,
    _estimate_advantages,
    encode_rows,
    practise,
)
from policies.distill.practice_games import PracticeGames
from policies.distill.spec import FEATURE_NAMES, NUM_FEATURES
from policies.distill.teacher import make_teacher
from policies.distill.tune import TuneConfig
from policies.search import SearchPolicy

_TINY = PracticeConfig(updates=2, games=8, horizon=16, epochs=1, batch=64)


def draw_lessons(positions: int) -> tuple[Lessons, np.ndarray]:
    rng = np.random.default_rng(1)
    lessons = collect_lessons(make_teacher(SearchPolicy(depth=1), rng), None, positions, 1.0, rng)
    return lessons, make_targets(lessons, 0.7)


def drop_deepest(games: PracticeGames) -> np.ndarray:
    """The first of the candidates that come to rest lowest, as poses."""
    choice = games.look()
    depth = choice.features[:, :, FEATURE_NAMES.index("depth")] * choice.is_candidate
    return np.take_along_axis(choice.poses, depth.argmax(axis=1)[:, None], axis=1)[:, 0]


def test_games_go_on_and_pay_for_what_happens_in_them() -> None:
    games = PracticeGames(6, np.random.default_rng(3))
    ends = wins = 0
    total = np.zeros(6)
    lengths: list[int] = []
    for step in range(400):
        rewards, ended, won = games.play(drop_deepest(games))
        total += rewards
        for game in np.flatnonzero(ended):
            # It loses, some part of a bottle behind.
            assert won[game] or -1.3 <= total[game] < -0.7
            total[game] = 0.0
            lengths.append(step)
        ends += int(ended.sum())
        wins += int(won[ended].sum())
        assert games.look().is_candidate.any(axis=1).all()
    games.close()
    assert ends >= 12
    assert wins < ends / 2


def test_equal_rows_are_scored_once_and_others_not_at_all() -> None:
    torch.manual_seed(0)
    network = SmallNetwork()
    features = np.zeros((2, MAX_CANDIDATES, NUM_FEATURES), np.uint8)
    features[0, 1], features[1, 0] = 3, 3
    is_candidate = np.zeros((2, MAX_CANDIDATES), np.bool_)
    is_candidate[0, :2], is_candidate[1, 0] = True, True
    rows = Rows(features, is_candidate)
    scores = rows.score(network).detach()
    assert scores[0, 1] == scores[1, 0] != scores[0, 0]
    assert (scores[~torch.from_numpy(is_candidate)] < -1e8).all()
    assert (rows.score(network, torch.tensor([1])).detach() == scores[1:]).all()


def test_advantages_end_with_the_game() -> None:
    config = PracticeConfig(gamma=0.5, gae_lambda=0.5)
    values = np.array([[1.0], [2.0], [4.0], [8.0]], np.float32)
    rewards = np.array([[0.0], [1.0], [0.0]], np.float32)
    ended = np.array([[False], [True], [False]])
    # Last first: 0 + 4 - 4 = 0; the game ends with 1, so 1 - 2 = -1; 0 + 1 - 1 + 0.25 * -1.
    found = _estimate_advantages(values, rewards, ended, config)
    assert found[:, 0].tolist() == pytest.approx([-0.25, -1.0, 0.0])


def test_a_network_learns_what_it_is_taught_before_it_plays() -> None:
    lessons, targets = draw_lessons(3_000)
    config = replace(_TINY, updates=0)
    network = practise(lessons, targets, config, np.random.default_rng(0))
    judged = Rows(lessons.features, lessons.is_candidate).score(network).detach().numpy()
    best = targets.argmax(axis=1)
    assert (judged.argmax(axis=1) == best).mean() > 0.3
    # 14 to 20 candidates each: chance agrees in some six of a hundred.


def test_practice_is_the_same_every_time_and_changes_the_network() -> None:
    lessons, targets = draw_lessons(300)
    threads = torch.get_num_threads()
    before = torch.random.get_rng_state()

    def run(updates: int) -> np.ndarray:
        config = replace(_TINY, updates=updates)
        network = practise(lessons, targets, config, np.random.default_rng(0))
        rows = Rows(lessons.features, lessons.is_candidate)
        return np.asarray(rows.score(network).detach().numpy())

    first = run(2)
    assert (first == run(2)).all()
    assert (first != run(0)).any()
    assert torch.get_num_threads() == threads
    assert (torch.random.get_rng_state() == before).all()


def test_larger_values_look_alike_to_the_network() -> None:
    rows = np.full((3, NUM_FEATURES), 1, np.uint8)
    rows[:, FEATURE_NAMES.index("run_max")] = (15, 16, 48)
    lower, equal, larger = encode_rows(rows)
    assert lower.sum() == NUM_FEATURES
    assert torch.equal(equal, larger)
    assert not torch.equal(lower, equal)


def test_practice_pays() -> None:
    """A network that was taught nothing but noise wins more viruses by and by."""
    lessons, _ = draw_lessons(200)
    noise = lessons.is_candidate / lessons.is_candidate.sum(axis=1, keepdims=True)
    # So short a practice learns from what comes soon.
    config = PracticeConfig(
        updates=25, games=32, horizon=32, epochs=3, batch=256, gamma=0.995, gae_lambda=0.95
    )
    scores = []
    for updates in (0, config.updates):
        rng = np.random.default_rng(5)
        network = practise(lessons, noise, replace(config, updates=updates), rng)
        games = PracticeGames(32, np.random.default_rng(6))
        total = 0.0
        for _ in range(120):
            choice = games.look()
            judged = Rows(choice.features, choice.is_candidate).score(network).detach().numpy()
            poses = np.take_along_axis(choice.poses, judged.argmax(axis=1)[:, None], axis=1)[:, 0]
            total += float(games.play(poses)[0].sum())
        games.close()
        scores.append(total)
    assert scores[1] > scores[0] + 10


def test_a_practised_network_teaches_the_routines_candidates() -> None:
    torch.manual_seed(0)
    teacher = PracticeTeacher(SmallNetwork(), "noise, practised")
    lessons = collect_lessons(teacher, None, 100, 1.0, np.random.default_rng(2))
    assert (np.isfinite(lessons.scores) == lessons.is_candidate).all()


def test_distilling_for_matches_gives_a_tree_of_the_network() -> None:
    config = DistillConfig(
        sizes=(8,),
        iterations=1,
        positions=300,
        ranking_games=10,
        tune=TuneConfig("match", generations=2, members=4, games=4),
        practice=_TINY,
        match_positions=300,
        growth_positions=100,
        match_games=4,
        threads=1,
    )

    def run() -> list[object]:
        lines: list[str] = []
        teacher = make_teacher(SearchPolicy(depth=1), np.random.default_rng(0))
        return [*distill(teacher, config, lines.append), *lines]

    first = run()
    assert first == run()
    found = first[0]
    assert found.untuned != found.tuned  # type: ignore[attr-defined]
    assert any("best of 3 by match games" in str(line) for line in first)
