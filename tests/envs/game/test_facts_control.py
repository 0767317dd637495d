"""Measured facts of the falling capsule: gravity, soft drop, auto-repeat, rotation, lock."""

from __future__ import annotations

import pytest

from envs.game.layout import (
    EMPTY,
    FIELD_BASES,
    Address,
    Button,
    Colour,
    NextAction,
    PlayerOffset,
    Tile,
)
from tests.game_drivers import EMPTY_BOTTLE, NONE, Game

A, B, LEFT, RIGHT, DOWN, UP = (
    int(button)
    for button in (Button.A, Button.B, Button.LEFT, Button.RIGHT, Button.DOWN, Button.UP)
)
SEATS = (0, 1)

# Frames a row by gravity index, as measured on the original by others; not read from layout.py.
FRAMES_PER_ROW = (
    [70, 68, 66, 64, 62, 60, 58, 56, 54, 52, 50, 48, 46, 44, 42, 40, 38, 36, 34, 32, 30, 28, 26]
    + [24, 22, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 10, 9, 9, 8, 8, 7, 7]
    + [6] * 12
    + [5] * 5
    + [4] * 5
    + [3] * 5
    + [2] * 10
    + [1]
)
SPEED_BASES = (15, 25, 31)


def put_tile(game: Game, seat: int, column: int, y: int, tile: int = Tile.VIRUS) -> None:
    """Write one tile at a height counted from the bottom, as capsules are."""
    game.write(FIELD_BASES[seat] + (15 - y) * 8 + column, tile)


def set_gravity_index(game: Game, seat: int, index: int) -> None:
    """Indices below LOW's 15 exist in the table only; the console's 8-bit sum reaches them too."""
    speed = 2 if index >= SPEED_BASES[2] else 0
    game.write_player(seat, speed=speed, speed_ups=(index - SPEED_BASES[speed]) & 0xFF)


def pose(game: Game, seat: int) -> tuple[int, int, int]:
    player = game.player(seat)
    return player.x, player.y, player.rotation


class TestGravity:
    @pytest.mark.parametrize("index", range(81))
    def test_frames_per_row(self, game: Game, index: int) -> None:
        indices = (index, 80 - index)
        for seat in SEATS:
            set_gravity_index(game, seat, indices[seat])
            game.place_capsule(seat, 3, 15)
        drops: list[list[int]] = [[], []]
        for frame in range(1, 141):
            before = [game.player(seat).y for seat in SEATS]
            game.step()
            for seat in SEATS:
                if game.player(seat).y < before[seat] and len(drops[seat]) < 2:
                    drops[seat].append(frame)
            if all(len(frames) == 2 for frames in drops):
                break
        for seat in SEATS:
            interval = FRAMES_PER_ROW[indices[seat]]
            assert drops[seat] == [interval, 2 * interval]

    @pytest.mark.parametrize(("speed", "frames"), [(0, 640), (1, 320), (2, 224)])
    def test_free_fall_from_spawn_to_lock(self, game: Game, speed: int, frames: int) -> None:
        game.place_capsule(0, 3, 15)
        game.write_player(0, speed=speed)
        assert game.run_until_action(0, NextAction.PLACED) == frames

    def test_there_is_no_lock_delay(self, game: Game) -> None:
        game.place_capsule(0, 3, 0)
        assert game.run_until_action(0, NextAction.PLACED) == FRAMES_PER_ROW[15]

    def test_rotating_does_not_reset_gravity(self, game: Game) -> None:
        game.place_capsule(0, 3, 0)
        for frame in range(1, FRAMES_PER_ROW[15]):
            game.step(A if frame % 2 else NONE)
            assert game.player(0).can_act
        game.step()
        assert game.player(0).next_action == NextAction.PLACED


