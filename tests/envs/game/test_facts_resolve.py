"""Measured facts of what follows a lock: times, lines, cascades, virus counts."""

from __future__ import annotations

import pytest

from envs.game.layout import EMPTY, Address, NextAction, PlayerOffset, Tile
from envs.game.position import format_bottle
from tests.cascades import format_cascade, read_cascades, write_cascades
from tests.game_drivers import Game
from tests.settle import Drop, Settled, settle, stamp

SEATS = (0, 1)
NO_CLEAR_FRAMES = 10
FRAMES_PER_CLEAR = 20
FRAMES_PER_FALL = 16
NUM_CASCADES = 26


def rows(*lines: str) -> str:
    """A bottle whose lowest rows are `lines`, the rest empty."""
    return "/".join(["8"] * (16 - len(lines)) + list(lines))


def expected_frames(row: int, settled: Settled) -> int:
    """Frames from the lock of a capsule whose lower cell is in `row` to the next control."""
    before, *after_clears = settled.passes
    falls = before + sum(after_clears)
    return (
        max(4, row + 1)
        + NO_CLEAR_FRAMES
        + FRAMES_PER_CLEAR * len(after_clears)
        + FRAMES_PER_FALL * falls
    )


def lock(game: Game, seat: int, bottle: bytes | str, drop: Drop, viruses: int = 40) -> None:
    game.set_up_board(seat, bottle, viruses)
    game.place_capsule(seat, drop.x, drop.y, drop.rotation, drop.colours)
    game.lock_now(seat)


class TestLockToControl:
    @pytest.mark.parametrize("seat", SEATS)
    @pytest.mark.parametrize("upright", [False, True])
    @pytest.mark.parametrize("row", range(16))
    def test_without_a_line(self, game: Game, seat: int, row: int, upright: bool) -> None:
        bottle = bytearray([EMPTY]) * 128
        if row < 15:
            bottle[(row + 1) * 8 : (row + 1) * 8 + 2] = bytes([Tile.VIRUS | 0, Tile.VIRUS | 1])
        lock(game, seat, bytes(bottle), Drop(0, 15 - row, int(upright), (1, 2)))
        assert game.run_to_control(seat) == max(4, row + 1) + 10

    @pytest.mark.parametrize(
        ("bottle", "drop", "frames"),
        [
            (rows("8"), Drop(3, 0, 0, (0, 1)), 26),
            (rows("YYY5"), Drop(3, 0, 0, (0, 1)), 46),
            (rows("r7", "Y7", "Y7", "Y7"), Drop(1, 0, 1, (0, 1)), 26),
            (rows("8", "8", "Y7", "Y7"), Drop(0, 2, 1, (0, 0)), 44),
            # Four upright at rows 12-15 under one single.
            (rows("r7", "8", "8", "Y7", "Y7"), Drop(0, 2, 1, (0, 0)), 108),
        ],
    )
    def test_stated_examples(self, game: Game, bottle: str, drop: Drop, frames: int) -> None:
        lock(game, 0, bottle, drop)
        assert game.run_to_control(0) == frames

    @pytest.mark.parametrize("case", range(NUM_CASCADES))
    def test_cascades(self, game: Game, case: int) -> None:
        seat = case % 2
        cascade = read_cascades()[case]
        settled = cascade.settled
        lock(game, seat, cascade.cells, cascade.drop)
        assert game.player(seat).cells == stamp(cascade.cells, cascade.drop)
        frames = expected_frames(15 - cascade.drop.y, settled)
        assert game.run_to_control(seat) == frames, format_cascade(cascade)
        assert format_bottle(game.player(seat).cells) == format_bottle(settled.cells)
        assert game.player(seat).garbage_out == (settled.lines if settled.lines >= 2 else 0)


def test_the_cascade_file_holds_what_the_plain_model_says(update_golden: bool) -> None:
    if update_golden:
        write_cascades(NUM_CASCADES)
    cascades = read_cascades()
    assert len(cascades) == NUM_CASCADES
    for cascade in cascades:
        assert settle(stamp(cascade.cells, cascade.drop)) == cascade.settled
    clearing_rounds = [len(cascade.settled.passes) - 1 for cascade in cascades]
    assert min(clearing_rounds) == 1
    assert sum(rounds >= 2 for rounds in clearing_rounds) >= 16


