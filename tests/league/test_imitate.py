"""`league imitate`: what it writes can be played, and its errors are named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from league.cli import app
from league.players import PlayerError, find_weights, load_policy
from league.snapshots import read_weights
from policies.base import View

SMALL = ["--decisions", "300", "--hidden", "8", "--levels", "0"]


def imitate(*arguments: str) -> None:
    result = CliRunner().invoke(app, ["imitate", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output


def test_it_writes_a_network_that_plays_and_starts_runs(tmp_path: Path) -> None:
    out = tmp_path / "taught"
    imitate("search:depth=1", "--out", str(out), *SMALL)
    policy = load_policy(f"snapshot:{out}")
    assert policy.name == f"snapshot:{out}"
    assert policy.view == View("candidates", "placement")
    assert find_weights(f"snapshot:{out}") == out
    again = tmp_path / "again"
    imitate("search:depth=1", "--out", str(again), *SMALL)
    for name, value in read_weights(out).items():
        assert np.array_equal(value, read_weights(again)[name])


def test_only_a_search_can_be_imitated(tmp_path: Path) -> None:
    with pytest.raises(PlayerError, match=r"expected a search to imitate.*got 'greedy'"):
        imitate("greedy", "--out", str(tmp_path / "x"), *SMALL)
