"""`league bench search`: placements per second of `search` on one core."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import numpy as np

from envs.backends.native_search import pack_images
from envs.game.layout import NUM_SEATS
from envs.game.placement import WAIT
from envs.vector import UniformSetups, VectorEnv
from league.bench.runs import measure_cpu_seconds
from policies.search import DEFAULT_WIDTH, MAX_WIDTH, SearchPolicy

TARGETS: Final = {1: None, 2: 1000.0}
"""Least decisions per second by depth."""
LEVEL: Final = 10
DEFAULT_POSITIONS: Final = 2048
_GAMES: Final = 64
_PLIES: Final = 60
"""Capsules that the positions are spread over: a round at level 10 has about as many."""
_MOST_LOST: Final = 100.0
"""A missed clear or a top-out counts as this."""


def run_search_bench(
    positions: int = DEFAULT_POSITIONS, width: int = DEFAULT_WIDTH, seed: int = 0
) -> dict[str, Any]:
    """Measure both depths, by CPU time of one thread, on positions of its own rounds.

    Args:
        positions: Decisions to time.
        width: First placements that depth 2 looks into.
        seed: Draws the boards.

    Returns:
        By depth the decisions per second, the target, and whether it is met; then what the pruning
        loses, see `measure_pruning`. Ready for JSON.
    """
    sample = draw_positions(positions, seed)
    report: dict[str, Any] = {"positions": len(sample), "width": width, "level": LEVEL}
    for depth, target in TARGETS.items():
        policy = SearchPolicy(depth, width)
        policy.choose_placements(sample[:64])
        speed = len(sample) / measure_cpu_seconds(partial(policy.choose_placements, sample))
        met = target is None or speed >= target
        report[f"depth_{depth}"] = {"per_cpu_second": speed, "target": target, "met": met}
    return report | measure_pruning(sample, width)


def measure_pruning(positions: np.ndarray, width: int) -> dict[str, float]:
    """Compare depth 2 with and without its pruning.

    Args:
        positions: uint8 (n, bytes).
        width: First placements that are looked into.

    Returns:
        `same_choice`, the share of positions in which both choose alike, and `lost_value`, what the
        chosen placement is worth less than the best, on average; a cleared virus is worth 9.6.
    """
    values = SearchPolicy(2, MAX_WIDTH).judge_placements(positions)
    chosen = SearchPolicy(2, width).choose_placements(positions)
    placed = chosen != WAIT
    values, chosen = values[placed], chosen[placed]
    loss = values.max(axis=1) - values[np.arange(len(values)), chosen]
    return {
        "same_choice": float((values.argmax(axis=1) == chosen).mean()),
        "lost_value": float(np.minimum(loss, _MOST_LOST).mean()),
    }


def draw_positions(count: int, seed: int) -> np.ndarray:
    """Return positions from solo rounds that `search:depth=1` plays, uint8 (count, bytes)."""
    policy = SearchPolicy(1)
    env = VectorEnv(_GAMES, draw_setup=UniformSetups((LEVEL,), solo=True))
    env.reset(seed)
    seen = []
    for _ in range(_PLIES):
        positions = pack_images(env.games.images, 0)
        seen.append(positions)
        actions = np.full((_GAMES, NUM_SEATS), WAIT, np.int64)
        actions[:, 0] = policy.choose_placements(positions)
        env.step(actions)
    env.close()
    rows = np.concatenate(seen)
    chosen = np.random.default_rng(seed).choice(len(rows), count, replace=count > len(rows))
    return rows[chosen]


def format_bench(report: dict[str, Any]) -> list[str]:
    """Return the lines that show a report."""
    return [
        f"search:depth={depth}: {report[f'depth_{depth}']['per_cpu_second']:,.0f} placements per "
        f"second of one core" + (f", target {target:,.0f}" if target is not None else "")
        for depth, target in TARGETS.items()
    ] + [
        f"width {report['width']}: the choice of the full search in {report['same_choice']:.1%}, "
        f"{report['lost_value']:.3f} of value lost"
    ]
