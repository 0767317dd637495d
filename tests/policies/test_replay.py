"""The run-length code of pads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.replay import decode_replay, encode_pads, encode_replay

pad_bytes = st.integers(0, 255)
runs = st.lists(st.tuples(st.tuples(pad_bytes, pad_bytes), st.integers(1, 600)), max_size=8)


@given(runs)
def test_decoding_gives_back_every_frame(runs: list[tuple[tuple[int, int], int]]) -> None:
    pads = [pair for pair, length in runs for _ in range(length)]
    assert list(decode_replay(encode_replay(pads))) == pads


@given(runs)
def test_arrays_have_the_same_code(runs: list[tuple[tuple[int, int], int]]) -> None:
    pads = [pair for pair, length in runs for _ in range(length)]
    assert encode_pads(np.array(pads, np.uint8).reshape(-1, 2)) == encode_replay(pads)


def test_equal_frames_share_a_run() -> None:
    assert encode_replay([(1, 2)] * 3 + [(0, 0)]) == bytes((3, 1, 2, 1, 0, 0))


def test_runs_longer_than_a_byte_are_split() -> None:
    assert encode_replay([(1, 2)] * 300) == bytes((255, 1, 2, 45, 1, 2))


@pytest.mark.parametrize(
    ("replay", "message"), [(b"\x01\x00", "3-byte runs"), (b"\x00\x01\x02", "got 0 at byte 0")]
)
def test_broken_replays_are_refused(replay: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        list(decode_replay(replay))
