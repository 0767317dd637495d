"""A network as a teacher: its scores belong to the candidates of the cartridge's routine."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from envs.backends.native_duel import list_candidates, read_positions
from envs.game.layout import PlayerOffset, player_address
from envs.vector import UniformSetups, VectorEnv
from policies.base import View
from policies.distill.collect import collect_lessons
from policies.distill.teacher import choose_poses, make_teacher
from policies.network import MASKED, NetworkConfig, NetworkPolicy, build_network

_RNG = np.random.default_rng(0)


@pytest.fixture(scope="module", params=[0, 1], ids=["seat 0", "seat 1"])
def seat(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def images(seat: int) -> np.ndarray:
    """RAM at the first frame of control, from empty to full bottles, at any falling speed."""
    env = VectorEnv(160, draw_setup=UniformSetups(levels=tuple(range(21))))
    rng = np.random.default_rng(7)
    env.reset(seed=7)
    shown = []
    for _ in range(25):
        step = env.step(env.games.draw_actions(rng))
        shown.append(env.games.images[step.due[:, seat]].copy())
    env.close()
    kept = np.concatenate(shown)[::4]
    kept[:, player_address(seat, PlayerOffset.SPEED_UPS)] = rng.integers(0, 50, len(kept))
    return kept


@pytest.fixture(scope="module")
def network() -> NetworkPolicy:
    torch.manual_seed(3)
    return NetworkPolicy(
        build_network(NetworkConfig("candidate", hidden=16)), View("candidates", "placement"), "net"
    )


def list_poses(images: np.ndarray, seat: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the poses of the routine's candidates, int64 (n, 30), and which of them count."""
    candidates, counts = list_candidates(read_positions(images, seat))
    rotation, row, column = (candidates[name].astype(int) for name in ("rotation", "row", "column"))
    return rotation * 128 + row * 8 + column, np.arange(candidates.shape[1]) < counts[:, None]


def test_every_candidate_of_the_routine_has_a_score(
    network: NetworkPolicy, images: np.ndarray, seat: int
) -> None:
    assert len(images) > 500
    teacher = make_teacher(network, _RNG)
    assert teacher.is_soft
    assert teacher.name == "net"
    poses, real = list_poses(images, seat)
    scores = np.take_along_axis(teacher.score_poses(images, seat), poses, axis=1)
    assert np.isfinite(scores[real]).all()
    assert (scores[real] > MASKED).all(), "a row that only pads was taken for a candidate"


def test_the_best_score_is_what_the_network_chooses(
    network: NetworkPolicy, images: np.ndarray, seat: int
) -> None:
    scores = make_teacher(network, _RNG).score_poses(images, seat)
    assert (scores.argmax(axis=1) == choose_poses(network, images, seat, _RNG)).all()


def test_one_colour_is_scored_in_two_rotations(
    network: NetworkPolicy, images: np.ndarray, seat: int
) -> None:
    first, second = (
        images[:, player_address(seat, offset)]
        for offset in (PlayerOffset.COLOUR_FIRST, PlayerOffset.COLOUR_SECOND)
    )
    scores = make_teacher(network, _RNG).score_poses(images, seat)
    turned = np.isfinite(scores[:, 256:]).any(axis=1)
    assert not turned[first == second].any()
    assert turned[first != second].any()


def test_a_seat_without_a_capsule_has_no_scores(
    network: NetworkPolicy, images: np.ndarray, seat: int
) -> None:
    resting = images[:4].copy()
    resting[:, player_address(seat, PlayerOffset.NEXT_ACTION)] = 1
    teacher = make_teacher(network, _RNG)
    assert not np.isfinite(teacher.score_poses(resting, seat)).any()
    assert teacher.score_poses(resting[:0], seat).shape == (0, 512)


def test_other_networks_are_watched(images: np.ndarray, seat: int) -> None:
    torch.manual_seed(3)
    network = build_network(NetworkConfig("spatial", channels=4, hidden=8))
    teacher = make_teacher(NetworkPolicy(network, View("compact", "placement"), "image"), _RNG)
    assert not teacher.is_soft
    assert np.isfinite(teacher.score_poses(images[:8], seat)).sum(axis=1).max() == 1


def test_every_position_of_play_is_a_lesson(network: NetworkPolicy) -> None:
    rng = np.random.default_rng(2)
    lessons = collect_lessons(make_teacher(network, rng), None, 300, 1.0, rng)
    assert len(lessons) == 300
    assert (np.isfinite(lessons.scores) == lessons.is_candidate).all()
