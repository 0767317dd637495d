"""What a comparison finds and how it says it."""

from __future__ import annotations

import numpy as np
import pytest

from envs.game.layout import (
    COMPARED_ADDRESSES,
    EXCLUDED_FROM_PARITY,
    FIELD_BASES,
    PLAY_ADDRESSES,
    PLAYER_BASES,
    RAM_SIZE,
    Address,
    PillDuelAddress,
    PlayerOffset,
    name_address,
    player_address,
)
from league.parity.machines import ReferenceMachine, SimulatorMachine
from league.parity.session import record_session
from league.parity.trace import Trace, find_difference
from tests.native import needs_native

pytestmark = needs_native


@pytest.fixture(scope="module")
def trace() -> Trace:
    return record_session(SimulatorMachine(), seed=0, index=1)


def test_equal_machines_have_no_difference(trace: Trace) -> None:
    assert find_difference(trace, ReferenceMachine().play(trace), "reference") is None


def test_a_session_is_named_by_two_numbers(trace: Trace) -> None:
    again = record_session(SimulatorMachine(), seed=0, index=1)
    other = record_session(SimulatorMachine(), seed=1, index=1)
    assert np.array_equal(again.images, trace.images)
    assert not np.array_equal(other.images[:100], trace.images[:100])


def test_first_difference_is_named_with_both_values_and_positions(trace: Trace) -> None:
    images = trace.images.copy()
    address = player_address(1, PlayerOffset.GRAVITY_COUNTER)
    images[40:, address] = 99
    images[41:, Address.MODE] = 99
    difference = find_difference(trace, images, "other")
    assert difference is not None
    assert (difference.frame, difference.address, difference.other) == (40, address, 99)
    assert difference.simulator == trace.images[40, address]
    text = difference.describe()
    assert f"other differs at frame 40 of {trace.kind}" in text
    assert "$0392 player 2 GRAVITY_COUNTER is 0x63" in text
    assert "gravity=99" in difference.other_position
    assert "gravity=99" not in difference.simulator_position
    assert text.count("mode=4") == 2


@pytest.mark.parametrize("address", COMPARED_ADDRESSES[::7])
def test_every_compared_byte_counts(trace: Trace, address: int) -> None:
    images = trace.images[:3].copy()
    images[2, address] ^= 1
    difference = find_difference(trace, images, "other")
    assert difference is not None
    assert (difference.frame, difference.address) == (2, address)


def test_excluded_bytes_do_not_count(trace: Trace) -> None:
    images = trace.images[:3].copy()
    for addresses, reason in EXCLUDED_FROM_PARITY:
        assert reason
        images[:, addresses.start : addresses.stop] ^= 0xFF
    assert find_difference(trace, images, "other") is None


def test_what_is_compared_covers_the_documented_ram() -> None:
    excluded = {a for addresses, _ in EXCLUDED_FROM_PARITY for a in addresses}
    assert excluded.isdisjoint(COMPARED_ADDRESSES)
    assert len(excluded) + len(COMPARED_ADDRESSES) == RAM_SIZE
    documented = {int(address) + byte for address in Address for byte in range(address.size)}
    documented |= {int(address) for address in PillDuelAddress}
    for base in (*PLAYER_BASES, 0x80):
        documented |= set(range(base, base + 48))
    for base in (*FIELD_BASES, 0x780):
        documented |= set(range(base, base + 128))
    sprites = set(range(Address.SPRITES, Address.SPRITES + Address.SPRITES.size))
    left_out = {Address.NMI_DONE, Address.OPTIONS_CURSOR, PillDuelAddress.RENDER_OFF} | sprites
    assert documented - left_out <= set(COMPARED_ADDRESSES)
    assert set(PLAY_ADDRESSES) <= set(COMPARED_ADDRESSES)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        (0x46, "MODE"),
        (0x312, "player 1 GRAVITY_COUNTER"),
        (0x3AC, "player 2 ATTACK_COLOURS+3"),
        (0x303, "player 1 offset 0x03"),
        (0x83, "scratch offset 0x03"),
        (0x411, "bottle 1 cell 17"),
        (0x57F, "bottle 2 cell 127"),
        (0x7FF, "reserve entry 127"),
        (0x733, "SAVED_CROWNS"),
        (0x762, "PHASE"),
        (0x7, "unnamed"),
    ],
)
def test_addresses_have_names(address: int, name: str) -> None:
    assert name_address(address) == name
