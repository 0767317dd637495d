"""The planner against three judges: the simulator, a walk through every pad, and plain Python."""

from __future__ import annotations

import numpy as np
import pytest

from envs.backends.planner import plan_capsule, plan_poses, plan_script, play_script, walk_poses
from envs.game.layout import CELLS, COLUMNS, EMPTY, FRAMES_PER_ROW, ROWS, Button, Tile
from envs.game.placement import CAPSULE_SIZE, NUM_POSES, encode_pose
from envs.game.reach import find_lockable_poses
from league.verify.planner import WalkTally, check_scripts, run_planner_verify
from league.verify.planner_positions import collect_capsules, craft_capsule, craft_capsules

SLOW, MED_START, HI_START, FASTEST = 15, 25, 31, 80
EMPTY_FIELD = bytes([EMPTY]) * CELLS


def capsule_over(
    field: bytes = EMPTY_FIELD,
    *,
    x: int = 3,
    y: int = 15,
    rotation: int = 0,
    gravity: int = 0,
    index: int = MED_START,
    das: int = 0,
    held: int = 0,
    frame: int = 0,
) -> bytes:
    return field + bytes((x, y, rotation, gravity, index, das, held, frame))


def draw(*rows: str) -> bytes:
    """A bottle whose lowest rows are `rows`; `#` holds something."""
    field = bytearray(EMPTY_FIELD)
    for row, text in enumerate(rows, start=ROWS - len(rows)):
        for column, cell in enumerate(text):
            if cell == "#":
                field[row * COLUMNS + column] = Tile.VIRUS
    return bytes(field)


@pytest.mark.parametrize("frame", [0, 1])
def test_an_empty_bottle_has_a_pose_for_each_column_and_rotation(frame: int) -> None:
    frames = plan_capsule(capsule_over(frame=frame))
    flat = {encode_pose(rotation, 15, x) for rotation in (0, 2) for x in range(7)}
    upright = {encode_pose(rotation, 15, x) for rotation in (1, 3) for x in range(8)}
    assert set(np.flatnonzero(frames).tolist()) == flat | upright
    # Sixteen soft drops, every second frame; the frame after an even one allows it at once.
    assert frames[encode_pose(0, 15, 3)] == (31 if frame == 0 else 32)


def test_a_script_is_soft_drops_where_nothing_else_is_needed() -> None:
    script = plan_script(capsule_over(), encode_pose(0, 15, 3))
    assert set(script[::2]) == {int(Button.DOWN)}
    assert set(script[1::2]) == {0}


def test_a_capsule_slides_under_an_overhang() -> None:
    field = draw("....####", "........")
    pose = encode_pose(0, 15, 6)
    assert plan_capsule(capsule_over(field, index=SLOW))[pose] > 0
    # At one row a frame there is a single frame in the lowest row.
    assert plan_capsule(capsule_over(field, index=FASTEST))[pose] == 0


def test_a_capsule_turns_into_a_gap_by_a_kick() -> None:
    field = draw("..#.#...", "..#.#...", "....#...")
    script = plan_script(capsule_over(field, index=SLOW), encode_pose(0, 15, 2))
    assert play_script(capsule_over(field, index=SLOW), script) == (
        encode_pose(0, 15, 2),
        len(script),
    )
    assert any(pad & (Button.A | Button.B) for pad in script)


@pytest.mark.parametrize(("das", "reached"), [(3, False), (14, False), (15, True), (16, True)])
def test_a_charged_side_moves_without_a_new_press(das: int, reached: bool) -> None:
    """At full speed the frame above the floor is the only one in which to move.

    Turning there and back with LEFT held is one column; a second one takes auto-repeat.
    """
    capsule = capsule_over(y=1, index=FASTEST, held=int(Button.LEFT), das=das)
    frames = plan_capsule(capsule)
    assert frames[encode_pose(0, 15, 2)] == 2
    assert bool(frames[encode_pose(0, 15, 1)]) == reached


