"""The counts of a parity report, on starts that are made for one event each."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from envs.game.layout import (
    CELLS,
    EMPTY,
    FIELD_BASES,
    Button,
    PlayerOffset,
    Tile,
    player_address,
)
from envs.game.setup import RoundSetup
from league.parity.crafted import CRAFTED
from league.parity.events import MINIMA, count_events
from league.parity.machines import SimulatorMachine
from league.parity.session import KINDS, record_session
from league.parity.trace import Start, Trace
from tests.native import needs_native

pytestmark = needs_native

_O = PlayerOffset
SESSIONS = 2 * len(CRAFTED) * 4

# What each crafted start is there to bring about.
PURPOSES = {
    "attack": {"volleys of 2", "volleys of 3", "volleys of 4 and more", "attacks"},
    "stacked attack": {"stacked attacks"},
    "answered attack": {"self-answered attacks"},
    "crowded top": {"garbage over an occupied top row"},
    "double clear": {"draws by clearing"},
    "clear": {"rounds"},
    "double top-out": {"draws by topping out"},
    "top speed": {"speed-up 49 reached"},
    "scatter": {"capsules"},
}


@pytest.fixture(scope="module")
def counts() -> dict[str, Counter[str]]:
    """Events by kind of session."""
    machine = SimulatorMachine()
    found: dict[str, Counter[str]] = {}
    for index in range(SESSIONS):
        trace = record_session(machine, seed=3, index=index)
        found.setdefault(trace.kind, Counter()).update(count_events(trace))
    return found


def test_all_kinds_of_sessions_are_drawn(counts: dict[str, Counter[str]]) -> None:
    assert set(counts) == {*KINDS, *CRAFTED}


@pytest.mark.parametrize("name", CRAFTED)
def test_crafted_starts_bring_about_what_they_are_for(
    counts: dict[str, Counter[str]], name: str
) -> None:
    missing = {event for event in PURPOSES[name] if not counts[name][event]}
    assert not missing


def test_play_brings_about_turns_and_ends(counts: dict[str, Counter[str]]) -> None:
    for event in ("kicks", "tucks", "rounds", "set-ups", "set ends", "pauses"):
        assert any(counts[kind][event] for kind in KINDS), event


def test_every_minimum_is_of_an_event_that_is_counted(counts: dict[str, Counter[str]]) -> None:
    seen = set().union(*counts.values())
    assert set(MINIMA) <= seen


def play_crafted(poked: dict[int, int], pads: list[tuple[int, int]]) -> Counter[str]:
    """Count the events of some frames from two empty bottles with the given bytes."""
    machine = SimulatorMachine()
    setup = RoundSetup()
    machine.backend.start_round(setup)
    image = machine.backend.ram()
    for base in FIELD_BASES:
        image[base : base + CELLS] = EMPTY
    for address, value in poked.items():
        image[address] = value
    start = Start(setup, image)
    first = machine.begin(start)
    images = machine.backend.trace(np.array(pads, np.uint8))
    return count_events(Trace("test", start, first, np.array(pads, np.uint8), images))


def test_a_kick_is_a_turn_that_moves_left_without_left() -> None:
    upright_at_the_wall = {player_address(0, _O.X): 7, player_address(0, _O.ROTATION): 1}
    assert play_crafted(upright_at_the_wall, [(Button.A, 0)])["kicks"] == 1
    assert play_crafted(upright_at_the_wall, [(Button.A | Button.LEFT, 0)])["kicks"] == 0
    in_the_middle = {player_address(0, _O.ROTATION): 1}
    assert play_crafted(in_the_middle, [(Button.A, 0)])["kicks"] == 0


@pytest.mark.parametrize(("cover", "tucks"), [(EMPTY, 0), (Tile.VIRUS, 1)])
def test_a_tuck_locks_below_something(cover: int, tucks: int) -> None:
    place = {
        player_address(1, _O.X): 0,
        player_address(1, _O.Y): 0,
        player_address(1, _O.GRAVITY_COUNTER): 0xF0,
        FIELD_BASES[1] + 8 * 12 + 1: cover,
    }
    events = play_crafted(place, [(0, 0)])
    assert events["capsules"] == 1
    assert events["tucks"] == tucks


def test_no_frames_are_no_events() -> None:
    assert not play_crafted({}, [(0, 0)])["rounds"]
    empty = np.empty((0, 2), np.uint8)
    image = np.zeros(2048, np.uint8)
    trace = Trace("none", Start(RoundSetup()), image, empty, np.empty((0, 2048), np.uint8))
    assert not count_events(trace)
