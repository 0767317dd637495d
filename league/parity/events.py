"""Counts what happened in a trace, so that a parity report shows what it covered."""

from __future__ import annotations

from collections import Counter
from typing import Final

import numpy as np

from envs.game.capsule import is_vertical
from envs.game.layout import (
    COLUMNS,
    EMPTY,
    FIELD_BASES,
    MAX_SPEED_UPS,
    NUM_SEATS,
    ROWS,
    Address,
    Button,
    Mode,
    NextAction,
    PillDuelAddress,
    PlayerOffset,
    player_address,
)
from envs.game.rules_versus import LINES_TO_SEND
from league.parity.trace import Trace

MINIMA: Final = {
    "rounds": 2000,
    "volleys of 2": 100,
    "volleys of 3": 100,
    "volleys of 4 and more": 100,
    "stacked attacks": 20,
    "self-answered attacks": 20,
    "draws by clearing": 20,
    "draws by topping out": 20,
    "set ends": 20,
    "speed-up 49 reached": 1,
    "kicks": 200,
    "tucks": 200,
    "garbage over an occupied top row": 20,
}
"""Least counts of a full report."""

_O = PlayerOffset
_LARGEST_VOLLEY: Final = 4


def count_events(trace: Trace) -> Counter[str]:
    """Return how often each event of `MINIMA` and some more happened."""
    events: Counter[str] = Counter()
    if not len(trace):
        return events
    befores = np.concatenate([trace.first[None], trace.images[:-1]])
    _count_ends(events, befores, trace.images)
    for seat in range(NUM_SEATS):
        view = _SeatFrames(seat, befores, trace.images)
        _count_attacks(events, view)
        _count_moves(events, view)
    return events


class _SeatFrames:
    """One seat's bytes before and after each frame."""

    def __init__(self, seat: int, befores: np.ndarray, afters: np.ndarray) -> None:
        self.seat = seat
        self.befores = befores
        self.afters = afters

    def before(self, offset: int, seat: int | None = None) -> np.ndarray:
        return self.befores[:, self._address(offset, seat)]

    def after(self, offset: int, seat: int | None = None) -> np.ndarray:
        return self.afters[:, self._address(offset, seat)]

    def acts(self, action: NextAction, then: NextAction) -> np.ndarray:
        """Tell in which frames `action` ran and led to `then`."""
        ran = self.before(_O.NEXT_ACTION) == action
        return np.asarray(ran & (self.after(_O.NEXT_ACTION) == then))

    def bottle(self, frame: int) -> np.ndarray:
        """Return the bottle before a frame, (16, 8)."""
        base = FIELD_BASES[self.seat]
        return self.befores[frame, base : base + ROWS * COLUMNS].reshape(ROWS, COLUMNS)

    def _address(self, offset: int, seat: int | None) -> int:
        block = player_address(self.seat if seat is None else seat, PlayerOffset.STATUS)
        return block + int(offset)


def _count_ends(events: Counter[str], befores: np.ndarray, afters: np.ndarray) -> None:
    modes = befores[:, Address.MODE], afters[:, Address.MODE]
    phases = befores[:, PillDuelAddress.PHASE], afters[:, PillDuelAddress.PHASE]
    plays = modes[0] == Mode.PLAY
    cleared = plays & (modes[1] == Mode.PLAY) & (phases[0] == 0) & (phases[1] == 1)
    topped_out = plays & (modes[1] == Mode.TOP_OUT)
    set_won = plays & (modes[1] == Mode.END)
    viruses = [afters[:, player_address(seat, _O.VIRUSES)] for seat in range(NUM_SEATS)]
    events["rounds"] += int((cleared | (topped_out & (phases[0] == 0)) | set_won).sum())
    events["draws by clearing"] += int((cleared & (viruses[0] == 0) & (viruses[1] == 0)).sum())
    events["draws by topping out"] += int((topped_out & (afters[:, Address.WHO_FAILED] == 0)).sum())
    events["clears paid twice"] += int((topped_out & (phases[0] != 0)).sum())
    events["set ends"] += int(((modes[0] != Mode.END) & (modes[1] == Mode.END)).sum())
    events["set-ups"] += int(((modes[0] == Mode.SETUP) & (modes[1] == Mode.INTRO)).sum())
    events["pauses"] += int(
        ((befores[:, Address.PAUSED] == 0) & (afters[:, Address.PAUSED] != 0)).sum()
    )


