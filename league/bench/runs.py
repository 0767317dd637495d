"""What all benchmarks do with their runs: time them by CPU seconds, and report medians."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any


def measure_cpu_seconds(run: Callable[[], object]) -> float:
    """Return the CPU seconds of this process that a call takes."""
    gc.collect()
    start = time.process_time()
    run()
    return time.process_time() - start


def describe_runs(
    values: Sequence[float], *, target: float | None = None, aim: float | None = None
) -> dict[str, Any]:
    """Return the values of some runs with their median, ready for JSON.

    Args:
        values: One per run.
        target: What the median must reach; None: nothing was promised.
        aim: What it would be good to reach.
    """
    median = statistics.median(values)
    described: dict[str, Any] = {"median": median, "runs": list(values)}
    if target is not None:
        described |= {"target": target, "met": median >= target}
    if aim is not None:
        described["aim"] = aim
    return described
