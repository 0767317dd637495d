"""Expands compact observations into planes and numbers, on the network's device; no weights."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

import torch
from torch import Tensor, nn

from envs.game.layout import CELLS, COLUMNS, NUM_COLOURS, ROWS, NextAction
from policies.expansion_tables import BYTE_VALUES, make_tables

_CELL_PLANES: Final = 2 * NUM_COLOURS + 1
"""Per cell: virus of each colour, anything else of each colour, occupied."""
PLANES: Final = _CELL_PLANES + 3 * NUM_COLOURS
"""By colour besides: the run on top of each column, the falling capsule, where it would land."""


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