def _count_attacks(events: Counter[str], view: _SeatFrames) -> None:
    """Count volleys that this seat receives and attacks that it sends."""
    lands = view.acts(NextAction.CHECK_ATTACK, NextAction.PLACED)
    checks = lands | view.acts(NextAction.CHECK_ATTACK, NextAction.STEP)
    spawns = view.acts(NextAction.SEND_PILL, NextAction.PILL_SENT)
    answers = False
    for frame in np.flatnonzero(checks | spawns).tolist():
        if spawns[frame]:
            answers = False
            continue
        if view.before(_O.COMBO)[frame] >= LINES_TO_SEND:
            events["attacks"] += 1
            events["stacked attacks"] += _queue_before(view, frame, view.seat) >= LINES_TO_SEND
            events["self-answered attacks"] += answers
        if lands[frame]:
            answers = True
            _count_volley(events, view, frame)


def _count_volley(events: Counter[str], view: _SeatFrames, frame: int) -> None:
    size = min(_queue_before(view, frame, 1 - view.seat), _LARGEST_VOLLEY)
    events[f"volleys of {size}" + (" and more" if size == _LARGEST_VOLLEY else "")] += 1
    before = view.bottle(frame)[0]
    after = view.afters[frame, FIELD_BASES[view.seat] :][:COLUMNS]
    covered = (before != EMPTY) & (before != after)
    events["garbage over an occupied top row"] += bool(covered.any())


def _queue_before(view: _SeatFrames, frame: int, seat: int) -> int:
    """Return the garbage that `seat` has queued when the view's seat acts in a frame.

    Player 1 acts first, so player 2 sees what player 1 has just queued or taken.
    """
    queued = int(view.before(_O.GARBAGE_OUT, seat)[frame])
    if view.seat == 0:
        return queued
    other = _SeatFrames(0, view.befores[frame : frame + 1], view.afters[frame : frame + 1])
    if other.before(_O.NEXT_ACTION)[0] != NextAction.CHECK_ATTACK:
        return queued
    if seat == 0:
        combo = int(other.before(_O.COMBO)[0])
        return (queued + combo) & 0xFF if combo >= LINES_TO_SEND else queued
    return 0 if other.after(_O.NEXT_ACTION)[0] == NextAction.PLACED else queued


def _count_moves(events: Counter[str], view: _SeatFrames) -> None:
    falls = view.before(_O.NEXT_ACTION) == NextAction.FALLING
    falls &= view.befores[:, Address.MODE] == Mode.PLAY
    turned = falls & (view.before(_O.ROTATION) != view.after(_O.ROTATION))
    left = view.afters[:, Address.PAD1_HELD + view.seat] & Button.LEFT != 0
    one_left = view.before(_O.X).astype(int) - view.after(_O.X) == 1
    # Without LEFT nothing but a kick moves a capsule to the left.
    events["kicks"] += int((turned & ~left & one_left).sum())
    reached = (view.before(_O.SPEED_UPS) < MAX_SPEED_UPS) & (
        view.after(_O.SPEED_UPS) == MAX_SPEED_UPS
    )
    events["speed-up 49 reached"] += int(reached.sum())
    locks = view.acts(NextAction.FALLING, NextAction.PLACED)
    events["capsules"] += int(locks.sum())
    for frame in np.flatnonzero(locks).tolist():
        events["tucks"] += _is_tucked(view, frame)


def _is_tucked(view: _SeatFrames, frame: int) -> bool:
    """Tell whether a capsule locks where no straight drop could bring it."""
    x, y, rotation = (int(view.after(o)[frame]) for o in (_O.X, _O.Y, _O.ROTATION))
    top = ROWS - 1 - y - (1 if is_vertical(rotation) else 0)
    columns = view.bottle(frame)[: max(top, 0), x : x + (1 if is_vertical(rotation) else 2)]
    return bool((columns != EMPTY).any())
