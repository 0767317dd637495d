"""The exhaustive search, held against a plainer one that steps whole RAM images."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from envs.game.layout import (
    CELLS,
    COLUMNS,
    EMPTY,
    FIELD_BASES,
    FRAMES_PER_ROW,
    PLAYER_BASES,
    ROWS,
    SPEED_BASES,
    Address,
    Button,
    Colour,
    NextAction,
    PlayerOffset,
    Speed,
    Tile,
)
from envs.game.position import parse_bottle
from envs.game.reach import find_lockable_poses
from envs.game.rules import ReferenceGame
from envs.game.setup import RoundSetup

EMPTY_FIELD = bytes([EMPTY]) * CELLS
SIDES = (0, Button.LEFT, Button.RIGHT)
HEIGHTS = (0, Button.UP, Button.DOWN)
TURNS = (0, Button.A, Button.B, Button.A | Button.B)
ALL_PADS = [int(side | height | turn) for side, height, turn in product(SIDES, HEIGHTS, TURNS)]
ACTION = PLAYER_BASES[0] + PlayerOffset.NEXT_ACTION
READ = (
    PLAYER_BASES[0] + PlayerOffset.X,
    PLAYER_BASES[0] + PlayerOffset.Y,
    PLAYER_BASES[0] + PlayerOffset.ROTATION,
    PLAYER_BASES[0] + PlayerOffset.GRAVITY_COUNTER,
    PLAYER_BASES[0] + PlayerOffset.DAS_COUNTER,
    Address.PAD1_HELD,
    Address.FRAME_COUNTER,
)
"""What a frame of a falling capsule reads and changes, the frame counter last."""


def high(*lines: str) -> bytes:
    """A bottle whose highest rows are `lines`, all other cells taken."""
    filler = ["YYRRYYRR", "RRYYRRYY"] * ROWS
    return parse_bottle("/".join([*lines, *filler[: ROWS - len(lines)]]))


def find_frames(field: bytes, gravity_index: int, frame_counter: int) -> dict[int, int]:
    """The search under test, as frames by pose."""
    frames = find_lockable_poses(field, gravity_index, frame_counter)
    return {int(pose): int(frames[pose]) for pose in np.flatnonzero(frames)}


def search_images(field: bytes, gravity_index: int, frame_counter: int) -> dict[int, int]:
    """As `find_frames`, with every pad byte, on images, and nothing left out."""
    base = make_image(field, gravity_index, frame_counter)
    states = {read_state(base)}
    seen: set[tuple[int, ...]] = set()
    poses: dict[int, int] = {}
    frame = 0
    while states:
        frame += 1
        reached = set()
        for state, pad in product(states, ALL_PADS):
            game = ReferenceGame(base)
            game.set_ram(dict(zip(READ, state, strict=True)))
            game.step((pad, 0))
            after = bytes(game.ram())
            if after[ACTION] == NextAction.FALLING:
                reached.add(read_state(after))
            else:
                poses.setdefault(find_stamped_pose(field, after), frame)
        states = reached - seen
        seen |= reached
    return dict(sorted(poses.items()))


def make_image(field: bytes, gravity_index: int, frame_counter: int) -> bytes:
    """A yellow and red capsule at its spawn, about to run its first frame."""
    ram = ReferenceGame.from_setup(RoundSetup(solo=True)).ram()
    ram[FIELD_BASES[0] : FIELD_BASES[0] + CELLS] = np.frombuffer(field, np.uint8)
    ram[PLAYER_BASES[0] + PlayerOffset.SPEED] = Speed.HI
    ram[PLAYER_BASES[0] + PlayerOffset.SPEED_UPS] = gravity_index - SPEED_BASES[Speed.HI]
    ram[PLAYER_BASES[0] + PlayerOffset.COLOUR_FIRST] = Colour.YELLOW
    ram[PLAYER_BASES[0] + PlayerOffset.COLOUR_SECOND] = Colour.RED
    ram[Address.FRAME_COUNTER] = frame_counter
    return ram.tobytes()


def read_state(ram: bytes) -> tuple[int, ...]:
    """All that the next frame reads; of the frame counter only the parity matters."""
    *values, counter = (ram[address] for address in READ)
    return (*values, counter & 1)


def find_stamped_pose(before: bytes, after: bytes) -> int:
    """Read a locked capsule from its tiles: the lock frame's input may turn what is in RAM."""
    for cell in range(CELLS):
        tile = after[FIELD_BASES[0] + cell]
        kind, colour = tile & 0xF0, tile & 0x0F
        if tile != before[cell] and kind in (Tile.LEFT, Tile.BOTTOM):
            turned = 0 if colour == Colour.YELLOW else 2
            return (turned + (kind == Tile.BOTTOM)) * CELLS + cell
    raise AssertionError("expected a capsule to be stamped")


