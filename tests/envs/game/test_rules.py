"""Whole random rounds: what holds in every frame; and the reference game's own promises."""

from __future__ import annotations

import numpy as np
import pytest

from envs.game.layout import (
    EMPTY,
    RAM_SIZE,
    Address,
    Mode,
    NextAction,
    Tile,
)
from envs.game.outcome import END_REASONS, detect_outcome
from envs.game.rules import ReferenceGame
from envs.game.setup import RoundSetup
from envs.game.state import GameState, PlayerState
from tests.game_drivers import Machine
from tests.random_rounds import make_setup, random_pads

ROUND_FRAMES = 3000
FOLLOWING_ACTIONS = {
    NextAction.FALLING: {NextAction.FALLING, NextAction.PLACED},
    NextAction.PLACED: {NextAction.PLACED, NextAction.CHECK_ATTACK},
    NextAction.CHECK_ATTACK: {NextAction.PLACED, NextAction.STEP},
    NextAction.STEP: {NextAction.SEND_PILL},
    NextAction.SEND_PILL: {NextAction.PILL_SENT},
    NextAction.PILL_SENT: {NextAction.FALLING},
}


def count_viruses(player: PlayerState) -> int:
    return int(np.count_nonzero(player.bottle & 0xF0 == Tile.VIRUS))


def check_player(before: PlayerState, after: PlayerState) -> None:
    """What must hold from one frame of a running round to the next."""
    assert NextAction(after.next_action) in FOLLOWING_ACTIONS[NextAction(before.next_action)]
    assert after.viruses == count_viruses(after)
    assert after.viruses <= before.viruses
    viruses_move = (after.bottle & 0xF0 == Tile.VIRUS) & (before.bottle != after.bottle)
    assert not viruses_move.any()
    if before.can_act:
        # Gravity may take a row, a shift and a double left two columns.
        assert before.y - after.y in (0, 1)
        assert abs(before.x - after.x) <= 2
    assert after.capsules - before.capsules in (0, 1)
    assert after.speed_ups - before.speed_ups in (0, 1)
    rests = after.next_action not in (NextAction.PLACED, NextAction.CHECK_ATTACK)
    if rests and not after.topped_out:
        assert set(after.cells) <= set(range(0x40, 0x90)) | set(range(0xD0, 0xD3)) | {EMPTY}
        check_partners(after)


def check_partners(player: PlayerState) -> None:
    """Every half of a capsule lies beside its other half."""
    kinds = np.pad(player.bottle & 0xF0, 1)
    for kind, partner, shift in (
        (Tile.TOP, Tile.BOTTOM, (-1, 0)),
        (Tile.BOTTOM, Tile.TOP, (1, 0)),
        (Tile.LEFT, Tile.RIGHT, (0, -1)),
        (Tile.RIGHT, Tile.LEFT, (0, 1)),
    ):
        assert (np.roll(kinds, shift, (0, 1))[kinds == kind] == partner).all()


@pytest.mark.parametrize("seed", range(8))
def test_invariants_hold_in_every_frame_of_a_round(machine: Machine, seed: int) -> None:
    machine.start(make_setup(seed))
    before = GameState.from_ram(machine.ram(), check=True)
    for pads, _ in zip(random_pads(seed), range(ROUND_FRAMES), strict=False):
        machine.step(pads)
        after = GameState.from_ram(machine.ram())
        outcome = detect_outcome(before, after, solo=False)
        if outcome is not None:
            assert outcome.reason in END_REASONS
            return
        GameState.from_ram(machine.ram(), check=True)
        assert after.mode == Mode.PLAY
        assert after.frame_counter == (before.frame_counter + 1) & 0xFF
        assert after.rng_word == before.rng_word
        for seat in (0, 1):
            assert after.players[seat].held == pads[seat]
            check_player(before.players[seat], after.players[seat])
        before = after


def test_a_game_continues_from_any_ram_image() -> None:
    pads = random_pads(5)
    game = ReferenceGame.from_setup(make_setup(5))
    for _ in range(150):
        game.step(next(pads))
    copy = ReferenceGame(game.ram())
    for _ in range(150):
        both = next(pads)
        game.step(both)
        copy.step(both)
        np.testing.assert_array_equal(game.ram(), copy.ram())


def test_the_ram_image_given_out_is_a_copy() -> None:
    game = ReferenceGame.from_setup(RoundSetup())
    game.ram()[:] = 0
    assert game.state().mode == Mode.PLAY


def test_menus_are_refused() -> None:
    game = ReferenceGame.from_setup(RoundSetup())
    game.set_ram({Address.MODE: Mode.TITLE})
    with pytest.raises(ValueError, match=r"expected mode 3, 8, 4, 5, 7 \(a round\), got mode 0"):
        game.step((0, 0))


@pytest.mark.parametrize("values", [{RAM_SIZE: 0}, {-1: 0}, {5: 256}])
def test_impossible_pokes_are_refused(values: dict[int, int]) -> None:
    with pytest.raises(ValueError, match="expected an address below 2048 and a byte"):
        ReferenceGame.from_setup(RoundSetup()).set_ram(values)


def test_an_image_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a RAM image of 2048 bytes, got 2047"):
        ReferenceGame(bytes(RAM_SIZE - 1))
