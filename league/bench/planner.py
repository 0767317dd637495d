"""`league bench planner`: the planner's and the batch env's speed, and where its time goes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from envs.backends.native_vector import PARTS
from envs.backends.planner import plan_masks, plan_poses, plan_script
from envs.candidates import CAPACITY
from envs.game.layout import Speed
from envs.vector import UniformSetups, VectorEnv
from league.bench.runs import describe_runs, measure_cpu_seconds
from league.verify.planner_positions import collect_capsules

TARGETS: Final = {
    "positions": 100_000,
    "decisions": 60_000,
    "decisions_with_candidates": 25_000,
}
"""Least speeds per second and processor."""
AIMS: Final = {"positions": 200_000, "decisions": 150_000}

DEFAULT_TURNS: Final = 5
POSITIONS: Final = 4_000
GAMES: Final = 256
LEVELS: Final = (10,)
_SCRIPTS: Final = 2_000
_STEPS: Final = 150
_WARM_UP_STEPS: Final = 20


def run_planner_bench(
    turns: int = DEFAULT_TURNS,
    *,
    positions: int = POSITIONS,
    steps: int = _STEPS,
    seed: int = 0,
) -> dict[str, Any]:
    """Measure planner and batch env on one thread, by CPU time.

    Positions are capsules that have just come in, from sensible play at all levels, a third at each
    speed; action masks are made of each. Decisions are those of random legal placements by both
    seats at level 10, MED, with everything that a step does: the drawing of the action, its
    script, the frames, masks, the compact observation, rewards, and new games.

    Args:
        turns: Interleaved runs; medians over them are reported.
        positions: Positions to plan in each run.
        steps: Steps of 256 games in each run.
        seed: Draws positions and games.

    Returns:
        Speeds per second with their medians, targets and whether they are met, and the table of
        microseconds per decision by part; ready for JSON.
    """
    third = positions // len(Speed)
    capsules = np.concatenate([collect_capsules(third, seed + speed, speed) for speed in Speed])
    runs: dict[str, list[float]] = {}
    for turn in range(turns):
        measured = {
            "positions": _measure_masks(capsules),
            "positions_with_frames": _measure_frames(capsules),
            "scripts": _measure_scripts(capsules[:: max(1, len(capsules) // _SCRIPTS)]),
            "decisions": _measure_decisions(0, steps, seed + turn),
            "decisions_with_candidates": _measure_decisions(CAPACITY, steps // 3, seed + turn),
        }
        for name, speed in measured.items():
            runs.setdefault(name, []).append(speed)
    return {
        "turns": turns,
        "per_second": {
            name: describe_runs(speeds, target=TARGETS.get(name), aim=AIMS.get(name))
            for name, speeds in runs.items()
        },
        "microseconds_per_decision": {
            "decisions": measure_parts(0, steps, seed),
            "decisions_with_candidates": measure_parts(CAPACITY, steps // 3, seed),
        },
        "met": all(statistics.median(runs[name]) >= least for name, least in TARGETS.items()),
    }


def format_bench(report: Mapping[str, Any]) -> list[str]:
    """Return the lines of text that a report reads as."""
    lines = []
    for name, entry in report["per_second"].items():
        target = f", target {entry['target']:,}" if "target" in entry else ""
        lines.append(f"{name.replace('_', ' ')}: {entry['median']:,.0f} a CPU second{target}")
    for name, parts in report["microseconds_per_decision"].items():
        text = ", ".join(f"{part.replace('_', ' ')} {value:.2f}" for part, value in parts.items())
        lines.append(f"microseconds of {name.replace('_', ' ')}: {text}")
    return lines


def measure_parts(candidates: int, steps: int, seed: int) -> dict[str, float]:
    """Return the microseconds of one decision by part of the step, by the clock.

    `python` is what is left: drawing actions, rewards, set-ups of new games.
    """
    env = _make_env(candidates, seed)
    rng = np.random.default_rng(seed)
    nanoseconds = env.games.profile()
    decisions = 0
    start = time.perf_counter_ns()
    for _ in range(steps):
        decisions += int(np.count_nonzero(env.games.due))
        env.step(env.games.draw_actions(rng))
    total = time.perf_counter_ns() - start
    parts = dict(zip(PARTS, nanoseconds.tolist(), strict=True))
    parts["python"] = total - sum(parts.values())
    parts["total"] = total
    env.close()
    return {name: spent / decisions / 1e3 for name, spent in parts.items()}


def _measure_masks(capsules: np.ndarray) -> float:
    one_colour = np.zeros(len(capsules), np.bool_)
    return len(capsules) / measure_cpu_seconds(lambda: plan_masks(capsules, one_colour))


def _measure_frames(capsules: np.ndarray) -> float:
    return len(capsules) / measure_cpu_seconds(lambda: plan_poses(capsules))


def _measure_scripts(capsules: np.ndarray) -> float:
    """Measure one script for each capsule, for a pose from the middle of its list."""
    asked = []
    for capsule, frames in zip(capsules, plan_poses(capsules), strict=True):
        poses = np.flatnonzero(frames)
        asked.append((capsule.tobytes(), int(poses[len(poses) // 2])))

    def plan_all() -> None:
        for capsule, pose in asked:
            plan_script(capsule, pose)

    return len(asked) / measure_cpu_seconds(plan_all)


def _measure_decisions(candidates: int, steps: int, seed: int) -> float:
    env = _make_env(candidates, seed)
    rng = np.random.default_rng(seed)
    decisions = 0

    def play() -> None:
        nonlocal decisions
        for _ in range(steps):
            decisions += int(np.count_nonzero(env.games.due))
            env.step(env.games.draw_actions(rng))

    seconds = measure_cpu_seconds(play)
    env.close()
    return decisions / seconds


def _make_env(candidates: int, seed: int) -> VectorEnv:
    """Return a running env whose games are no longer in step."""
    env = VectorEnv(GAMES, draw_setup=UniformSetups(levels=LEVELS), candidates=candidates)
    env.reset(seed)
    rng = np.random.default_rng(seed)
    for _ in range(_WARM_UP_STEPS):
        env.step(env.games.draw_actions(rng))
    return env
