"""The game loop: plays rounds between policies on any backend, frame by frame.

Matches, evaluation games, videos and data collection all run through `play_games`. It knows no
league: who meets whom, and on which set-up, comes in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, Literal

import numpy as np

from envs.backends.base import Backend
from envs.game.layout import NO_BUTTONS, NUM_SEATS, NextAction
from envs.game.outcome import EndReason, Outcome, detect_outcome
from envs.game.setup import RoundSetup
from envs.game.state import GameState
from envs.seat import Frame, Seat, decide
from policies.base import Policy
from policies.replay import Pads, encode_replay

MAX_FRAMES: Final = 36_000
"""Frames after which a game is stopped without a winner: ten minutes."""

_LINES_FOR_GARBAGE: Final = 2


@dataclass(frozen=True, slots=True)
class Game:
    """A game to be played."""

    setup: RoundSetup
    policies: tuple[Policy, Policy]
    """By seat. In a solo round seat 1's pad does nothing and its policy is not asked."""
    rngs: tuple[np.random.Generator, np.random.Generator]
    """Source of each seat's randomness; the game uses them up."""


@dataclass(frozen=True, slots=True)
class SeatStats:
    """What one seat did in a game."""

    viruses: int
    """Viruses cleared."""
    lines: int
    """Lines cleared, cascades included."""
    garbage_sent: int
    """Garbage halves queued for the opponent."""
    capsules: int
    """Capsules locked."""


@dataclass(frozen=True, slots=True)
class GameRecord:
    """A game that was played."""

    setup: RoundSetup
    policies: tuple[str, str]
    """Names by seat."""
    reason: EndReason | Literal["forfeit"]
    """`forfeit`: the loser could not go on; see `league.outside.forfeits`."""
    winner: int | None
    """Winning seat; None for a draw and for `frame_limit`."""
    frames: int
    """Frames from the first one on which the seats could act."""
    stats: tuple[SeatStats, SeatStats]
    replay: bytes
    """The pads of every frame, see `policies.replay`."""


def play_games(
    games: Sequence[Game],
    backends: Sequence[Backend],
    *,
    max_frames: int = MAX_FRAMES,
    on_game: Callable[[int, GameRecord], None] | None = None,
    on_frame: Callable[[int, Backend], None] | None = None,
) -> list[GameRecord]:
    """Play every game to its end, as many at a time as there are backends.

    A record depends on its game alone, not on the number of backends or on the other games.

    Args:
        games: What to play.
        backends: Opened backends; each plays one game after the other.
        max_frames: Frames after which a game ends as `frame_limit`.
        on_game: Called with index and record whenever a game has ended.
        on_frame: Called with the index of a game and its backend after each of its frames.

    Returns:
        One record per game, in the order of `games`.

    Raises:
        ValueError: No backend, `max_frames` below 1, or a policy whose view cannot be served.
        BackendError: A backend failed.
    """
    if not backends or max_frames < 1:
        raise ValueError(
            f"expected a backend and max_frames >= 1, got {len(backends)} and {max_frames}"
        )
    waiting = iter(enumerate(games))
    records: dict[int, GameRecord] = {}
    # The backends come first: zip stops at them before it takes a game that none could play.
    running = [
        _RunningGame(*item, backend) for backend, item in zip(backends, waiting, strict=False)
    ]
    while running:
        _decide_due(running)
        for game in running:
            game.play_frame(max_frames)
            if on_frame is not None:
                on_frame(game.index, game.backend)
        for game in [game for game in running if game.outcome is not None]:
            records[game.index] = game.make_record()
            if on_game is not None:
                on_game(game.index, records[game.index])
            running.remove(game)
            running += [_RunningGame(*item, game.backend) for item in islice(waiting, 1)]
    return [records[index] for index in range(len(games))]


class _RunningGame:
    """A game in progress on its backend."""

    def __init__(self, index: int, game: Game, backend: Backend) -> None:
        self.index = index
        self.backend = backend
        self.outcome: Outcome | None = None
        self._game = game
        active_seats = 1 if game.setup.solo else NUM_SEATS
        self.seats = [
            Seat(seat, game.policies[seat], game.rngs[seat]) for seat in range(active_seats)
        ]
        self._pads: list[Pads] = []
        self._lines = [0] * NUM_SEATS
        self._garbage_sent = [0] * NUM_SEATS
        self._capsules = [0] * NUM_SEATS
        backend.start_round(game.setup)
        self.frame = _read_frame(backend)
        self._first = self.frame.state

    def play_frame(self, max_frames: int) -> None:
        """Run one frame with the pads that the seats hold."""
        pads = (self.seats[0].pad, NO_BUTTONS if self._game.setup.solo else self.seats[1].pad)
        self.backend.step(pads)
        self._pads.append(pads)
        for seat in self.seats:
            seat.pass_frame()
        before, self.frame = self.frame.state, _read_frame(self.backend)
        self._count_events(before, self.frame.state)
        self.outcome = detect_outcome(before, self.frame.state, self._game.setup.solo)
        if self.outcome is None and len(self._pads) >= max_frames:
            self.outcome = Outcome("frame_limit", None)

    def make_record(self) -> GameRecord:
        """Return the record of the game, which has ended."""
        assert self.outcome is not None
        policies = self._game.policies
        return GameRecord(
            setup=self._game.setup,
            policies=(policies[0].name, policies[1].name),
            reason=self.outcome.reason,
            winner=self.outcome.winner,
            frames=len(self._pads),
            stats=(self._make_stats(0), self._make_stats(1)),
            replay=encode_replay(self._pads),
        )

    def _count_events(self, before: GameState, after: GameState) -> None:
        """Count lines, garbage and locked capsules between two frames."""
        for seat in range(NUM_SEATS):
            old, new = before.players[seat], after.players[seat]
            self._lines[seat] += max(0, new.combo - old.combo)
            # The queue itself may be taken by the opponent in the frame in which it grows.
            if old.next_action == NextAction.CHECK_ATTACK and old.combo >= _LINES_FOR_GARBAGE:
                self._garbage_sent[seat] += old.combo
            if old.can_act and not new.can_act:
                self._capsules[seat] += 1

    def _make_stats(self, seat: int) -> SeatStats:
        first, last = self._first.players[seat], self.frame.state.players[seat]
        return SeatStats(
            viruses=first.viruses - last.viruses,
            lines=self._lines[seat],
            garbage_sent=self._garbage_sent[seat],
            capsules=self._capsules[seat],
        )


def _read_frame(backend: Backend) -> Frame:
    ram = backend.ram()
    return Frame(backend, ram, GameState.from_ram(ram))


def _decide_due(running: Sequence[_RunningGame]) -> None:
    """Ask the policy of every seat whose last choice has run out or whose capsule has no plan."""
    for game in running:
        for seat in game.seats:
            seat.see(game.frame)
    due = [(seat, game.frame) for game in running for seat in game.seats if seat.must_decide]
    decide([seat for seat, _ in due], [frame for _, frame in due])
