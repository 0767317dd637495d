"""`search`: looks one or two capsules ahead over every placement that can really be played.

Each placement is judged by a linear score of its candidate features (`envs.candidates`): what the
capsules do adds up, and the bottle that is left counts once, at the end. At depth 2 the second
capsule starts where the rules put it once the first has locked and all has settled, queued garbage
included, and every placement of it is judged. What comes after the preview is not looked at.

Depth 2 looks into the `width` first placements that are best by one ply. `docs/benchmarks.md` says
what that loses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, field, fields
from functools import lru_cache
from typing import Final

import numpy as np

from envs.backends.native_search import NO_POSE, pack_position, search_poses
from envs.candidates import FEATURE_INDEX, NUM_FEATURES
from envs.game.layout import Mode
from envs.game.placement import NUM_POSES, WAIT
from envs.game.state import GameState
from policies.base import View

DEPTHS: Final = (1, 2)
DEFAULT_DEPTH: Final = 2
DEFAULT_WIDTH: Final = 16
MAX_WIDTH: Final = NUM_POSES
"""Looks into every first placement."""


@dataclass(frozen=True, slots=True)
class SearchWeights:
    """What each feature of a placement is worth; fields are features of `envs.candidates`.

    The defaults are what `python -m policies.tune_search` prints, but for `garbage_sent`, which
    solo rounds cannot tell.
    """

    # What the capsule does.
    lock_frames: float = -0.0008
    settle_frames: float = -0.007
    viruses_cleared: float = 9.5587
    cells_cleared: float = 0.215
    rounds: float = 0.07
    lines: float = 0.1119
    # The bottle that is left.
    max_height: float = -0.0216
    height_squares: float = -0.0599
    spawn_height: float = 0.0204
    high_stack: float = -0.2714
    colour_changes: float = -0.6106
    buried: float = 0.057
    buried_runs: float = -0.5003
    open_viruses: float = -0.0187
    holes: float = 0.1732
    loose_cells: float = -0.0788
    top_virus_one: float = 0.0756
    top_virus_two: float = 1.6757
    top_virus_three: float = 3.5571
    top_two: float = 0.4332
    top_three: float = 1.6381
    row_virus_two: float = -0.0335
    row_virus_three: float = 2.0128
    row_two: float = 0.0884
    row_three: float = 0.37
    # Against an opponent.
    garbage_sent: float = 3.0
    """A piece of garbage that a placement sends, at most four of them."""


CAPSULE_TERMS: Final = (
    "lock_frames",
    "settle_frames",
    "viruses_cleared",
    "cells_cleared",
    "rounds",
    "lines",
)
"""Weights of what a capsule does; they add up over the plies."""
BOTTLE_TERMS: Final = tuple(
    one.name for one in fields(SearchWeights) if one.name not in (*CAPSULE_TERMS, "garbage_sent")
)
"""Weights of the bottle after the last ply."""
TUNED_WEIGHTS: Final = SearchWeights()


@dataclass(frozen=True, slots=True)
class SearchPolicy:
    """Places every capsule where the score is best."""

    depth: int = DEFAULT_DEPTH
    """Capsules to look ahead, 1 or 2."""
    width: int = DEFAULT_WIDTH
    """First placements that depth 2 looks into, 1..512."""
    weights: SearchWeights = field(default=TUNED_WEIGHTS)

    def __post_init__(self) -> None:
        """Check ranges.

        Raises:
            ValueError: Depth or width is out of range.
        """
        if self.depth not in DEPTHS:
            raise ValueError(f"expected depth 1 or 2, got {self.depth!r}")
        if not 1 <= self.width <= MAX_WIDTH:
            raise ValueError(f"expected width in 1..{MAX_WIDTH}, got {self.width!r}")

    @property
    def name(self) -> str:
        """The text that names this policy."""
        text = f"search:depth={self.depth}"
        return text if self.width == DEFAULT_WIDTH else f"{text},width={self.width}"

    @property
    def view(self) -> View:
        """Reads the decoded position, gives placements."""
        return View("position", "placement")

    @property
    def deterministic(self) -> bool:
        """Ties go to the lower pose."""
        return True

    def initial_state(self, batch: int) -> None:
        """Return None: each position is judged by itself."""

    def act(
        self,
        observations: Sequence[GameState],
        masks: np.ndarray | None,
        state: None,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, None]:
        """Choose a placement for each position.

        Args:
            observations: Positions from the acting seat's view (own seat 0).
            masks: Ignored: the search finds the legal poses itself.
            state: None.
            rng: Not drawn from.

        Returns:
            Poses, or WAIT where there is nothing to place, int64 of shape (batch,), and None.

        Raises:
            BackendError: The native extension was not built.
        """
        actions = np.full(len(observations), WAIT, np.int64)
        due = [row for row, position in enumerate(observations) if _is_due(position)]
        if due:
            packed = b"".join(pack_position(observations[row]) for row in due)
            positions = np.frombuffer(packed, np.uint8).reshape(len(due), -1)
            actions[due] = self.choose_placements(positions)
        return actions, None

    def choose_placements(self, positions: np.ndarray) -> np.ndarray:
        """Choose for packed positions (`envs.backends.native_search`).

        Args:
            positions: uint8 (n, bytes), each with a falling capsule.

        Returns:
            Actions, int64 (n,); WAIT for a capsule that no pose is left for.
        """
        weights = list_weights(self.weights)
        poses = search_poses(positions, weights, depth=self.depth, width=self.width)
        return np.where(poses == NO_POSE, WAIT, poses).astype(np.int64)

    def judge_placements(self, positions: np.ndarray) -> np.ndarray:
        """Return the value of every placement that the search judges, for those who learn from it.

        Args:
            positions: uint8 (n, bytes), packed.

        Returns:
            float32 (n, 512); -inf for poses that are illegal or were not looked into.
        """
        values = np.full((len(positions), NUM_POSES), -np.inf, np.float32)
        search_poses(
            positions,
            list_weights(self.weights),
            depth=self.depth,
            width=self.width,
            values=values,
        )
        return values


@lru_cache(maxsize=64)
def list_weights(weights: SearchWeights) -> np.ndarray:
    """Return weights as the native code takes them, float32 (2 * features + 1,), read-only."""
    values = np.zeros(2 * NUM_FEATURES + 1, np.float32)
    for one, value in zip(fields(weights), astuple(weights), strict=True):
        if one.name in CAPSULE_TERMS:
            values[FEATURE_INDEX[one.name]] = value
        elif one.name in BOTTLE_TERMS:
            values[NUM_FEATURES + FEATURE_INDEX[one.name]] = value
    values[-1] = weights.garbage_sent
    values.flags.writeable = False
    return values


def _is_due(position: GameState) -> bool:
    return position.mode == Mode.PLAY and position.players[0].can_act
