"""Rosters and the seating of episodes."""

from __future__ import annotations

import numpy as np
import pytest

from league.training.roster import INERT, MAIN, Opponent, Roster, draw_seating

RNG = np.random.default_rng(0)
ROSTER = Roster(3, (Opponent("main-0001", {}), Opponent("greedy"), Opponent("main-0001", {})))


def test_seats_and_opponents_are_even() -> None:
    seatings = [draw_seating(RNG, ROSTER, solo=False) for _ in range(3000)]
    seats = np.bincount([one.main_seat for one in seatings])
    greedy = sum(one.opponent == "greedy" for one in seatings)
    assert np.abs(seats / 3000 - 1 / 2).max() < 0.04
    # The snapshot holds two of the three slots.
    assert abs(greedy / 3000 - 1 / 3) < 0.04


def test_self_play_takes_its_share() -> None:
    roster = Roster(3, ROSTER.opponents, self_play=0.25)
    met = [draw_seating(RNG, roster, solo=False).opponent for _ in range(3000)]
    assert abs(met.count(MAIN) / 3000 - 0.25) < 0.04


def test_main_plays_solo_from_the_left() -> None:
    seating = draw_seating(RNG, ROSTER, solo=True)
    assert seating.players == (MAIN, INERT)


def test_an_empty_or_impossible_roster_is_refused() -> None:
    with pytest.raises(ValueError, match="expected at least one opponent"):
        Roster(0, ())
    with pytest.raises(ValueError, match=r"expected self_play in 0\.\.1, got 1\.5"):
        Roster(0, ROSTER.opponents, self_play=1.5)
    seating = draw_seating(RNG, Roster(0, (), self_play=1.0), solo=False)
    assert seating.players == (MAIN, MAIN)
