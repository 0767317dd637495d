"""`league bench train`: CPU time of a trained decision, beside one file of PPO and stock RLlib.

Every measurement runs in a process of its own with one thread, in turns; medians are compared.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from statistics import median
from typing import Any, Final

from league.errors import LeagueError

EXAMPLE_TARGET: Final = 1.10
"""Most CPU time of ours, as a multiple of `examples/ppo.py`."""
STOCK_TARGETS: Final = {4: 0.55, 1: 0.35}
"""Most CPU time of ours by epochs, as a multiple of stock RLlib's best."""
STOCK_ENVS: Final = (8, 32, 128)
_DECISIONS: Final = 8192
_STOCK_DECISIONS: Final = 4096


class BenchError(LeagueError):
    """A measurement failed."""


def run_train_bench(turns: int) -> dict[str, Any]:
    """Measure everything.

    Args:
        turns: Interleaved turns of each comparison.

    Raises:
        BenchError: A measurement failed; the message has its output.
    """
    default = {
        "network": "candidate",
        "games": 256,
        "epochs": 2,
        "batch": _DECISIONS,
        "iterations": 4,
        "solo": False,
    }
    ours, example = _compare([{"way": "ours", **default}, {"way": "example", **default}], turns)
    ratio = ours["cpu_us"] / example["cpu_us"]
    report: dict[str, Any] = {
        "default": {
            "ours": ours,
            "example": example,
            "ratio": ratio,
            "target": EXAMPLE_TARGET,
            "met": ratio <= EXAMPLE_TARGET,
        }
    }
    for epochs in STOCK_TARGETS:
        report[f"stock_{epochs}_epochs"] = _compare_with_stock(epochs, turns)
    report["met"] = all(part["met"] for part in report.values())
    return report


def format_bench(report: dict[str, Any]) -> list[str]:
    """Return a report as lines for people."""
    default = report["default"]
    lines = [
        f"default network, 2 epochs: {default['ours']['cpu_us']:.0f} us a decision, "
        f"examples/ppo.py {default['example']['cpu_us']:.0f} us: {default['ratio']:.2f} x, "
        f"target {EXAMPLE_TARGET:.2f} x",
        f"end to end {default['ours']['per_second']:,.0f} decisions/s in one process, "
        f"{default['ours']['learning_share']:.0%} of the time in the learner",
    ]
    for epochs, target in STOCK_TARGETS.items():
        part = report[f"stock_{epochs}_epochs"]
        stock = ", ".join(f"{envs}: {cost['cpu_us']:.0f}" for envs, cost in part["stock"].items())
        lines.append(
            f"small CNN, {epochs} epochs: {part['ours']['cpu_us']:.0f} us a decision; stock RLlib "
            f"by envs {stock}: {part['ratio']:.2f} x its best, target {target:.2f} x"
        )
    return lines


def _compare_with_stock(epochs: int, turns: int) -> dict[str, Any]:
    common = {"network": "planes", "epochs": epochs, "batch": _STOCK_DECISIONS, "solo": True}
    tasks: list[dict[str, Any]] = [{"way": "ours", "games": 128, "iterations": 2, **common}]
    tasks += [{"way": "stock", "games": envs, "iterations": 1, **common} for envs in STOCK_ENVS]
    ours, *stock = _compare(tasks, turns)
    ratio = ours["cpu_us"] / min(cost["cpu_us"] for cost in stock)
    target = STOCK_TARGETS[epochs]
    return {
        "ours": ours,
        "stock": {str(envs): cost for envs, cost in zip(STOCK_ENVS, stock, strict=True)},
        "ratio": ratio,
        "target": target,
        "met": ratio <= target,
    }


def _compare(tasks: Sequence[dict[str, Any]], turns: int) -> list[dict[str, Any]]:
    """Return the median of each number of each task over interleaved turns."""
    found: list[list[dict[str, Any]]] = [[] for _ in tasks]
    for _ in range(turns):
        for costs, task in zip(found, tasks, strict=True):
            costs.append(_measure(task))
    return [{name: median(cost[name] for cost in costs) for name in costs[0]} for costs in found]


def _measure(task: dict[str, Any]) -> dict[str, Any]:
    command = [sys.executable, "-m", "league.training.bench_worker", json.dumps(task)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"expected a measurement of {task}, got:\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result