def test_a_blocked_or_impossible_capsule_has_no_poses() -> None:
    blocked = bytearray(EMPTY_FIELD)
    blocked[4] = Tile.SINGLE
    for capsule in (
        capsule_over(bytes(blocked)),
        capsule_over(x=7),
        capsule_over(x=200),
        capsule_over(y=16),
        capsule_over(rotation=4),
        capsule_over(index=81),
    ):
        assert not plan_capsule(capsule).any()
        with pytest.raises(ValueError, match="can reach"):
            plan_script(capsule, 0)


def test_a_capsule_in_the_top_row_may_lose_its_upper_half() -> None:
    field = draw(*["#.#.#.#."] * 15)
    frames = plan_capsule(capsule_over(field, index=SLOW))
    assert frames[encode_pose(1, 0, 4)] > 0


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match=r"uint8 \(any, 136\)"):
        plan_poses(np.zeros((2, 100), np.uint8))
    with pytest.raises(ValueError, match="136 bytes, got 3"):
        plan_script(b"abc", 0)
    for pose in (-1, NUM_POSES, 2**31 - 1):
        with pytest.raises(ValueError, match="can reach"):
            plan_script(capsule_over(), pose)


def test_plans_lock_exactly_where_and_when_they_say() -> None:
    report = check_scripts(30_000, seed=1)
    assert report["plans"] >= 30_000
    assert report["passed"], report["first_wrong"]


@pytest.mark.parametrize("at_spawn", [True, False])
def test_no_pose_is_missed_and_no_script_is_longer_than_it_must_be(at_spawn: bool) -> None:
    rng = np.random.default_rng(5 + at_spawn)
    tally = WalkTally()
    for index in range(48, len(FRAMES_PER_ROW), 2):
        capsules = craft_capsules(rng, 6, index, at_spawn=at_spawn)
        for planned, walked in zip(plan_poses(capsules), walk_poses(capsules), strict=True):
            tally.add(planned, walked)
    report = tally.describe()
    assert report["positions"] == 17 * 6
    assert report["poses"] > 2_000
    assert report["passed"], report


@pytest.mark.parametrize("index", [0, SLOW, MED_START, HI_START])
def test_slow_capsules_too(index: int) -> None:
    rng = np.random.default_rng(index)
    for overhangs in (False, True):
        capsule = craft_capsule(rng, index, overhangs=overhangs, at_spawn=True)
        walked = walk_poses(np.frombuffer(capsule, np.uint8)[None])[0]
        assert plan_capsule(capsule).tolist() == walked.tolist()


@pytest.mark.parametrize("index", [MED_START, 60, FASTEST])
def test_it_agrees_with_the_reference(index: int) -> None:
    rng = np.random.default_rng(index)
    for frame in (0, 1):
        crafted = craft_capsule(rng, index, overhangs=True, at_spawn=True)
        capsule = capsule_over(crafted[:CELLS], index=index, frame=frame)
        expected = find_lockable_poses(crafted[:CELLS], index, frame)
        np.testing.assert_array_equal(plan_capsule(capsule), expected)


def test_capsules_from_play_are_planned_as_they_are_walked() -> None:
    capsules = collect_capsules(300, seed=2)[200::20]
    assert capsules.shape == (5, CAPSULE_SIZE)
    tally = WalkTally()
    for planned, walked in zip(plan_poses(capsules), walk_poses(capsules), strict=True):
        tally.add(planned, walked)
    assert tally.counts["poses"] > 100
    assert tally.counts["missed"] == tally.counts["slower"] == tally.counts["extra"] == 0


def test_the_tally_tells_every_kind_of_error() -> None:
    walked, planned = np.zeros((2, NUM_POSES), np.uint16)
    walked[:4], planned[1:6] = [10, 10, 10, 10], [10, 11, 9, 7, 7]
    tally = WalkTally()
    tally.add(planned, walked)
    assert tally.counts == {"poses": 4, "missed": 1, "extra": 2, "slower": 1, "faster": 1}
    assert not tally.describe()["passed"]


@pytest.mark.slow
def test_the_whole_run() -> None:
    """A million plans, and 25 positions at each of the 81 speeds walked, twice."""
    report = run_planner_verify()
    assert report["passed"], report
    assert report["scripts"]["plans"] >= 1_000_000
    assert report["at_spawn"]["positions"] == report["anywhere"]["positions"] == 25 * 81
