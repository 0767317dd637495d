"""Rosters and the seating of episodes."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from envs.game.setup import NUM_SEEDS
from league.training.roster import MAIN, Opponent, Roster, draw_seating

ROSTER = Roster(3, (Opponent("main-0001", {}), Opponent("greedy"), Opponent("main-0001", {})))


def test_each_opponent_has_a_module() -> None:
    assert [ROSTER.module_of(slot) for slot in (0, 1, 2, None)] == [
        "opp_0",
        "scripted_greedy",
        "opp_2",
        MAIN,
    ]
    assert [ROSTER.player_of(slot) for slot in (0, 1, None)] == ["main-0001", "greedy", MAIN]


def test_seats_and_opponents_are_even() -> None:
    seatings = [draw_seating(1, ROSTER, 1, episode) for episode in range(3000)]
    seats = np.bincount([one.main_seat for one in seatings])
    slots = np.bincount([one.slot or 0 for one in seatings])
    assert np.abs(seats / 3000 - 1 / 2).max() < 0.04
    assert np.abs(slots / 3000 - 1 / 3).max() < 0.04
    rounds = {one.round_seed for one in seatings}
    assert min(rounds) >= 0
    assert max(rounds) < NUM_SEEDS
    assert len(rounds) > 2800
    assert len({one.policy_seed for one in seatings}) == 3000


def test_self_play_takes_its_share() -> None:
    roster = Roster(3, ROSTER.opponents, self_play=0.25)
    slots = [draw_seating(1, roster, 1, episode).slot for episode in range(3000)]
    assert abs(slots.count(None) / 3000 - 0.25) < 0.04


def test_every_stream_is_its_own() -> None:
    other_iteration = Roster(4, ROSTER.opponents)
    draws = {
        draw_seating(1, ROSTER, 1, 0),
        draw_seating(2, ROSTER, 1, 0),
        draw_seating(1, other_iteration, 1, 0),
        draw_seating(1, ROSTER, 2, 0),
        draw_seating(1, ROSTER, 1, 1),
    }
    assert len(draws) == 5


def test_seating_does_not_depend_on_the_process() -> None:
    program = (
        "from league.training.roster import *\n"
        "roster = Roster(3, (Opponent('a', {}), Opponent('b')), 0.3)\n"
        "print([draw_seating(5, roster, 1, episode) for episode in range(20)])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
    assert "Seating" in outputs.pop()


def test_an_empty_or_impossible_roster_is_refused() -> None:
    with pytest.raises(ValueError, match="expected at least one opponent"):
        Roster(0, ())
    with pytest.raises(ValueError, match=r"expected self_play in 0\.\.1, got 1\.5"):
        Roster(0, ROSTER.opponents, self_play=1.5)
    assert draw_seating(0, Roster(0, (), self_play=1.0), 0, 0).slot is None
