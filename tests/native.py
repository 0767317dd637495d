"""The mark of tests that need the compiled simulator."""

from __future__ import annotations

import os

import pytest

from envs.backends.native_library import find_library

# In CI the extension may not be missing: there a test without it fails instead of being skipped.
needs_native = pytest.mark.skipif(
    find_library() is None and not os.environ.get("CI"),
    reason="the simulator is not built (no C++ compiler at install)",
)
