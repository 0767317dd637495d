"""One Ray session for all training tests: starting it takes longer than most of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from league.training.session import ray_session


@pytest.fixture(scope="session")
def ray() -> Iterator[None]:
    """Ray, started quietly on this machine."""
    with ray_session(num_cpus=4, threads=1):
        yield
