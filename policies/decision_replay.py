"""Plays a recorded game again on two backends at once, and says where anything differs.

The decisions are taken from the record, the pads are made anew from each position, and both
backends must show the same RAM after every frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from envs.backends.base import Backend
from envs.game.layout import CELLS, COLUMNS, NO_BUTTONS, name_address
from envs.game.outcome import detect_outcome
from envs.game.placement import WAIT
from envs.game.state import GameState
from envs.placement import SeatPlacement
from policies.decision_games import PlayedGame, Turns
from policies.drops import Drop
from policies.greedy import steer_capsule
from policies.replay import Pads, decode_replay
from policies.tree import route_capsule


def find_difference(
    played: PlayedGame, first: Backend, second: Backend, addresses: Sequence[int]
) -> str | None:
    """Play a game again from its decisions and tell the first thing that is not as recorded.

    Checked are the frame of every decision and that its pose is legal, the pads of every frame, the
    RAM of both backends after every frame, and how the game ended.

    Args:
        played: The game.
        first: Opened backend; the positions are read from it.
        second: Opened backend of another kind.
        addresses: RAM that is compared, `envs.game.layout.COMPARED_ADDRESSES` for the console.

    Returns:
        One line, or None where everything is the same.

    Raises:
        BackendError: A backend failed.
    """
    record = played.record
    for backend in (first, second):
        backend.start_round(record.setup)
    seats = [_RecordedSeat(seat, turns) for seat, turns in enumerate(played.turns)]
    start = GameState.from_ram(first.ram())
    for frame, recorded in enumerate(decode_replay(record.replay)):
        pads, wrong = _list_pads(seats, first, frame)
        wrong = wrong or _compare_pads(pads, recorded)
        if wrong is None:
            first.step(pads)
            second.step(pads)
            wrong = _compare_ram(first.ram(), second.ram(), addresses)
        if wrong is not None:
            return f"frame {frame}: {wrong}"
    outcome = detect_outcome(start, GameState.from_ram(first.ram()), record.setup.solo)
    reason = outcome.reason if outcome is not None else "frame_limit"
    winner = outcome.winner if outcome is not None else None
    left = sum(seat.left for seat in seats)
    if (reason, winner, left) != (record.reason, record.winner, 0):
        return (
            f"end: expected {record.reason}, winner {record.winner} and all decisions played, got "
            f"{reason}, winner {winner} and {left} decisions left"
        )
    return None


class _RecordedSeat:
    """One seat that decides as recorded."""

    def __init__(self, seat: int, turns: Turns) -> None:
        self._seat = seat
        self._placement = SeatPlacement(seat)
        self._manner = turns.manner
        self._turns: Iterator[tuple[int, int]] = zip(
            turns.frames.tolist(), turns.poses.tolist(), strict=True
        )
        self.left = len(turns.frames)
        """Decisions still to come."""
        self._target = WAIT
        self._frames_of_control = 0

    def next_pad(self, ram: np.ndarray, frame: int) -> tuple[int, str | None]:
        """Return the pad of the coming frame, and what is wrong with the decision in it."""
        self._placement.see(ram.tobytes())
        wrong = None
        if self._placement.is_due and self.left:
            wrong = self._decide(frame)
        if self._manner == "planned":
            return self._placement.next_pad(), wrong
        position = GameState.from_ram(ram)
        player = position.players[self._seat]
        self._frames_of_control = self._frames_of_control + 1 if player.can_act else 0
        if not player.can_act or self._target == WAIT:
            return NO_BUTTONS, wrong
        rotation, cell = divmod(self._target, CELLS)
        drop = Drop(rotation, cell % COLUMNS, cell // COLUMNS)
        if self._manner == "steered":
            return steer_capsule(player, drop), wrong
        n, target = self._frames_of_control, (rotation, drop.column)
        return route_capsule(position, self._seat, n, target), wrong

    def _decide(self, frame: int) -> str | None:
        due_frame, pose = next(self._turns)
        self.left -= 1
        self._target = pose
        planned = self._manner == "planned"
        legal = pose == WAIT or not planned or bool(self._placement.mask[pose])
        self._placement.choose(pose if planned else WAIT)
        if due_frame != frame:
            return f"seat {self._seat} decided in frame {due_frame}"
        return None if legal else f"pose {pose} of seat {self._seat} is illegal"


def _list_pads(seats: list[_RecordedSeat], backend: Backend, frame: int) -> tuple[Pads, str | None]:
    ram = backend.ram()
    (left, wrong_left), (right, wrong_right) = (seat.next_pad(ram, frame) for seat in seats)
    return (int(left), int(right)), wrong_left or wrong_right


def _compare_pads(pads: Pads, recorded: Pads) -> str | None:
    return None if pads == recorded else f"expected the pads {recorded}, got {pads}"


def _compare_ram(first: np.ndarray, second: np.ndarray, addresses: Sequence[int]) -> str | None:
    places = np.asarray(addresses)
    differs = places[first[places] != second[places]]
    if not len(differs):
        return None
    address = int(differs[0])
    return (
        f"${address:04X} {name_address(address)} is {int(first[address]):#04x} on the first "
        f"backend, {int(second[address]):#04x} on the second"
    )
