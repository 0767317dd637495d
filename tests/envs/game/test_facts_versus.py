"""Measured facts of garbage: when it is sent, where it falls, how long it takes, its colours."""

from __future__ import annotations

import pytest

from envs.game.layout import EMPTY, Address, NextAction, Tile
from tests.game_drivers import EMPTY_BOTTLE, Game
from tests.settle import Drop

SEATS = (0, 1)
YELLOW, RED, BLUE = 0, 1, 2


def rows(*lines: str) -> str:
    """A bottle whose lowest rows are `lines`, the rest empty."""
    return "/".join(["8"] * (16 - len(lines)) + list(lines))


def lock(game: Game, seat: int, bottle: bytes | str, drop: Drop) -> None:
    game.set_up_board(seat, bottle)
    game.place_capsule(seat, drop.x, drop.y, drop.rotation, drop.colours)
    game.lock_now(seat)


def queue(game: Game, sender: int, size: int, colours: tuple[int, ...] = (1, 2, 0, 1)) -> None:
    game.write_player(sender, garbage_out=size)
    game.write_attack_colours(sender, colours)


def release(game: Game, receiver: int, frame_counter: int) -> None:
    """Run `receiver` from a lock to the frame of its attack check, run with that `$43`."""
    game.run_until_action(receiver, NextAction.CHECK_ATTACK)
    game.next_frame_counter(frame_counter)
    game.step()
    assert game.read(Address.FRAME_COUNTER) == frame_counter


def top_row(game: Game, seat: int) -> dict[int, int]:
    cells = game.player(seat).cells[:8]
    return {column: tile & 15 for column, tile in enumerate(cells) if tile & 0xF0 == Tile.SINGLE}


