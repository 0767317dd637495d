"""The benchmark of the simulator: its report, and that it measures play."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from league.bench.simulator import (
    TARGET_RATIO,
    format_bench,
    list_missed_targets,
    run_simulator_bench,
)
from tests.native import needs_native

pytestmark = [pytest.mark.emulator, needs_native]


def test_report_has_medians_targets_and_runs(user_data: Path) -> None:
    report = run_simulator_bench(turns=2, calls=10, stock_frames=100)
    assert json.loads(json.dumps(report)) == report
    for name in ("frames_per_cpu_second", "times_stable_retro", "two_threads_by_one"):
        entry = report[name]
        assert len(entry["runs"]) == 2
        assert min(entry["runs"]) <= entry["median"] <= max(entry["runs"])
        assert entry["met"] == (entry["median"] >= entry["target"])
        assert (name in list_missed_targets(report)) != entry["met"]
    assert report["stable_retro_frames_per_second"] > 0
    assert len(report["load_averages"]) == 2
    assert len(format_bench(report)) == 6


def test_simulator_is_thousands_of_times_faster(user_data: Path) -> None:
    # Far below the targets, so that a busy machine does not fail the suite; `league bench sim`
    # measures them.
    report = run_simulator_bench(turns=3, calls=60, stock_frames=200)
    assert report["times_stable_retro"]["median"] > TARGET_RATIO / 3
