"""How a round ended, read from the decoded game; knows nothing of rewards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

from envs.game.layout import Mode

if TYPE_CHECKING:
    from envs.game.state import GameState

EndReason = Literal["clear", "top_out", "both_clear", "both_top_out", "frame_limit"]
END_REASONS: Final[tuple[EndReason, ...]] = get_args(EndReason)

_MODES_WITH_RESULT: Final = (Mode.PLAY, Mode.TOP_OUT, Mode.END)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a round."""

    reason: EndReason
    winner: int | None
    """Winning seat, or None for a draw and for `frame_limit`."""


def detect_outcome(before: GameState | None, state: GameState, solo: bool) -> Outcome | None:
    """Return how the round ended between `before` and `state`, or None if it did not.

    Valid until player 1's START leaves the end of the round. A clear beats the opponent's top-out
    in the same frame, as on the console.

    Args:
        before: An earlier state of the same round, or None; a round that was over there already
            gives None.
        state: The state to judge.
        solo: Player 2's bottle is inert; a top-out of seat 0 then counts as seat 1's win.
    """
    if before is not None and _judge(before, solo) is not None:
        return None
    return _judge(state, solo)


def _judge(state: GameState, solo: bool) -> Outcome | None:
    # Virus counters count up from 0 during the intro, so they mean nothing outside these modes.
    if state.mode not in _MODES_WITH_RESULT:
        return None
    left, right = state.players
    right_cleared = right.viruses == 0 and not solo
    right_failed = bool(right.topped_out) and not solo
    if left.viruses == 0 or right_cleared:
        if left.viruses == 0 and right_cleared:
            return Outcome("both_clear", None)
        return Outcome("clear", 0 if left.viruses == 0 else 1)
    if left.topped_out or right_failed:
        if left.topped_out and right_failed:
            return Outcome("both_top_out", None)
        return Outcome("top_out", 1 if left.topped_out else 0)
    return None
