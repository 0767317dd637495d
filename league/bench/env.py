"""Benchmarks of the product's own promises, each against a baseline run in the same minutes."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from envs.actions import BUTTON_ACTIONS

ENV_TARGETS: Final = {"rendering_on": 1.7, "rendering_off": 2.3}
"""Least speed of the env as a multiple of Stable-Retro's `env.step`, which always renders."""
DEFAULT_PAIRS: Final = 7
DEFAULT_FRAMES: Final = 1000
"""Frames of one measurement; a random round at level 0 lasts longer."""
_WARM_UP_FRAMES: Final = 50


def run_env_bench(
    pairs: int = DEFAULT_PAIRS, frames: int = DEFAULT_FRAMES, seed: int = 0
) -> dict[str, Any]:
    """Measure the versus env against Stable-Retro's own `env.step` (RAM observation).

    Same ROM, same start, same random buttons; CPU time of this process. The three are run in
    turn, one emulator at a time, and the ratio is taken within each turn, so that a machine that
    is slow for a while is slow for all.

    Args:
        pairs: Turns; the medians over them are reported.
        frames: Frames of each measurement.
        seed: Seed of the button presses.

    Returns:
        Per variant the median microseconds per frame, per env variant the median and the list of
        ratios, the target, and whether it is met; ready for JSON.
    """
    actions = np.random.default_rng(seed).integers(len(BUTTON_ACTIONS), size=(frames, 2))
    turns = [_measure_turn(actions) for _ in range(pairs)]
    seconds = {name: [turn[name] for turn in turns] for name in turns[0]}
    report: dict[str, Any] = {
        "pairs": pairs,
        "frames": frames,
        "microseconds_per_frame": {
            name: statistics.median(values) / frames * 1e6 for name, values in seconds.items()
        },
    }
    for name, target in ENV_TARGETS.items():
        ratios = [turn["stable_retro"] / turn[name] for turn in turns]
        ratio = statistics.median(ratios)
        report[name] = {"ratio": ratio, "ratios": ratios, "target": target, "met": ratio >= target}
    return report


def _measure_turn(actions: np.ndarray) -> dict[str, float]:
    """Return the CPU seconds that each variant takes for `actions`."""
    return {
        "stable_retro": measure_stock(actions),
        "rendering_on": _measure_env(actions, rendering=True),
        "rendering_off": _measure_env(actions, rendering=False),
    }


def measure_stock(actions: np.ndarray) -> float:
    """Return the CPU seconds that Stable-Retro's own `env.step` takes for `actions`.

    Args:
        actions: Indices into `BUTTON_ACTIONS`, int (frames, 2); the first 50 are played twice.
    """
    from envs.backends.retro import list_stock_buttons, make_stock_env

    env = make_stock_env()
    try:
        env.reset()
        buttons = [list_stock_buttons(int(action)) for action in BUTTON_ACTIONS]
        inputs = [np.concatenate([buttons[first], buttons[second]]) for first, second in actions]
        return _measure(env.step, inputs)
    finally:
        env.close()


def _measure_env(actions: np.ndarray, rendering: bool) -> float:
    from envs.drmario_versus_v0 import parallel_env

    env = parallel_env(rendering=rendering, max_frames=len(actions) + _WARM_UP_FRAMES + 1)
    try:
        env.reset(seed=0)
        inputs = [{"player_0": int(a), "player_1": int(b)} for a, b in actions]
        seconds = _measure(env.step, inputs)
        if not env.agents:
            raise RuntimeError(f"expected a round of {len(actions)} frames, got a shorter one")
        return seconds
    finally:
        env.close()


def _measure(step: Callable[[Any], object], inputs: list[Any]) -> float:
    """Return the CPU seconds of stepping through `inputs`, after a few steps to warm up."""
    for action in inputs[:_WARM_UP_FRAMES]:
        step(action)
    gc.collect()
    start = time.process_time()
    for action in inputs:
        step(action)
    return time.process_time() - start