ONE_ROW = high("8", "Y6Y")
OVERHANGS = high("8", "8", "YY1RR3", "4R3")
SHAFT = high("RR3RRR", "RR3RRR", "RR4RR")
WALLS = high("2Y2Y2", "YY4YY")
ROOM_BELOW = high("RR4RR", "RR4RR")
NO_ROOM = high("RRR2RRR")


@pytest.mark.parametrize(
    ("field", "gravity_index", "frame_counter"),
    [
        pytest.param(ONE_ROW, 80, 0, id="one_frame_a_row"),
        pytest.param(NO_ROOM, 65, 1, id="no_room_to_turn"),
        pytest.param(WALLS, 75, 1, id="walled_in"),
        # Here a soft drop with a move to the side, which there is not, would be sooner.
        pytest.param(ROOM_BELOW, 65, 0, id="drop_or_move"),
        pytest.param(OVERHANGS, 80, 0, id="overhangs"),
        pytest.param(SHAFT, 75, 1, id="shaft_with_a_pocket"),
        # Time enough for auto-repeat.
        pytest.param(NO_ROOM, 31, 0, id="no_room_slowly", marks=pytest.mark.slow),
        pytest.param(WALLS, 43, 0, id="walled_in_slowly", marks=pytest.mark.slow),
        pytest.param(OVERHANGS, 65, 1, id="overhangs_slowly", marks=pytest.mark.slow),
    ],
)
def test_equals_the_plain_search(field: bytes, gravity_index: int, frame_counter: int) -> None:
    expected = search_images(field, gravity_index, frame_counter)
    assert find_frames(field, gravity_index, frame_counter) == expected
    assert expected


def test_every_column_of_an_empty_bottle() -> None:
    poses = find_frames(EMPTY_FIELD, 25, 0)
    flat = [rotation * CELLS + 120 + column for rotation in (0, 2) for column in range(7)]
    upright = [rotation * CELLS + 120 + column for rotation in (1, 3) for column in range(8)]
    assert sorted(poses) == sorted(flat + upright)
    # A soft drop on every odd counter: 16 rows from 1 on.
    assert poses[120 + 3] == 31
    assert find_frames(EMPTY_FIELD, 25, 1)[120 + 3] == 32


def test_without_soft_drop_gravity_decides() -> None:
    # At one frame a row a capsule sinks in every frame, and has no time to go far.
    poses = find_frames(EMPTY_FIELD, 80, 0)
    assert poses[120 + 3] == 16
    assert set(poses.values()) == {16}
    assert sum(FRAMES_PER_ROW[index] == 1 for index in range(81)) == 1


def test_a_blocked_spawn_has_no_pose() -> None:
    assert find_frames(parse_bottle("/".join(["4Y3", *["8"] * 15])), 25, 0) == {}


def test_a_capsule_locks_at_its_spawn() -> None:
    field = high("8")
    poses = find_frames(field, 60, 1)
    assert poses[3] == 2
    assert min(poses.values()) == 2
    # Upright in the top row, the upper half above the bottle.
    assert poses[CELLS + 3] > 0
    assert all(pose % CELLS < COLUMNS for pose in poses)


def test_frames_are_fewest_at_the_counter_that_drops_first() -> None:
    field = high("8", "8", "8")
    assert find_frames(field, 25, 0)[2 * COLUMNS + 3] == 5
    assert find_frames(field, 25, 1)[2 * COLUMNS + 3] == 6
    assert find_frames(field, 25, 254) == find_frames(field, 25, 0)