def stack(heights: dict[int, int]) -> bytes:
    """A bottle with columns of viruses of given heights, no line in it."""
    cells = bytearray(EMPTY_BOTTLE)
    for column, height in heights.items():
        for y in range(height):
            cells[(15 - y) * 8 + column] = Tile.VIRUS | ((y // 2 + column) % 3)
    return bytes(cells)


class TestSending:
    @pytest.mark.parametrize("sender", SEATS)
    @pytest.mark.parametrize(
        ("bottle", "drop", "sent"),
        [
            (rows("YYY5"), Drop(3, 0, 0, (0, 1)), 0),
            (rows("RRR5", "YYY5"), Drop(3, 0, 1, (0, 1)), 2),
            (rows("RRR2BBB", "YYY2RRR"), Drop(3, 0, 1, (0, 1)), 2),
            (rows("RRR1RRR1", "YYY1YYY1"), Drop(3, 0, 1, (0, 1)), 2),
        ],
    )
    def test_two_lines_or_more_are_queued(
        self, game: Game, sender: int, bottle: str, drop: Drop, sent: int
    ) -> None:
        lock(game, sender, bottle, drop)
        game.run_until_action(sender, NextAction.CHECK_ATTACK)
        assert game.player(sender).garbage_out == 0
        game.step()
        assert game.player(sender).garbage_out == sent
        assert game.player(sender).combo == 0

    def test_lines_of_a_cascade_add_up(self, game: Game) -> None:
        # A row of yellow goes, then the red half falls and completes the row below.
        lock(game, 0, rows("YYY5", "3B1RRR"), Drop(3, 1, 0, (YELLOW, RED)))
        game.run_until_action(0, NextAction.CHECK_ATTACK)
        assert game.player(0).combo == 2
        assert game.player(0).attack_colours[:2] == (YELLOW, RED)

    def test_the_queue_adds_up(self, game: Game) -> None:
        queue(game, 0, 3)
        lock(game, 0, rows("RRR5", "YYY5"), Drop(3, 0, 1, (0, 1)))
        game.run_to_control(0)
        assert game.player(0).garbage_out == 5

    def test_colours_are_noted_row_by_row_from_the_top(self, game: Game) -> None:
        game.write_attack_colours(0, (9, 9, 9, 9))
        lock(game, 0, rows("RRR1RRRR", "YYY1YYYY"), Drop(3, 0, 1, (YELLOW, RED)))
        game.run_until_action(0, NextAction.CHECK_ATTACK)
        assert game.player(0).attack_colours == (RED, YELLOW, 9, 9)

    def test_columns_come_after_rows_left_to_right(self, game: Game) -> None:
        lock(game, 0, rows("3BR3", "3BR3", "3BR3", "BBB2RRR"), Drop(3, 0, 0, (BLUE, RED)))
        game.run_until_action(0, NextAction.CHECK_ATTACK)
        assert game.player(0).combo == 4
        assert game.player(0).attack_colours == (BLUE, RED, BLUE, RED)

    def test_lines_beyond_four_leave_no_colour(self, game: Game) -> None:
        bottle = rows("R7", "R7", "R7", "RRRRBBBB", "BBBBRRRR")
        lock(game, 0, bottle, Drop(3, 2, 0, (YELLOW, YELLOW)))
        game.run_until_action(0, NextAction.CHECK_ATTACK)
        assert game.player(0).combo == 5
        assert game.player(0).attack_colours == (RED, BLUE, BLUE, RED)

    def test_a_single_line_overwrites_the_first_colour_of_a_queued_attack(self, game: Game) -> None:
        queue(game, 0, 2, (RED, BLUE, 0, 0))
        lock(game, 0, rows("YYY5"), Drop(3, 0, 0, (0, 1)))
        game.run_to_control(0)
        assert game.player(0).garbage_out == 2
        assert game.player(0).attack_colours[:2] == (YELLOW, BLUE)

    def test_a_spawn_forgets_the_lines_of_the_capsule_before(self, game: Game) -> None:
        game.write_player(0, combo=3, next_action=NextAction.SEND_PILL)
        game.step()
        assert game.player(0).combo == 0


class TestColumns:
    @pytest.mark.parametrize("receiver", SEATS)
    @pytest.mark.parametrize("frame_counter", [0, 1, 2, 3, 84, 129, 174, 255])
    @pytest.mark.parametrize("size", [2, 3, 4, 5, 6])
    def test_where_a_volley_lands(
        self, game: Game, size: int, frame_counter: int, receiver: int
    ) -> None:
        queue(game, 1 - receiver, size, (RED, BLUE, YELLOW, BLUE))
        lock(game, receiver, EMPTY_BOTTLE, Drop(0, 0, 1, (0, 1)))
        release(game, receiver, frame_counter)
        if size <= 3:
            columns = [(frame_counter & 3) + step for step in ((0, 4) if size == 2 else (0, 2, 4))]
        else:
            columns = [(frame_counter & 1) + step for step in (0, 2, 4, 6)]
        colours = (RED, BLUE, YELLOW, BLUE)
        assert top_row(game, receiver) == dict(zip(columns, colours, strict=False))
        assert game.player(1 - receiver).garbage_out == 0
        assert game.player(receiver).next_action == NextAction.PLACED
        assert game.player(receiver).placed_step == 0

    @pytest.mark.parametrize("size", [0, 1])
    def test_small_queues_wait(self, game: Game, size: int) -> None:
        queue(game, 1, size)
        lock(game, 0, EMPTY_BOTTLE, Drop(0, 0, 0, (0, 1)))
        assert game.run_to_control(0) == 26
        assert game.player(1).garbage_out == size

    def test_garbage_overwrites_the_top_row(self, game: Game) -> None:
        queue(game, 1, 2, (RED, BLUE))
        lock(game, 0, stack({1: 16, 5: 3}), Drop(7, 0, 1, (0, 1)))
        assert game.player(0).cells[1] & 0xF0 == Tile.VIRUS
        release(game, 0, 1)
        assert game.player(0).cells[1] == Tile.SINGLE | RED

    def test_stacked_attacks_take_stale_colours_for_the_later_pieces(self, game: Game) -> None:
        queue(game, 0, 2, (RED, BLUE, YELLOW, BLUE))
        lock(game, 0, rows("RRR5", "YYY5"), Drop(3, 0, 1, (YELLOW, RED)))
        game.run_to_control(0)
        assert game.player(0).garbage_out == 4
        lock(game, 1, EMPTY_BOTTLE, Drop(0, 0, 1, (0, 1)))
        release(game, 1, 0)
        assert top_row(game, 1) == {0: RED, 2: YELLOW, 4: YELLOW, 6: BLUE}


class TestTime:
    @pytest.mark.parametrize("receiver", SEATS)
    @pytest.mark.parametrize("height", range(17))
    def test_release_to_control_is_264_minus_16_a_row(
        self, game: Game, height: int, receiver: int
    ) -> None:
        queue(game, 1 - receiver, 2, (RED, BLUE))
        heights = {2: height, 6: min(height + 3, 16)} if receiver else {2: 16, 6: height}
        lock(game, receiver, stack(heights), Drop(0, 0, 1, (0, 1)))
        release(game, receiver, 2)
        assert game.run_to_control(receiver) == (24 if height == 16 else 264 - 16 * height)

    def test_without_garbage_the_same_check_takes_4_frames(self, game: Game) -> None:
        lock(game, 0, EMPTY_BOTTLE, Drop(0, 0, 1, (0, 1)))
        release(game, 0, 2)
        assert game.run_to_control(0) == 4

    def test_a_second_volley_can_land_before_the_spawn(self, game: Game) -> None:
        queue(game, 1, 2, (RED, BLUE))
        lock(game, 0, stack({2: 15, 6: 15}), Drop(0, 0, 1, (0, 1)))
        release(game, 0, 2)
        queue(game, 1, 2, (BLUE, RED))
        release(game, 0, 1)
        assert top_row(game, 0) == {1: BLUE, 2: RED, 5: RED, 6: BLUE}
        assert game.run_to_control(0) == 264

    def test_garbage_lines_count_towards_an_attack(self, game: Game) -> None:
        queue(game, 1, 2, (YELLOW, RED))
        lock(game, 0, rows("2Y3R1", "2Y3R1", "2Y3R1"), Drop(0, 0, 1, (0, 1)))
        release(game, 0, 2)
        game.run_to_control(0)
        assert game.player(0).garbage_out == 2
        assert game.player(0).viruses == 34

    def test_garbage_that_cannot_fall_takes_part_in_lines(self, game: Game) -> None:
        cells = bytearray(stack({1: 16, 5: 3}))
        for row, tile in ((1, RED), (2, RED), (3, RED), (4, BLUE)):
            cells[row * 8 + 1] = Tile.VIRUS | tile
        cells[1] = Tile.VIRUS | BLUE
        queue(game, 1, 2, (RED, BLUE))
        lock(game, 0, bytes(cells), Drop(7, 0, 1, (0, 1)))
        release(game, 0, 1)
        game.run_to_control(0)
        assert game.player(0).viruses == 37
        assert game.player(0).cells[1] == EMPTY

    def test_both_players_can_send_in_one_frame_and_player_2_receives_at_once(
        self, game: Game
    ) -> None:
        """Player 1 acts first, so player 2's check of the same frame finds the new queue."""
        bottle = rows("RRR5", "YYY5")
        for seat in SEATS:
            game.set_up_board(seat, bottle)
            game.place_capsule(seat, 3, 0, 1, (YELLOW, RED))
            game.write_player(seat, gravity_counter=0xF0)
        game.step()
        game.run_until_action(0, NextAction.CHECK_ATTACK)
        assert game.player(1).next_action == NextAction.CHECK_ATTACK
        game.step()
        assert [game.player(seat).garbage_out for seat in SEATS] == [0, 2]
        assert [game.player(seat).next_action for seat in SEATS] == [
            NextAction.STEP,
            NextAction.PLACED,
        ]
