"""The network policy: what the network is shown, and how a policy is made of it."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import torch

from envs.game.capsule import is_vertical, place_halves
from envs.game.layout import CELLS, COLUMNS, EMPTY, NUM_COLOURS, ROWS, Tile
from envs.game.rules import ReferenceGame
from envs.game.setup import RoundSetup, seed_to_word
from envs.game.state import GameState, PlayerState
from envs.observation import COMPACT_HIGH, COMPACT_SIZE, COMPACT_SPEC, encode_compact_ram
from policies.base import View
from policies.network import (
    NUM_ACTIONS,
    CompactExpansion,
    NetworkConfig,
    NetworkPolicy,
    build_network,
)

COLOUR_FIELDS = (
    *("first", "second", "next_first", "next_second"),
    *("attack_1", "attack_2", "attack_3", "attack_4"),
)
VIEW = View("compact", "buttons", action_repeat=8)
SMALL = NetworkConfig("column", column_features=4, hidden=8)


@pytest.fixture(scope="module")
def rams() -> list[np.ndarray]:
    """RAM images from random play at different levels, 40 of them."""
    rng = np.random.default_rng(0)
    images = []
    for seed in range(8):
        setup = RoundSetup(levels=(seed, 2 * seed), rng_word=seed_to_word(seed))
        game = ReferenceGame.from_setup(setup)
        for _ in range(5):
            images.append(game.ram())
            for _ in range(80):
                left, right = rng.choice([0, 1, 2, 4, 64, 128], 2)
                game.step((int(left), int(right)))
    return images


def random_observations(count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, COMPACT_HIGH, (count, COMPACT_SIZE), np.uint8, endpoint=True)


def rename(player: PlayerState) -> dict[int, int]:
    """New colours by old: by first appearance in the capsule and the next one, then in order."""
    seen = dict.fromkeys((*player.colours, *player.next_colours, *range(NUM_COLOURS)))
    return {colour: place for place, colour in enumerate(seen)}


def draw_planes(player: PlayerState, names: dict[int, int]) -> np.ndarray:
    """The planes of one bottle from its decoded state, cell by cell: (16, 16, 8)."""
    planes = np.zeros((16, CELLS), np.float32)
    tiles = player.bottle
    for cell, tile in enumerate(player.cells):
        if tile != EMPTY:
            planes[names[tile & 3] + (0 if tile & 0xF0 == Tile.VIRUS else 3), cell] = 1
            planes[6, cell] = 1
    tops = []
    for column in range(COLUMNS):
        filled = [row for row in range(ROWS) if tiles[row, column] != EMPTY]
        tops.append(filled[0] if filled else ROWS)
        for row in range(tops[column], ROWS):
            if (
                tiles[row, column] == EMPTY
                or tiles[row, column] & 3 != tiles[tops[column], column] & 3
            ):
                break
            planes[7 + names[tiles[row, column] & 3], row * COLUMNS + column] = 1
    if player.can_act:
        halves = place_halves(player.x, player.y, player.rotation, player.colours)
        for cell, tile in halves:
            planes[10 + names[tile & 3], cell] = 1
        columns = {player.x} if is_vertical(player.rotation) else {player.x, player.x + 1}
        y = ROWS - min(tops[column] for column in columns)
        for cell, tile in place_halves(player.x, y, player.rotation, player.colours):
            planes[13 + names[tile & 3], cell] = 1
    return planes.reshape(16, ROWS, COLUMNS)


def test_planes_show_bottles_capsules_and_landing_places(rams: list[np.ndarray]) -> None:
    expand = CompactExpansion()
    for seat in (0, 1):
        batch = torch.from_numpy(np.stack([encode_compact_ram(ram, seat) for ram in rams]))
        planes, _ = expand(batch)
        for row, ram in zip(planes.numpy(), rams, strict=True):
            players = GameState.from_ram(ram).players
            names = rename(players[seat])
            assert np.array_equal(row[0], draw_planes(players[seat], names))
            assert np.array_equal(row[1], draw_planes(players[1 - seat], names))


@pytest.mark.parametrize("order", list(permutations(range(NUM_COLOURS))))
def test_the_names_of_colours_do_not_matter(rams: list[np.ndarray], order: tuple[int, ...]) -> None:
    expand = CompactExpansion()
    observations = np.stack([encode_compact_ram(ram, 0) for ram in rams])
    renamed = observations.copy()
    cells = renamed[:, : 2 * CELLS]
    filled = cells > 0
    cells[filled] += np.array(order, np.uint8)[(cells[filled] - 1) % 3] - (cells[filled] - 1) % 3
    for name, field in COMPACT_SPEC.items():
        if name.rpartition(".")[2] in COLOUR_FIELDS:
            renamed[:, field.offset] = np.array(order)[renamed[:, field.offset]]
    for one, other in zip(
        expand(torch.from_numpy(observations)), expand(torch.from_numpy(renamed)), strict=True
    ):
        assert torch.equal(one, other)


def test_numbers_stay_in_range_and_tell_positions_apart() -> None:
    expand = CompactExpansion()
    observations = random_observations(200)
    _, numbers = expand(torch.from_numpy(observations))
    assert numbers.shape == (200, expand.num_numbers)
    assert numbers.min() >= 0
    assert numbers.max() <= 1
    for name, field in COMPACT_SPEC.items():
        if field.size == 1 and name.rpartition(".")[2] not in COLOUR_FIELDS:
            changed = observations[:1].copy()
            changed[0, field.offset] = 0 if changed[0, field.offset] else 1
            _, after = expand(torch.from_numpy(changed))
            assert not torch.equal(after[0], numbers[0]), name


def test_output_shapes_and_independent_rows() -> None:
    torch.manual_seed(0)
    network = build_network(SMALL).eval()
    observations = torch.from_numpy(random_observations(6))
    with torch.inference_mode():
        logits, values = network({"compact": observations})
        alone, _ = network({"compact": observations[2:3]})
    assert logits.shape == (6, NUM_ACTIONS)
    assert logits.dtype == torch.float32
    assert values.shape == (6,)
    assert torch.allclose(alone[0], logits[2], atol=1e-5)


def test_every_weight_learns() -> None:
    torch.manual_seed(0)
    network = build_network(SMALL)
    logits, values = network({"compact": torch.from_numpy(random_observations(32))})
    (logits.square().sum() + values.square().sum()).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_first_policy_is_nearly_uniform() -> None:
    torch.manual_seed(0)
    network = build_network(NetworkConfig("column"))
    logits, _ = network({"compact": torch.from_numpy(random_observations(64))})
    probabilities = torch.softmax(logits, 1)
    assert probabilities.min() > 0.5 / NUM_ACTIONS
    assert probabilities.max() < 2.0 / NUM_ACTIONS


@pytest.mark.parametrize("field", ["column_features", "hidden", "channels"])
def test_config_refuses_empty_layers(field: str) -> None:
    with pytest.raises(ValueError, match=f"expected {field} >= 1, got 0"):
        NetworkConfig(**{field: 0})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"expected a network kind \(candidate, .*got 'colum'"):
        NetworkConfig("colum")  # type: ignore[arg-type]


def make_policy(greedy: bool) -> NetworkPolicy:
    torch.manual_seed(1)
    network = build_network(SMALL)
    with torch.no_grad():
        network.get_parameter("policy.weight").mul_(100)
    view = View("compact", "buttons", action_repeat=8, greedy=greedy)
    return NetworkPolicy(network, view, "snapshot:test/main-0000")


def test_greedy_policy_takes_the_best_action_and_draws_nothing() -> None:
    policy = make_policy(greedy=True)
    rng = np.random.default_rng(3)
    before = rng.bit_generator.state
    observations = random_observations(20)
    actions, state = policy.act(observations, None, policy.initial_state(20), rng)
    with torch.inference_mode():
        logits, _ = policy._network({"compact": torch.from_numpy(observations)})
    assert np.array_equal(actions, logits.argmax(1).numpy())
    assert actions.dtype == np.int64
    assert state is None
    assert rng.bit_generator.state == before
    assert policy.deterministic


def test_sampling_policy_follows_its_distribution() -> None:
    policy = make_policy(greedy=False)
    observation = random_observations(1)
    repeated = np.repeat(observation, 20_000, 0)
    actions, _ = policy.act(repeated, None, None, np.random.default_rng(0))
    with torch.inference_mode():
        logits, _ = policy._network({"compact": torch.from_numpy(observation)})
    expected = torch.softmax(logits[0], 0).numpy()
    observed = np.bincount(actions, minlength=NUM_ACTIONS) / len(actions)
    assert np.abs(observed - expected).max() < 0.015
    assert not policy.deterministic


@pytest.mark.parametrize("greedy", [True, False])
def test_masked_actions_are_never_taken(greedy: bool) -> None:
    policy = make_policy(greedy=greedy)
    masks = np.zeros((200, NUM_ACTIONS), np.int8)
    masks[:, [2, 7]] = 1
    actions, _ = policy.act(random_observations(200), masks, None, np.random.default_rng(0))
    assert set(actions) <= {2, 7}


def test_policy_refuses_what_its_network_does_not_know() -> None:
    network = build_network(SMALL)
    with pytest.raises(ValueError, match="expected a view of observation 'compact'"):
        NetworkPolicy(network, View("planes"), "x")
    policy = NetworkPolicy(network, VIEW, "x")
    with pytest.raises(ValueError, match=r"expected observations of shape \(batch, 314\)"):
        policy.act(np.zeros((1, 5), np.uint8), None, None, np.random.default_rng(0))
