"""Addresses of the player being processed, for the rule modules.

A player's frame runs on a copy of its block at `SCRATCH_BASE`, as on the console. Plain integers:
these are looked up in every frame of the reference rules.
"""

from __future__ import annotations

from typing import Final

from envs.game.layout import SCRATCH_BASE, Address, PlayerOffset


def _scratch(offset: PlayerOffset) -> int:
    return SCRATCH_BASE + int(offset)


STATUS: Final = _scratch(PlayerOffset.STATUS)
COLOUR_FIRST: Final = _scratch(PlayerOffset.COLOUR_FIRST)
COLOUR_SECOND: Final = _scratch(PlayerOffset.COLOUR_SECOND)
X: Final = _scratch(PlayerOffset.X)
Y: Final = _scratch(PlayerOffset.Y)
PLACED_STEP: Final = _scratch(PlayerOffset.PLACED_STEP)
TOPPED_OUT: Final = _scratch(PlayerOffset.TOPPED_OUT)
SPEED_UPS: Final = _scratch(PlayerOffset.SPEED_UPS)
SPEED: Final = _scratch(PlayerOffset.SPEED)
LAST_RUN: Final = _scratch(PlayerOffset.LAST_RUN)
COMBO: Final = _scratch(PlayerOffset.COMBO)
CAPSULES_LOW: Final = _scratch(PlayerOffset.CAPSULES_LOW)
CAPSULES_HIGH: Final = _scratch(PlayerOffset.CAPSULES_HIGH)
GRAVITY_COUNTER: Final = _scratch(PlayerOffset.GRAVITY_COUNTER)
DAS_COUNTER: Final = _scratch(PlayerOffset.DAS_COUNTER)
MATCHED: Final = _scratch(PlayerOffset.MATCHED)
LAST_CHAIN_ROW: Final = _scratch(PlayerOffset.LAST_CHAIN_ROW)
LEVEL: Final = _scratch(PlayerOffset.LEVEL)
NEXT_ACTION: Final = _scratch(PlayerOffset.NEXT_ACTION)
GARBAGE_OUT: Final = _scratch(PlayerOffset.GARBAGE_OUT)
NEXT_FIRST: Final = _scratch(PlayerOffset.NEXT_FIRST)
NEXT_SECOND: Final = _scratch(PlayerOffset.NEXT_SECOND)
CROWNS: Final = _scratch(PlayerOffset.CROWNS)
SPEED_UPS_COPY: Final = _scratch(PlayerOffset.SPEED_UPS_COPY)
RUN_TOTAL: Final = _scratch(PlayerOffset.RUN_TOTAL)
NEXT_ROTATION: Final = _scratch(PlayerOffset.NEXT_ROTATION)
NEXT_SIZE: Final = _scratch(PlayerOffset.NEXT_SIZE)
VIRUSES: Final = _scratch(PlayerOffset.VIRUSES)
ROTATION: Final = _scratch(PlayerOffset.ROTATION)
SIZE: Final = _scratch(PlayerOffset.SIZE)
RESERVE_INDEX: Final = _scratch(PlayerOffset.RESERVE_INDEX)
VIRUSES_TO_PLACE: Final = _scratch(PlayerOffset.VIRUSES_TO_PLACE)
ATTACK_COLOURS: Final = _scratch(PlayerOffset.ATTACK_COLOURS)
SCORE_MULTIPLIER: Final = _scratch(PlayerOffset.SCORE_MULTIPLIER)

PRESSED: Final = int(Address.PRESSED)
HELD: Final = int(Address.HELD)
FRAME_COUNTER: Final = int(Address.FRAME_COUNTER)

IDLE: Final = 0xFF
"""STATUS while no row waits to be redrawn."""
REDRAW_ALL: Final = 0x0F
"""STATUS that redraws the whole bottle, from the bottom row up."""
