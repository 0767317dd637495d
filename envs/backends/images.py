"""RAM images as the state of a game: which ones can be played on, and their savestates.

A backend that runs the rules on a RAM image has no other state, so the image is its savestate, and
a savestate moves freely between such backends.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from envs.backends.integrations import PILL_DUEL, accepted_digests
from envs.backends.savestates import Savestate
from envs.game.layout import (
    CELLS,
    COLUMNS,
    EMPTY,
    FIELD_BASES,
    NUM_CAPSULE_IDS,
    NUM_SEATS,
    RAM_SIZE,
    RESERVE_BASE,
    RESERVE_SIZE,
    Address,
    Mode,
    NextAction,
    PillDuelAddress,
    PlayerOffset,
    Tile,
    player_address,
)
from envs.game.state import PAUSED_VALUE, GameState

CORE: Final = "rules on a RAM image, version 1"
"""Core name in the savestates of these backends."""

ROUND_MODES: Final = (Mode.SETUP, Mode.INTRO, Mode.PLAY, Mode.TOP_OUT, Mode.END)
"""Modes that can be played on; menus belong to the cartridge."""

_LAST_PHASES: Final = {Mode.PLAY: 5, Mode.TOP_OUT: 3, Mode.END: 1}
"""Highest `PHASE` by mode; in other modes it is 0."""
_WAITING_PHASES: Final = {Mode.PLAY: (1, 2, 3, 5), Mode.TOP_OUT: (1, 2), Mode.END: (0,)}
"""Phases by mode in which `WAIT_FRAMES` counts down."""
_HIGHEST: Final = {
    PlayerOffset.COMBO: CELLS - 1,
    PlayerOffset.DAS_COUNTER: 15,
    PlayerOffset.NEXT_ROTATION: 0,
    PlayerOffset.SCORE_MULTIPLIER: 0,
}
"""Highest values in a player's block; `GameState` checks the others."""
_LINE_STEPS: Final = range(1, 8)
"""Steps of the placed pipeline in which lines are on their way."""
_MATCHED_STEPS: Final = (6, 7)
"""Steps between the look for lines and the update of the field."""
_CLEARED_STEPS: Final = (1, 2, 3)
"""Steps from there to the next fall pass, which empties the circles."""
_WORD_ROW: Final = 6
_LETTERS: Final = range(0x0A, 0x24)


def check_image(ram: np.ndarray) -> None:
    """Refuse a RAM image from which no game can go on.

    Args:
        ram: uint8 (2048,).

    Raises:
        ValueError: Wrong shape or type, or a value that no frame of a round leaves; names the
            field, the value and what was expected.
    """
    check_bytes("a RAM image", ram, (RAM_SIZE,))
    mode = int(ram[Address.MODE])
    _check(mode in ROUND_MODES, "mode", mode, "a round's: " + _list_modes())
    # From the end of a round to the next set-up words take the place of tiles in one row.
    GameState.from_ram(_without_words(ram), check=True)
    _check_end(ram, Mode(mode))
    for name, address in (
        ("solo", PillDuelAddress.SOLO),
        ("render_off", PillDuelAddress.RENDER_OFF),
    ):
        _check(ram[address] <= 1, name, ram[address], "0..1")
    _check(ram[Address.PAUSED] in (0, PAUSED_VALUE), "paused", ram[Address.PAUSED], "0 or 5")
    for index, capsule in enumerate(ram[RESERVE_BASE : RESERVE_BASE + RESERVE_SIZE].tolist()):
        _check(capsule < NUM_CAPSULE_IDS, f"reserve[{index}]", capsule, "a capsule id 0..8")
    for seat, base in enumerate(FIELD_BASES):
        _check_edges(ram[base : base + CELLS].tolist(), seat)
        _check_block(ram, seat)


def check_simulated(ram: np.ndarray) -> None:
    """Refuse a RAM image from which no game can go on without the cartridge.

    Args:
        ram: uint8 (2048,).

    Raises:
        ValueError: As `check_image`, or the cartridge's CPU plays a seat.
    """
    check_image(ram)
    for seat in range(NUM_SEATS):
        cpu = ram[PillDuelAddress.CPU_SEATS + seat]
        _check(cpu == 0, f"cpu_seats[{seat}]", cpu, "0: only the cartridge has a CPU opponent")


