"""The benchmark of `search`."""

from __future__ import annotations

import numpy as np

from league.bench.search import (
    TARGETS,
    draw_positions,
    format_bench,
    measure_pruning,
    run_search_bench,
)
from league.bench.simulator import list_missed_targets
from policies.search import MAX_WIDTH


def test_reports_every_depth_with_its_target() -> None:
    report = run_search_bench(positions=128, width=4)
    speeds = [report[f"depth_{depth}"]["per_cpu_second"] for depth in TARGETS]
    assert speeds[0] > speeds[1] > 0
    assert len(format_bench(report)) == len(TARGETS) + 1
    assert 0 < report["same_choice"] < 1
    assert report["lost_value"] > 0
    report["depth_2"]["met"] = False
    assert list_missed_targets(report) == ["depth_2"]


def test_a_full_search_loses_nothing() -> None:
    assert measure_pruning(draw_positions(30, 0), MAX_WIDTH) == {
        "same_choice": 1.0,
        "lost_value": 0.0,
    }


def test_positions_are_drawn_anew_from_a_seed() -> None:
    assert np.array_equal(draw_positions(50, 1), draw_positions(50, 1))
    assert not np.array_equal(draw_positions(50, 1), draw_positions(50, 2))
