"""`league bench train`, small: every way of training is measured, and said in words."""

from __future__ import annotations

from typing import Any

import pytest

from league.bench.train import STOCK_ENVS, STOCK_TARGETS, format_bench
from league.training.bench_worker import Task, measure


def make_cost(cpu_us: float) -> dict[str, Any]:
    return {"decisions": 100, "cpu_us": cpu_us, "per_second": 5000.0, "learning_share": 0.6}


def test_a_report_names_the_ratios() -> None:
    report: dict[str, Any] = {
        "default": {"ours": make_cost(100), "example": make_cost(125), "ratio": 0.8}
    }
    for epochs in STOCK_TARGETS:
        report[f"stock_{epochs}_epochs"] = {
            "ours": make_cost(100),
            "stock": {str(envs): make_cost(400) for envs in STOCK_ENVS},
            "ratio": 0.25,
        }
    lines = format_bench(report)
    assert "0.80 x" in lines[0]
    assert "5,000 decisions/s" in lines[1]
    assert all("0.25 x its best" in line for line in lines[2:])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("way", "network"),
    [("ours", "candidate"), ("example", "candidate"), ("ours", "planes"), ("stock", "planes")],
)
def test_every_way_trains(way: str, network: str) -> None:
    task = Task(
        way=way,
        network=network,
        games=8,
        epochs=1,
        batch=1024,
        iterations=1,
        solo=network == "planes",
    )
    cost = measure(task)
    assert 900 < cost.decisions < 1200
    assert cost.cpu_us > 10