def check_bytes(name: str, value: object, shape: tuple[int | None, ...]) -> np.ndarray:
    """Return an array of bytes as C code can read it, after a check of type and shape.

    Args:
        name: What it is, for the error.
        value: Should be uint8 of `shape`.
        shape: Length of each axis; None is any length.

    Raises:
        ValueError: It is no array, of another type, or of another shape.
    """
    text = f"({', '.join('any' if length is None else str(length) for length in shape)})"
    if not isinstance(value, np.ndarray):
        raise ValueError(f"expected {name}, uint8 {text}, got {type(value).__name__}")
    fits = len(shape) == value.ndim and all(
        expected in (None, length) for expected, length in zip(shape, value.shape, strict=True)
    )
    if value.dtype != np.uint8 or not fits:
        raise ValueError(f"expected {name}, uint8 {text}, got {value.dtype} {value.shape}")
    return np.ascontiguousarray(value)


def pack_image(ram: np.ndarray) -> bytes:
    """Return the savestate of a RAM image."""
    return Savestate(_digest(), CORE, ram.tobytes()).to_bytes()


def unpack_image(savestate: bytes) -> np.ndarray:
    """Return the RAM image of a savestate, uint8 (2048,).

    Raises:
        ValueError: It is broken, belongs to another game or core, or cannot be played on.
    """
    loaded = Savestate.from_bytes(savestate)
    loaded.check_belongs_to(_digest(), CORE)
    ram = np.frombuffer(loaded.payload, np.uint8)
    check_image(ram)
    return ram


def _digest() -> str:
    return accepted_digests(PILL_DUEL)[0]


def _check_end(ram: np.ndarray, mode: Mode) -> None:
    """Check where within the end of a round the image is."""
    phase, wait = int(ram[PillDuelAddress.PHASE]), int(ram[Address.WAIT_FRAMES])
    last = _LAST_PHASES.get(mode, 0)
    _check(phase <= last, "phase", phase, f"0..{last} in mode {int(mode)}")
    waits = phase in _WAITING_PHASES.get(mode, ())
    _check(wait > 0 or not waits, "wait_frames", wait, f"1..255 in phase {phase}")


def _check_edges(cells: list[int], seat: int) -> None:
    """Check that no half looks for its other half beyond the bottle's edge."""
    for side, column, tile in (("left", 0, Tile.RIGHT), ("right", COLUMNS - 1, Tile.LEFT)):
        for cell in range(column, CELLS, COLUMNS):
            _check(
                cells[cell] & 0xF0 != tile,
                f"players[{seat}].cells[{cell}]",
                cells[cell],
                f"no {tile.name.lower()} half in the {side} column",
            )


def _check_block(ram: np.ndarray, seat: int) -> None:
    """Check the bytes that the falling capsule and the look for lines leave behind."""
    block = ram[player_address(seat, PlayerOffset.STATUS) :].tolist()
    for offset, highest in _HIGHEST.items():
        value = block[offset]
        _check(value <= highest, f"players[{seat}].{offset.name.lower()}", value, f"0..{highest}")
    # 0 while the capsule falls and in every step in which no line can be on its way.
    step = block[PlayerOffset.PLACED_STEP]
    step = step if block[PlayerOffset.NEXT_ACTION] == NextAction.PLACED else 0
    matched = block[PlayerOffset.MATCHED]
    cells = ram[FIELD_BASES[seat] : FIELD_BASES[seat] + CELLS]
    for name, value, steps in (
        ("run_total", block[PlayerOffset.RUN_TOTAL], _LINE_STEPS if matched else ()),
        ("matched cells", _count_tiles(cells, Tile.MATCHED), _MATCHED_STEPS),
        ("cleared cells", _count_tiles(cells, Tile.CLEARED), _CLEARED_STEPS),
    ):
        expected = f"0 in step {step} of a lock"
        _check(value == 0 or step in steps, f"players[{seat}].{name}", value, expected)


def _count_tiles(cells: np.ndarray, kind: Tile) -> int:
    return int(np.count_nonzero((cells & 0xF0 == kind) & (cells != EMPTY)))


def _without_words(ram: np.ndarray) -> np.ndarray:
    running = ram[Address.MODE] in (Mode.INTRO, Mode.PLAY) and ram[PillDuelAddress.PHASE] == 0
    if running:
        return ram
    tiles = ram.copy()
    for base in FIELD_BASES:
        row = tiles[base + _WORD_ROW * COLUMNS :][:COLUMNS]
        row[(row >= _LETTERS.start) & (row < _LETTERS.stop)] = EMPTY
    return tiles


def _list_modes() -> str:
    return ", ".join(f"{int(mode)} {mode.name}" for mode in ROUND_MODES)


def _check(holds: bool | np.bool, name: str, value: int, expected: str) -> None:
    if not holds:
        raise ValueError(f"expected {name} to be {expected}, got {int(value)} in the RAM image")
