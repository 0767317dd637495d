"""What a seat earns in one frame, term by term; their sum is the reward."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Final

from envs.game.layout import COLUMNS, EMPTY, NextAction
from envs.game.outcome import Outcome
from envs.game.state import GameState, PlayerState

SHAPING_LIMIT: Final = 0.1
"""Every shaping weight stays below this, so that no term can outweigh the result of a round."""

RewardTerms = dict[str, float]

_EMPTY_CELL: Final = bytes([EMPTY])
_LINES_TO_SEND: Final = 2


@dataclass(frozen=True, slots=True)
class RewardConfig:
    """Weight of each term; a draw and a round cut off by the frame limit pay no result.

    Raises:
        ValueError: A weight is not finite, has the wrong sign, or is a shaping weight of 0.1
            or more.
    """

    win: float = 1.0
    """Paid to the winner of a round, 0 or more."""
    loss: float = -1.0
    """Paid to the loser of a round, 0 or less."""
    virus: float = 0.01
    """Per virus cleared."""
    line: float = 0.0
    """Per line cleared, whatever its length."""
    garbage_sent: float = 0.0
    """Per piece of garbage queued for the opponent."""
    height: float = 0.0
    """Per row by which the highest tile of the own bottle sinks; paid back when it rises."""
    clear_win: float = 0.0
    """On top of `win` when the round was won by clearing the bottle."""
    top_out: float = 0.0
    """Paid to a seat that tops out, on top of `loss`."""
    per_frame: float = 0.0
    """Paid every frame to both seats."""

    def __post_init__(self) -> None:
        for field in fields(self):
            self._check_weight(field.name)
        if self.win < 0:
            raise ValueError(f"expected reward win to be 0 or more, got {self.win!r}")
        if self.loss > 0:
            raise ValueError(f"expected reward loss to be 0 or less, got {self.loss!r}")

    def _check_weight(self, name: str) -> None:
        weight = getattr(self, name)
        is_number = isinstance(weight, (int, float)) and not isinstance(weight, bool)
        if not is_number or not math.isfinite(weight):
            raise ValueError(f"expected reward {name} to be a finite number, got {weight!r}")
        if name not in _RESULT_TERMS and abs(weight) >= SHAPING_LIMIT:
            raise ValueError(
                f"expected reward {name} to be a shaping weight below {SHAPING_LIMIT} in size, "
                f"got {weight!r}"
            )


_RESULT_TERMS: Final = ("win", "loss")
TERM_NAMES: Final = tuple(field.name for field in fields(RewardConfig))


def reward_terms(
    before: GameState, after: GameState, outcome: Outcome | None, config: RewardConfig
) -> tuple[RewardTerms, RewardTerms]:
    """Return what each seat earned in the frame from `before` to `after`.

    Args:
        before: State one frame earlier: lines and garbage are told from single frames, so a step
            of several frames sums over its frames.
        after: State after the frame.
        outcome: End of the round if this frame ended it.
        config: The weights.

    Returns:
        One dict per seat with every name of `TERM_NAMES`; the reward is the sum of its values.
    """
    return (
        _list_terms(0, before.players[0], after.players[0], outcome, config),
        _list_terms(1, before.players[1], after.players[1], outcome, config),
    )


def _list_terms(
    seat: int,
    before: PlayerState,
    after: PlayerState,
    outcome: Outcome | None,
    config: RewardConfig,
) -> RewardTerms:
    terms = dict.fromkeys(TERM_NAMES, 0.0)
    terms["per_frame"] = config.per_frame
    if after.viruses < before.viruses:
        terms["virus"] = config.virus * (before.viruses - after.viruses)
    if after.combo > before.combo:
        terms["line"] = config.line * (after.combo - before.combo)
    if before.next_action == NextAction.CHECK_ATTACK and before.combo >= _LINES_TO_SEND:
        # The queue itself does not tell: the opponent may take it within the same frame.
        terms["garbage_sent"] = config.garbage_sent * before.combo
    if config.height:
        terms["height"] = config.height * (_measure_height(before) - _measure_height(after))
    if outcome is not None:
        _add_result(terms, seat, outcome, config)
    return terms


def _add_result(terms: RewardTerms, seat: int, outcome: Outcome, config: RewardConfig) -> None:
    if outcome.winner == seat:
        terms["win"] = config.win
        terms["clear_win"] = config.clear_win if outcome.reason == "clear" else 0.0
    elif outcome.winner is not None:
        terms["loss"] = config.loss
    lost_by_top_out = outcome.reason == "top_out" and outcome.winner != seat
    if lost_by_top_out or outcome.reason == "both_top_out":
        terms["top_out"] = config.top_out


def _measure_height(player: PlayerState) -> int:
    """Rows from the floor to the highest tile, 0..16."""
    filled = player.cells.lstrip(_EMPTY_CELL)
    return -(-len(filled) // COLUMNS)
