"""The opponent pool: scripted members and snapshots, and which of them can be drawn now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class OpponentPool:
    """Members by policy id. Scripted ones stay for ever; of the snapshots only so many are active.

    A resting snapshot is not drawn any more, but it stays on disk, in the log and on the ladder.
    """

    def __init__(self, scripted: Sequence[str], max_snapshots: int) -> None:
        """Start without snapshots.

        Args:
            scripted: Members that are never retired.
            max_snapshots: Snapshots that are active at a time, 1 or more.
        """
        if max_snapshots < 1:
            raise ValueError(f"expected max_snapshots >= 1, got {max_snapshots!r}")
        self._scripted = tuple(scripted)
        self._max_snapshots = max_snapshots
        self._snapshots: list[str] = []
        self._resting: set[str] = set()

    @property
    def snapshots(self) -> tuple[str, ...]:
        """All snapshots, in the order of their birth."""
        return tuple(self._snapshots)

    @property
    def active(self) -> tuple[str, ...]:
        """Members that can be drawn: the scripted ones, then snapshots in the order of birth."""
        return (*self._scripted, *self._active_snapshots())

    def is_snapshot(self, name: str) -> bool:
        """Whether a member is a snapshot."""
        return name in self._snapshots

    def add(self, snapshot: str) -> None:
        """Add the newest snapshot; if there are too many, retire the oldest but the first.

        The first stays as the fixed point that progress is measured against.

        Raises:
            ValueError: The name is taken.
        """
        if snapshot in self._snapshots or snapshot in self._scripted:
            raise ValueError(f"expected a new name for a snapshot, got {snapshot!r}")
        self._snapshots.append(snapshot)
        active = self._active_snapshots()
        if len(active) > self._max_snapshots:
            self._resting.add(active[1] if self._max_snapshots > 1 else active[0])

    def state_dict(self) -> dict[str, Any]:
        """Return the snapshots as JSON types."""
        return {"snapshots": list(self._snapshots), "resting": sorted(self._resting)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put the snapshots back as `state_dict` saw them."""
        self._snapshots = list(state["snapshots"])
        self._resting = set(state["resting"])

    def _active_snapshots(self) -> list[str]:
        return [name for name in self._snapshots if name not in self._resting]
