"""The candidate network: what it scores, and that padding and names of colours mean nothing."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import torch

from envs.backends.base import Backend
from envs.backends.reference import ReferenceBackend
from envs.backends.simulator import SimulatorBackend
from envs.candidates import CAPACITY, NUM_FEATURES, POSE_BYTES, encode_candidates, read_poses
from envs.game.layout import (
    CELLS,
    EMPTY,
    FIELD_BASES,
    NUM_COLOURS,
    NUM_SEATS,
    PLAYER_BASES,
    PlayerOffset,
)
from envs.game.placement import WAIT
from envs.game.setup import RoundSetup
from envs.observation import COMPACT_SPEC, encode_compact_ram
from envs.vector import UniformSetups, VectorEnv
from policies.base import CandidateBatch, View
from policies.network import MASKED, NetworkConfig, NetworkPolicy, build_network
from policies.network.base import Network
from policies.rollout import Game, play_games

VIEW = View("candidates", "placement")
COLOUR_FIELDS = (
    PlayerOffset.COLOUR_FIRST,
    PlayerOffset.COLOUR_SECOND,
    PlayerOffset.NEXT_FIRST,
    PlayerOffset.NEXT_SECOND,
)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """RAM images of 24 games in which seat 0 is due, after some random capsules."""
    env = VectorEnv(24, draw_setup=UniformSetups(levels=tuple(range(21))))
    rng = np.random.default_rng(5)
    env.reset(seed=5)
    for _ in range(30):
        step = env.step(env.games.draw_actions(rng))
    shown: np.ndarray = env.games.images[step.due[:, 0]].copy()
    return shown


def make_batch(images: np.ndarray) -> CandidateBatch:
    tables = np.stack([encode_candidates(image, 0) for image in images])
    poses = read_poses(tables)
    return CandidateBatch.trim(
        np.stack([encode_compact_ram(image, 0) for image in images]),
        tables[..., POSE_BYTES:],
        poses,
        (poses != WAIT).sum(1),
    )


def make_network(seed: int = 0) -> Network:
    torch.manual_seed(seed)
    network = build_network(NetworkConfig("candidate", hidden=16)).eval()
    with torch.no_grad():
        # The first policy is nearly uniform; these tests want scores that tell rows apart.
        network.get_parameter("score.weight").mul_(200)
    return network


def evaluate(network: Network, batch: CandidateBatch) -> tuple[np.ndarray, np.ndarray]:
    with torch.inference_mode():
        inputs = {name: torch.from_numpy(value) for name, value in batch.to_columns().items()}
        logits, values = network(inputs)
    return logits.numpy(), values.numpy()


def rename_colours(image: np.ndarray, order: tuple[int, ...]) -> np.ndarray:
    """The same position with other names for the colours."""
    renamed = image.copy()
    names = np.array([*order, 3], np.uint8)
    for seat in range(NUM_SEATS):
        cells = renamed[FIELD_BASES[seat] : FIELD_BASES[seat] + CELLS]
        filled = cells != EMPTY
        cells[filled] = (cells[filled] & 0xFC) | names[cells[filled] & 3]
        for offset in COLOUR_FIELDS:
            place = PLAYER_BASES[seat] + offset
            renamed[place] = names[renamed[place]]
        attack = PLAYER_BASES[seat] + PlayerOffset.ATTACK_COLOURS
        renamed[attack : attack + 4] = names[renamed[attack : attack + 4]]
    return renamed


@pytest.mark.parametrize("order", list(permutations(range(NUM_COLOURS)))[1:])
def test_the_names_of_colours_change_nothing(images: np.ndarray, order: tuple[int, ...]) -> None:
    network = make_network()
    logits, values = evaluate(network, make_batch(images))
    renamed = np.stack([rename_colours(image, order) for image in images])
    assert not np.array_equal(renamed, images)
    other_logits, other_values = evaluate(network, make_batch(renamed))
    assert np.array_equal(logits, other_logits)
    assert np.array_equal(values, other_values)


def test_rows_that_only_pad_change_nothing(images: np.ndarray) -> None:
    network, batch = make_network(), make_batch(images)
    logits, values = evaluate(network, batch)
    rng = np.random.default_rng(0)
    shape = (len(batch), CAPACITY, NUM_FEATURES)
    rows = rng.integers(0, 255, shape, np.uint8, endpoint=True)
    rows[:, : batch.rows.shape[1]] = batch.rows
    rows[np.arange(CAPACITY) >= batch.counts[:, None]] ^= 255
    poses = np.full(shape[:2], WAIT, np.int16)
    padded = CandidateBatch(batch.compact, rows, poses, batch.counts)
    other_logits, other_values = evaluate(network, padded)
    width = logits.shape[1]
    assert np.allclose(logits, other_logits[:, :width], atol=1e-5)
    assert np.allclose(values, other_values, atol=1e-5)
    assert (other_logits[:, width:] == np.float32(MASKED)).all()
    assert (logits[np.arange(width) >= batch.counts[:, None]] == np.float32(MASKED)).all()


def test_rows_of_a_batch_are_independent(images: np.ndarray) -> None:
    network, batch = make_network(), make_batch(images)
    logits, values = evaluate(network, batch)
    for row in range(len(images)):
        alone_logits, alone_values = evaluate(network, make_batch(images[row : row + 1]))
        count = batch.counts[row]
        assert np.allclose(logits[row, :count], alone_logits[0], atol=1e-4)
        assert np.allclose(values[row], alone_values[0], atol=1e-4)


@pytest.mark.parametrize(
    "field",
    [
        *("own.viruses_anywhere", "opponent.viruses_anywhere", "own.top", "opponent.top"),
        *("own.garbage_out", "opponent.garbage_out", "own.speed", "own.speed_ups"),
        *("own.gravity_index", "own.next_second", "opponent.next_action"),
    ],
)
def test_the_value_depends_on_the_position(images: np.ndarray, field: str) -> None:
    network, batch = make_network(), make_batch(images[:4])
    changed = batch.compact.copy()
    owner, _, name = field.partition(".")
    cells = COMPACT_SPEC[f"{owner}.cells"].offset
    if name == "viruses_anywhere":
        # A cleared virus leaves a floating capsule half: the heights stay.
        where = (changed[:, cells : cells + CELLS] >= 1) & (changed[:, cells : cells + CELLS] <= 3)
        changed[:, cells : cells + CELLS][where] += 3
    elif name == "top":
        changed[:, cells] = 4
    else:
        place = COMPACT_SPEC[field].offset
        changed[:, place] = np.where(changed[:, place] == 2, 0, 2)
    before = evaluate(network, batch)
    after = evaluate(network, CandidateBatch(changed, batch.rows, batch.poses, batch.counts))
    assert (np.abs(before[1] - after[1]) > 1e-6).any()
    assert (np.abs(before[0] - after[0]) > 1e-6).any()


def test_every_weight_learns(images: np.ndarray) -> None:
    network = make_network().train()
    batch = make_batch(images)
    inputs = {name: torch.from_numpy(value) for name, value in batch.to_columns().items()}
    logits, values = network(inputs)
    (torch.softmax(logits, 1)[:, 0].sum() + values.square().sum()).backward()
    for name, parameter in network.named_parameters():
        # A common offset of all scores changes no softmax.
        if name != "score.bias":
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name


def test_first_policy_is_nearly_uniform(images: np.ndarray) -> None:
    torch.manual_seed(0)
    network = build_network(NetworkConfig()).eval()
    batch = make_batch(images)
    logits, _ = evaluate(network, batch)
    for row, count in zip(logits, batch.counts, strict=True):
        probabilities = np.exp(row[:count] - row[:count].max())
        probabilities /= probabilities.sum()
        assert probabilities.max() < 2.0 / count


def test_features_are_normalised_by_what_the_weights_hold() -> None:
    state = build_network(NetworkConfig()).state_dict()
    assert state["_mean"].shape == state["_scale"].shape == (NUM_FEATURES,)
    assert (state["_scale"] > 0).all()


@pytest.mark.parametrize("greedy", [True, False])
def test_the_policy_gives_poses_that_are_candidates(images: np.ndarray, greedy: bool) -> None:
    view = View("candidates", "placement", greedy=greedy)
    network, batch = make_network(), make_batch(images)
    policy = NetworkPolicy(network, view, "x")
    poses, state = policy.act(batch, None, None, np.random.default_rng(0))
    assert state is None
    assert poses.dtype == np.int64
    for pose, row, count in zip(poses, batch.poses, batch.counts, strict=True):
        assert pose in row[:count]
    if greedy:
        best = evaluate(network, batch)[0].argmax(1)
        assert np.array_equal(poses, batch.poses[np.arange(len(batch)), best])


def test_sampling_follows_the_distribution(images: np.ndarray) -> None:
    network, batch = make_network(), make_batch(np.repeat(images[:1], 8_000, 0))
    policy = NetworkPolicy(network, View("candidates", "placement", greedy=False), "x")
    poses, _ = policy.act(batch, None, None, np.random.default_rng(0))
    count = batch.counts[0]
    logits = evaluate(network, make_batch(images[:1]))[0][0, :count].astype(float)
    expected = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    observed = (poses[:, None] == batch.poses[0, :count]).mean(0)
    assert np.abs(observed - expected).max() < 0.025


def test_a_seat_without_poses_waits(images: np.ndarray) -> None:
    batch = make_batch(images[:2])
    counts = np.array([batch.counts[0], 0])
    trimmed = CandidateBatch.trim(batch.compact, batch.rows, batch.poses, counts)
    assert trimmed.counts.tolist() == [batch.counts[0], 1]
    assert trimmed.poses[1].tolist() == [WAIT] * batch.rows.shape[1]
    policy = NetworkPolicy(make_network(), VIEW, "x")
    poses, _ = policy.act(trimmed, None, None, np.random.default_rng(0))
    assert poses[0] != WAIT
    assert poses[1] == WAIT


def test_other_observations_are_refused(images: np.ndarray) -> None:
    policy = NetworkPolicy(make_network(), VIEW, "x")
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="expected observations of the kind 'candidates'"):
        policy.act(make_batch(images).compact, None, None, rng)
    with pytest.raises(ValueError, match="expected a view of observation 'candidates'"):
        NetworkPolicy(make_network(), View("compact"), "x")
    with pytest.raises(ValueError, match="expected actions 'placement' and stack 1"):
        View("candidates", "buttons")


def test_a_game_between_candidate_policies_runs_on_any_backend() -> None:
    views = (VIEW, View("candidates", "placement", greedy=False))
    policies = [NetworkPolicy(make_network(seed), views[seed], f"net{seed}") for seed in range(2)]
    records = []
    backends: tuple[Backend, ...] = (ReferenceBackend(), SimulatorBackend(rendering=False))
    for backend in backends:
        game = Game(
            setup=RoundSetup(levels=(0, 1), rng_word=77),
            policies=(policies[0], policies[1]),
            rngs=(np.random.default_rng(1), np.random.default_rng(2)),
        )
        records += play_games([game], [backend], max_frames=900)
    assert records[0] == records[1]
    assert min(stats.capsules for stats in records[0].stats) > 3
