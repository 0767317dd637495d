"""Set-up of a round: the RNG, the capsule reserve and the virus fill.

Everything that is random in a round is drawn here from one 16-bit word, in the order of the
console: first the 128 capsules, then the viruses. Knows nothing of play.

Source: `docs/game.md`, sections RNG and set-up; golden vectors in `tests/envs/game/test_setup.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from envs.game.layout import (
    CELLS,
    COLUMNS,
    EMPTY,
    MAX_LEVEL,
    NUM_CAPSULE_IDS,
    NUM_COLOURS,
    NUM_SEATS,
    RESERVE_SIZE,
    ROWS,
    Speed,
    Tile,
)

BOOT_WORD: Final = 0x8988
"""RNG word after power-on."""
ORBIT_LENGTH: Final = 32767
"""Number of different RNG words that come back, and so of different set-ups per level pair."""
NUM_SEEDS: Final = ORBIT_LENGTH

INTRO_WAIT_FRAMES: Final = 128
"""Frames of mode 8 after the last virus attempt (NTSC)."""
CAPSULES_DRAWN_BY_SETUP: Final = 2
"""The next-capsule routine runs twice during set-up, so play starts at reserve entry 1."""

# A fixed stride coprime to the orbit keeps neighbouring seeds from starting on similar words.
_SEED_STRIDE: Final = 20011
_FIRST_VIRUS_ROW: Final = (*(9,) * 15, *(10,) * 2, *(11,) * 2, *(12,) * 2)
"""Highest row with viruses by level, counted from the bottom, 0-based."""
_RANDOM_COLOURS: Final = (0, 1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1, 2, 1)
"""Colour by low RNG nibble, for every fourth virus."""
_NO_CYCLE_COLOUR: Final = 3


@dataclass(frozen=True, slots=True)
class RoundSetup:
    """What fixes a round: the same set-up and the same pads give the same frames.

    Raises:
        ValueError: A level, speed, RNG word or offset is impossible.
    """

    levels: tuple[int, int] = (0, 0)
    """Virus level 0..20 of each seat."""
    speeds: tuple[Speed, Speed] = (Speed.MED, Speed.MED)
    rng_word: int = BOOT_WORD
    """RNG word before `frame_offset` is applied, 2..0xFFFF."""
    frame_offset: int = 0
    """Option frames waited before set-up: RNG steps, and `$43`."""
    solo: bool = False
    """Player 2's bottle is inert."""

    def __post_init__(self) -> None:
        _check_pair("levels", self.levels)
        _check_pair("speeds", self.speeds)
        for seat, level in enumerate(self.levels):
            _check_range(f"levels[{seat}]", level, 0, MAX_LEVEL)
        for seat, speed in enumerate(self.speeds):
            _check_range(f"speeds[{seat}]", speed, Speed.LOW, Speed.HI)
        _check_range("rng_word", self.rng_word, 2, 0xFFFF)
        _check_range("frame_offset", self.frame_offset, 0, None)
        object.__setattr__(self, "levels", tuple(int(level) for level in self.levels))
        object.__setattr__(self, "speeds", tuple(Speed(speed) for speed in self.speeds))

    @property
    def entry_word(self) -> int:
        """RNG word on entering set-up (mode 3)."""
        return advance_rng(self.rng_word, self.frame_offset)

    @property
    def entry_frame_counter(self) -> int:
        """Frame counter `$43` on entering set-up."""
        return self.frame_offset & 0xFF


@dataclass(frozen=True, slots=True)
class VirusFill:
    """Both bottles as the intro leaves them."""

    fields: np.ndarray
    """uint8 (2, 128): tile bytes, `EMPTY` or a virus."""
    word: int
    """RNG word after the last attempt."""
    intro_frames: int
    """Frames with an attempt in them; mode 8 lasts `INTRO_WAIT_FRAMES` more."""


def step_rng(word: int) -> int:
    """Return the RNG word after one step: new bit 15 is bit 1 XOR bit 9, the rest moves right."""
    feedback = (word >> 1 ^ word >> 9) & 1
    return feedback << 15 | word >> 1


def advance_rng(word: int, steps: int) -> int:
    """Return the RNG word after `steps` steps, in at most one orbit's time."""
    # The first step may come from outside the orbit (bit 0 is not fed back), so it stays.
    remaining = steps if steps == 0 else 1 + (steps - 1) % ORBIT_LENGTH
    for _ in range(remaining):
        word = step_rng(word)
    return word


