"""The opponent pool: anchors and snapshots, and which of them can be drawn now."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

NEWEST_SHARE: Final = 0.25
"""Share of the active snapshots that the newest ones hold for certain; one at the least."""
BEST_SHARE: Final = 0.1
"""The same for those rated best."""


class OpponentPool:
    """Members by policy id. Anchors stay for ever; of the snapshots only so many are active.

    Anchors are players that do not learn: scripted ones, search, trees. A resting snapshot is not
    drawn any more, but it stays on disk, in the log and on the ladder.
    """

    def __init__(self, anchors: Sequence[str], max_snapshots: int) -> None:
        """Start without snapshots.

        Args:
            anchors: Members that are never retired.
            max_snapshots: Snapshots that are active at a time, 1 or more.
        """
        if max_snapshots < 1:
            raise ValueError(f"expected max_snapshots >= 1, got {max_snapshots!r}")
        self._anchors = tuple(anchors)
        self._max_snapshots = max_snapshots
        self._snapshots: list[str] = []
        self._exploiters: set[str] = set()
        self._resting: set[str] = set()

    @property
    def snapshots(self) -> tuple[str, ...]:
        """All snapshots, in the order of their birth."""
        return tuple(self._snapshots)

    @property
    def active(self) -> tuple[str, ...]:
        """Members that can be drawn: the anchors, then snapshots in the order of birth."""
        return (*self._anchors, *self._active_snapshots())

    def is_snapshot(self, name: str) -> bool:
        """Whether a member is a snapshot."""
        return name in self._snapshots

    def is_exploiter(self, name: str) -> bool:
        """Whether a member is a snapshot of an exploiter."""
        return name in self._exploiters

    def snapshots_of_main(self) -> tuple[str, ...]:
        """Return all snapshots that are not exploiters', in the order of their birth."""
        return tuple(name for name in self._snapshots if name not in self._exploiters)

    def add(
        self,
        snapshot: str,
        *,
        exploiter: bool = False,
        ratings: Mapping[str, float] | None = None,
        support: Collection[str] = (),
    ) -> tuple[str, ...]:
        """Add the newest snapshot; while there are too many, retire the oldest that may go.

        The anchors, the newest, those rated best, all exploiters, the Nash support and the first
        one, which progress is measured against, may not go. Where that leaves nobody, the pool
        grows beyond its size instead.

        Args:
            snapshot: A name that no member has.
            exploiter: Whether it was frozen from an exploiter.
            ratings: Elo points of rated players.
            support: Players in the Nash mixture of the pool.

        Returns:
            Those retired.

        Raises:
            ValueError: The name is taken.
        """
        if snapshot in self._snapshots or snapshot in self._anchors:
            raise ValueError(f"expected a new name for a snapshot, got {snapshot!r}")
        self._snapshots.append(snapshot)
        if exploiter:
            self._exploiters.add(snapshot)
        active = self._active_snapshots()
        kept = self._protected(active, ratings or {}) | set(support)
        free = [name for name in active if name not in kept]
        retired = free[: max(len(active) - self._max_snapshots, 0)]
        self._resting.update(retired)
        return tuple(retired)

    def state_dict(self) -> dict[str, Any]:
        """Return the snapshots as JSON types."""
        return {
            "snapshots": list(self._snapshots),
            "exploiters": sorted(self._exploiters),
            "resting": sorted(self._resting),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put the snapshots back as `state_dict` saw them."""
        self._snapshots = list(state["snapshots"])
        self._exploiters = set(state["exploiters"])
        self._resting = set(state["resting"])

    def _active_snapshots(self) -> list[str]:
        return [name for name in self._snapshots if name not in self._resting]

    def _protected(self, active: Sequence[str], ratings: Mapping[str, float]) -> set[str]:
        newest = active[-_at_least_one(NEWEST_SHARE * self._max_snapshots) :]
        rated = sorted((name for name in active if name in ratings), key=lambda name: ratings[name])
        best = rated[-_at_least_one(BEST_SHARE * self._max_snapshots) :]
        first = active[:1] if self._max_snapshots > 1 else []
        return {*newest, *best, *first, *self._exploiters}


def _at_least_one(count: float) -> int:
    return max(int(count), 1)
