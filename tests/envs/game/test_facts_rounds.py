"""Measured facts of whole rounds: set-up, both kinds of end, draws, crowns, the end of a set."""

from __future__ import annotations

import numpy as np
import pytest

from envs.game.layout import (
    EMPTY,
    FIELD_BASES,
    RESERVE_BASE,
    Address,
    Button,
    Mode,
    NextAction,
    PlayerOffset,
    Speed,
    Tile,
)
from envs.game.outcome import Outcome, detect_outcome
from envs.game.setup import RoundSetup, fill_reserve, place_viruses, seed_to_word
from tests.game_drivers import Game

SEATS = (0, 1)
NEARLY_CLEAR = "/".join(["8"] * 15 + ["YYY5"])
SCAN_AFTER_LOCK = 18
"""Frames from a lock on the floor to the scan of the rows."""


def prepare_clear(game: Game, seat: int) -> None:
    """Let `seat` lock, in the coming frame, the capsule that clears its last viruses."""
    game.set_up_board(seat, NEARLY_CLEAR, viruses=3)
    game.place_capsule(seat, 3, 0, 0, (0, 1))
    game.write_player(seat, gravity_counter=0xF0)


def clear(game: Game, *seats: int) -> None:
    """Run to the frame in which `seats` clear their bottles."""
    for seat in seats:
        prepare_clear(game, seat)
    game.step()
    for _ in range(SCAN_AFTER_LOCK):
        assert all(game.player(seat).viruses == 3 for seat in seats)
        game.step()


def top_out(game: Game, *seats: int) -> None:
    """Run the frame in which `seats` top out."""
    for seat in seats:
        game.write(FIELD_BASES[seat] + 3, Tile.VIRUS)
        game.write_player(seat, next_action=NextAction.SEND_PILL)
    game.step()


def crowns(game: Game) -> tuple[int, int]:
    left, right = game.state().players
    return left.crowns, right.crowns


def give_crowns(game: Game, left: int, right: int) -> None:
    game.write_player(0, crowns=left)
    game.write_player(1, crowns=right)


def wait(game: Game, frames: int, pad: int = 0) -> None:
    for _ in range(frames):
        game.step(pad)


def outcome(game: Game, solo: bool = False) -> Outcome | None:
    return detect_outcome(None, game.state(), solo)


