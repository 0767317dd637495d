"""Where a falling capsule can lock, how soon, and by which buttons: the native planner.

Exact under the rules of a frame, for every speed, auto-repeat state and held button; held to that
by `league verify` against a walk through every pad. Capsules are packed by
`envs.game.placement.pack_capsule`.
"""

from __future__ import annotations

import ctypes
import functools
from typing import Final

import numpy as np

from envs.backends.base import BackendError
from envs.backends.images import check_bytes
from envs.backends.native_functions import BYTES, load_functions
from envs.game.placement import CAPSULE_SIZE, NUM_PLACEMENTS, NUM_POSES

_NO_POOL: Final = None
_SIGNATURES: Final = {
    "pill_plan_poses": (None, (BYTES, BYTES, ctypes.c_int64, BYTES)),
    "pill_plan_masks": (None, (BYTES, BYTES, ctypes.c_int64, BYTES, BYTES)),
    "pill_plan_script": (ctypes.c_int32, (BYTES, ctypes.c_int32, ctypes.c_int32, BYTES)),
    "pill_longest_script": (ctypes.c_int32, ()),
    "pill_walk_poses": (ctypes.c_int32, (BYTES, ctypes.c_int64, BYTES)),
    "pill_play_script": (ctypes.c_int32, (BYTES, BYTES, ctypes.c_int32, BYTES)),
}


def plan_poses(capsules: np.ndarray) -> np.ndarray:
    """Find every pose in which each capsule can lock.

    Args:
        capsules: uint8 (n, 136), packed capsules.

    Returns:
        uint16 (n, 512): frames up to and with the lock, the first controlled frame being 1; 0 for
        poses that cannot be reached. All 0 for a capsule that overlaps something.

    Raises:
        ValueError: Another shape or type.
        BackendError: The extension was not built.
    """
    capsules = check_bytes("capsules", capsules, (None, CAPSULE_SIZE))
    frames = np.empty((len(capsules), NUM_POSES), np.uint16)
    library = _load()
    library.pill_plan_poses(_NO_POOL, capsules.ctypes.data, len(capsules), frames.ctypes.data)
    return frames


def plan_masks(capsules: np.ndarray, one_colour: np.ndarray) -> np.ndarray:
    """Return the action mask of each capsule, as `envs.game.placement.make_mask` makes it.

    In little more than half the time of `plan_poses`, because frames need not be known.

    Args:
        capsules: uint8 (n, 136), packed capsules.
        one_colour: bool (n,): both halves of the capsule have one colour.

    Returns:
        int8 (n, 513), 1 for legal actions.

    Raises:
        ValueError: Another shape or type.
        BackendError: The extension was not built.
    """
    capsules = check_bytes("capsules", capsules, (None, CAPSULE_SIZE))
    flags = check_bytes("one_colour", one_colour.astype(np.uint8), (len(capsules),))
    masks = np.empty((len(capsules), NUM_PLACEMENTS), np.int8)
    _load().pill_plan_masks(
        _NO_POOL, capsules.ctypes.data, len(capsules), flags.ctypes.data, masks.ctypes.data
    )
    return masks


def plan_capsule(capsule: bytes) -> np.ndarray:
    """Return `plan_poses` of one packed capsule, uint16 (512,)."""
    frames: np.ndarray = plan_poses(np.frombuffer(capsule, np.uint8)[None])[0]
    return frames


def plan_script(capsule: bytes, pose: int, *, one_colour: bool = False) -> bytes:
    """Return the pads of a shortest way to a pose, one byte a frame, the lock's frame included.

    Args:
        capsule: Packed capsule.
        pose: A pose that `plan_poses` gives frames for.
        one_colour: Both halves have one colour, so the pose turned by half a circle will do too.

    Raises:
        ValueError: The pose cannot be reached, or the capsule has another size.
        BackendError: The extension was not built.
    """
    _check_capsule(capsule)
    library = _load()
    pads = ctypes.create_string_buffer(_longest_script())
    frames = library.pill_plan_script(capsule, pose, one_colour, pads)
    if frames == 0:
        raise ValueError(f"expected a pose that the capsule can reach, got {pose!r}")
    return pads.raw[:frames]


def walk_poses(capsules: np.ndarray) -> np.ndarray:
    """Return what `plan_poses` does, found by stepping the simulator through every pad.

    The judge of the planner: it shares no code with it and takes up to seconds per capsule.

    Raises:
        ValueError: Another shape or type.
        BackendError: The extension was not built, or there is too little memory.
    """
    capsules = check_bytes("capsules", capsules, (None, CAPSULE_SIZE))
    frames = np.empty((len(capsules), NUM_POSES), np.uint16)
    if not _load().pill_walk_poses(capsules.ctypes.data, len(capsules), frames.ctypes.data):
        raise BackendError("expected 8 MB of memory for the walk, got none from the system")
    return frames


def play_script(capsule: bytes, pads: bytes) -> tuple[int, int]:
    """Play a script in the simulator and return where and when the capsule locks.

    Args:
        capsule: Packed capsule.
        pads: Pad bytes from the first controlled frame on.

    Returns:
        The pose, or -1 where the script ends before the lock, and the frame, from 1.

    Raises:
        ValueError: The capsule has another size.
        BackendError: The extension was not built.
    """
    _check_capsule(capsule)
    frame = ctypes.c_int32()
    pose = _load().pill_play_script(capsule, pads, len(pads), ctypes.byref(frame))
    return int(pose), frame.value


def _check_capsule(capsule: bytes) -> None:
    if len(capsule) != CAPSULE_SIZE:
        raise ValueError(f"expected a packed capsule of {CAPSULE_SIZE} bytes, got {len(capsule)}")


@functools.cache
def _load() -> ctypes.CDLL:
    return load_functions(_SIGNATURES)


@functools.cache
def _longest_script() -> int:
    return int(_load().pill_longest_script())
