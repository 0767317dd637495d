"""Candidate rows: the native code against the plain definition, and the rules behind both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from envs.backends.native_candidates import list_native_features, write_candidates
from envs.backends.planner import plan_capsule, plan_script
from envs.backends.simulator import SimulatorBackend
from envs.candidate_reference import Outcome, describe_candidate
from envs.candidates import (
    CAPACITY,
    EARLIER_COUNTS,
    FEATURE_INDEX,
    FEATURES,
    NO_POSE,
    NUM_FEATURES,
    POSE_BYTES,
    TABLE_SHAPE,
    encode_candidates,
    hash_features,
    make_empty_table,
    read_poses,
)
from envs.game.layout import (
    CELLS,
    EMPTY,
    FIELD_BASES,
    PLAYER_BASES,
    Address,
    Mode,
    NextAction,
    PillDuelAddress,
    PlayerOffset,
    Speed,
)
from envs.game.placement import NUM_POSES, encode_pose, fold_one_colour, pack_capsule
from envs.game.position import parse_bottle
from envs.game.setup import RoundSetup
from envs.vector import UniformSetups, VectorEnv
from league.verify.planner_positions import choose_sensibly

PLAYER, FIELD = PLAYER_BASES[0], FIELD_BASES[0]
EMPTY_FIELD = bytes([EMPTY]) * CELLS
ACTION = PLAYER + PlayerOffset.NEXT_ACTION


class Judge:
    """Plays one placement of seat 0 in the simulator and tells what became of the bottle."""

    def __init__(self) -> None:
        self._backend = SimulatorBackend(rendering=False)

    def play(self, image: np.ndarray, pose: int) -> Outcome | None:
        """Return the outcome; None where the round ends by it or the spawn is blocked."""
        backend = self._backend
        backend.load_ram(image)
        colours = image[PLAYER + PlayerOffset.COLOUR_FIRST :][:2]
        one_colour = bool(colours[0] == colours[1])
        script = plan_script(pack_capsule(image.tobytes(), 0), pose, one_colour=one_colour)
        for pad in script:
            backend.step((pad, 0))
        frames = lines = rounds = 0
        while True:
            ram = backend.ram()
            if ram[ACTION] == NextAction.FALLING:
                # Control begins with the frame after this one.
                return Outcome(ram[FIELD : FIELD + CELLS].tobytes(), lines, rounds, frames + 1)
            if ram[PLAYER + PlayerOffset.TOPPED_OUT] or not ram[PLAYER + PlayerOffset.VIRUSES]:
                return None
            before = int(ram[PLAYER + PlayerOffset.PLACED_STEP])
            backend.step((0, 0))
            frames += 1
            ram = backend.ram()
            if ram[ACTION] == NextAction.PLACED:
                lines = int(ram[PLAYER + PlayerOffset.COMBO])
                rounds += before == 7 and int(ram[PLAYER + PlayerOffset.PLACED_STEP]) == 1


def isolate(image: np.ndarray) -> np.ndarray:
    """A solo round of seat 0 with nothing queued, from a picture of a game."""
    alone = image.copy()
    alone[PillDuelAddress.SOLO] = 1
    alone[PLAYER_BASES[0] + PlayerOffset.GARBAGE_OUT] = 0
    alone[PLAYER_BASES[1] + PlayerOffset.GARBAGE_OUT] = 0
    return alone


def describe_by_reference(image: np.ndarray, pose: int, outcome: Outcome) -> np.ndarray:
    colours = tuple(image[PLAYER + PlayerOffset.COLOUR_FIRST :][:2].tolist())
    following = tuple(image[PLAYER + PlayerOffset.NEXT_FIRST :][:2].tolist())
    frames = plan_capsule(pack_capsule(image.tobytes(), 0))
    legal = fold_one_colour(frames) if colours[0] == colours[1] else frames
    tiles = image[FIELD : FIELD + CELLS].tobytes()
    return describe_candidate(tiles, colours, following, pose, int(legal[pose]), outcome)


def test_the_native_code_has_the_same_features() -> None:
    assert list_native_features() == tuple((feature.name, feature.high) for feature in FEATURES)
    assert NUM_FEATURES == len(FEATURE_INDEX) == 78


def test_rows_from_play_are_as_defined() -> None:
    """Every byte of rows from play, whatever clears and falls, as the rules make it happen."""
    setups = UniformSetups(levels=tuple(range(0, 21, 4)), speed=Speed.HI)
    vector, rng = VectorEnv(6, draw_setup=setups, candidates=CAPACITY), np.random.default_rng(1)
    judge, step = Judge(), vector.reset(seed=4)
    compared, cleared = 0, 0
    for turn in range(140):
        for game in np.flatnonzero(step.due[:, 0]) if turn % 4 == 0 else ():
            image = isolate(vector.games.images[game])
            count = vector.games.candidate_counts[game, 0]
            rows = vector.games.candidates[game, 0, :count]
            poses = vector.games.candidate_poses[game, 0, :count]
            clears = np.flatnonzero(rows[:, FEATURE_INDEX["lines"]])
            chosen = np.concatenate([clears[:3], rng.integers(count, size=3)])
            for index in chosen:
                outcome = judge.play(image, int(poses[index]))
                if outcome is None:
                    continue
                expected = describe_by_reference(image, int(poses[index]), outcome)
                wrong = np.flatnonzero(rows[index] != expected)
                assert not len(wrong), [
                    (FEATURES[w].name, int(expected[w]), int(rows[index, w])) for w in wrong
                ]
                compared += 1
                cleared += outcome.lines > 0
        step = vector.step(choose_sensibly(vector, step, rng))
    assert compared > 400
    assert cleared > 80


def test_no_value_is_above_its_range() -> None:
    vector, rng = VectorEnv(8, candidates=CAPACITY), np.random.default_rng(2)
    step = vector.reset(seed=1)
    highest = np.zeros(NUM_FEATURES, np.uint8)
    for _ in range(120):
        step = vector.step(choose_sensibly(vector, step, rng))
        rows = vector.games.candidates
        highest = np.maximum(highest, rows.max(axis=(0, 1, 2)))
    assert (highest <= [feature.high for feature in FEATURES]).all()
    assert (highest > 0).sum() > 60, "most features say something"


def rows_for(
    bottle: bytes, colours: tuple[int, int], poses: dict[int, int]
) -> dict[int, np.ndarray]:
    """Rows of the given poses (with their frames) over a bottle."""
    frames = np.zeros(NUM_POSES, np.uint16)
    frames[list(poses)] = list(poses.values())
    rows, found = write_candidates(bottle, colours, (0, 1), frames, CAPACITY)
    return dict(zip(found.tolist(), rows, strict=True))


def value(row: np.ndarray, name: str) -> int:
    return int(row[FEATURE_INDEX[name]])


def test_a_clear_with_a_cascade() -> None:
    """Three red viruses get a fourth red half; the blue half on top of it falls."""
    bottle = parse_bottle("8/" * 13 + "3R4/3R4/3R4")
    standing = encode_pose(1, 12, 3)
    row = rows_for(bottle, (1, 2), {standing: 33})[standing]
    assert value(row, "viruses_cleared") == 3
    assert value(row, "cells_cleared") == 4
    assert value(row, "lines") == value(row, "rounds") == 1
    assert value(row, "clears_bottle") == 1
    assert value(row, "max_height") == 1, "the blue half has fallen to the floor"
    assert value(row, "lock_frames") == 33
    # 13 to the first pass, 10 more to control, and a round with four rows of falling.
    assert value(row, "settle_frames") == 13 + 10 + 20 + 16 * 4


def test_what_the_next_capsule_can_do_is_seen() -> None:
    """Three red viruses in column 0 wait for a red half, and the next capsule is yellow and red."""
    bottle = parse_bottle("8/" * 13 + "R7/R7/R7")
    flat = encode_pose(0, 15, 4)
    row = rows_for(bottle, (2, 2), {flat: 33})[flat]
    assert value(row, "next_lines") == 1
    assert value(row, "next_viruses") == 3
    assert value(row, "next_clears_bottle") == 1
    assert value(row, "next_virus_run") == 4
    assert value(row, "next_runs") == 5, "four red, one yellow"
    assert value(row, "next_wasted") == 0, "both halves can lie on the floor"
    # On the floor: columns 1 and 2, 2 and 3, 6 and 7, in both orders. And upright in column 1, the
    # red half on top, beside a red virus.
    assert value(row, "next_fits") == 7


def test_a_capsule_of_one_colour_has_two_rotations() -> None:
    poses = {encode_pose(0, 15, 2): 40, encode_pose(2, 15, 2): 38, encode_pose(3, 15, 5): 50}
    rows = rows_for(EMPTY_FIELD, (1, 1), poses)
    assert sorted(rows) == [encode_pose(0, 15, 2), encode_pose(1, 15, 5)]
    assert value(rows[encode_pose(0, 15, 2)], "lock_frames") == 38


def test_a_lost_half_has_no_features() -> None:
    bottle = parse_bottle("8/" + "/".join(["4BRYB", "4RYBR"] * 7) + "/4BRYB")
    top = encode_pose(1, 0, 4)
    row = rows_for(bottle, (1, 2), {top: 9})[top]
    assert value(row, "pivot_height") == 16
    first, last = FEATURE_INDEX["other_run_down"], FEATURE_INDEX["other_room_across"]
    assert not row[first : last + 1].any()
    assert value(row, "blocks_spawn") == 1


def test_more_poses_than_rows_are_cut_off() -> None:
    frames = np.full(NUM_POSES, 0, np.uint16)
    frames[encode_pose(0, 15, 0) : encode_pose(0, 15, 6) + 1] = 40
    rows, poses = write_candidates(EMPTY_FIELD, (0, 1), (0, 1), frames, 3)
    assert len(rows) == 3
    assert poses.tolist() == [120, 121, 122]


def test_a_table_pads_with_no_pose() -> None:
    backend = SimulatorBackend(rendering=False)
    backend.start_round(RoundSetup(levels=(10, 10)))
    ram = backend.ram()
    table = encode_candidates(ram, 1)
    assert table.shape == TABLE_SHAPE == (CAPACITY, POSE_BYTES + NUM_FEATURES)
    poses = read_poses(table)
    legal = np.flatnonzero(plan_capsule(pack_capsule(ram.tobytes(), 1)))
    assert poses[: len(legal)].tolist() == legal.tolist()
    assert (poses[len(legal) :] == NO_POSE).all()
    assert not table[len(legal) :, POSE_BYTES:].any()
    for address, other in ((Address.MODE, Mode.INTRO), (PLAYER_BASES[1] + 0x17, NextAction.PLACED)):
        stopped = ram.copy()
        stopped[address] = other
        np.testing.assert_array_equal(encode_candidates(stopped, 1), make_empty_table())


def test_only_the_own_public_position_goes_in() -> None:
    backend = SimulatorBackend(rendering=False)
    backend.start_round(RoundSetup(levels=(10, 10)))
    ram = backend.ram()
    other = ram.copy()
    other[0x780:0x800] = 0
    other[Address.RNG_HIGH] ^= 0x55
    other[FIELD_BASES[1] : FIELD_BASES[1] + CELLS] = EMPTY
    other[PLAYER_BASES[1] + PlayerOffset.GARBAGE_OUT] = 4
    np.testing.assert_array_equal(encode_candidates(ram, 0), encode_candidates(other, 0))


def test_strange_bottles_do_no_harm() -> None:
    rng = np.random.default_rng(3)
    for _ in range(300):
        bottle = rng.integers(256, size=CELLS, dtype=np.uint8)
        bottle[rng.random(CELLS) < 0.5] = EMPTY
        frames = (rng.random(NUM_POSES) < 0.1).astype(np.uint16)
        rows, poses = write_candidates(bottle.tobytes(), (0, 2), (1, 1), frames, CAPACITY)
        assert len(rows) == len(poses)
    assert write_candidates(EMPTY_FIELD, (7, 0), (0, 0), frames, 9)[0].shape == (0, NUM_FEATURES)


def test_wrong_sizes_are_named() -> None:
    frames = np.zeros(NUM_POSES, np.uint16)
    with pytest.raises(ValueError, match="expected 128 tile bytes, got 3"):
        write_candidates(b"abc", (0, 0), (0, 0), frames, 9)
    with pytest.raises(ValueError, match=r"expected frames, uint16 \(512,\), got int64"):
        write_candidates(EMPTY_FIELD, (0, 0), (0, 0), frames.astype(np.int64), 9)


def test_every_feature_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "placement.md").read_text(encoding="utf-8")
    for index, feature in enumerate(FEATURES):
        assert f"| {index} | `{feature.name}` | {feature.high} | {feature.doc} |" in page


def test_the_hash_names_the_definitions(monkeypatch: pytest.MonkeyPatch) -> None:
    before = hash_features()
    assert len(before) == 64
    changed = (replace(FEATURES[0], doc="something else"), *FEATURES[1:])
    monkeypatch.setattr("envs.candidates.FEATURES", changed)
    assert hash_features() != before


def test_the_hash_of_the_first_features_does_not_know_the_others() -> None:
    (earlier,) = EARLIER_COUNTS
    assert FEATURES[earlier].name == "next_lines"
    assert hash_features(earlier) != hash_features() == hash_features(NUM_FEATURES)
