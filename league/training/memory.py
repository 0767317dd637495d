"""Spares a process that trains the zeroing of memory that it is about to write anyway.

glibc gives large blocks back to the system when they are freed, which zeroes them page by page
when they are asked for anew, as every minibatch does. And RLlib turns on torch's deterministic
algorithms, which fill every new tensor with NaN. Each is a tenth of the learner's time.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Final

import torch.utils.deterministic

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
"""Parameters of `mallopt`, as in glibc's malloc.h."""
_LARGEST_TRIM_THRESHOLD: Final = 2**31 - 1
_LARGEST_MMAP_THRESHOLD: Final = 32 * 2**20
"""Bytes; glibc refuses more than this."""


def stop_zeroing() -> None:
    """Keep freed memory for what comes next, and let torch leave new tensors as they are."""
    keep_freed_memory()
    # Stubs do not know it; what is computed stays deterministic.
    setattr(torch.utils.deterministic, "fill_uninitialized_memory", False)  # noqa: B010


def keep_freed_memory() -> bool:
    """Let this process keep what it frees; returns whether its C library can be told so."""
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    # Setting one of the two ends glibc's own adjustment of both, so both are set.
    return bool(
        mallopt(_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
        and mallopt(_TRIM_THRESHOLD, _LARGEST_TRIM_THRESHOLD)
    )
