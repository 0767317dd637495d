"""Declares functions of the native extension, a module's own at a time."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any, Final

from envs.backends.base import BackendError
from envs.backends.native_library import load_library

Signatures = Mapping[str, tuple[Any, tuple[Any, ...]]]
"""By name: the type of the result, and those of the arguments."""

BYTES: Final = ctypes.c_void_p
"""Address of the first byte of a numpy array, `array.ctypes.data`, or a `bytes` object."""


def load_functions(signatures: Signatures) -> ctypes.CDLL:
    """Return the installed extension with some of its functions declared.

    Raises:
        BackendError: It was not built, or by an older version of these sources.
    """
    library = load_library()
    for name, (result, arguments) in signatures.items():
        try:
            function = getattr(library, name)
        except AttributeError:
            raise BackendError(
                f"expected the function {name} in the compiled simulator, got an older build; "
                "build it again: `pip install -e .` in the checkout"
            ) from None
        function.restype, function.argtypes = result, list(arguments)
    return library
