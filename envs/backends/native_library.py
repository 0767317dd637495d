"""Finds and loads the compiled simulator, `_pill_native`, and declares its C functions.

The extension holds plain C functions (`envs/backends/native/interface.cpp`) called through
`ctypes`, which releases the GIL during each call. Nothing here knows the game.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
from pathlib import Path
from typing import Final

from envs.backends.base import BackendError

EXTENSION: Final = "_pill_native"
"""Top-level module name of the extension; it lies beside `envs`, not inside it."""
ABI_VERSION: Final = 2
"""The version of the functions and rules that this code was written for."""

_BUILD_HINT: Final = (
    "build it with a C++17 compiler on the path: `pip install -e .` in the checkout; without one, "
    "backend='reference' plays the same game slowly"
)

_BYTES: Final = ctypes.c_void_p
"""Address of the first byte of a numpy array, `array.ctypes.data`."""
_SIGNATURES: Final = {
    "pill_abi_version": (ctypes.c_int32, ()),
    "pill_pool_open": (ctypes.c_void_p, (ctypes.c_int32,)),
    "pill_pool_close": (None, (ctypes.c_void_p,)),
    "pill_enter_setup": (
        None,
        (_BYTES, ctypes.c_int64, _BYTES, _BYTES, _BYTES, _BYTES, _BYTES),
    ),
    "pill_run_to_control": (ctypes.c_int64, (_BYTES, ctypes.c_int64, ctypes.c_int32)),
    "pill_hold": (None, (ctypes.c_void_p, _BYTES, ctypes.c_int64, _BYTES, ctypes.c_int32)),
    "pill_play": (None, (ctypes.c_void_p, _BYTES, ctypes.c_int64, _BYTES, ctypes.c_int32)),
    "pill_trace": (None, (_BYTES, _BYTES, ctypes.c_int32, _BYTES)),
}


def find_library() -> Path | None:
    """Return the file of the extension, or None where it was not built."""
    spec = importlib.util.find_spec(EXTENSION)
    return Path(spec.origin) if spec is not None and spec.origin is not None else None


@functools.cache
def load_library() -> ctypes.CDLL:
    """Return the installed extension with its functions declared; loaded once per process.

    Raises:
        BackendError: It was not built, cannot be loaded, or is of another version.
    """
    path = find_library()
    if path is None:
        raise BackendError(
            f"expected the compiled simulator {EXTENSION}, found none; {_BUILD_HINT}"
        )
    return open_library(path)


def open_library(path: Path) -> ctypes.CDLL:
    """Return the build of the simulator at `path` with its functions declared.

    Raises:
        BackendError: It cannot be loaded, or is of another version.
    """
    try:
        library = ctypes.CDLL(str(path))
        version = int(library.pill_abi_version())
    except (OSError, AttributeError) as error:
        raise BackendError(
            f"expected a loadable simulator in {path}, got: {error}; {_BUILD_HINT}"
        ) from error
    if version != ABI_VERSION:
        raise BackendError(
            f"expected version {ABI_VERSION} of the simulator in {path}, got {version}; "
            f"{_BUILD_HINT}"
        )
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, list(arguments)
    return library
