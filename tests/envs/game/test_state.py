"""Decoding a RAM image."""

from __future__ import annotations

import numpy as np
import pytest

from envs.game.layout import (
    EMPTY,
    FIELD_BASES,
    PLAYER_BASES,
    RAM_SIZE,
    Address,
    Mode,
    NextAction,
    PlayerOffset,
    Tile,
    player_address,
)
from envs.game.setup import seed_to_word
from envs.game.state import GameState, decode_bcd, encode_bcd


def make_ram() -> np.ndarray:
    """A RAM image in which every decoded byte is possible and different between the seats."""
    ram = np.zeros(RAM_SIZE, np.uint8)
    ram[Address.MODE] = Mode.PLAY
    for seat, base in enumerate(FIELD_BASES):
        ram[base : base + 128] = EMPTY
        ram[base + 120] = Tile.VIRUS | seat
        block = PLAYER_BASES[seat]
        ram[block + PlayerOffset.STATUS] = 0xFF
        ram[block + PlayerOffset.X] = 3 + seat
        ram[block + PlayerOffset.Y] = 15 - seat
        ram[block + PlayerOffset.VIRUSES] = 0x84 - seat
        ram[block + PlayerOffset.CAPSULES_HIGH] = seat
        ram[block + PlayerOffset.CAPSULES_LOW] = 0x19
        ram[block + PlayerOffset.SPEED] = 2 - seat
        ram[block + PlayerOffset.SPEED_UPS] = 49 - seat
    ram[Address.PAD1_HELD], ram[Address.PAD2_HELD] = 0x42, 0x04
    ram[Address.RNG_HIGH], ram[Address.RNG_LOW] = 0x89, 0x88
    return ram


def test_from_ram_decodes_both_seats() -> None:
    state = GameState.from_ram(make_ram(), check=True)
    left, right = state.players
    assert (left.x, left.y, right.x, right.y) == (3, 15, 4, 14)
    assert (left.viruses, right.viruses) == (84, 83)
    assert (left.capsules, right.capsules) == (19, 119)
    assert (left.gravity_index, right.gravity_index) == (80, 73)
    assert (left.held, right.held) == (0x42, 0x04)
    assert state.rng_word == 0x8988
    assert left.bottle.shape == (16, 8)
    assert left.bottle[15, 0] == Tile.VIRUS
    assert right.bottle[15, 0] == Tile.VIRUS | 1
    with pytest.raises(ValueError, match="read-only"):
        left.bottle[0, 0] = 0


def test_from_ram_copies_nothing_of_the_array_it_reads() -> None:
    ram = make_ram()
    state = GameState.from_ram(ram)
    ram[:] = 0
    assert state == GameState.from_ram(make_ram())
    assert GameState.from_ram(make_ram().tobytes()) == state


def test_swapped_exchanges_the_seats_twice_gives_the_same() -> None:
    ram = make_ram()
    ram[Address.WHO_FAILED] = 1
    state = GameState.from_ram(ram)
    swapped = state.swapped()
    assert swapped.players == (state.players[1], state.players[0])
    assert swapped.who_failed == 2
    assert swapped.swapped() == state


def test_both_can_act_needs_play_and_falling_capsules() -> None:
    ram = make_ram()
    assert GameState.from_ram(ram).both_can_act()
    ram[player_address(1, PlayerOffset.NEXT_ACTION)] = NextAction.PLACED
    state = GameState.from_ram(ram)
    assert not state.both_can_act()
    assert state.both_can_act(solo=True)
    ram[Address.MODE] = Mode.INTRO
    assert not GameState.from_ram(ram).both_can_act(solo=True)


def test_public_hides_the_random_future() -> None:
    ram = make_ram()
    other = ram.copy()
    other[Address.RNG_HIGH] = 1
    other[player_address(0, PlayerOffset.RESERVE_INDEX)] = 9
    other[0x0780:] = seed_to_word(3) & 7
    assert GameState.from_ram(ram) != GameState.from_ram(other)
    assert GameState.from_ram(ram).public() == GameState.from_ram(other).public()


@pytest.mark.parametrize(
    ("address", "value", "message"),
    [
        (player_address(1, PlayerOffset.X), 8, r"expected players\[1\]\.x to be 0\.\.7, got 8"),
        (player_address(0, PlayerOffset.VIRUSES), 0x0A, r"viruses to be packed BCD.*\$0A"),
        (player_address(0, PlayerOffset.VIRUSES), 0x85, "viruses to be packed BCD, 0..84"),
        (player_address(0, PlayerOffset.NEXT_ACTION), 4, "next_action to be one of 0 1 2 3 5 6"),
        (player_address(1, PlayerOffset.STATUS), 0x10, "status to be 0..15 or 255"),
        (FIELD_BASES[1] + 7, 0x00, r"players\[1\]\.cells\[7\] to be a tile byte or empty"),
        (Address.MODE, 6, r"expected mode to be one of"),
        (Address.WHO_CLEARED, 3, r"who_cleared to be 0\.\.2"),
    ],
)
def test_check_names_the_impossible_field(address: int, value: int, message: str) -> None:
    ram = make_ram()
    ram[address] = value
    with pytest.raises(ValueError, match=message):
        GameState.from_ram(ram, check=True)


def test_wrong_size_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a RAM image of 2048 bytes, got 2047"):
        GameState.from_ram(np.zeros(2047, np.uint8))


def test_bcd_round_trip() -> None:
    assert [decode_bcd(encode_bcd(number)) for number in range(100)] == list(range(100))
    assert decode_bcd(0x84) == 84
