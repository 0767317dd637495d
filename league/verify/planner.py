"""The planner held against the simulator: its scripts played out, its poses walked one by one."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from envs.backends.native_pool import count_processors
from envs.backends.planner import plan_poses, plan_script, play_script, walk_poses
from envs.game.layout import FRAMES_PER_ROW, Speed
from league.verify.planner_positions import collect_capsules, craft_capsule, craft_capsules

TARGET_SHARE: Final = 0.999
"""Least share of poses found, and of shortest scripts equal in frames."""

WALKS: Final = {"at_spawn": True, "anywhere": False}
"""Where the capsules are whose poses are walked."""

_BATCH: Final = 500
_COUNTS: Final = ("poses", "missed", "slower", "extra", "faster")


@dataclass(frozen=True, slots=True)
class PlannerScope:
    """How much is judged."""

    plans: int = 1_000_000
    """Plans to play out in the simulator, half from play, half from crafted positions."""
    positions: int = 25
    """Positions at each speed, half with overhangs, whose poses are walked; once with the capsule
    at its spawn and once anywhere, in any state."""
    speeds: Sequence[int] = range(len(FRAMES_PER_ROW))
    """Speeds of the walks, indices into `FRAMES_PER_ROW`; low ones take seconds a position."""


@dataclass(slots=True)
class WalkTally:
    """What comparing planned with walked poses came to."""

    positions: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    """`poses` walked; `missed`, `slower` and `faster` of them; `extra` ones planned."""

    def add(self, planned: np.ndarray, walked: np.ndarray) -> None:
        """Add the frames of one position, uint16 (512,) each."""
        self.positions += 1
        self.counts["poses"] += int((walked != 0).sum())
        self.counts["missed"] += int(((walked != 0) & (planned == 0)).sum())
        self.counts["extra"] += int(((walked == 0) & (planned != 0)).sum())
        both = (walked != 0) & (planned != 0)
        self.counts["slower"] += int((planned > walked)[both].sum())
        self.counts["faster"] += int((planned < walked)[both].sum())

    def describe(self) -> dict[str, Any]:
        """Return the tally with shares and the verdict, ready for JSON."""
        poses = max(self.counts["poses"], 1)
        found = self.counts["poses"] - self.counts["missed"]
        share_found, share_shortest = found / poses, 1 - self.counts["slower"] / max(found, 1)
        impossible = self.counts["extra"] + self.counts["faster"]
        return {
            "positions": self.positions,
            **{name: self.counts[name] for name in _COUNTS},
            "share_found": share_found,
            "share_shortest": share_shortest,
            "passed": impossible == 0 and min(share_found, share_shortest) >= TARGET_SHARE,
        }


def run_planner_verify(
    scope: PlannerScope | None = None,
    *,
    seed: int = 0,
    on_part: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Judge the planner and return the report, ready for JSON.

    Args:
        scope: How much to judge; None: all that is promised.
        seed: Draws the positions.
        on_part: Called with a line whenever a part is done.

    Raises:
        BackendError: The native extension was not built.
    """
    scope = scope or PlannerScope()
    start = time.monotonic()
    say = on_part if on_part is not None else _say_nothing
    scripts = check_scripts(scope.plans, seed)
    say(f"{scripts['plans']} plans played out, {scripts['wrong']} wrong")
    walks: dict[str, dict[str, Any]] = {}
    for name, at_spawn in WALKS.items():
        walks[name] = check_poses(scope, seed, at_spawn=at_spawn)
        say(f"{name}: {walks[name]['poses']} poses walked, {walks[name]['missed']} missed")
    return {
        "scripts": scripts,
        **walks,
        "seconds": time.monotonic() - start,
        "passed": all(part["passed"] for part in (scripts, *walks.values())),
    }


def format_planner_report(report: Mapping[str, Any]) -> list[str]:
    """Return the lines of text that a report reads as."""
    scripts = report["scripts"]
    lines = [f"plans played out: {scripts['plans']}, wrong: {scripts['wrong']}"]
    for name in WALKS:
        walk, place = report[name], name.replace("_", " ")
        lines.append(
            f"poses walked {place}: {walk['poses']}, found {walk['share_found']:.4%}, "
            f"as short {walk['share_shortest']:.4%}, not to be had {walk['extra'] + walk['faster']}"
        )
    return lines


def check_scripts(plans: int, seed: int) -> dict[str, Any]:
    """Play out plans in the simulator: each must lock where and when it says."""
    done = wrong = 0
    first: dict[str, Any] | None = None
    for capsules in _draw_batches(seed):
        for capsule, frames in zip(capsules, plan_poses(capsules), strict=True):
            packed = capsule.tobytes()
            for pose in np.flatnonzero(frames).tolist():
                lock = play_script(packed, plan_script(packed, pose))
                done += 1
                if lock != (pose, frames[pose]):
                    wrong += 1
                    first = first or {"capsule": packed.hex(), "pose": pose, "lock": lock}
        if done >= plans:
            break
    return {"plans": done, "wrong": wrong, "first_wrong": first, "passed": wrong == 0}


def check_poses(scope: PlannerScope, seed: int, *, at_spawn: bool) -> dict[str, Any]:
    """Compare planned with walked poses at every speed of the scope."""
    rng = np.random.default_rng([seed, at_spawn])
    capsules = np.concatenate(
        [
            craft_capsules(rng, scope.positions, gravity_index, at_spawn=at_spawn)
            for gravity_index in scope.speeds
        ]
    )
    tally = WalkTally()
    # The walk is one call without the GIL.
    with ThreadPoolExecutor(count_processors()) as executor:
        walks = executor.map(
            lambda index: walk_poses(capsules[index : index + 1])[0], range(len(capsules))
        )
        for planned, walked in zip(plan_poses(capsules), walks, strict=True):
            tally.add(planned, walked)
    return tally.describe()


def _draw_batches(seed: int) -> Iterator[np.ndarray]:
    """Yield packed capsules without end, in turn from play and crafted at any speed."""
    rng = np.random.default_rng([seed, len(FRAMES_PER_ROW)])
    for batch in range(2**31):
        yield collect_capsules(_BATCH, int(rng.integers(2**31)), Speed(batch % len(Speed)))
        crafted = [
            craft_capsule(
                rng,
                int(rng.integers(len(FRAMES_PER_ROW))),
                overhangs=index % 2 == 1,
                at_spawn=index % 4 < 2,
            )
            for index in range(_BATCH)
        ]
        yield np.frombuffer(b"".join(crafted), np.uint8).reshape(_BATCH, -1)


def _say_nothing(line: str) -> None:
    """Take a line of progress that nobody asked for."""
