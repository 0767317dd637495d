"""The neural policy: a small network over the compact observation, and its `Policy` form.

The env hands out compact codes; everything that a network wants (one-hot planes, the falling
capsule drawn into its bottle, bits, scaled numbers) is expanded here, on the learner's device.
Knows no trainer and no files: RLlib's modules and `league.snapshots` both build on it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from envs.actions import BUTTON_ACTIONS
from envs.game.layout import CELLS, COLUMNS, NUM_COLOURS, ROWS, NextAction
from envs.observation import COMPACT_SIZE
from policies.base import State, View
from policies.expansion_tables import BYTE_VALUES, make_tables

NUM_ACTIONS: Final = len(BUTTON_ACTIONS)

_CELL_PLANES: Final = 2 * NUM_COLOURS + 1
"""Per cell: virus of each colour, anything else of each colour, occupied."""
_PLANES: Final = _CELL_PLANES + 3 * NUM_COLOURS
"""By colour besides: the run on top of each column, the falling capsule, where it would land."""


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """Size of a `ColumnNetwork`.

    Raises:
        ValueError: A size is below 1.
    """

    column_features: int = 48
    """Features that the shared encoder computes for each column of a bottle."""
    hidden: int = 128
    """Width of the layer from which policy and value are read."""

    def __post_init__(self) -> None:
        for name in ("column_features", "hidden"):
            if getattr(self, name) < 1:
                raise ValueError(f"expected {name} >= 1, got {getattr(self, name)!r}")


class CompactExpansion(nn.Module):
    """Expands compact observations into planes and numbers; has no weights.

    Colours are renamed by their first appearance in the own capsule and the next one, the rest in
    order. The game does not care about names, so nothing is lost, and what is learned about one
    colour holds for all.
    """

    _cells: Tensor
    _numbers: Tensor
    _number_sources: Tensor
    _number_offsets: Tensor
    _colour_sources: Tensor
    _naming_strides: Tensor
    _namings: Tensor
    _new_colours: Tensor
    _pose_sources: Tensor
    _half_right: Tensor
    _half_up: Tensor

    def __init__(self) -> None:
        super().__init__()
        tables = make_tables()
        # Not persistent: they follow from the code and do not belong to a snapshot.
        for name, value in asdict(tables).items():
            self.register_buffer(f"_{name}", torch.from_numpy(value), persistent=False)
        self.num_numbers: int = len(tables.number_sources)

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        """Expand a batch.

        Args:
            observations: uint8 (batch, COMPACT_SIZE).

        Returns:
            Planes, float32 (batch, 2, planes, 16, 8), own bottle first; numbers of both seats,
            float32 (batch, num_numbers).
        """
        codes = observations.long()
        colours = codes[:, self._colour_sources]
        naming = self._namings[(colours[:, :4] * self._naming_strides).sum(1)]
        codes[:, self._colour_sources] = self._new_colours[naming[:, None], colours]
        numbers = self._numbers[codes[:, self._number_sources] + self._number_offsets]
        bottles = codes[:, : 2 * CELLS] + naming[:, None] * BYTE_VALUES
        cells = nn.functional.embedding(bottles.view(-1, 2, ROWS, COLUMNS), self._cells)
        cells = cells.permute(0, 1, 4, 2, 3)
        runs, tops = _find_top_runs(cells)
        capsules = self._draw_capsules(codes[:, self._pose_sources], tops)
        return torch.cat([cells, runs, capsules], 2), numbers

    def _draw_capsules(self, pose: Tensor, tops: Tensor) -> Tensor:
        """Draw where the capsule of each seat is and where it would land; empty if none falls.

        Args:
            pose: int64 (batch, 2, 6): x, y, rotation, first, second, next_action.
            tops: int64 (batch, 2, 8): empty cells above each column's highest tile.

        Returns:
            float32 (batch, 2, 6, 16, 8): by colour the capsule, then its landing place.
        """
        x, y, rotation, first, second, action = pose.unbind(2)
        up = self._half_up[rotation]
        columns = x[..., None] + self._half_right[rotation]
        landing = tops.gather(2, columns.clamp(max=COLUMNS - 1)).min(2).values - 1
        lower = torch.stack([ROWS - 1 - y, landing], 2)
        rows = lower[..., None] - up[:, :, None]
        cells = rows * COLUMNS + columns[:, :, None]
        inside = (rows >= 0) & (columns < COLUMNS)[:, :, None]
        # One cell more than a bottle has takes the halves that stick out of it.
        width = CELLS + 1
        colours = torch.stack([first, second], 2)[:, :, None]
        kinds = torch.arange(2, device=pose.device)[:, None] * NUM_COLOURS
        places = (kinds + colours) * width + torch.where(inside, cells, CELLS)
        falling = (action == NextAction.FALLING).float()[..., None].expand(-1, -1, 4)
        drawn = torch.zeros(len(pose), 2, 2 * NUM_COLOURS * width, device=pose.device)
        drawn.scatter_(2, places.flatten(2), falling)
        drawn = drawn.view(-1, 2, 2 * NUM_COLOURS, width)[..., :CELLS]
        return drawn.reshape(-1, 2, 2 * NUM_COLOURS, ROWS, COLUMNS)


def _find_top_runs(cells: Tensor) -> tuple[Tensor, Tensor]:
    """Find the run of one colour on top of each column.

    Args:
        cells: float32 (batch, 2, _CELL_PLANES, 16, 8).

    Returns:
        The cells of the runs by colour, float32 (batch, 2, 3, 16, 8), and the number of empty
        cells above each column, int64 (batch, 2, 8).
    """
    colours = cells[:, :, :NUM_COLOURS] + cells[:, :, NUM_COLOURS : 2 * NUM_COLOURS]
    occupied = cells[:, :, -1:]
    depth = occupied.cumsum(3)
    top_colour = (colours * (depth == 1)).sum(3, keepdim=True)
    same = (colours * top_colour).sum(2, keepdim=True)
    ended = ((depth > 0) & (same == 0)).cumsum(3)
    return colours * same * (ended == 0), (depth == 0).sum(3).squeeze(2)


class ColumnNetwork(nn.Module):
    """Policy and value from shared column encoders.

    Every column of both bottles goes through one encoder; two convolutions across columns let
    the own columns see their neighbours. Colours, heights and what lies on what are visible in a
    column, so this learns from far fewer games than convolutions over the image.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        features = config.column_features
        self.expand = CompactExpansion()
        self.encode_column = nn.Conv2d(_PLANES, features, (ROWS, 1))
        self.mix_columns = nn.Sequential(
            nn.Conv1d(features, features, 3, padding=1),
            nn.ReLU(),
            nn.Conv1d(features, features, 3, padding=1),
            nn.ReLU(),
        )
        self.merge = nn.Sequential(
            nn.Linear(features * COLUMNS + features + self.expand.num_numbers, config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, config.hidden),
            nn.ReLU(),
        )
        self.policy = nn.Linear(config.hidden, NUM_ACTIONS)
        self.value = nn.Linear(config.hidden, 1)
        # A nearly uniform first policy: nothing is ruled out before anything was tried.
        nn.init.orthogonal_(self.policy.weight, 0.01)
        nn.init.zeros_(self.policy.bias)

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        """Evaluate a batch.

        Args:
            observations: uint8 (batch, COMPACT_SIZE), own seat first.

        Returns:
            Logits of the buttons, float32 (batch, NUM_ACTIONS), and values, float32 (batch,).
        """
        planes, numbers = self.expand(observations)
        columns = torch.relu(self.encode_column(planes.flatten(0, 1)).squeeze(2))
        own, opponent = columns[0::2], columns[1::2]
        merged = torch.cat([self.mix_columns(own).flatten(1), opponent.mean(2), numbers], 1)
        hidden = self.merge(merged)
        return self.policy(hidden), self.value(hidden).squeeze(1)


