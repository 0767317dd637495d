"""The door for outside judges: four questions about the rules, answered by running them.

Each verb takes a decoded JSON object and returns one. Whatever runs frames of the game on a RAM
image can answer: the questions are put as images, and the answers are read from the images that
follow. The formats are in `docs/game.md`, section "The door".
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final, Protocol

import numpy as np

from envs.game.door_requests import (
    GarbageRequest,
    Json,
    ReachRequest,
    SettleRequest,
    SetupRequest,
)
from envs.game.layout import (
    ATTACK_COLOURS_SIZE,
    CELLS,
    COLUMNS,
    EMPTY,
    FIELD_BASES,
    RESERVE_BASE,
    RESERVE_SIZE,
    Address,
    Mode,
    NextAction,
    PlayerOffset,
    player_address,
)
from envs.game.placement import fold_one_colour
from envs.game.rules import ReferenceGame
from envs.game.setup import RoundSetup
from envs.game.state import encode_bcd

_SEAT: Final = 0
_OPPONENT: Final = 1
_NO_PADS: Final = (0, 0)
_UPDATE_STEP: Final = 7
"""Step of the placed pipeline that takes the lines of a scan out of the bottle."""
_GRAVITY_DUE: Final = 0xF0
"""A gravity counter at which a capsule sinks or locks in the next frame, at any speed."""
_MANY_VIRUSES: Final = 99
"""More than a bottle holds, so that clearing the last one does not end the round."""
_FRAMES_FROM_SPAWN: Final = 2
"""From the frame that spawns a capsule to the first one in which it can be moved."""


class Machine(Protocol):
    """What runs frames of the game on a RAM image."""

    def load_ram(self, ram: np.ndarray) -> None:
        """Continue from a RAM image, uint8 (2048,)."""
        ...

    def poke(self, address: int, value: int) -> None:
        """Write one byte of RAM."""
        ...

    def step(self, pads: tuple[int, int]) -> None:
        """Run one frame."""
        ...

    def ram(self) -> np.ndarray:
        """Return the RAM image, uint8 (2048,)."""
        ...


FindPoses = Callable[[ReachRequest], np.ndarray]
"""Gives the frames to lock by pose, uint16 (512,), of the requested capsule; 0 for never."""


def set_up_round(request: Json, machine: Machine) -> dict[str, object]:
    """Return the capsules and both bottles of a round.

    Raises:
        ValueError: The request cannot be; names the field, the value and what was expected.
    """
    asked = SetupRequest.from_json(request)
    setup = RoundSetup(levels=asked.levels, rng_word=asked.word)
    machine.load_ram(ReferenceGame.at_entry(setup).ram())
    machine.step(_NO_PADS)
    intro_frames = 0
    ram = machine.ram()
    while ram[Address.MODE] == Mode.INTRO and ram[Address.WAIT_FRAMES] == 0:
        machine.step(_NO_PADS)
        intro_frames += 1
        ram = machine.ram()
    return {
        "reserve": ram[RESERVE_BASE : RESERVE_BASE + RESERVE_SIZE].tolist(),
        "fields": [_read_field(ram, base).hex() for base in FIELD_BASES],
        "word_after": int(ram[Address.RNG_HIGH]) << 8 | int(ram[Address.RNG_LOW]),
        "intro_frames": intro_frames,
    }


def settle_capsule(request: Json, machine: Machine) -> dict[str, object]:
    """Return what follows when a capsule locks: the bottle at rest, lines, colours and frames.

    Raises:
        ValueError: The request cannot be; names the field, the value and what was expected.
    """
    machine.load_ram(_make_lock(SettleRequest.from_json(request)))
    machine.poke(player_address(_SEAT, PlayerOffset.VIRUSES), encode_bcd(_MANY_VIRUSES))
    machine.step(_NO_PADS)
    lines: list[int] = []
    field = b""
    frames = 0
    ram = machine.ram()
    while _read_player(ram, PlayerOffset.NEXT_ACTION) != NextAction.PILL_SENT:
        if _read_player(ram, PlayerOffset.PLACED_STEP) == _UPDATE_STEP:
            lines.append(_read_player(ram, PlayerOffset.MATCHED))
        if _read_player(ram, PlayerOffset.NEXT_ACTION) == NextAction.CHECK_ATTACK:
            field = _read_field(ram, FIELD_BASES[_SEAT])
        machine.step(_NO_PADS)
        frames += 1
        ram = machine.ram()
    start = player_address(_SEAT, PlayerOffset.ATTACK_COLOURS)
    # The last scan is the one that finds nothing.
    return {
        "field": field.hex(),
        "lines": lines[:-1],
        "attack_colours": ram[start : start + min(sum(lines), ATTACK_COLOURS_SIZE)].tolist(),
        "frames": frames + _FRAMES_FROM_SPAWN,
    }


def release_garbage(request: Json, machine: Machine) -> dict[str, object]:
    """Return the cells that a queue of garbage writes: row, column and tile of each.

    Raises:
        ValueError: The request cannot be; names the field, the value and what was expected.
    """
    machine.load_ram(_make_release(GarbageRequest.from_json(request)))
    machine.step(_NO_PADS)
    field = _read_field(machine.ram(), FIELD_BASES[_SEAT])
    places = (divmod(cell, COLUMNS) for cell in range(CELLS) if field[cell] != EMPTY)
    cells = [[row, column, field[row * COLUMNS + column]] for row, column in places]
    return {"cells": cells}


def list_poses(request: Json, find_poses: FindPoses) -> dict[str, object]:
    """Return the poses in which a capsule can lock, each with the fewest frames to it.

    Raises:
        ValueError: The request cannot be; names the field, the value and what was expected.
    """
    asked = ReachRequest.from_json(request)
    frames = find_poses(asked)
    if asked.capsule[0] == asked.capsule[1]:
        frames = fold_one_colour(frames)
    return {"poses": [[int(pose), int(frames[pose])] for pose in np.flatnonzero(frames)]}


def _make_lock(asked: SettleRequest) -> np.ndarray:
    """Return the image before the frame in which the capsule locks."""
    ram = _start_round().copy()
    _write_field(ram, asked.field)
    _write_player(
        ram,
        _SEAT,
        {
            PlayerOffset.X: asked.x,
            PlayerOffset.Y: asked.y,
            PlayerOffset.ROTATION: asked.rotation,
            PlayerOffset.COLOUR_FIRST: asked.capsule[0],
            PlayerOffset.COLOUR_SECOND: asked.capsule[1],
            PlayerOffset.GRAVITY_COUNTER: _GRAVITY_DUE,
        },
    )
    return ram


def _make_release(asked: GarbageRequest) -> np.ndarray:
    """Return the image before the frame that releases the volley into an empty bottle."""
    ram = _start_round().copy()
    _write_field(ram, bytes([EMPTY]) * CELLS)
    _write_player(ram, _SEAT, {PlayerOffset.NEXT_ACTION: NextAction.CHECK_ATTACK})
    _write_player(ram, _OPPONENT, {PlayerOffset.GARBAGE_OUT: asked.queue})
    start = player_address(_OPPONENT, PlayerOffset.ATTACK_COLOURS)
    ram[start : start + len(asked.colours)] = asked.colours
    ram[Address.FRAME_COUNTER] = (asked.frame_counter - 1) & 0xFF
    return ram


@cache
def _start_round() -> np.ndarray:
    """Return the image of a round in which player 2 does nothing; not to be written to."""
    ram = ReferenceGame.from_setup(RoundSetup(solo=True)).ram()
    ram.flags.writeable = False
    return ram


def _read_player(ram: np.ndarray, offset: PlayerOffset) -> int:
    return int(ram[player_address(_SEAT, offset)])


def _write_player(ram: np.ndarray, seat: int, values: dict[PlayerOffset, int]) -> None:
    for offset, value in values.items():
        ram[player_address(seat, offset)] = value


def _read_field(ram: np.ndarray, base: int) -> bytes:
    return ram[base : base + CELLS].tobytes()


def _write_field(ram: np.ndarray, field: bytes) -> None:
    base = FIELD_BASES[_SEAT]
    ram[base : base + CELLS] = np.frombuffer(field, np.uint8)
