"""An open Pill Duel for the tests of backends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from envs.backends.retro import RetroBackend


@pytest.fixture
def retro(tmp_path: Path) -> Iterator[RetroBackend]:
    """Pill Duel on FCEUmm, with an empty cache of boot states."""
    with RetroBackend(cache_folder=tmp_path / "states") as backend:
        yield backend
