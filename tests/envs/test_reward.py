"""Reward terms."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envs.game.layout import EMPTY, NextAction, Tile
from envs.game.outcome import Outcome
from envs.game.state import GameState
from envs.reward import TERM_NAMES, RewardConfig, reward_terms
from tests.envs.game.test_state import make_ram

STATE = GameState.from_ram(make_ram())
CONFIG = RewardConfig(
    virus=0.01,
    line=0.02,
    garbage_sent=0.03,
    height=0.04,
    clear_win=0.05,
    top_out=-0.06,
    per_frame=-0.001,
)


def change(seat: int, **changes: object) -> GameState:
    players = list(STATE.players)
    players[seat] = replace(players[seat], **changes)  # type: ignore[arg-type]
    return replace(STATE, players=(players[0], players[1]))


def earned(
    before: GameState, after: GameState, outcome: Outcome | None = None
) -> list[dict[str, float]]:
    """Terms other than 0 and the frame cost."""
    both = reward_terms(before, after, outcome, CONFIG)
    assert all(tuple(terms) == TERM_NAMES for terms in both)
    assert all(terms["per_frame"] == -0.001 for terms in both)
    return [{k: v for k, v in terms.items() if v and k != "per_frame"} for terms in both]


def test_a_quiet_frame_pays_only_the_frame_cost() -> None:
    assert earned(STATE, STATE) == [{}, {}]


def test_viruses_and_lines_pay_the_seat_that_cleared_them() -> None:
    after = change(1, viruses=STATE.players[1].viruses - 3, combo=2)
    assert earned(STATE, after) == [{}, {"virus": 0.03, "line": 0.04}]


def test_a_reset_combo_costs_nothing() -> None:
    assert earned(change(0, combo=3), STATE) == [{}, {}]


def test_garbage_is_paid_in_the_frame_that_checks_the_attack() -> None:
    before = change(0, combo=3, next_action=NextAction.CHECK_ATTACK)
    assert earned(before, STATE) == [{"garbage_sent": 0.09}, {}]
    assert earned(change(0, combo=1, next_action=NextAction.CHECK_ATTACK), STATE) == [{}, {}]


def test_height_is_paid_when_the_highest_tile_sinks_and_taken_back_when_it_rises() -> None:
    cells = bytearray(STATE.players[0].cells)
    assert cells[119] == EMPTY
    cells[13 * 8] = Tile.SINGLE
    taller = change(0, cells=bytes(cells))
    assert earned(STATE, taller) == [{"height": pytest.approx(-0.08)}, {}]
    assert earned(taller, STATE) == [{"height": pytest.approx(0.08)}, {}]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome("clear", 0), [{"win": 1.0, "clear_win": 0.05}, {"loss": -1.0}]),
        (Outcome("top_out", 0), [{"win": 1.0}, {"loss": -1.0, "top_out": -0.06}]),
        (Outcome("top_out", 1), [{"loss": -1.0, "top_out": -0.06}, {"win": 1.0}]),
        (Outcome("both_clear", None), [{}, {}]),
        (Outcome("both_top_out", None), [{"top_out": -0.06}, {"top_out": -0.06}]),
        (Outcome("frame_limit", None), [{}, {}]),
    ],
)
def test_results(outcome: Outcome, expected: list[dict[str, float]]) -> None:
    assert earned(STATE, STATE, outcome) == expected


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"virus": 0.1}, "expected reward virus to be a shaping weight below 0.1 in size, got 0.1"),
        ({"per_frame": -0.5}, "expected reward per_frame to be a shaping weight"),
        ({"win": float("inf")}, "expected reward win to be a finite number, got inf"),
        ({"line": "big"}, "expected reward line to be a finite number, got 'big'"),
        ({"win": -1.0}, "expected reward win to be 0 or more"),
        ({"loss": 1.0}, "expected reward loss to be 0 or less"),
    ],
)
def test_impossible_weights_are_refused(weights: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RewardConfig(**weights)
