"""Versus environments that are closed after each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from envs.drmario_versus_v0 import parallel_env

MakeEnv = Callable[..., parallel_env]


@pytest.fixture
def make_env(user_data: Path) -> Iterator[MakeEnv]:
    """Make versus environments, with an empty user data folder."""
    made: list[parallel_env] = []

    def make(**arguments: Any) -> parallel_env:
        made.append(parallel_env(**arguments))
        return made[-1]

    yield make
    for env in made:
        env.close()
