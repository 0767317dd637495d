"""`search`: what it looks at, what it looks ahead to, and how it plays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from envs.backends.base import Backend
from envs.backends.native_search import (
    NO_POSE,
    POSITION_SIZE,
    pack_images,
    pack_position,
    search_poses,
)
from envs.backends.reference import ReferenceBackend
from envs.backends.simulator import SimulatorBackend
from envs.candidates import FEATURE_INDEX, POSE_BYTES, encode_candidates, read_poses
from envs.game.layout import EMPTY, MAX_SPEED_UPS, PlayerOffset, Speed, player_address
from envs.game.placement import NUM_POSES, WAIT, encode_pose
from envs.game.setup import RoundSetup, seed_to_word
from envs.game.state import GameState
from envs.placement import SeatPlacement
from policies.base import View
from policies.greedy import GreedyPolicy
from policies.rollout import MAX_FRAMES, Game, GameRecord, play_games
from policies.search import (
    BOTTLE_TERMS,
    CAPSULE_TERMS,
    MAX_WIDTH,
    SearchPolicy,
    SearchWeights,
    list_weights,
)
from policies.search_rounds import play_solo_rounds, play_versus_rounds
from tests.policies.positions import make_position

SHALLOW, DEEP = SearchPolicy(1), SearchPolicy(2)
RNG = np.random.default_rng(0)
NO_BOTTLE = SearchWeights(**dict.fromkeys(BOTTLE_TERMS, 0.0))


def start(seed: int, **setup: object) -> SimulatorBackend:
    backend = SimulatorBackend(rendering=False)
    backend.start_round(RoundSetup(rng_word=seed_to_word(seed), **setup))  # type: ignore[arg-type]
    return backend


def pack(backend: Backend, seat: int = 0) -> np.ndarray:
    return pack_images(backend.ram()[None], seat)


def place(backend: SimulatorBackend, pose: int) -> bool:
    """Play a placement of seat 0 up to the next capsule; whether there is one."""
    seat = SeatPlacement(0)
    seat.see(backend.ram().tobytes())
    seat.choose(pose)
    assert seat.illegal == 0
    for _ in range(2000):
        backend.step((seat.next_pad(), 0))
        seat.see(backend.ram().tobytes())
        if seat.is_due:
            return True
    return False


def test_views_names_and_texts() -> None:
    assert DEEP.name == "search:depth=2"
    assert SearchPolicy(2, 4).name == "search:depth=2,width=4"
    assert DEEP.view == View("position", "placement")
    assert DEEP.deterministic


@pytest.mark.parametrize(("depth", "width"), [(0, 16), (3, 16), (2, 0), (2, MAX_WIDTH + 1)])
def test_numbers_out_of_range_are_refused(depth: int, width: int) -> None:
    with pytest.raises(ValueError, match=r"expected (depth|width)"):
        SearchPolicy(depth, width)


def test_arrays_of_another_shape_are_refused() -> None:
    weights = list_weights(SearchWeights())
    with pytest.raises(ValueError, match="positions"):
        search_poses(np.zeros((1, POSITION_SIZE - 1), np.uint8), weights, depth=1, width=1)
    with pytest.raises(ValueError, match="expected weights"):
        search_poses(np.zeros((1, POSITION_SIZE), np.uint8), weights[1:], depth=1, width=1)
    with pytest.raises(ValueError, match="expected images"):
        pack_images(np.zeros((1, 7), np.uint8), 0)


@pytest.mark.parametrize("seat", [0, 1])
def test_images_and_positions_pack_alike(seat: int) -> None:
    backend = start(5, levels=(7, 9), speeds=(Speed.HI, Speed.LOW))
    for _ in range(40):
        backend.step((1, 130))
    backend.poke(player_address(1 - seat, PlayerOffset.GARBAGE_OUT), 3)
    state = GameState.from_ram(backend.ram()).public()
    own_first = state.swapped() if seat else state
    assert pack_position(own_first) == pack(backend, seat).tobytes()


def test_one_ply_is_the_linear_score_of_the_candidate_rows() -> None:
    policy = SearchPolicy(1)
    backend = start(11, levels=(12, 12), solo=True)
    for _ in range(25):
        table = encode_candidates(backend.ram(), 0)
        poses = read_poses(table)
        rows, poses = table[poses < NUM_POSES], poses[poses < NUM_POSES]
        scores = np.array([score(row[POSE_BYTES:], policy.weights) for row in rows])
        values = policy.judge_placements(pack(backend))[0]
        assert np.flatnonzero(np.isfinite(values)).tolist() == poses.tolist()
        np.testing.assert_allclose(values[poses], scores, rtol=1e-4, atol=1e-3)
        pose = int(policy.choose_placements(pack(backend))[0])
        assert pose == poses[np.argmax(values[poses])]
        assert place(backend, pose)


def score(row: np.ndarray, weights: SearchWeights) -> float:
    terms = (*CAPSULE_TERMS, *BOTTLE_TERMS)
    total = sum(getattr(weights, term) * int(row[FEATURE_INDEX[term]]) for term in terms)
    return float(total - 1e6 * int(row[FEATURE_INDEX["blocks_spawn"]]))


@pytest.mark.parametrize("incoming", [0, 2, 3, 4])
def test_the_second_ply_starts_where_the_rules_put_it(incoming: int) -> None:
    """The value of a placement is what it does plus the best of the position it really leads to."""
    rng = np.random.default_rng(incoming)
    compared = 0
    for seed in range(5):
        backend = start(seed, levels=(14, 14), speeds=(Speed.HI, Speed.LOW))
        for _ in range(5):
            backend.poke(player_address(1, PlayerOffset.GARBAGE_OUT), incoming)
            before = pack(backend)
            deep = SearchPolicy(2, MAX_WIDTH).judge_placements(before)[0]
            does = SearchPolicy(1, weights=NO_BOTTLE).judge_placements(before)[0]
            pose = int(rng.choice(np.flatnonzero(does > -1e5)))
            if not place(backend, pose):
                break
            best = SHALLOW.judge_placements(pack(backend)).max()
            assert deep[pose] == pytest.approx(does[pose] + best, abs=1e-2)
            compared += 1
    assert compared >= 15


def test_the_next_capsule_falls_at_its_own_speed() -> None:
    """The tenth capsule is the first of the last speed-up: a row per frame."""
    weights = replace(SHALLOW.weights, lock_frames=-1.0)
    near, far = SearchPolicy(1, weights=weights), SearchPolicy(2, MAX_WIDTH, weights)
    does = SearchPolicy(1, weights=replace(NO_BOTTLE, lock_frames=-1.0))
    backend = start(1, levels=(5, 5), speeds=(Speed.HI, Speed.LOW))
    backend.poke(player_address(0, PlayerOffset.SPEED_UPS), MAX_SPEED_UPS - 1)
    backend.poke(player_address(0, PlayerOffset.CAPSULES_LOW), 9)
    before = pack(backend)
    pose = int(far.choose_placements(before)[0])
    expected = far.judge_placements(before)[0, pose] - does.judge_placements(before)[0, pose]
    assert place(backend, pose)
    assert GameState.from_ram(backend.ram()).players[0].speed_ups == MAX_SPEED_UPS
    assert near.judge_placements(pack(backend)).max() == pytest.approx(expected, abs=1e-2)


def test_pruning_keeps_the_best_by_one_ply() -> None:
    positions = pack(start(3, levels=(10, 10)))
    values = SHALLOW.judge_placements(positions)[0]
    deep = SearchPolicy(2, 5).judge_placements(positions)[0]
    looked_into = np.flatnonzero(np.isfinite(deep))
    assert set(looked_into) == set(np.argsort(-values, kind="stable")[:5])


def test_a_clear_comes_first() -> None:
    bottle = "/".join(["8"] * 13 + ["3r4", "3r4", "3R4"])
    position = make_position(bottle, colours=(1, 1), next_colours=(0, 2), viruses=1)
    for policy in (SHALLOW, DEEP):
        actions, _ = policy.act([position], None, None, RNG)
        rotation, row, column = actions[0] // 128, actions[0] % 128 // 8, actions[0] % 8
        assert column == 3 or (rotation % 2 == 0 and column == 2)
        assert row == 12


def test_waits_without_a_capsule_to_place() -> None:
    falling = make_position()
    waiting = make_position(next_action=1)
    full = make_position(cells=bytes(128))
    actions, state = SHALLOW.act([waiting, falling, full], None, None, RNG)
    assert state is None
    assert actions.dtype == np.int64
    assert [actions[0], actions[2]] == [WAIT, WAIT]
    assert actions[1] < NUM_POSES


@pytest.mark.parametrize("policy", [SHALLOW, DEEP])
def test_garbage_is_worth_something_against_an_opponent_alone(policy: SearchPolicy) -> None:
    eager = replace(policy, weights=replace(policy.weights, garbage_sent=50.0))
    bottle = "/".join(["8"] * 13 + ["2rb1B2", "2rb4", "2RB4"])
    position = make_position(bottle, colours=(1, 2), next_colours=(0, 0), viruses=3)
    attack = encode_pose(0, 12, 2)
    own, opponent = position.players
    solo = replace(position, players=(own, replace(opponent, capsules=1)))
    gain = [judge(eager, one)[attack] - judge(policy, one)[attack] for one in (position, solo)]
    assert gain == pytest.approx([2 * (50 - policy.weights.garbage_sent), 0.0], abs=0.1)


def judge(policy: SearchPolicy, position: GameState) -> np.ndarray:
    packed = np.frombuffer(pack_position(position), np.uint8)[None]
    values: np.ndarray = policy.judge_placements(packed)[0]
    return values


@pytest.mark.parametrize("policy", [SHALLOW, DEEP])
def test_sees_garbage_that_would_block_the_spawn(policy: SearchPolicy) -> None:
    """Columns 3 and 4 are one cell short of the top; whatever lands there ends the round."""
    rows = ["8", *["3yb3" if row % 2 else "3by3" for row in range(14)], "3BY3"]
    position = make_position("/".join(rows), colours=(1, 2), viruses=2, gravity_counter=0)
    own, opponent = position.players
    attacked = replace(position, players=(own, replace(opponent, garbage_out=4)))
    values = judge(policy, attacked), judge(policy, position)
    doomed = [np.sum(one[np.isfinite(one)] < -1e5) for one in values]
    assert doomed[0] > doomed[1]


def test_nothing_in_the_bytes_breaks_it() -> None:
    rng = np.random.default_rng(1)
    positions = rng.integers(256, size=(2000, POSITION_SIZE), dtype=np.uint8)
    positions[:1500, :128][rng.random((1500, 128)) < 0.8] = EMPTY
    positions[:, 132:135] %= 8
    poses = search_poses(positions, list_weights(SearchWeights()), depth=2, width=3)
    assert ((poses >= NO_POSE) & (poses < NUM_POSES)).all()


def test_clears_low_levels_quickly() -> None:
    rounds = play_solo_rounds(DEEP, 3, Speed.MED, 4, seed=4)
    assert rounds.cleared.all()
    assert (rounds.viruses == 16).all()
    assert 1 < rounds.capsules_per_virus < 5
    assert rounds.viruses_per_minute > 5


def test_clears_level_10_and_beats_the_shallow_one() -> None:
    assert play_solo_rounds(SHALLOW, 10, Speed.MED, 20, seed=1).cleared.mean() >= 0.9
    assert play_solo_rounds(DEEP, 10, Speed.MED, 8, seed=1).cleared.all()
    versus = play_versus_rounds((DEEP, SHALLOW), 5, Speed.MED, 16, seed=1)
    assert (versus.winners == 0).sum() > 8
    assert versus.totals[:, 0, 2].sum() > 0


def play_against_greedy(backend: Backend, max_frames: int = MAX_FRAMES) -> GameRecord:
    rngs = (np.random.default_rng(0), np.random.default_rng(1))
    setup = RoundSetup(levels=(1, 1), rng_word=seed_to_word(9))
    (record,) = play_games(
        [Game(setup, (GreedyPolicy(), DEEP), rngs)], [backend], max_frames=max_frames
    )
    return record


def test_meets_a_button_policy_on_every_backend() -> None:
    """The same pads whatever runs the rules; no placement fails, so the weaker policy loses."""
    simulator, reference = SimulatorBackend(rendering=False), ReferenceBackend(rendering=False)
    record = play_against_greedy(simulator)
    assert record == play_against_greedy(reference)
    assert (record.reason, record.winner) == ("clear", 1)
    assert record.stats[1].viruses == 8


@pytest.mark.emulator
def test_meets_a_button_policy_on_the_emulator() -> None:
    from envs.backends.retro import RetroBackend

    simulator = SimulatorBackend(rendering=False)
    with RetroBackend(rendering=False) as retro:
        assert play_against_greedy(retro, 900) == play_against_greedy(simulator, 900)
