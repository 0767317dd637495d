"""Reading the end of a round from the decoded game."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envs.game.layout import Mode
from envs.game.outcome import Outcome, detect_outcome
from envs.game.state import GameState
from tests.envs.game.test_state import make_ram


def make_state(
    viruses: tuple[int, int] = (4, 4), failed: tuple[int, int] = (0, 0), mode: int = Mode.PLAY
) -> GameState:
    state = GameState.from_ram(make_ram())
    left, right = (
        replace(player, viruses=viruses[seat], topped_out=failed[seat])
        for seat, player in enumerate(state.players)
    )
    return replace(state, players=(left, right), mode=mode)


@pytest.mark.parametrize(
    ("viruses", "failed", "expected"),
    [
        ((4, 4), (0, 0), None),
        ((0, 4), (0, 0), Outcome("clear", 0)),
        ((4, 0), (0, 0), Outcome("clear", 1)),
        ((0, 0), (0, 0), Outcome("both_clear", None)),
        ((4, 4), (1, 0), Outcome("top_out", 1)),
        ((4, 4), (0, 1), Outcome("top_out", 0)),
        ((4, 4), (1, 1), Outcome("both_top_out", None)),
        ((0, 4), (0, 1), Outcome("clear", 0)),
        ((4, 0), (1, 0), Outcome("clear", 1)),
    ],
)
def test_versus_outcomes(
    viruses: tuple[int, int], failed: tuple[int, int], expected: Outcome | None
) -> None:
    state = make_state(viruses, failed)
    assert detect_outcome(None, state, solo=False) == expected
    assert detect_outcome(make_state(), state, solo=False) == expected
    assert detect_outcome(state, state, solo=False) is None


def test_virus_counters_mean_nothing_during_the_intro() -> None:
    assert detect_outcome(None, make_state((0, 0), mode=Mode.INTRO), solo=False) is None
    assert detect_outcome(None, make_state((0, 0), mode=Mode.SETUP), solo=False) is None


@pytest.mark.parametrize("mode", [Mode.TOP_OUT, Mode.END])
def test_top_out_is_still_read_in_the_later_modes(mode: Mode) -> None:
    state = make_state(failed=(0, 1), mode=mode)
    assert detect_outcome(None, state, solo=False) == Outcome("top_out", 0)


def test_solo_ignores_the_inert_seat() -> None:
    assert detect_outcome(None, make_state((4, 0), (0, 1)), solo=True) is None
    assert detect_outcome(None, make_state((0, 0)), solo=True) == Outcome("clear", 0)
    assert detect_outcome(None, make_state((4, 0), (1, 0)), solo=True) == Outcome("top_out", 1)
