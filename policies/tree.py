"""`tree:DIR`: a distilled tree as an ordinary player, moving as the cartridge's routine does.

It presses buttons frame by frame, exactly those of the CPU opponent in the cartridge. The decision
follows from bottle, capsule and falling speed, which do not change during a fall; all that it
remembers is for how many frames the capsule has been falling.
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
from policies.distill.routine import Fall, Situation, choose_pad
from policies.distill.tree import Node, make_page
from policies.drops import find_column_tops

_ACTION_OF_PAD: Final = {int(pad): action for action, pad in enumerate(BUTTON_ACTIONS)}


@dataclass(frozen=True, slots=True)
class TreePolicy:
    """Plays a tree's choices by the cartridge's movement routine."""

    tree: Node
    name: str
    """The text that names this policy."""

    @property
    def page(self) -> np.ndarray:
        """The tree as native code takes it, uint8 (190,)."""
        return _make_page(self.tree)

    @property
    def view(self) -> View:
        """Reads the decoded position, presses buttons, one frame at a time."""
        return View("position")

    @property
    def deterministic(self) -> bool:
        """Ties have a rule."""
        return True

    def initial_state(self, batch: int) -> np.ndarray:
        """Return the frames of control so far, int64 (batch,)."""
        return np.zeros(batch, np.int64)

    def act(
        self,
        observations: Sequence[GameState],
        masks: np.ndarray | None,
        state: np.ndarray,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Choose the next buttons for each position.

        Args:
            observations: Positions from the acting seat's view (own seat 0).
            masks: Ignored: every button action is legal.
            state: Frames of control so far, int64 (batch,).
            rng: Not drawn from.

        Returns:
            Indices into `BUTTON_ACTIONS` and the next state, both int64 (batch,).
        """
        falling = [one.mode == Mode.PLAY and one.players[0].can_act for one in observations]
        frames = np.where(falling, state + 1, 0)
        pads = [
            self._choose_pad(position, int(n)) if n else NO_BUTTONS
            for position, n in zip(observations, frames, strict=True)
        ]
        return np.array([_ACTION_OF_PAD[pad] for pad in pads], np.int64), frames

    def _choose_pad(self, position: GameState, n: int) -> int:
        player = position.players[0]
        frames_per_row = find_frames_per_row(player)
        target = _choose_target(self.tree, player.cells, player.colours, frames_per_row)
        return route_capsule(position, 0, n, target)


def load_tree(folder: str) -> TreePolicy:
    """Return the player of an exported folder.

    Raises:
        ArtefactError: There is no usable `tree.json` in it.
    """
    return TreePolicy(read_artefact(Path(folder)).tree, f"tree:{folder}")


def route_capsule(position: GameState, seat: int, n: int, target: tuple[int, int]) -> int:
    """Return the pad byte of the coming frame of a falling capsule that the routine moves.

    Args:
        position: The game before that frame.
        seat: Whose capsule falls.
        n: Number of the coming frame among those of control over the capsule, from 1 on.
        target: Rotation and column to bring it to.
    """
    player = position.players[seat]
    fall = Fall(
        n=n,
        frame_counter=position.frame_counter + 1,
        row=SPAWN_Y - player.y,
        rotation=player.rotation,
        x=player.x,
        floor=min(find_column_tops(player.cells)),
    )
    return choose_pad(fall, target)


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