def build_network(config: NetworkConfig) -> ColumnNetwork:
    """Build the network that `config` describes, with fresh weights from torch's generator."""
    return ColumnNetwork(config)


class NetworkPolicy:
    """A network as a `Policy`: numpy in, numpy out, no gradients, no state."""

    def __init__(self, network: nn.Module, view: View, name: str) -> None:
        """Wrap a network.

        Args:
            network: Maps uint8 (batch, COMPACT_SIZE) to logits and values; it is put into
                evaluation mode and must not be trained elsewhere.
            view: How the policy sees the game; `view.greedy` chooses argmax or sampling.
            name: Text that names the policy.

        Raises:
            ValueError: The view asks for an observation or actions the network does not know.
        """
        if (view.observation, view.actions, view.stack) != ("compact", "buttons", 1):
            raise ValueError(
                "expected a view of observation 'compact', actions 'buttons' and stack 1 for a "
                f"network, got {view.observation!r}, {view.actions!r} and {view.stack}"
            )
        self._network = network.eval()
        self._view = view
        self._name = name

    @property
    def name(self) -> str:
        """The text that names this policy."""
        return self._name

    @property
    def view(self) -> View:
        """How this policy sees the game."""
        return self._view

    @property
    def deterministic(self) -> bool:
        """True when `act` never draws from `rng`."""
        return self._view.greedy

    def initial_state(self, batch: int) -> State:
        """Return None: the policy has no memory."""
        return None

    def act(
        self,
        observations: np.ndarray,
        masks: np.ndarray | None,
        state: State,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, State]:
        """Choose one action per row; see `Policy.act`.

        Args:
            observations: uint8 (batch, COMPACT_SIZE).
            masks: int8 (batch, NUM_ACTIONS), 1 = legal; None where all are legal.
            state: Ignored.
            rng: Source of randomness; untouched when `deterministic`.

        Returns:
            Actions, int64 (batch,), and None.
        """
        logits = self._logits(observations)
        if masks is not None:
            logits = np.where(masks != 0, logits, -np.inf)
        if not self._view.greedy:
            logits = logits + rng.gumbel(size=logits.shape)
        return logits.argmax(1).astype(np.int64), None

    def _logits(self, observations: np.ndarray) -> np.ndarray:
        rows = np.ascontiguousarray(observations, np.uint8)
        if rows.ndim != 2 or rows.shape[1] != COMPACT_SIZE:
            raise ValueError(
                f"expected observations of shape (batch, {COMPACT_SIZE}), got {rows.shape}"
            )
        with torch.inference_mode():
            logits, _ = self._network(torch.from_numpy(rows))
        return np.asarray(logits.double().numpy())
