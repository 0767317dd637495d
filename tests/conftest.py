"""What all tests share: marker conditions, golden files, and a user data folder of their own."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

# `make test` runs two processes, and tests start more: torch's threads would wait for each other,
# and the suite would take twice as long. Torch reads this when it is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

from envs.backends.integrations import DATA_VARIABLE, DR_MARIO, RomError, find_rom

ROOT = Path(__file__).resolve().parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite golden files instead of comparing"
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what cannot run here, saying what is missing; in CI the emulator may not be missing."""
    if item.get_closest_marker("emulator") and importlib.util.find_spec("stable_retro") is None:
        reason = "stable-retro is not installed (it has wheels for Linux x86-64 and macOS arm64)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    if item.get_closest_marker("user_rom"):
        try:
            find_rom(DR_MARIO)
        except RomError as error:
            pytest.skip(str(error))


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """True when golden files are to be rewritten."""
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture
def user_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An own, empty user data folder, which does not exist yet."""
    folder = tmp_path / "user-data"
    monkeypatch.setenv(DATA_VARIABLE, str(folder))
    return folder
