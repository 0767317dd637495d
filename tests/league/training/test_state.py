"""The trainer's state file."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from league.training.state import (
    STATE_FILE,
    TrainerState,
    TrainerStateError,
    flatten_optimizer,
    unflatten_optimizer,
)

STATE = TrainerState(
    weights={
        "a.weight": np.arange(6, dtype=np.float32).reshape(2, 3).T,
        "b": np.ones(1, np.float32),
    },
    optimizer={"0.step": np.array(7, np.float32), "0.exp_avg": np.ones((3, 2), np.float32)},
)


def test_a_state_comes_back_bit_for_bit(tmp_path: Path) -> None:
    STATE.save(tmp_path)
    loaded = TrainerState.load(tmp_path)
    for saved, read in ((STATE.weights, loaded.weights), (STATE.optimizer, loaded.optimizer)):
        assert saved.keys() == read.keys()
        for name, value in saved.items():
            assert np.array_equal(read[name], value), name
            assert read[name].shape == value.shape
            assert read[name].dtype == value.dtype


def test_the_optimizer_is_flattened_and_back() -> None:
    state: dict[int, dict[str, Any]] = {
        0: {"step": 3.0, "exp_avg": np.ones(2, np.float32)},
        10: {"step": 4.0},
    }
    flat = flatten_optimizer(state)
    assert set(flat) == {"0.step", "0.exp_avg", "10.step"}
    again = unflatten_optimizer(flat)
    assert again.keys() == state.keys()
    assert again[10]["step"] == 4.0
    assert np.array_equal(again[0]["exp_avg"], state[0]["exp_avg"])


@pytest.mark.parametrize("content", [None, b"", b"short", pickle.dumps({"weights": 1})])
def test_anything_else_is_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / STATE_FILE).write_bytes(content)
    with pytest.raises(TrainerStateError, match="expected a trainer state at"):
        TrainerState.load(tmp_path)


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    STATE.save(tmp_path)
    path = tmp_path / STATE_FILE
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(TrainerStateError, match="expected a trainer state at"):
        TrainerState.load(tmp_path)


def test_another_format_is_refused(tmp_path: Path) -> None:
    save_file({"weights/a": np.zeros(1)}, tmp_path / STATE_FILE, metadata={"format": "other"})
    with pytest.raises(TrainerStateError, match="expected format 'pill-league-trainer-1'"):
        TrainerState.load(tmp_path)
