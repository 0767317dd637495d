"""The savestate file format and the cache of boot states."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.backends.savestates import (
    MAGIC,
    MAX_PAYLOAD,
    Savestate,
    SavestateCache,
    read_savestate,
    write_savestate,
)

DIGEST = "a" * 40
OTHER_DIGEST = "b" * 40
CORE = "core 1.0"
SETTINGS = {"levels": [3, 20], "speeds": [0, 2]}
STATE = Savestate(DIGEST, CORE, b"machine bytes", SETTINGS)


@given(payload=st.binary(max_size=2000), level=st.integers(0, 20), core=st.text(max_size=20))
def test_file_form_round_trips(payload: bytes, level: int, core: str) -> None:
    state = Savestate(DIGEST, core, payload, {"levels": [level, 0]})
    assert Savestate.from_bytes(state.to_bytes()) == state


def test_file_form_is_reproducible() -> None:
    assert STATE.to_bytes() == Savestate.from_bytes(STATE.to_bytes()).to_bytes()


@given(cut=st.integers(0, len(STATE.to_bytes()) - 1))
def test_truncated_savestate_is_refused(cut: int) -> None:
    with pytest.raises(ValueError, match="savestate"):
        Savestate.from_bytes(STATE.to_bytes()[:cut])


@given(data=st.binary(max_size=200))
def test_garbage_is_refused(data: bytes) -> None:
    for broken in (data, MAGIC + data):
        with pytest.raises(ValueError, match="savestate"):
            Savestate.from_bytes(broken)


def test_payload_that_unpacks_to_too_much_is_refused() -> None:
    bomb = Savestate(DIGEST, CORE, bytes(MAX_PAYLOAD + 1)).to_bytes()
    with pytest.raises(ValueError, match="too large"):
        Savestate.from_bytes(bomb)


def test_savestate_of_another_rom_is_refused_with_both_digests() -> None:
    with pytest.raises(ValueError, match=f"digest {OTHER_DIGEST}, got one of {DIGEST}"):
        STATE.check_belongs_to(OTHER_DIGEST, CORE)


def test_savestate_of_another_core_is_refused() -> None:
    with pytest.raises(ValueError, match="core versions"):
        STATE.check_belongs_to(DIGEST, "core 2.0")


def test_write_leaves_only_the_finished_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "boot.state"
    write_savestate(path, STATE)
    assert read_savestate(path) == STATE
    assert [file.name for file in path.parent.iterdir()] == ["boot.state"]


def test_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "boot.state"
    write_savestate(path, STATE)

    def fail(self: Path, target: Path) -> None:
        raise OSError("disk")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk"):
        write_savestate(path, Savestate(DIGEST, CORE, b"new"))
    assert read_savestate(path) == STATE
    assert len(list(tmp_path.iterdir())) == 1


def test_damaged_file_is_named_in_the_error(tmp_path: Path) -> None:
    path = tmp_path / "broken.state"
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"broken\.state"):
        read_savestate(path)


def test_cache_gives_back_what_was_put(tmp_path: Path) -> None:
    cache = SavestateCache(tmp_path)
    assert cache.get(DIGEST, CORE, SETTINGS) is None
    cache.put(STATE)
    assert cache.get(DIGEST, CORE, SETTINGS) == STATE.payload


@pytest.mark.parametrize(
    ("digest", "core", "settings"),
    [
        (OTHER_DIGEST, CORE, SETTINGS),
        (DIGEST, "core 2.0", SETTINGS),
        (DIGEST, CORE, {"levels": [3, 19], "speeds": [0, 2]}),
        (DIGEST, CORE, {"levels": [20, 3], "speeds": [0, 2]}),
        (DIGEST, CORE, {"levels": [3, 20], "speeds": [2, 0]}),
    ],
)
def test_cache_keeps_games_cores_and_settings_apart(
    tmp_path: Path, digest: str, core: str, settings: dict[str, list[int]]
) -> None:
    cache = SavestateCache(tmp_path)
    cache.put(STATE)
    assert cache.get(digest, core, settings) is None
    assert cache.path(digest, core, settings) != cache.path(DIGEST, CORE, SETTINGS)


def test_cached_file_of_another_rom_is_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = SavestateCache(tmp_path)
    write_savestate(cache.path(OTHER_DIGEST, CORE, SETTINGS), STATE)
    with caplog.at_level(logging.WARNING):
        assert cache.get(OTHER_DIGEST, CORE, SETTINGS) is None
    assert "not used" in caplog.text


def test_damaged_cached_file_is_replaced_by_the_next_put(tmp_path: Path) -> None:
    cache = SavestateCache(tmp_path)
    cache.put(STATE)
    cache.path(DIGEST, CORE, SETTINGS).write_bytes(b"damaged")
    assert cache.get(DIGEST, CORE, SETTINGS) is None
    cache.put(STATE)
    assert cache.get(DIGEST, CORE, SETTINGS) == STATE.payload


@pytest.mark.skipif(os.name != "posix", reason="needs a path that cannot be a folder")
def test_folder_that_cannot_be_written_costs_only_the_cache(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cache = SavestateCache(Path("/dev/null/cache"))
    with caplog.at_level(logging.WARNING):
        cache.put(STATE)
    assert "not cached" in caplog.text
    assert cache.get(DIGEST, CORE, SETTINGS) is None
