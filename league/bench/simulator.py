"""`league bench sim`: the simulator's speed beside Stable-Retro's `env.step`, in one run."""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from envs.actions import BUTTON_ACTIONS
from envs.backends.batch import BatchSimulator
from envs.backends.native_pool import count_processors
from envs.game.layout import NUM_SEATS, Address, Mode, PillDuelAddress
from envs.game.setup import RoundSetup, seed_to_word
from league.bench.env import measure_stock
from league.bench.runs import describe_runs
from policies.scripted import RANDOM_ACTION_REPEAT

TARGET_FRAMES_PER_SECOND: Final = 10e6
TARGET_RATIO: Final = 3000.0
"""Times the speed of Stable-Retro's `env.step`, rendering on."""
TARGET_SCALING: Final = 1.7
"""Speed of two threads by that of one."""

DEFAULT_TURNS: Final = 5
GAMES: Final = 512
LEVEL: Final = 10
_CALLS: Final = 100
_FRAMES_PER_CALL: Final = 64
_SCRIPTS: Final = 16
"""Calls whose buttons are drawn; later ones use them again."""
_STOCK_FRAMES: Final = 1000
"""A random round lasts longer."""


def run_simulator_bench(
    turns: int = DEFAULT_TURNS,
    *,
    calls: int = _CALLS,
    stock_frames: int = _STOCK_FRAMES,
    seed: int = 0,
) -> dict[str, Any]:
    """Measure the simulator on one and two threads, and Stable-Retro, in turn.

    The games are rounds at level 10, MED, for two seats that press random buttons as the policy
    `random` does, each held for four frames. All advance by 64 frames a call. Between calls, on one
    thread, Python starts those anew that have ended; that time counts, and the frames of the call
    in which a round ended do not. Speeds per processor are by CPU time. Scaling over threads is by
    the clock of that whole loop, so other work on the machine shows in it, and two threads need two
    processors that do nothing else: where others keep them busy, let the system's real-time
    scheduler run the command (`chrt --rr 10 league bench sim`).

    Args:
        turns: Interleaved runs; medians over them are reported.
        calls: Calls of 64 frames for 512 games in each run.
        stock_frames: Frames on Stable-Retro in each run.
        seed: Draws the buttons.

    Returns:
        Frames per second and ratios with their medians, targets, and whether they are met; ready
        for JSON.
    """
    stock_actions = np.random.default_rng(seed).integers(
        len(BUTTON_ACTIONS), size=(stock_frames, NUM_SEATS)
    )
    load, runs = os.getloadavg()[0], []
    for turn in range(turns):
        stock = stock_frames / measure_stock(stock_actions)
        one = _measure_games(1, calls, seed + turn)
        two = _measure_games(2, calls, seed + turn)
        runs.append((stock, one, two))
    return {
        "turns": turns,
        "games": GAMES,
        "processors": count_processors(),
        # How busy they were, by this and by others: as `uptime` tells it, before and after.
        "load_averages": [load, os.getloadavg()[0]],
        "stable_retro_frames_per_second": statistics.median(run[0] for run in runs),
        # What the threads lose to each other; unlike the clock it does not see other programs.
        "two_threads_per_cpu_second_by_one": statistics.median(
            run[2]["cpu"] / run[1]["cpu"] for run in runs
        ),
        "frames_per_cpu_second": describe_runs(
            [run[1]["cpu"] for run in runs], target=TARGET_FRAMES_PER_SECOND
        ),
        "times_stable_retro": describe_runs(
            [run[1]["cpu"] / run[0] for run in runs], target=TARGET_RATIO
        ),
        "two_threads_by_one": describe_runs(
            [run[2]["clock"] / run[1]["clock"] for run in runs], target=TARGET_SCALING
        ),
    }


def format_bench(report: Mapping[str, Any]) -> list[str]:
    """Return the lines of text that a report reads as."""
    stock = report["stable_retro_frames_per_second"]
    loads = " and ".join(f"{load:.1f}" for load in report["load_averages"])
    lines = [
        f"load before and after: {loads} on {report['processors']} processors",
        f"Stable-Retro: {stock:,.0f} frames a CPU second",
        f"two threads per CPU second by one: {report['two_threads_per_cpu_second_by_one']:.2f}",
    ]
    for name, entry in report.items():
        if isinstance(entry, dict):
            text = name.replace("_", " ")
            lines.append(f"{text}: {entry['median']:,.2f}, target {entry['target']:,.2f}")
    return lines


def list_missed_targets(report: dict[str, Any]) -> list[str]:
    """Return the names of the targets that a report does not meet."""
    entries = {name: entry for name, entry in report.items() if isinstance(entry, dict)}
    return [name for name, entry in entries.items() if not entry["met"]]


def _measure_games(threads: int, calls: int, seed: int) -> dict[str, float]:
    """Return frames per second of CPU time and of the clock."""
    with BatchSimulator(GAMES, threads=threads) as simulator:
        simulator.start(
            [
                RoundSetup(levels=(LEVEL, LEVEL), rng_word=seed_to_word(game))
                for game in range(GAMES)
            ]
        )
        play = _make_player(simulator, _draw_scripts(np.random.default_rng(seed)))
        play(calls // 10 + 1)
        gc.collect()
        cpu, clock = time.process_time(), time.perf_counter()
        frames = play(calls)
        cpu, clock = time.process_time() - cpu, time.perf_counter() - clock
    return {"cpu": frames / cpu, "clock": frames / clock}


def _draw_scripts(rng: np.random.Generator) -> np.ndarray:
    """Return pad scripts, uint8 (calls, games, frames, 2)."""
    pads = np.array([int(pad) for pad in BUTTON_ACTIONS], np.uint8)
    choices = _FRAMES_PER_CALL // RANDOM_ACTION_REPEAT
    drawn = pads[rng.integers(len(pads), size=(_SCRIPTS, GAMES, choices, NUM_SEATS))]
    return np.repeat(drawn, RANDOM_ACTION_REPEAT, axis=2)


def _make_player(simulator: BatchSimulator, scripts: np.ndarray) -> Callable[[int], int]:
    """Return what plays a number of calls, and returns the frames of rounds that went on."""
    images = simulator.images
    starts = images.copy()

    def play(calls: int) -> int:
        ended = 0
        for call in range(calls):
            simulator.play(scripts[call % len(scripts)])
            over = (images[:, Address.MODE] != Mode.PLAY) | (images[:, PillDuelAddress.PHASE] != 0)
            chosen = np.flatnonzero(over)
            images[chosen] = starts[chosen]
            ended += len(chosen)
        return (calls * GAMES - ended) * _FRAMES_PER_CALL

    return play