class TestSetup:
    @pytest.mark.parametrize(
        ("levels", "word"),
        [
            ((0, 0), 0x8988),
            ((5, 5), 0x2ACA),
            ((20, 20), 0x818C),
            ((5, 10), 0x2ACA),
            ((20, 0), 0x8988),
            ((3, 4), 0xBF98),
        ],
    )
    def test_frames_and_contents(self, game: Game, levels: tuple[int, int], word: int) -> None:
        setup = RoundSetup(levels=levels, speeds=(Speed.LOW, Speed.HI), rng_word=word)
        reserve, after_reserve = fill_reserve(word)
        fill = place_viruses(levels, after_reserve)
        game.machine.enter_setup(setup)
        modes = []
        while not game.state().both_can_act():
            game.step()
            modes.append(game.state().mode)
        # Two frames of play bring the capsule in; the third is the first that can move it.
        intro = [Mode.INTRO] * (fill.intro_frames + 128)
        assert modes == [*intro, Mode.PLAY, Mode.PLAY, Mode.PLAY]
        ram = game.machine.ram()
        assert ram[RESERVE_BASE:].tobytes() == reserve.tobytes()
        state = game.state()
        assert state.rng_word == fill.word
        assert state.frame_counter == len(modes) & 0xFF
        for seat, player in enumerate(state.players):
            assert player.cells == fill.fields[seat].tobytes()
            assert player.viruses == 4 * (levels[seat] + 1)
            assert player.colours == divmod(int(reserve[1]), 3)
            assert player.next_colours == divmod(int(reserve[2]), 3)
            assert (player.x, player.y, player.rotation, player.capsules) == (3, 15, 0, 2)
            assert player.speed == setup.speeds[seat]

    @pytest.mark.parametrize("levels", [(2, 2), (2, 6)])
    def test_viruses_appear_one_at_a_time_and_count_up(
        self, game: Game, levels: tuple[int, int]
    ) -> None:
        game.machine.enter_setup(RoundSetup(levels=levels))
        game.step()
        counts = [[0, 0]]
        while game.state().mode == Mode.INTRO:
            game.step()
            players = game.state().players
            counts.append([player.viruses for player in players])
            assert [128 - player.cells.count(EMPTY) for player in players] == counts[-1]
        steps = np.diff(np.array(counts), axis=0)
        assert set(steps.ravel().tolist()) <= {0, 1}

    def test_frame_offset_is_that_many_option_frames(self, game: Game) -> None:
        game.machine.enter_setup(RoundSetup(frame_offset=300))
        game.step()
        assert game.read(Address.FRAME_COUNTER) == 45
        assert game.machine.ram()[RESERVE_BASE:].tobytes() == fill_reserve(0xBF98)[0].tobytes()

    def test_words_that_differ_in_bit_0_are_one_setup(self, game: Game) -> None:
        word = seed_to_word(77)
        game.start(rng_word=word)
        state = game.state()
        game.start(rng_word=word | 1)
        assert game.state() == state

    def test_capsules_come_from_the_reserve_in_order(self, game: Game) -> None:
        reserve = game.machine.ram()[RESERVE_BASE:]
        game.write_player(0, reserve_index=127)
        seen = []
        for _ in range(4):
            game.write_player(0, next_action=NextAction.SEND_PILL)
            game.step()
            seen.append(game.player(0).next_colours)
        assert seen == [divmod(int(reserve[index]), 3) for index in (127, 0, 1, 2)]


class TestClear:
    @pytest.mark.parametrize("seat", SEATS)
    def test_the_crown_is_paid_in_the_scan_frame(self, game: Game, seat: int) -> None:
        clear(game, seat)
        player = game.player(seat)
        assert (player.viruses, player.crowns) == (0, 1)
        assert player.cells[120] == Tile.MATCHED
        assert game.player(1 - seat).crowns == 0
        assert game.state().mode == Mode.PLAY
        assert outcome(game) == Outcome("clear", seat)

    @pytest.mark.parametrize("seat", SEATS)
    def test_the_winner_is_told_64_frames_later(self, game: Game, seat: int) -> None:
        clear(game, seat)
        wait(game, 63)
        assert game.state().who_cleared == 0
        game.step()
        assert game.state().who_cleared == seat + 1
        assert outcome(game) == Outcome("clear", seat)

    def test_both_in_one_frame_is_a_draw_with_a_crown_each(self, game: Game) -> None:
        clear(game, 0, 1)
        assert crowns(game) == (1, 1)
        assert outcome(game) == Outcome("both_clear", None)
        wait(game, 70)
        assert game.state().who_cleared == 0
        assert outcome(game) == Outcome("both_clear", None)

    def test_start_is_accepted_after_96_frames_and_leads_to_setup(self, game: Game) -> None:
        clear(game, 0)
        wait(game, 96)
        game.step(Button.START)
        wait(game, 15)
        assert game.state().mode == Mode.PLAY
        game.step()
        assert game.state().mode == Mode.SETUP

    def test_an_early_start_is_lost(self, game: Game) -> None:
        clear(game, 1)
        wait(game, 95)
        game.step(Button.START)
        wait(game, 60)
        assert game.state().mode == Mode.PLAY
        assert not game.state().paused

    def test_the_next_round_keeps_crowns_and_goes_on_with_the_rng(self, game: Game) -> None:
        game.start(levels=(1, 2), speeds=(Speed.LOW, Speed.HI))
        word = game.state().rng_word
        game.write_player(1, speed_ups=7, capsules_low=0x55, capsules_high=1, reserve_index=9)
        clear(game, 0)
        game.press_start()
        while not game.state().both_can_act():
            game.step()
        reserve, after_reserve = fill_reserve(word)
        fill = place_viruses((1, 2), after_reserve)
        state = game.state()
        assert game.machine.ram()[RESERVE_BASE:].tobytes() == reserve.tobytes()
        assert [player.cells for player in state.players] == [f.tobytes() for f in fill.fields]
        assert crowns(game) == (1, 0)
        assert [player.level for player in state.players] == [1, 2]
        assert [player.speed for player in state.players] == [Speed.LOW, Speed.HI]
        for player in state.players:
            assert (player.speed_ups, player.capsules, player.reserve_index) == (0, 2, 3)
            assert player.topped_out == 0

    def test_attack_colours_and_charge_of_player_2_live_on_in_both_players(
        self, game: Game
    ) -> None:
        """A new round copies one block to both players and resets only part of it."""
        game.write_attack_colours(1, (2, 1, 2, 1))
        game.write_player(1, das_counter=9, garbage_out=3)
        clear(game, 1)
        game.press_start()
        while not game.state().both_can_act():
            game.step()
        for seat in SEATS:
            player = game.player(seat)
            # The line that cleared the bottle wrote the first colour.
            assert player.attack_colours == (0, 1, 2, 1)
            assert (player.das_counter, player.garbage_out) == (9, 0)


