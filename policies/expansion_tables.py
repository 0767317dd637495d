"""Lookup tables by which a network expands compact observations; numpy only, no weights.

`policies.network.CompactExpansion` reads them; what they mean for play is written there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations, product
from typing import Final

import numpy as np

from envs.game.capsule import HALVES
from envs.game.layout import NUM_COLOURS
from envs.observation import COMPACT_FIELDS, COMPACT_SPEC, CompactField

BYTE_VALUES: Final = 256

_SEATS: Final = ("own", "opponent")
_NAMING: Final = ("first", "second", "next_first", "next_second")
"""Fields of the own seat in whose order colours are renamed."""
_COLOURS: Final = (*_NAMING, "attack_1", "attack_2", "attack_3", "attack_4")
_POSE: Final = ("x", "y", "rotation", "first", "second", "next_action")
_BITS: Final = ("held", "frame")
"""Fields whose bits mean something by themselves."""
_LARGEST_ONE_HOT: Final = 8
"""Fields with at most this largest value become one-hot; others one number."""
_COUNT_SCALE: Final = 8.0
"""Counts of lines and garbage hardly ever exceed this, whatever their byte could hold."""
_ORDERS: Final = tuple(permutations(range(NUM_COLOURS)))
"""Every renaming: new name by old name."""


@dataclass(frozen=True, slots=True)
class ExpansionTables:
    """All tables; S seats, N numbers, 6 renamings of the colours."""

    cells: np.ndarray
    """float32 (6 * 256, 7): planes by renaming and cell code: virus and other tile of each
    colour, occupied."""
    numbers: np.ndarray
    """float32 (N * 256,): value of each number by byte."""
    number_sources: np.ndarray
    """int64 (N,): byte of the observation behind each number."""
    number_offsets: np.ndarray
    """int64 (N,): start of each number in `numbers`."""
    colour_sources: np.ndarray
    """int64 (16,): bytes that hold a colour; the first four are those that name the colours."""
    naming_strides: np.ndarray
    """int64 (4,): what each of those four is worth in an index into `namings`."""
    namings: np.ndarray
    """int64 (81,): the renaming that those four ask for."""
    new_colours: np.ndarray
    """int64 (6, 256): new colour by renaming and byte; other bytes stay."""
    pose_sources: np.ndarray
    """int64 (S, 6): bytes that say where the falling capsule is: x, y, rotation, first, second,
    next_action."""
    half_right: np.ndarray
    """int64 (4, 2): by rotation, how far right of the pivot each half is."""
    half_up: np.ndarray
    """int64 (4, 2): by rotation, how far above the pivot each half is."""


def make_tables() -> ExpansionTables:
    """Return the tables for the compact observation of this version."""
    sources, numbers = zip(*_list_numbers(), strict=True)
    strides = NUM_COLOURS ** np.arange(len(_NAMING))[::-1]
    combinations = product(range(NUM_COLOURS), repeat=len(_NAMING))
    new_colours = np.tile(np.arange(BYTE_VALUES), (len(_ORDERS), 1))
    new_colours[:, :NUM_COLOURS] = _ORDERS
    return ExpansionTables(
        cells=np.concatenate([_list_cell_planes(order) for order in _ORDERS]),
        numbers=np.concatenate(numbers),
        number_sources=np.array(sources),
        number_offsets=np.arange(len(sources)) * BYTE_VALUES,
        colour_sources=np.array([_offset(seat, name) for seat in _SEATS for name in _COLOURS]),
        naming_strides=strides,
        namings=np.array([_ORDERS.index(_name_colours(seen)) for seen in combinations]),
        new_colours=new_colours,
        pose_sources=np.array([[_offset(seat, name) for name in _POSE] for seat in _SEATS]),
        half_right=np.array([[half.right for half in halves] for halves in HALVES]),
        half_up=np.array([[half.up for half in halves] for halves in HALVES]),
    )


def _offset(seat: str, name: str) -> int:
    return COMPACT_SPEC[f"{seat}.{name}"].offset


def _name_colours(seen: tuple[int, ...]) -> tuple[int, ...]:
    """Return new names by old name: by first appearance in `seen`, then in order."""
    by_appearance = list(dict.fromkeys((*seen, *range(NUM_COLOURS))))
    return tuple(by_appearance.index(colour) for colour in range(NUM_COLOURS))


def _list_cell_planes(order: tuple[int, ...]) -> np.ndarray:
    """Return the planes by cell code with colours renamed, float32 (256, 7)."""
    planes = np.zeros((BYTE_VALUES, 2 * NUM_COLOURS + 1), np.float32)
    for code in range(1, COMPACT_SPEC["own.cells"].high + 1):
        # Codes run through the colours of a kind; viruses are the first kind.
        kind, colour = divmod(code - 1, NUM_COLOURS)
        planes[code, order[colour] + (NUM_COLOURS if kind else 0)] = 1.0
        planes[code, -1] = 1.0
    return planes


def _list_numbers() -> Iterator[tuple[int, np.ndarray]]:
    """Yield each number's byte in the observation and its value by byte, float32 (256,)."""
    for field in COMPACT_FIELDS:
        if field.size == 1:
            for values in _expand_field(field):
                yield field.offset, values


def _expand_field(field: CompactField) -> np.ndarray:
    """Return the values of each number that a field becomes, float32 (numbers, 256)."""
    values = np.arange(BYTE_VALUES)
    name = field.name.rpartition(".")[2]
    if name in _BITS:
        expanded = values >> np.arange(8)[:, None] & 1
    elif field.high <= _LARGEST_ONE_HOT:
        expanded = np.arange(field.high + 1)[:, None] == values
    else:
        scale = _COUNT_SCALE if field.high == BYTE_VALUES - 1 else field.high
        expanded = np.minimum(values / scale, 1.0)[None]
    return expanded.astype(np.float32)
