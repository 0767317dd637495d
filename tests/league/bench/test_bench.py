"""The benchmark of the environment: its report, and that it measures real play."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from league.bench.env import ENV_TARGETS, run_env_bench


@pytest.mark.emulator
def test_report_has_ratios_targets_and_times(user_data: Path) -> None:
    report = json.loads(json.dumps(run_env_bench(pairs=2, frames=100)))
    assert set(report["microseconds_per_frame"]) == {"stable_retro", *ENV_TARGETS}
    assert all(value > 0 for value in report["microseconds_per_frame"].values())
    for name, target in ENV_TARGETS.items():
        assert len(report[name]["ratios"]) == 2
        assert report[name]["target"] == target
        assert report[name]["met"] == (report[name]["ratio"] >= target)


@pytest.mark.emulator
def test_environment_is_faster_than_stable_retro(user_data: Path) -> None:
    # Far below the targets, so that a busy machine does not fail the suite; `league bench env`
    # measures them.
    report = run_env_bench(pairs=3, frames=300)
    assert report["rendering_on"]["ratio"] > 1.3
    assert report["rendering_off"]["ratio"] > report["rendering_on"]["ratio"]