class TestTopOut:
    @pytest.mark.parametrize("loser", SEATS)
    def test_the_crown_goes_to_the_other_player(self, game: Game, loser: int) -> None:
        top_out(game, loser)
        assert game.state().mode == Mode.TOP_OUT
        assert game.player(loser).topped_out == 1
        assert outcome(game) == Outcome("top_out", 1 - loser)
        game.step()
        assert crowns(game) == ((0, 1) if loser == 0 else (1, 0))
        assert game.state().who_failed == loser + 1
        assert outcome(game) == Outcome("top_out", 1 - loser)

    def test_both_in_one_frame_is_a_draw_without_crowns(self, game: Game) -> None:
        top_out(game, 0, 1)
        assert outcome(game) == Outcome("both_top_out", None)
        wait(game, 2)
        assert crowns(game) == (0, 0)
        assert game.state().who_failed == 0
        assert outcome(game) == Outcome("both_top_out", None)

    def test_start_is_accepted_after_81_frames_and_leads_to_setup(self, game: Game) -> None:
        top_out(game, 0)
        wait(game, 1 + 64 + 16)
        assert game.state().mode == Mode.TOP_OUT
        game.step(Button.START)
        assert game.state().mode == Mode.SETUP

    def test_an_early_start_is_lost(self, game: Game) -> None:
        top_out(game, 0)
        wait(game, 1 + 64 + 15)
        wait(game, 40, Button.START)
        assert game.state().mode == Mode.TOP_OUT

    def test_a_clear_with_the_opponents_top_out_is_paid_twice(self, game: Game) -> None:
        """The second crown comes after START, when the fail flag is found."""
        prepare_clear(game, 0)
        game.step()
        wait(game, SCAN_AFTER_LOCK - 1)
        game.write(FIELD_BASES[1] + 3, Tile.VIRUS)
        game.write_player(1, next_action=NextAction.SEND_PILL)
        game.step()
        assert game.player(0).viruses == 0
        assert game.player(1).topped_out == 1
        assert game.state().mode == Mode.PLAY
        assert crowns(game) == (1, 0)
        assert outcome(game) == Outcome("clear", 0)
        game.press_start()
        assert game.state().mode == Mode.TOP_OUT
        game.step()
        assert crowns(game) == (2, 0)
        game.press_start()
        assert game.state().mode == Mode.SETUP


