"""Functions of the native extension, and builds that lack some."""

from __future__ import annotations

import ctypes

import pytest

from envs.backends.base import BackendError
from envs.backends.native_functions import load_functions


def test_functions_are_declared() -> None:
    library = load_functions({"pill_longest_script": (ctypes.c_int32, ())})
    assert library.pill_longest_script() > 1_000


def test_an_older_build_is_named() -> None:
    with pytest.raises(BackendError, match=r"the function pill_of_tomorrow .* older build; build"):
        load_functions({"pill_of_tomorrow": (None, ())})
