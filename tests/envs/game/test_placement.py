"""Poses as numbers, masks, and packed capsules."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.game.layout import CELLS, EMPTY, Tile
from envs.game.placement import (
    CAPSULE_SIZE,
    NUM_PLACEMENTS,
    NUM_POSES,
    WAIT,
    Pose,
    decode_pose,
    encode_pose,
    fold_one_colour,
    make_mask,
    pack_capsule,
    pack_player,
    pose_of,
)
from envs.game.rules import ReferenceGame
from envs.game.setup import RoundSetup
from envs.game.state import GameState


def frames_of(**frames: int) -> np.ndarray:
    """Frames by pose, given as `p12=7`."""
    table = np.zeros(NUM_POSES, np.uint16)
    for name, value in frames.items():
        table[int(name[1:])] = value
    return table


@given(st.integers(0, NUM_POSES - 1))
def test_poses_round_trip(number: int) -> None:
    pose = decode_pose(number)
    if pose.rotation % 2 == 0 and pose.column == 7:
        with pytest.raises(ValueError, match="inside the bottle"):
            encode_pose(*pose)
    else:
        assert encode_pose(*pose) == number


def test_a_pose_counts_rotation_then_row_then_column() -> None:
    assert encode_pose(2, 15, 6) == 2 * 128 + 15 * 8 + 6
    assert decode_pose(1 * 128 + 3 * 8 + 5) == Pose(rotation=1, row=3, column=5)
    assert NUM_PLACEMENTS == WAIT + 1 == 513


@pytest.mark.parametrize("number", [-1, WAIT, 10_000])
def test_numbers_that_are_no_pose_are_refused(number: int) -> None:
    with pytest.raises(ValueError, match=r"expected a pose 0\.\.511, got"):
        decode_pose(number)


def test_cells_of_a_pose() -> None:
    colours = (0, 2)
    assert Pose(0, 15, 3).cells(colours) == ((123, Tile.LEFT), (124, Tile.RIGHT | 2))
    assert Pose(2, 15, 3).cells(colours) == ((124, Tile.RIGHT), (123, Tile.LEFT | 2))
    assert Pose(3, 15, 3).cells(colours) == ((115, Tile.TOP), (123, Tile.BOTTOM | 2))
    assert Pose(1, 0, 3).cells(colours) == ((3, Tile.BOTTOM),), "the upper half is lost"


def test_a_capsule_of_one_colour_has_each_resting_state_once() -> None:
    frames = frames_of(p5=40, p261=30, p262=50, p140=60)
    assert fold_one_colour(frames).tolist() == frames_of(p5=30, p6=50, p140=60).tolist()
    assert frames[261] == 30, "the argument stays as it was"


@given(st.lists(st.integers(0, 3), min_size=NUM_POSES, max_size=NUM_POSES))
def test_folding_keeps_the_least_frames_of_both_ways_to_lie(values: list[int]) -> None:
    frames = np.array(values, np.uint16)
    folded = fold_one_colour(frames)
    for pose in range(NUM_POSES // 2):
        ways = [value for value in (values[pose], values[pose + NUM_POSES // 2]) if value]
        assert folded[pose] == min(ways, default=0)
    assert not folded[NUM_POSES // 2 :].any()


def test_the_mask_allows_what_can_be_reached() -> None:
    frames = frames_of(p5=40, p261=30)
    mask = make_mask(frames, one_colour=False)
    assert mask.dtype == np.int8
    assert np.flatnonzero(mask).tolist() == [5, 261]
    assert np.flatnonzero(make_mask(frames, one_colour=True)).tolist() == [5]


def test_wait_is_legal_only_where_nothing_else_is() -> None:
    assert np.flatnonzero(make_mask(frames_of(), one_colour=True)).tolist() == [WAIT]


@pytest.mark.parametrize("seat", [0, 1])
def test_a_capsule_is_packed_the_same_from_ram_and_from_a_position(seat: int) -> None:
    game = ReferenceGame.from_setup(RoundSetup(levels=(3, 5), frame_offset=77))
    for pads in [(1, 0x42), (1, 0x42), (0, 0x40)]:
        game.step(pads)
    ram = game.ram()
    state = GameState.from_ram(ram)
    packed = pack_capsule(ram.tobytes(), seat)
    assert len(packed) == CAPSULE_SIZE
    assert packed == pack_player(state.players[seat], state.frame_counter)
    assert packed[:CELLS] == state.players[seat].cells


def test_the_pose_of_a_capsule_that_has_just_come_in() -> None:
    player = GameState.from_ram(ReferenceGame.from_setup(RoundSetup()).ram()).players[0]
    assert pose_of(player) == encode_pose(0, 0, 3)
    assert player.cells[3] == EMPTY
