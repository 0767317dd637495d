"""What is compared: a game played on the simulator, with its RAM after every frame.

A trace is a start, the pads of every frame and the images that followed. Any other machine plays
the same pads from the same start and must show the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from envs.game.layout import COMPARED_ADDRESSES, name_address
from envs.game.position import format_position
from envs.game.setup import RoundSetup
from envs.game.state import GameState


@dataclass(frozen=True, slots=True)
class Start:
    """Where a trace begins."""

    setup: RoundSetup
    image: np.ndarray | None = None
    """RAM image, uint8 (2048,), to begin from; None: the entry to set-up."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A game as one machine played it."""

    kind: str
    """What kind of play it is, for the report."""
    start: Start
    first: np.ndarray
    """RAM before the first frame, uint8 (2048,)."""
    pads: np.ndarray
    """uint8 (frames, 2)."""
    images: np.ndarray
    """RAM after each frame, uint8 (frames, 2048)."""

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.pads)


@dataclass(frozen=True, slots=True)
class Difference:
    """The first byte in which two machines differ."""

    machine: str
    """The machine that was held against the simulator."""
    kind: str
    setup: str
    frame: int
    """Frames since the start of the trace; the first is 0."""
    address: int
    name: str
    simulator: int
    """Value on the simulator."""
    other: int
    """Value on the other machine."""
    simulator_position: str
    other_position: str
    """The whole positions, as lines."""

    def describe(self) -> str:
        """Return the difference as text of several lines."""
        return (
            f"{self.machine} differs at frame {self.frame} of {self.kind} ({self.setup}): "
            f"${self.address:04X} {self.name} is {self.other:#04x}, "
            f"{self.simulator:#04x} on the simulator\n"
            f"  simulator: {self.simulator_position}\n"
            f"  {self.machine}: {self.other_position}"
        )


def find_difference(
    trace: Trace,
    images: np.ndarray,
    machine: str,
    addresses: Sequence[int] = COMPARED_ADDRESSES,
) -> Difference | None:
    """Return the first difference between a trace and what another machine made of it.

    Args:
        trace: The simulator's side.
        images: The other's RAM after each frame, uint8 (frames, 2048); may be shorter.
        machine: Name of the other machine.
        addresses: RAM that is compared.
    """
    differs = trace.images[: len(images)] != images
    differs = differs[:, np.array(addresses)]
    if not differs.any():
        return None
    frame = int(differs.any(axis=1).argmax())
    address = int(addresses[int(differs[frame].argmax())])
    ours, theirs = trace.images[frame], images[frame]
    return Difference(
        machine=machine,
        kind=trace.kind,
        setup=repr(trace.start.setup),
        frame=frame,
        address=address,
        name=name_address(address),
        simulator=int(ours[address]),
        other=int(theirs[address]),
        simulator_position=format_position(GameState.from_ram(ours)),
        other_position=format_position(GameState.from_ram(theirs)),
    )