class TestLines:
    @pytest.mark.parametrize(
        ("bottle", "drop", "lines"),
        [
            pytest.param(rows("YYY5"), Drop(3, 0, 0, (0, 1)), 1, id="four"),
            pytest.param(rows("YYY1YYY1"), Drop(3, 0, 1, (0, 1)), 1, id="seven_are_one_line"),
            pytest.param(rows("3y4", "3y4", "YYY5"), Drop(3, 0, 0, (0, 1)), 1, id="three_above"),
            pytest.param(
                rows("r7", "Y7", "Y7", "1YYY4"), Drop(0, 0, 0, (0, 1)), 0, id="nothing_above_a_gap"
            ),
            pytest.param(rows("RRR5", "YYY5"), Drop(3, 0, 1, (0, 1)), 2, id="two_rows"),
            pytest.param(
                rows("4Y3", "4Y3", "4Y3", "YYY5"),
                Drop(3, 0, 0, (0, 0)),
                2,
                id="a_corner_counts_twice",
            ),
        ],
    )
    def test_number_of_lines(self, game: Game, bottle: str, drop: Drop, lines: int) -> None:
        if lines == 0:
            drop = Drop(4, 0, 0, (1, 2))
        lock(game, 0, bottle, drop)
        game.run_until_action(0, NextAction.CHECK_ATTACK)
        assert game.player(0).combo == lines

    def test_nothing_is_checked_before_everything_rests(self, game: Game) -> None:
        # The floating single completes the row only after five passes.
        lock(game, 0, rows("y7", "8", "8", "8", "8", "1YYY4"), Drop(5, 0, 1, (1, 2)))
        frames = game.run_to_control(0)
        assert frames == 26 + 5 * 16 + 20
        assert game.player(0).combo == 0
        assert game.player(0).viruses == 37

    def test_halves_that_lose_their_partner_become_singles(self, game: Game) -> None:
        lock(game, 0, rows("YYY5"), Drop(3, 0, 0, (0, 1)))
        game.run_to_control(0)
        assert game.player(0).cells[124] == Tile.SINGLE | 1

    def test_cleared_cells_show_for_16_frames(self, game: Game) -> None:
        lock(game, 0, rows("YYY5"), Drop(3, 0, 0, (0, 1)))
        tiles = []
        for _ in range(46):
            tiles.append(game.player(0).cells[120])
            game.step()
        assert tiles.count(Tile.MATCHED) == 2
        assert tiles.count(Tile.CLEARED) == 16
        assert tiles[-1] == EMPTY

    def test_the_fall_flag_keeps_pieces_in_the_air(self, game: Game) -> None:
        game.write(Address.NO_FALL, 1)
        lock(game, 0, rows("r7", "YYY5"), Drop(3, 0, 0, (0, 1)))
        assert game.run_to_control(0) == 46
        assert game.player(0).cells[112] == Tile.SINGLE | 1
        game.write(Address.NO_FALL, 0)

    @pytest.mark.parametrize(("before", "after"), [(40, 37), (12, 9), (11, 8), (10, 7), (4, 1)])
    def test_viruses_count_down_in_decimal(self, game: Game, before: int, after: int) -> None:
        lock(game, 0, rows("YYY5"), Drop(3, 0, 0, (0, 1)), viruses=before)
        game.run_to_control(0)
        assert game.player(0).viruses == after

    def test_a_level_capsule_needs_both_cells_below(self, game: Game) -> None:
        bottle = rows("<r>b6", "y7", "Y7", "Y7", "Y7")
        cells = settle(bytes(game.player(0).cells)).cells
        assert cells.count(EMPTY) == 128
        game.set_up_board(0, bottle)
        game.place_capsule(0, 5, 0, 0, (1, 2))
        game.lock_now(0)
        # Four yellow go, and the level capsule falls as one piece.
        assert game.run_to_control(0) == 26 + 20 + 4 * 16
        assert game.player(0).cells[120:122] == bytes([Tile.LEFT | 1, Tile.RIGHT | 2])

    def test_a_level_capsule_hangs_on_one_support(self, game: Game) -> None:
        game.set_up_board(0, rows("<r>b6", "y1R5", "Y1B5", "YB6", "YR6"))
        game.place_capsule(0, 5, 0, 0, (1, 2))
        game.lock_now(0)
        game.run_to_control(0)
        cells = game.player(0).cells
        assert cells[13 * 8 : 13 * 8 + 2] == bytes([Tile.LEFT | 1, Tile.RIGHT | 2])


class TestStatus:
    def test_the_lock_row_counts_down_a_frame_each(self, game: Game) -> None:
        lock(game, 0, rows("8"), Drop(3, 0, 0, (0, 1)))
        seen = []
        for _ in range(17):
            seen.append(game.read_player(0, PlayerOffset.STATUS))
            game.step()
        # The first fall pass runs as soon as the row counter has passed the top row.
        assert seen == [*range(15, -1, -1), 15]

    def test_steps_run_one_a_frame(self, game: Game) -> None:
        lock(game, 0, rows("8"), Drop(3, 0, 0, (0, 1)))
        steps = []
        for _ in range(26):
            steps.append((game.player(0).next_action, game.player(0).placed_step))
            game.step()
        placed = [(1, 0), (1, 1), (1, 2), *[(1, 3)] * 13, (1, 4), (1, 5), (1, 6), (1, 7), (1, 8)]
        assert steps == [*placed, (2, 0), (5, 0), (6, 0), (3, 0), (0, 0)]

    def test_after_a_line_they_begin_again_at_1(self, game: Game) -> None:
        lock(game, 0, rows("YYY5"), Drop(3, 0, 0, (0, 1)))
        game.run_until_action(0, NextAction.PLACED)
        steps = []
        while game.player(0).next_action == NextAction.PLACED:
            steps.append(game.player(0).placed_step)
            game.step()
        first_round = [1, 2, *[3] * 13, 4, 5, 6, 7]
        assert steps == [*first_round, 1, 2, *[3] * 14, 4, 5, 6, 7, 8]