class TestSpeedUps:
    def test_speed_rises_when_capsules_9_19_and_29_spawn(self, game: Game) -> None:
        rises: list[int] = []
        for capsule in range(1, 31):
            player = game.player(0)
            assert player.capsules == capsule + 1
            if player.speed_ups > len(rises):
                rises.append(capsule)
            game.write_bottle(0, EMPTY_BOTTLE)
            game.write_player(0, x=0, y=0)
            game.lock_now(0)
            game.run_until_action(0, NextAction.FALLING)
        assert rises == [9, 19, 29]

    @pytest.mark.parametrize(
        ("speed_ups", "locked", "expected"), [(48, 0, 49), (49, 0, 49), (3, 1, 3), (3, 0, 4)]
    )
    def test_speed_ups_stop_at_49_and_can_be_switched_off(
        self, game: Game, speed_ups: int, locked: int, expected: int
    ) -> None:
        game.write(Address.NO_SPEED_UPS, locked)
        game.write_player(
            0, speed_ups=speed_ups, capsules_low=0x99, next_action=NextAction.SEND_PILL
        )
        game.step()
        assert game.player(0).speed_ups == expected
        assert game.player(0).capsules == 100
        game.write(Address.NO_SPEED_UPS, 0)


class TestSoftDrop:
    @pytest.mark.parametrize("seat", SEATS)
    @pytest.mark.parametrize("first_counter", [0, 1])
    def test_one_row_on_every_odd_frame_counter(
        self, game: Game, seat: int, first_counter: int
    ) -> None:
        game.place_capsule(seat, 3, 15)
        game.next_frame_counter(first_counter)
        for _ in range(20):
            before = game.player(seat).y
            game.step_seat(seat, DOWN)
            is_odd = game.read(Address.FRAME_COUNTER) % 2
            assert before - game.player(seat).y == is_odd
            assert game.player(seat).gravity_counter == (0 if is_odd else 1)

    @pytest.mark.parametrize("first_counter", [0, 1])
    def test_a_soft_drop_to_the_floor_takes_32_frames(self, game: Game, first_counter: int) -> None:
        game.place_capsule(0, 3, 15)
        game.next_frame_counter(first_counter)
        frames = game.run_until_action(0, NextAction.PLACED, pad=DOWN)
        assert frames == 32 - first_counter

    @pytest.mark.parametrize("second", [LEFT, RIGHT, UP])
    def test_a_second_direction_refuses_it(self, game: Game, second: int) -> None:
        game.place_capsule(0, 3, 15)
        for _ in range(20):
            game.step(DOWN | second)
        assert game.player(0).y == 15
        assert game.player(0).gravity_counter == 20

    @pytest.mark.parametrize("button", [A, B])
    def test_other_buttons_do_not(self, game: Game, button: int) -> None:
        game.place_capsule(0, 3, 15)
        for _ in range(10):
            game.step(DOWN | button)
        assert game.player(0).y == 10


