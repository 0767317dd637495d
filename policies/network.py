"""The neural policy: a small network over the compact observation, and its `Policy` form.

The env hands out compact codes; everything that a network wants (one-hot planes, the falling
capsule drawn into its bottle, bits, scaled numbers) is expanded here, on the learner's device.
Knows no trainer and no files: RLlib's modules and `league.snapshots` both build on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from envs.actions import BUTTON_ACTIONS
from envs.game.capsule import HALVES, NUM_ROTATIONS, cell_index
from envs.game.layout import CELLS, COLUMNS, NUM_COLOURS, ROWS, NextAction
from envs.observation import COMPACT_FIELDS, COMPACT_SIZE, COMPACT_SPEC, CompactField
from policies.base import State, View

NUM_ACTIONS: Final = len(BUTTON_ACTIONS)

_SEATS: Final = ("own", "opponent")
_CAPSULE: Final = ("x", "y", "rotation", "first", "second", "next_action")
"""Fields that say where the falling capsule is and what it looks like."""
_BYTE_VALUES: Final = 256
_VIRUS_PLANES: Final = NUM_COLOURS
_CELL_PLANES: Final = 2 * NUM_COLOURS + 1
"""Per cell: virus of each colour, anything else of each colour, occupied."""
_PLANES: Final = _CELL_PLANES + NUM_COLOURS
"""With the falling capsule: one plane per colour."""

_BITS: Final = ("held", "frame")
"""Fields whose bits mean something by themselves."""
_LARGEST_ONE_HOT: Final = 8
"""Fields with at most this largest value become one-hot; others one number."""
_COUNT_SCALE: Final = 8.0
"""Counts of lines and garbage hardly ever exceed this, whatever their byte could hold."""


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
    """Expands compact observations into planes and numbers; has no weights."""

    _cells: Tensor
    _numbers: Tensor
    _number_sources: Tensor
    _number_offsets: Tensor
    _capsule_cells: Tensor
    _capsule_sources: Tensor
    _pose_strides: Tensor

    def __init__(self) -> None:
        super().__init__()
        sources, tables = zip(*_list_numbers(), strict=True)
        fields = [[COMPACT_SPEC[f"{seat}.{name}"].offset for name in _CAPSULE] for seat in _SEATS]
        # Not persistent: they follow from the code and do not belong to a snapshot.
        for name, value in (
            ("_cells", _cell_table()),
            ("_numbers", np.concatenate(tables)),
            ("_number_sources", np.array(sources)),
            ("_number_offsets", np.arange(len(sources)) * _BYTE_VALUES),
            ("_capsule_cells", _capsule_table()),
            ("_capsule_sources", np.array(fields)),
            ("_pose_strides", np.array([ROWS * NUM_ROTATIONS, NUM_ROTATIONS, 1])),
        ):
            self.register_buffer(name, torch.from_numpy(value), persistent=False)
        self.num_numbers: int = len(sources)

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        """Expand a batch.

        Args:
            observations: uint8 (batch, COMPACT_SIZE).

        Returns:
            Planes, float32 (batch, 2, planes, 16, 8), own bottle first; numbers of both seats,
            float32 (batch, num_numbers).
        """
        codes = observations.long()
        bottles = codes[:, : 2 * CELLS].view(-1, 2, CELLS)
        cells = nn.functional.embedding(bottles, self._cells).transpose(2, 3)
        capsules = self._draw_capsules(codes[:, self._capsule_sources])
        planes = torch.cat([cells, capsules], 2).view(-1, 2, _PLANES, ROWS, COLUMNS)
        numbers = self._numbers[codes[:, self._number_sources] + self._number_offsets]
        return planes, numbers

    def _draw_capsules(self, fields: Tensor) -> Tensor:
        """Draw the falling capsule of both seats, one plane per colour; none while nothing falls.

        Args:
            fields: int64 (batch, 2, 6), as `_CAPSULE`.

        Returns:
            float32 (batch, 2, 3, 128).
        """
        cells = self._capsule_cells[(fields[..., :3] * self._pose_strides).sum(2)]
        falling = (fields[..., 5:] == NextAction.FALLING).float().expand(-1, -1, 2)
        # One cell more than the bottle has takes the half that sticks out above it.
        width = CELLS + 1
        drawn = torch.zeros(len(fields), 2, NUM_COLOURS * width, device=fields.device)
        drawn.scatter_(2, fields[..., 3:5] * width + cells, falling)
        return drawn.view(-1, 2, NUM_COLOURS, width)[..., :CELLS]


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


def _cell_table() -> np.ndarray:
    """Plane values by cell code, float32 (256, _CELL_PLANES)."""
    table = np.zeros((_BYTE_VALUES, _CELL_PLANES), np.float32)
    for code in range(1, COMPACT_SPEC["own.cells"].high + 1):
        # Codes run through the colours of a kind; viruses are the first kind.
        kind, colour = divmod(code - 1, NUM_COLOURS)
        table[code, colour + (_VIRUS_PLANES if kind else 0)] = 1.0
        table[code, -1] = 1.0
    return table


def _capsule_table() -> np.ndarray:
    """Cells of both halves by pose (x, y, rotation), int64 (512, 2); CELLS above the bottle."""
    cells = [
        [
            cell_index(x + half.right, y + half.up)
            if y + half.up < ROWS and x + half.right < COLUMNS
            else CELLS
            for half in HALVES[rotation]
        ]
        for x in range(COLUMNS)
        for y in range(ROWS)
        for rotation in range(NUM_ROTATIONS)
    ]
    return np.array(cells, np.int64)


def _list_numbers() -> Iterator[tuple[int, np.ndarray]]:
    """Yield each number's byte in the observation and its value by byte, float32 (256,)."""
    for field in COMPACT_FIELDS:
        if field.size == 1:
            for values in _expand_field(field):
                yield field.offset, values


def _expand_field(field: CompactField) -> np.ndarray:
    """Return the values of each number that a field becomes, float32 (numbers, 256)."""
    values = np.arange(_BYTE_VALUES)
    name = field.name.rpartition(".")[2]
    if name in _BITS:
        expanded = values >> np.arange(8)[:, None] & 1
    elif field.high <= _LARGEST_ONE_HOT:
        expanded = np.arange(field.high + 1)[:, None] == values
    else:
        scale = _COUNT_SCALE if field.high == _BYTE_VALUES - 1 else field.high
        expanded = np.minimum(values / scale, 1.0)[None]
    return expanded.astype(np.float32)