def seed_to_word(seed: int) -> int:
    """Return the RNG word of `seed`; every seed gives another set-up, seed 0 the power-on word.

    Args:
        seed: 0..32766.

    Raises:
        ValueError: The seed is out of range.
    """
    _check_range("seed", seed, 0, NUM_SEEDS - 1)
    # Words 2n and 2n+1 are one set-up and word 0 is stuck, which leaves n = 1..32767.
    pair = ((BOOT_WORD >> 1) - 1 + seed * _SEED_STRIDE) % NUM_SEEDS + 1
    return pair << 1


def canonical_word(word: int) -> int:
    """Return the name of the set-up that `word` gives: words that differ in bit 0 share it."""
    return step_rng(word)


def fill_reserve(word: int) -> tuple[np.ndarray, int]:
    """Draw the capsule reserve.

    Args:
        word: RNG word on entering set-up.

    Returns:
        uint8 (128,) of capsule ids 0..8, and the RNG word after it.
    """
    reserve = np.empty(RESERVE_SIZE, np.uint8)
    capsule = 0
    for index in reversed(range(RESERVE_SIZE)):
        word = step_rng(word)
        capsule = (capsule + (word >> 8 & 15)) % NUM_CAPSULE_IDS
        reserve[index] = capsule
    return reserve, word


def count_viruses(level: int) -> int:
    """Return the number of viruses at the start of `level`, 4..84."""
    return 4 * (level + 1)


def attempt_virus(
    field: bytearray, level: int, todo: int, word: int
) -> tuple[tuple[int, int] | None, int]:
    """Make one attempt to place a virus; the field is not changed.

    Args:
        field: 128 tile bytes.
        level: Virus level, which limits the height.
        todo: Viruses still to place, at least 1; decides the colour.
        word: RNG word.

    Returns:
        (cell, colour) or None where the attempt ran past the last cell, and the RNG word.
    """
    word = step_rng(word)
    while (word >> 8 & 15) > _FIRST_VIRUS_ROW[level]:
        word = step_rng(word)
    start = (ROWS - 1 - (word >> 8 & 15)) * COLUMNS + (word & 7)
    colour = todo & 3
    if colour == _NO_CYCLE_COLOUR:
        word = step_rng(word)
        colour = _RANDOM_COLOURS[word & 15]
    for cell in range(start, CELLS):
        if field[cell] != EMPTY:
            continue
        near = _colours_two_away(field, cell)
        if len(near) < NUM_COLOURS:
            while colour in near:
                colour = (colour - 1) % NUM_COLOURS
            return (cell, colour), word
    return None, word


def place_viruses(levels: tuple[int, int], word: int) -> VirusFill:
    """Fill both bottles as mode 8 does: one attempt per player and frame on the shared RNG.

    At equal levels player 2 gets copies of player 1's viruses and draws nothing.

    Args:
        levels: Virus level of each seat.
        word: RNG word after the capsule reserve.
    """
    fields = tuple(bytearray([EMPTY]) * CELLS for _ in range(NUM_SEATS))
    todo = [count_viruses(level) for level in levels]
    drawing_seats = (0,) if levels[0] == levels[1] else (0, 1)
    frames = 0
    while any(todo[seat] for seat in drawing_seats):
        frames += 1
        for seat in drawing_seats:
            if todo[seat] == 0:
                continue
            placed, word = attempt_virus(fields[seat], levels[seat], todo[seat], word)
            if placed is not None:
                cell, colour = placed
                fields[seat][cell] = Tile.VIRUS | colour
                todo[seat] -= 1
    bottles = (fields[0], fields[drawing_seats[-1]])
    stacked = np.stack([np.frombuffer(bytes(field), np.uint8) for field in bottles])
    return VirusFill(stacked, word, frames)


def _colours_two_away(field: bytearray, cell: int) -> set[int]:
    row, column = divmod(cell, COLUMNS)
    neighbours = []
    if row >= 2:
        neighbours.append(field[cell - 2 * COLUMNS])
    if row < ROWS - 2:
        neighbours.append(field[cell + 2 * COLUMNS])
    if column >= 2:
        neighbours.append(field[cell - 2])
    if column < COLUMNS - 2:
        neighbours.append(field[cell + 2])
    return {tile & 15 for tile in neighbours if tile != EMPTY}


def _check_pair(name: str, value: object) -> None:
    if not isinstance(value, (tuple, list)) or len(value) != NUM_SEATS:
        raise ValueError(f"expected {name} to be a pair, one value per seat, got {value!r}")


def _check_range(name: str, value: object, low: int, high: int | None) -> None:
    is_integer = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if is_integer and value >= low and (high is None or value <= high):  # type: ignore[operator]
        return
    expected = f"{low}..{high}" if high is not None else f"{low} or more"
    raise ValueError(f"expected {name} to be an integer {expected}, got {value!r}")