class TestAutoRepeat:
    def moves(self, game: Game, seat: int, pad: int, frames: int) -> list[int]:
        """Frames on which the capsule changed its column while `pad` was held."""
        moved = []
        for frame in range(frames):
            before = game.player(seat).x
            game.step_seat(seat, pad)
            if game.player(seat).x != before:
                moved.append(frame)
        return moved

    @pytest.mark.parametrize("seat", SEATS)
    @pytest.mark.parametrize(("pad", "start"), [(RIGHT, 0), (LEFT, 6)])
    def test_repeats_after_0_16_6_6_frames(
        self, game: Game, seat: int, pad: int, start: int
    ) -> None:
        game.place_capsule(seat, start, 15)
        # Free fall would lower the capsule, which changes nothing sideways in an empty bottle.
        assert self.moves(game, seat, pad, 44) == [0, 16, 22, 28, 34, 40]

    @pytest.mark.parametrize(
        ("pad", "x", "rotation", "limit"),
        [(RIGHT, 5, 0, 6), (RIGHT, 6, 1, 7), (LEFT, 1, 0, 0), (LEFT, 1, 1, 0)],
    )
    def test_walls_stop_the_capsule_and_leave_the_counter_alone(
        self, game: Game, pad: int, x: int, rotation: int, limit: int
    ) -> None:
        game.place_capsule(0, x, 10, rotation)
        counters = []
        for _ in range(30):
            game.step(pad)
            counters.append(game.player(0).das_counter)
        assert game.player(0).x == limit
        assert counters == [*range(16), *range(10, 16), *range(10, 16), 10, 11]

    def test_a_tile_keeps_the_counter_at_15_and_the_move_is_retried_every_frame(
        self, game: Game
    ) -> None:
        game.place_capsule(0, 3, 10)
        put_tile(game, 0, 5, 10)
        game.step(RIGHT)
        assert game.player(0).das_counter == 15
        for _ in range(5):
            game.step(RIGHT)
            assert (game.player(0).x, game.player(0).das_counter) == (3, 15)
        put_tile(game, 0, 5, 10, EMPTY)
        game.step(RIGHT)
        assert (game.player(0).x, game.player(0).das_counter) == (4, 10)

    @pytest.mark.parametrize("pad", [LEFT, RIGHT])
    def test_the_charge_carries_over_to_the_next_capsule(self, game: Game, pad: int) -> None:
        game.place_capsule(0, 3, 1)
        for _ in range(8):
            game.step(pad)
        charge = game.player(0).das_counter
        game.place_capsule(0, 0, 0, rotation=1)
        game.write_player(0, gravity_counter=0xF0)
        game.step()
        assert game.player(0).next_action == NextAction.PLACED
        assert game.player(0).das_counter == charge == 7
        # The new press falls outside of control: its edge is lost, but holding charges on.
        game.run_until_action(0, NextAction.FALLING, pad=pad)
        assert game.player(0).das_counter == charge
        assert self.moves(game, 0, pad, 17) == [8, 14]

    def test_a_fresh_press_in_the_lock_frame_meets_the_locked_capsule(self, game: Game) -> None:
        game.place_capsule(0, 3, 0)
        game.write_player(0, gravity_counter=0xF0, das_counter=4)
        game.step(RIGHT)
        assert game.player(0).next_action == NextAction.PLACED
        assert game.player(0).das_counter == 15
        assert game.player(0).cells[123] == Tile.LEFT | Colour.YELLOW

    def test_left_and_right_together_both_act(self, game: Game) -> None:
        game.place_capsule(0, 3, 10)
        put_tile(game, 0, 2, 10)
        game.step(LEFT | RIGHT)
        assert (game.player(0).x, game.player(0).das_counter) == (3, 0)
        put_tile(game, 0, 5, 10)
        game.place_capsule(0, 3, 10)
        game.step()
        game.step(LEFT | RIGHT)
        assert (game.player(0).x, game.player(0).das_counter) == (3, 15)


# (name, start pose, tiles as (column, height), held before, pad, pose after)
TURNS = [
    ("A turns clockwise", (3, 8, 0), [], 0, A, (3, 8, 3)),
    ("A again", (3, 8, 3), [], 0, A, (3, 8, 2)),
    ("A a third time", (3, 8, 2), [], 0, A, (3, 8, 1)),
    ("A a fourth time", (3, 8, 1), [], 0, A, (3, 8, 0)),
    ("B turns the other way", (3, 8, 0), [], 0, B, (3, 8, 1)),
    ("B from upright", (3, 8, 3), [], 0, B, (3, 8, 0)),
    ("upright needs the cell above the pivot", (3, 8, 0), [(3, 9)], 0, A, (3, 8, 0)),
    ("the cell above the right half does not matter", (3, 8, 0), [(4, 9)], 0, A, (3, 8, 3)),
    ("above the top row is empty", (3, 15, 0), [], 0, B, (3, 15, 1)),
    ("a tile on the right kicks to the left", (3, 8, 1), [(4, 8)], 0, A, (2, 8, 0)),
    ("the right wall kicks to the left", (7, 8, 1), [], 0, B, (6, 8, 2)),
    ("no kick into a tile", (3, 8, 1), [(4, 8), (2, 8)], 0, A, (3, 8, 1)),
    ("no kick through the left wall", (0, 8, 1), [(1, 8)], 0, A, (0, 8, 1)),
    ("no second kick", (3, 8, 3), [(4, 8), (2, 8)], 0, B, (3, 8, 3)),
    ("double left while LEFT is held", (3, 8, 1), [], LEFT, LEFT | A, (2, 8, 0)),
    ("double left with a fresh LEFT", (3, 8, 1), [], 0, LEFT | A, (1, 8, 0)),
    ("double left needs the cell", (3, 8, 1), [(2, 8)], LEFT, LEFT | A, (3, 8, 0)),
    ("double left stops at the wall", (0, 8, 1), [], LEFT, LEFT | A, (0, 8, 0)),
    ("no double left after a kick", (3, 8, 1), [(4, 8)], LEFT, LEFT | A, (2, 8, 0)),
    ("no double left into upright", (3, 8, 0), [], LEFT, LEFT | A, (3, 8, 3)),
    ("no double right", (3, 8, 1), [], RIGHT, RIGHT | A, (3, 8, 0)),
    ("A and B cancel from level", (3, 8, 0), [], 0, A | B, (3, 8, 0)),
    ("A and B cancel from upright", (3, 8, 1), [], 0, A | B, (3, 8, 1)),
    ("A refused, B refused", (3, 8, 0), [(3, 9)], 0, A | B, (3, 8, 0)),
    ("A kicks, B stands up there", (3, 8, 1), [(4, 8)], 0, A | B, (2, 8, 1)),
    ("A kicks, B fails: pose from before both", (3, 8, 1), [(4, 8), (2, 9)], 0, A | B, (3, 8, 1)),
    ("A and B with LEFT held: double left", (3, 8, 0), [], LEFT, LEFT | A | B, (2, 8, 0)),
]


