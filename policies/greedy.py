"""`greedy`: drop each capsule straight down where a hand-weighted score is best.

The policy looks one capsule ahead: it tries every straight drop (rotate, shift, drop), lets the
bottle settle, scores what is left, and then steers the capsule there through the pads, tap by tap.
It keeps no state: the target follows from the bottle and the capsule alone, so it is the same in
every frame of a fall, and `PlayerState.held` tells which buttons must be released first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from envs.actions import BUTTON_ACTIONS
from envs.game.capsule import NUM_ROTATIONS, SPAWN_X, is_vertical
from envs.game.layout import FRAMES_PER_ROW, NO_BUTTONS, Button, Mode
from envs.game.state import GameState, PlayerState
from policies.base import View
from policies.drops import Drop, find_column_tops, list_drops
from policies.scoring import ANCHOR_WEIGHTS, ScoreWeights, score_bottle, score_drop

_ACTION_OF_PAD: Final = {int(pad): action for action, pad in enumerate(BUTTON_ACTIONS)}
_DECISIONS_PER_TAP: Final = 2
"""A tap is one decision with the button and one without."""


@dataclass(frozen=True, slots=True)
class GreedyPolicy:
    """Steers every capsule to its best-scoring straight drop."""

    action_repeat: int = 1
    """Frames that one decision lasts. Above 16 a tap auto-repeats, and play gets poor."""
    weights: ScoreWeights = ANCHOR_WEIGHTS

    @property
    def name(self) -> str:
        """The text that names this policy."""
        repeat = self.action_repeat
        return "greedy" if repeat == 1 else f"greedy:action_repeat={repeat}"

    @property
    def view(self) -> View:
        """Reads the decoded position, presses buttons."""
        return View("position", action_repeat=self.action_repeat)

    @property
    def deterministic(self) -> bool:
        """Ties go to the drop that is tried first."""
        return True

    def initial_state(self, batch: int) -> None:
        """Return None: the target is found again from each position."""

    def act(
        self,
        observations: Sequence[GameState],
        masks: np.ndarray | None,
        state: None,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, None]:
        """Choose the next buttons for each position.

        Args:
            observations: Positions from the acting seat's view (own seat 0).
            masks: Ignored: every button action is legal.
            state: None.
            rng: Not drawn from.

        Returns:
            Indices into `BUTTON_ACTIONS`, int64 of shape (batch,), and None.
        """
        pads = [self._choose_pad(position) for position in observations]
        return np.array([_ACTION_OF_PAD[pad] for pad in pads], np.int64), None

    def _choose_pad(self, position: GameState) -> int:
        player = position.players[0]
        if position.mode != Mode.PLAY or not player.can_act:
            return NO_BUTTONS
        target = choose_drop(
            player.cells,
            player.colours,
            FRAMES_PER_ROW[player.gravity_index],
            _DECISIONS_PER_TAP * self.action_repeat,
            self.weights,
        )
        return steer_capsule(player, target)


@lru_cache(maxsize=4096)
def choose_drop(
    cells: bytes,
    colours: tuple[int, int],
    frames_per_row: int,
    frames_per_tap: int,
    weights: ScoreWeights,
) -> Drop:
    """Return the best straight drop of a capsule that has just spawned.

    A pure function: the cache only saves the work of the later frames of the same fall.

    Args:
        cells: 128 tile bytes of a settled bottle.
        colours: First and second colour of the falling capsule.
        frames_per_row: Frames of free fall for one row.
        frames_per_tap: Frames from one tap to the next tap of the same button.
        weights: What a drop is worth.

    Returns:
        The first of the best drops that taps can reach; where there is none, the spawn pose.
    """
    tops = find_column_tops(cells)
    before = score_bottle(cells, weights)
    best, best_score = Drop(0, SPAWN_X, 0), -np.inf
    for drop in list_drops(tops, one_colour=colours[0] == colours[1]):
        if _can_reach(drop, tops, frames_per_row, frames_per_tap):
            score = score_drop(cells, drop, colours, before, weights)
            if score > best_score:
                best, best_score = drop, score
    return best


def steer_capsule(player: PlayerState, target: Drop) -> int:
    """Return the pad byte that brings the falling capsule closer to `target`.

    Turns and shifts are taps: a button that was down in the last frame is released first. Soft
    drop works only with DOWN alone, so it waits for the right pose.
    """
    shift = target.column - player.x
    turns = (target.rotation - player.rotation) % NUM_ROTATIONS
    if shift == 0 and turns == 0:
        return Button.DOWN
    wanted = NO_BUTTONS
    if turns:
        wanted |= Button.A if turns == NUM_ROTATIONS - 1 else Button.B
    lies_down = turns > 0 and is_vertical(player.rotation)
    # Lying down with LEFT held moves one column more, so LEFT waits for the turn.
    if shift < 0 and not lies_down:
        wanted |= Button.LEFT
    elif shift > 0:
        wanted |= Button.RIGHT
    return wanted & ~Button(player.held)


def _can_reach(drop: Drop, tops: list[int], frames_per_row: int, frames_per_tap: int) -> bool:
    """Tell whether taps cross the columns on the way before gravity lets them block the path."""
    step = 1 if drop.column > SPAWN_X else -1
    leading_half = 1 if step > 0 and not is_vertical(drop.rotation) else 0
    for taps in range(abs(drop.column - SPAWN_X)):
        row = taps * frames_per_tap // frames_per_row
        if tops[SPAWN_X + step * (taps + 1) + leading_half] <= row:
            return False
    return True