class TestEndOfSet:
    @pytest.mark.parametrize("seat", SEATS)
    def test_the_third_crown_by_clearing_ends_the_set_at_once(self, game: Game, seat: int) -> None:
        give_crowns(game, 2, 2)
        clear(game, seat)
        assert game.state().mode == Mode.END
        assert game.player(seat).crowns == 3
        assert outcome(game) == Outcome("clear", seat)
        wait(game, 128)
        game.step(Button.START)
        assert game.state().mode == Mode.OPTIONS

    @pytest.mark.parametrize("loser", SEATS)
    def test_the_third_crown_by_the_opponents_top_out(self, game: Game, loser: int) -> None:
        give_crowns(game, 2, 2)
        top_out(game, loser)
        wait(game, 1 + 64)
        assert game.state().mode == Mode.END
        assert crowns(game) == ((2, 3) if loser == 0 else (3, 2))
        assert outcome(game) == Outcome("top_out", 1 - loser)
        wait(game, 128)
        game.step(Button.START)
        assert game.state().mode == Mode.OPTIONS

    def test_start_is_lost_for_128_frames(self, game: Game) -> None:
        give_crowns(game, 2, 0)
        clear(game, 0)
        wait(game, 127)
        game.step(Button.START)
        wait(game, 20)
        assert game.state().mode == Mode.END

    def test_at_two_crowns_each_a_double_clear_is_player_1s(self, game: Game) -> None:
        """Player 1 is tested before player 2 acts."""
        give_crowns(game, 2, 2)
        clear(game, 0, 1)
        assert game.state().mode == Mode.END
        assert crowns(game) == (3, 2)
        assert game.player(1).viruses == 3
        assert outcome(game) == Outcome("clear", 0)

    def test_two_crowns_and_a_draw_by_top_out_go_on(self, game: Game) -> None:
        give_crowns(game, 2, 2)
        top_out(game, 0, 1)
        game.press_start()
        assert game.state().mode == Mode.SETUP
        assert crowns(game) == (2, 2)


class TestPause:
    def test_player_1s_start_stops_everything_but_the_frame_counter(self, game: Game) -> None:
        game.step(Button.START)
        assert game.state().paused
        before = game.state()
        wait(game, 30, Button.LEFT)
        after = game.state()
        assert after.players[0].x == before.players[0].x
        assert after.players[0].gravity_counter == before.players[0].gravity_counter
        assert after.frame_counter == (before.frame_counter + 30) & 0xFF
        game.step(Button.START)
        assert not game.state().paused
        game.step()
        assert game.player(0).gravity_counter == before.players[0].gravity_counter + 1

    def test_player_2_cannot_pause(self, game: Game) -> None:
        wait(game, 3)
        game.step(0, Button.START)
        assert not game.state().paused
        assert game.read_player(1, PlayerOffset.GRAVITY_COUNTER) == 4


class TestSolo:
    def test_player_2_is_inert_and_never_ends_the_round(self, game: Game) -> None:
        game.start(solo=True)
        before = game.player(1)
        game.write_player(0, garbage_out=4)
        for frame in range(60):
            game.step(Button.DOWN, Button.A if frame % 2 else Button.LEFT)
        after = game.player(1)
        assert after.cells == before.cells
        assert after.next_action == before.next_action
        assert (after.x, after.y, after.capsules) == (before.x, before.y, before.capsules)
        assert game.player(0).garbage_out == 4
        game.write_player(1, viruses=0)
        wait(game, 3)
        assert game.state().mode == Mode.PLAY
        assert outcome(game, solo=True) is None

    def test_player_1_ends_it_by_clearing_or_topping_out(self, game: Game) -> None:
        game.start(solo=True)
        clear(game, 0)
        assert outcome(game, solo=True) == Outcome("clear", 0)
        game.start(solo=True)
        top_out(game, 0)
        assert outcome(game, solo=True) == Outcome("top_out", 1)
        assert game.state().mode == Mode.TOP_OUT
