from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from league.rng import RngStreams, make_rng


def test_streams_are_the_same_in_another_process() -> None:
    code = "from league.rng import make_rng; print(make_rng(7, 'matchmaking').integers(10**9))"
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=Path(__file__).parents[2],
            env={"PYTHONHASHSEED": str(seed)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in (1, 2)
    }
    assert runs == {f"{make_rng(7, 'matchmaking').integers(10**9)}\n"}


def test_names_and_seeds_give_different_streams() -> None:
    keys = [(0, "a"), (0, "b"), (1, "a")]
    assert len({int(make_rng(*key).integers(2**62)) for key in keys}) == 3


def test_drawing_from_one_stream_does_not_shift_another() -> None:
    quiet, busy = RngStreams(3), RngStreams(3)
    busy["other"].random(100)
    assert quiet["mine"].random() == busy["mine"].random()


def test_the_state_survives_json() -> None:
    streams = RngStreams(3)
    streams["a"].random(5)
    state = json.loads(json.dumps(streams.state_dict()))
    expected = [streams["a"].random(), streams["b"].random()]
    resumed = RngStreams(3)
    resumed["b"].random(50)
    resumed.load_state_dict(state)
    assert [resumed["a"].random(), resumed["b"].random()] == expected


def test_the_state_of_another_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="expected the state of seed 4, got 3"):
        RngStreams(4).load_state_dict(RngStreams(3).state_dict())