class TestRotation:
    @pytest.mark.parametrize("seat", SEATS)
    @pytest.mark.parametrize(
        ("start", "tiles", "held", "pad", "expected"),
        [case[1:] for case in TURNS],
        ids=[case[0].replace(" ", "_") for case in TURNS],
    )
    def test_turn(
        self,
        game: Game,
        seat: int,
        start: tuple[int, int, int],
        tiles: list[tuple[int, int]],
        held: int,
        pad: int,
        expected: tuple[int, int, int],
    ) -> None:
        game.step_seat(seat, held)
        for column, y in tiles:
            put_tile(game, seat, column, y)
        game.place_capsule(seat, *start)
        game.write_player(seat, das_counter=0)
        game.step_seat(seat, pad)
        assert pose(game, seat) == expected

    def test_turns_need_a_fresh_press(self, game: Game) -> None:
        game.place_capsule(0, 3, 8)
        for _ in range(5):
            game.step(A)
        assert pose(game, 0) == (3, 8, 3)

    @pytest.mark.parametrize(
        ("rotation", "expected"),
        [
            (0, {123: Tile.LEFT | 0, 124: Tile.RIGHT | 1}),
            (1, {123: Tile.BOTTOM | 0, 115: Tile.TOP | 1}),
            (2, {124: Tile.RIGHT | 0, 123: Tile.LEFT | 1}),
            (3, {115: Tile.TOP | 0, 123: Tile.BOTTOM | 1}),
        ],
    )
    def test_where_the_colours_lie(
        self, game: Game, rotation: int, expected: dict[int, int]
    ) -> None:
        game.place_capsule(0, 3, 0, rotation)
        game.lock_now(0)
        cells = game.player(0).cells
        assert {cell: tile for cell, tile in enumerate(cells) if tile != EMPTY} == expected


class TestLock:
    def test_the_input_of_the_lock_frame_cannot_save_the_capsule(self, game: Game) -> None:
        game.place_capsule(0, 3, 5)
        put_tile(game, 0, 3, 4)
        game.write_player(0, gravity_counter=0xF0)
        game.step(RIGHT)
        player = game.player(0)
        assert player.next_action == NextAction.PLACED
        assert player.cells[(15 - 5) * 8 + 3] == Tile.LEFT | Colour.YELLOW

    @pytest.mark.parametrize("rotation", [1, 3])
    def test_an_upright_lock_in_the_top_row_loses_its_upper_half(
        self, game: Game, rotation: int
    ) -> None:
        game.place_capsule(0, 0, 15, rotation, colours=(1, 2))
        put_tile(game, 0, 0, 14)
        game.lock_now(0)
        lower = 1 if rotation == 1 else 2
        assert game.player(0).cells[0] == Tile.BOTTOM | lower
        assert game.player(0).cells.count(EMPTY) == 126
        assert game.run_to_control(0) == 14
        assert game.player(0).cells[0] == Tile.SINGLE | lower
        assert game.player(0).topped_out == 0

    def test_spawn_on_a_tile_stamps_the_capsule_and_tops_out(self, game: Game) -> None:
        put_tile(game, 1, 4, 15)
        game.write_player(1, next_action=NextAction.SEND_PILL, next_first=2, next_second=1)
        game.step()
        player = game.player(1)
        assert player.topped_out == 1
        assert player.cells[3:5] == bytes([Tile.LEFT | 2, Tile.RIGHT | 1])
        assert game.read_player(0, PlayerOffset.TOPPED_OUT) == 0
