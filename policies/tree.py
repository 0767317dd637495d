"""`tree:DIR`: a distilled tree as an ordinary player, moving as the cartridge's routine does.

It presses buttons frame by frame, exactly those of the CPU opponent in the cartridge: nothing in
the first frames, then taps, then a soft drop. It keeps no state: the decision follows from bottle,
capsule and falling speed, which do not change during a fall, and the frame of control from how far
the capsule has fallen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from envs.actions import BUTTON_ACTIONS
from envs.game.capsule import SPAWN_Y
from envs.game.layout import FRAMES_PER_ROW, NO_BUTTONS, Mode
from envs.game.state import GameState, PlayerState
from policies.base import View
from policies.distill.artefact import read_artefact
from policies.distill.decide import choose_best, judge_candidates
from policies.distill.routine import Situation, choose_pad
from policies.distill.tree import Node, make_page

_ACTION_OF_PAD: Final = {int(pad): action for action, pad in enumerate(BUTTON_ACTIONS)}


@dataclass(frozen=True, slots=True)
class TreePolicy:
    """Plays a tree's choices by the cartridge's movement routine."""

    tree: Node
    name: str
    """The text that names this policy."""

    @property
    def page(self) -> np.ndarray:
        """The tree as native code takes it, uint8 (256,)."""
        return _make_page(self.tree)

    @property
    def view(self) -> View:
        """Reads the decoded position, presses buttons, one frame at a time."""
        return View("position")

    @property
    def deterministic(self) -> bool:
        """Ties have a rule."""
        return True

    def initial_state(self, batch: int) -> None:
        """Return None: everything follows from the position."""

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
        frames_per_row = find_frames_per_row(player)
        target = _choose_target(self.tree, player.cells, player.colours, frames_per_row)
        return route_capsule(player, target)


def load_tree(folder: str) -> TreePolicy:
    """Return the player of an exported folder.

    Raises:
        ArtefactError: There is no usable `tree.json` in it.
    """
    return TreePolicy(read_artefact(Path(folder)).tree, f"tree:{folder}")


def route_capsule(player: PlayerState, target: tuple[int, int]) -> int:
    """Return the pad byte of the coming frame of a falling capsule that the routine moves.

    Args:
        player: Whose capsule falls.
        target: Rotation and column to bring it to.
    """
    # Rows that were soft-dropped count too: the pose is the target's by then.
    n = (SPAWN_Y - player.y) * find_frames_per_row(player) + player.gravity_counter + 1
    return choose_pad(n, player.rotation, player.x, target)


def find_frames_per_row(player: PlayerState) -> int:
    """Return the frames that the falling capsule takes for a row."""
    return FRAMES_PER_ROW[min(player.gravity_index, len(FRAMES_PER_ROW) - 1)]


@lru_cache
def _make_page(tree: Node) -> np.ndarray:
    return make_page(tree)


@lru_cache(maxsize=4096)
def _choose_target(
    tree: Node, bottle: bytes, colours: tuple[int, int], frames_per_row: int
) -> tuple[int, int]:
    """Return rotation and column; the cache saves the work of a fall's later frames."""
    best = choose_best(judge_candidates(Situation(bottle, colours, frames_per_row), tree))
    return best.drop.rotation, best.drop.column
