from __future__ import annotations

import json

from league.bench.matchmaking import COLUMNS, PRESETS, format_bench, run_matchmaking_bench
from league.matchmaking import SAMPLERS


def test_every_preset_is_measured_at_the_same_budget() -> None:
    finished = []
    report = run_matchmaking_bench(2, scale=0.03, on_league=lambda: finished.append(1))
    assert set(report["presets"]) == set(SAMPLERS) == set(PRESETS)
    assert len(finished) == 2 * len(PRESETS)
    assert json.loads(json.dumps(report)) == report
    for runs in report["presets"].values():
        assert [set(run) for run in runs] == [set(COLUMNS)] * 2
    lines = list(format_bench(report))
    assert len(lines) == 2 + len(PRESETS)
    assert {line.count("|") for line in lines} == {len(COLUMNS) + 2}


def test_the_same_seed_measures_the_same() -> None:
    first, again = (run_matchmaking_bench(1, scale=0.02) for _ in range(2))
    assert first == again
