"""What a candidate network knows of the position besides the candidates: a row of numbers.

Colours appear only by whether two of them are equal, so renaming them changes nothing at all.
"""

from __future__ import annotations

from itertools import combinations
from typing import Final

import torch
from torch import Tensor, nn

from envs.game.layout import CELLS, COLUMNS, NUM_COLOURS, NUM_SEATS, ROWS, Speed
from envs.observation import COMPACT_SPEC

_CAPSULES: Final = ("first", "second", "next_first", "next_second")
_SCALES: Final = {
    "garbage_out": 4.0,
    "combo": 4.0,
    "gravity_index": 80.0,
    "speed_ups": 20.0,
    "level": 20.0,
    "placed_step": 8.0,
    "next_action": 6.0,
}
"""Fields of both seats that count as they are, and what each is divided by."""
_NUMBER_CAP: Final = 2.0
"""Numbers are cut off here: a queue of 255 pieces is no worse than one of 8."""
_VIRUS_SCALES: Final = (2.0, 8.0, 40.0)
"""Viruses left are told at three scales, as 1 - exp(-viruses / scale): the last ones decide."""
_COLOUR_VIRUSES: Final = 16.0
_EQUALITIES: Final = tuple(combinations(range(len(_CAPSULES)), 2))


class ContextReader(nn.Module):
    """Reads numbers off compact observations; has no weights."""

    _capsules: Tensor
    _numbers: Tensor
    _scales: Tensor
    _speeds: Tensor
    _virus_scales: Tensor
    _row_heights: Tensor
    _left: Tensor
    _right: Tensor

    size: int = (
        NUM_SEATS * (COLUMNS + len(_SCALES) + len(_VIRUS_SCALES))
        + len(Speed)
        + len(_CAPSULES)
        + len(_EQUALITIES)
    )
    """Numbers per position."""

    def __init__(self) -> None:
        super().__init__()
        seats = ("own", "opponent")
        buffers = {
            "capsules": [_offset(f"own.{name}") for name in _CAPSULES],
            "numbers": [
                COMPACT_SPEC[f"{seat}.{name}"].offset for seat in seats for name in _SCALES
            ],
            "scales": list(_SCALES.values()) * NUM_SEATS,
            "speeds": [int(speed) for speed in Speed],
            "virus_scales": list(_VIRUS_SCALES),
            "row_heights": [[ROWS - row] for row in range(ROWS)],
            "left": [left for left, _ in _EQUALITIES],
            "right": [right for _, right in _EQUALITIES],
        }
        # Not persistent: they follow from the code and do not belong to a snapshot.
        for name, values in buffers.items():
            self.register_buffer(f"_{name}", torch.tensor(values), persistent=False)
        self._row_heights = self._row_heights.to(torch.uint8)
        self._speed = _offset("own.speed")

    def forward(self, compact: Tensor) -> Tensor:
        """Read a batch.

        Args:
            compact: uint8 (batch, 314).

        Returns:
            float32 (batch, size), each number in 0..2.
        """
        cells = compact[:, : NUM_SEATS * CELLS].view(-1, NUM_SEATS, ROWS, COLUMNS)
        heights = ((cells != 0) * self._row_heights).amax(2).flatten(1) / float(ROWS)
        colours = torch.stack([(cells == 1 + colour).sum((2, 3)) for colour in range(NUM_COLOURS)])
        capsules = compact.index_select(1, self._capsules).long()
        matching = colours[:, :, 0].T.gather(1, capsules.clamp(max=NUM_COLOURS - 1))
        numbers = compact.index_select(1, self._numbers) / self._scales
        parts = [
            heights,
            numbers.clamp(max=_NUMBER_CAP),
            (1.0 - torch.exp(-colours.sum(0)[..., None] / self._virus_scales)).flatten(1),
            (compact[:, self._speed, None] == self._speeds).float(),
            (matching / _COLOUR_VIRUSES).clamp(max=_NUMBER_CAP),
            (capsules[:, self._left] == capsules[:, self._right]).float(),
        ]
        return torch.cat(parts, 1)


def _offset(name: str) -> int:
    return COMPACT_SPEC[name].offset
