"""Placement search in native code: the best pose of many positions in one call.

`policies.search` says what the weights mean; the C side is `envs/backends/native/search.hpp`.
"""

from __future__ import annotations

import ctypes
import functools
from typing import Final

import numpy as np

from envs.backends.images import check_bytes
from envs.backends.native_candidates import list_native_features
from envs.backends.native_library import load_library
from envs.backends.native_pool import NativePool
from envs.game.layout import (
    ATTACK_COLOURS_SIZE,
    CELLS,
    FIELD_BASES,
    RAM_SIZE,
    Address,
    PlayerOffset,
    player_address,
)
from envs.game.placement import NUM_POSES
from envs.game.state import PAD_HELD, GameState, encode_bcd

NO_POSE: Final = -1
"""What a search finds for a capsule that cannot be placed."""

_O: Final = PlayerOffset
_OWN_OFFSETS: Final = (
    _O.COLOUR_FIRST,
    _O.COLOUR_SECOND,
    _O.NEXT_FIRST,
    _O.NEXT_SECOND,
    _O.X,
    _O.Y,
    _O.ROTATION,
    _O.GRAVITY_COUNTER,
    _O.DAS_COUNTER,
    _O.SPEED,
    _O.SPEED_UPS,
    _O.CAPSULES_LOW,
    _O.VIRUSES,
)


def _list_addresses(seat: int) -> np.ndarray:
    """Return where the bytes of a packed position lie in RAM, int64 (n,)."""
    field, other = FIELD_BASES[seat], 1 - seat
    attack = player_address(other, _O.ATTACK_COLOURS)
    return np.array(
        [
            *range(field, field + CELLS),
            *(player_address(seat, offset) for offset in _OWN_OFFSETS),
            PAD_HELD[seat],
            Address.FRAME_COUNTER,
            player_address(other, _O.CAPSULES_LOW),
            player_address(other, _O.CAPSULES_HIGH),
            player_address(other, _O.GARBAGE_OUT),
            *range(attack, attack + ATTACK_COLOURS_SIZE),
        ],
        np.int64,
    )


_ADDRESSES: Final = (_list_addresses(0), _list_addresses(1))
POSITION_SIZE: Final = len(_ADDRESSES[0])
"""Bytes of a packed position."""

_BYTES: Final = ctypes.c_void_p
_SIGNATURES: Final = {
    "pill_search_position_size": (ctypes.c_int64, ()),
    "pill_search": (
        None,
        (_BYTES, _BYTES, ctypes.c_int64, _BYTES, ctypes.c_int32, ctypes.c_int32, _BYTES, _BYTES),
    ),
}


def pack_images(images: np.ndarray, seat: int) -> np.ndarray:
    """Return what a search uses of RAM images, seen from a seat: uint8 (n, `POSITION_SIZE`).

    Args:
        images: uint8 (n, 2048), each with a falling capsule of that seat.
        seat: The acting seat.

    Raises:
        ValueError: Another shape or type.
    """
    if images.ndim != 2 or images.shape[1] != RAM_SIZE or images.dtype != np.uint8:
        raise ValueError(f"expected images, uint8 (n, {RAM_SIZE}), got {images.shape}")
    return images[:, _ADDRESSES[seat]]


def pack_position(state: GameState) -> bytes:
    """Return the same of one decoded position, seat 0 being the acting one."""
    own, opponent = state.players
    return own.cells + bytes(
        (
            *own.colours,
            *own.next_colours,
            own.x,
            own.y,
            own.rotation,
            own.gravity_counter,
            own.das_counter,
            own.speed,
            own.speed_ups,
            encode_bcd(own.capsules % 100),
            encode_bcd(own.viruses),
            own.held,
            state.frame_counter,
            encode_bcd(opponent.capsules % 100),
            encode_bcd(opponent.capsules // 100),
            opponent.garbage_out,
            *opponent.attack_colours,
        )
    )


def search_poses(
    positions: np.ndarray,
    weights: np.ndarray,
    *,
    depth: int,
    width: int,
    values: np.ndarray | None = None,
    pool: NativePool | None = None,
) -> np.ndarray:
    """Find the best pose of each falling capsule.

    Args:
        positions: uint8 (n, `POSITION_SIZE`), packed.
        weights: float32 (2 * features + 1,): of what a capsule does, of the bottle that it leaves,
            of a piece of garbage sent.
        depth: Capsules to look ahead, 1 or 2.
        width: First placements that depth 2 looks into, 1 or more.
        values: float32 (n, 512), C-contiguous: takes the value of each pose that was judged.
        pool: Threads that share the positions.

    Returns:
        int16 (n,), `NO_POSE` where there is none.

    Raises:
        ValueError: Another shape or type, or a number out of range.
        BackendError: The extension was not built.
    """
    positions = check_bytes("positions", positions, (None, POSITION_SIZE))
    if depth not in (1, 2) or width < 1:
        raise ValueError(f"expected depth 1 or 2 and width >= 1, got {depth!r} and {width!r}")
    _check_floats("weights", weights, (2 * len(list_native_features()) + 1,))
    if values is not None:
        _check_floats("values", values, (len(positions), NUM_POSES))
    poses = np.empty(len(positions), np.int16)
    _load().pill_search(
        pool.open() if pool is not None else None,
        positions.ctypes.data,
        len(positions),
        weights.ctypes.data,
        depth,
        min(width, NUM_POSES),
        poses.ctypes.data,
        values.ctypes.data if values is not None else None,
    )
    return poses


def _check_floats(name: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    if array.shape != shape or array.dtype != np.float32 or not array.flags.c_contiguous:
        raise ValueError(
            f"expected {name}, contiguous float32 {shape}, got {array.dtype} {array.shape}"
        )


@functools.cache
def _load() -> ctypes.CDLL:
    library = load_library()
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, list(arguments)
    size = int(library.pill_search_position_size())
    if size != POSITION_SIZE:
        raise RuntimeError(f"expected positions of {POSITION_SIZE} bytes, got {size} from native")
    return library
