"""The planner's benchmark: a short run has every number, and the numbers hang together."""

from __future__ import annotations

import json

import pytest

from envs.backends.native_vector import PARTS
from league.bench.planner import TARGETS, measure_parts, run_planner_bench


def test_a_short_run_reports_everything() -> None:
    report = run_planner_bench(turns=1, positions=150, steps=6)
    assert json.loads(json.dumps(report)) == report
    speeds = report["per_second"]
    assert set(TARGETS) < set(speeds)
    for name, speed in speeds.items():
        assert speed["median"] > 0, name
    assert report["met"] == all(speeds[name]["met"] for name in TARGETS)
    table = report["microseconds_per_decision"]["decisions_with_candidates"]
    assert set(table) == {*PARTS, "python", "total"}


def test_the_parts_of_a_decision_add_up() -> None:
    parts = measure_parts(candidates=16, steps=5, seed=1)
    assert parts["total"] == pytest.approx(sum(parts[name] for name in (*PARTS, "python")))
    assert all(parts[name] >= 0 for name in parts)
    assert parts["candidates"] > 0
    assert measure_parts(candidates=0, steps=2, seed=1)["candidates"] == 0
