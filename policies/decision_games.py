"""The fast game loop: hundreds of games at once on the native simulator, a decision at a time.

For policies that place capsules, trees included (`policies.decision_choices` says which). The games
are those that `policies.rollout.play_games` plays frame by frame, to the last pad, and come back
with what each seat decided, so that any of them can be played again on another backend
(`policies.decision_replay`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from envs.backends.native_decisions import NOT_DUE, NativeDecisions
from envs.backends.native_vector import NO_WINNER, ROUND_START, TOTALS, VectorGames, pack_start
from envs.candidates import CAPACITY
from envs.game.layout import NUM_SEATS, PlayerOffset, Speed, player_address
from envs.game.outcome import END_REASONS
from envs.game.placement import WAIT
from envs.game.setup import RoundSetup
from envs.vector import make_compact_program
from policies.base import Policy
from policies.decision_choices import (
    Manner,
    can_batch,
    choose,
    find_manner,
    list_greedy_weights,
    needs_candidates,
    plays_decisions,
)
from policies.replay import encode_pads
from policies.rollout import MAX_FRAMES, Game, GameRecord, SeatStats

DEFAULT_SLOTS: Final = 512
"""Games that run at a time; more are of no use, and each takes about 45 KB."""

_IDLE: Final = RoundSetup(levels=(0, 0), speeds=(Speed.HI, Speed.HI), solo=True)
"""What runs where no game is left to start: cheap, and looked at by nobody."""
_VIRUSES: Final = [int(player_address(seat, PlayerOffset.VIRUSES)) for seat in range(NUM_SEATS)]
_BCD: Final = np.array([(byte >> 4) * 10 + (byte & 15) for byte in range(256)], np.uint8)
_STATS: Final = {name: TOTALS.index(name) for name in SeatStats.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class Turns:
    """What one seat decided in a game, capsule by capsule."""

    frames: np.ndarray
    """int32 (n,): frame of play in which the capsule came under control, from 0."""
    viruses: np.ndarray
    """uint8 (n,): viruses left in the seat's bottle at that time."""
    poses: np.ndarray
    """int16 (n,): the pose that it set out for; WAIT where the capsule fell without input."""
    manner: Manner
    """How the capsules were brought there."""


@dataclass(frozen=True, slots=True)
class PlayedGame:
    """A game with the decisions that made it."""

    record: GameRecord
    """The same as `policies.rollout.play_games` makes of the game."""
    turns: tuple[Turns, Turns]
    """By seat; that of an inert seat is empty."""


def play_decision_games(
    games: Sequence[Game],
    *,
    max_frames: int = MAX_FRAMES,
    slots: int = DEFAULT_SLOTS,
    on_game: Callable[[int, PlayedGame], None] | None = None,
) -> list[PlayedGame]:
    """Play every game to its end on the native simulator.

    A game depends on its set-up, its policies and its random streams alone, not on the games beside
    it. A policy that draws, or remembers, is asked for one game at a time, which is slow.

    Args:
        games: What to play; every policy must be one that `plays_decisions`.
        max_frames: Frames after which a game ends as `frame_limit`.
        slots: Most games that run at a time, 1 or more.
        on_game: Called with index and game whenever one has ended.

    Returns:
        One played game for each, in the order of `games`.

    Raises:
        ValueError: A number below 1, or a policy that cannot be asked.
        BackendError: The native extension was not built.
    """
    if max_frames < 1 or slots < 1:
        raise ValueError(f"expected max_frames and slots >= 1, got {max_frames} and {slots}")
    for policy in {id(one): one for game in games for one in _active(game)}.values():
        if not plays_decisions(policy):
            raise ValueError(
                f"expected policies that place capsules, got {policy.name!r}, which looks at "
                f"{policy.view.observation!r} and gives {policy.view.actions}; use play_games"
            )
    played: dict[int, PlayedGame] = {}

    def keep(index: int, game: PlayedGame) -> None:
        played[index] = game
        if on_game is not None:
            on_game(index, game)

    if games:
        _Loop(games, min(slots, len(games)), max_frames).run(keep)
    return [played[index] for index in range(len(games))]


def _active(game: Game) -> tuple[Policy, ...]:
    return game.policies[:1] if game.setup.solo else game.policies


@dataclass(slots=True)
class _RunningSeat:
    """What one seat of a running game has decided so far."""

    state: Any
    """The policy's, where it has one."""
    frames: list[int] = field(default_factory=list)
    viruses: list[int] = field(default_factory=list)
    poses: list[int] = field(default_factory=list)
    scripts: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class _RunningGame:
    """A game in its slot."""

    index: int
    game: Game
    seats: tuple[_RunningSeat, _RunningSeat]

    def make_turns(self, seat: int) -> Turns:
        own = self.seats[seat]
        return Turns(
            frames=np.array(own.frames, np.int32),
            viruses=np.array(own.viruses, np.uint8),
            poses=np.array(own.poses, np.int16),
            manner=find_manner(self.game.policies[seat]),
        )

    def encode_replay(self, frames: int) -> bytes:
        pads = np.zeros((NUM_SEATS, frames), np.uint8)
        for row, seat in zip(pads, self.seats, strict=True):
            for start, script in zip(seat.frames, seat.scripts, strict=True):
                # The round may end before the capsule locks.
                kept = script[: frames - start]
                row[start : start + len(kept)] = np.frombuffer(kept, np.uint8)
        return encode_pads(pads.T)


class _Loop:
    """Slots in which games run, and the policies that are asked for their decisions."""

    def __init__(self, games: Sequence[Game], slots: int, max_frames: int) -> None:
        self._max_frames = max_frames
        # A slot's next game must be known before its last one ends, so each has a list of its own.
        self._waiting = [list(enumerate(games))[slot::slots][::-1] for slot in range(slots)]
        policies = {id(one): one for game in games for one in _active(game)}
        self._policies = list(policies.values())
        self._numbers = {key: number for number, key in enumerate(policies)}
        self._batched = [can_batch(policy) for policy in self._policies]
        wants_rows = any(needs_candidates(policy) for policy in self._policies)
        self._native = VectorGames(
            slots,
            make_compact_program(),
            candidates=CAPACITY if wants_rows else 0,
            candidates_at_once=False,
        )
        self._decisions = NativeDecisions(self._native, list_greedy_weights())
        self._starts = np.zeros(slots, ROUND_START)
        self._running: list[_RunningGame | None] = [None] * slots
        self._askers = np.full((slots, NUM_SEATS), -1)
        """Number of the policy that decides for each seat; -1 for none."""
        self._frames = np.zeros(slots, np.int64)
        """Frames that each running game has lasted."""

    def run(self, keep: Callable[[int, PlayedGame], None]) -> None:
        slots = len(self._running)
        for slot in range(slots):
            self._starts[slot] = pack_start(self._waiting[slot][-1][1].setup)
        self._native.reset(self._starts)
        for slot in range(slots):
            self._start_next(slot)
        waits = np.full((slots, NUM_SEATS), WAIT, np.int64)
        while (self._askers >= 0).any():
            self._decisions.decide(self._choose_actions())
            self._note_turns()
            self._native.step(waits, self._max_frames, self._starts)
            self._frames += self._native.frames
            for slot in np.flatnonzero(self._native.reasons).tolist():
                running = self._running[slot]
                if running is not None:
                    keep(running.index, self._make_played(slot, running))
                    self._start_next(slot)

    def _start_next(self, slot: int) -> None:
        """Take over the game that the slot has just started, and prepare the one after it."""
        waiting = self._waiting[slot]
        self._askers[slot] = -1
        self._frames[slot] = 0
        self._running[slot] = None
        if waiting:
            index, game = waiting.pop()
            for seat, policy in enumerate(_active(game)):
                self._askers[slot, seat] = self._numbers[id(policy)]
            # A batched policy has no state, by what batching asks for.
            states = [policy.initial_state(1) for policy in game.policies]
            seats = (_RunningSeat(states[0]), _RunningSeat(states[1]))
            self._running[slot] = _RunningGame(index, game, seats)
        self._starts[slot] = pack_start(waiting[-1][1].setup if waiting else _IDLE)

    def _choose_actions(self) -> np.ndarray:
        """Return what every due seat does, int64 (slots, 2)."""
        actions = np.full(self._askers.shape, WAIT, np.int64)
        for number, policy in enumerate(self._policies):
            slots, seats = np.nonzero(self._native.due & (self._askers == number))
            size = max(len(slots), 1) if self._batched[number] else 1
            for first in range(0, len(slots), size):
                rows = slots[first : first + size], seats[first : first + size]
                actions[rows] = self._ask(policy, *rows)
        return actions

    def _ask(self, policy: Policy, slots: np.ndarray, seats: np.ndarray) -> np.ndarray:
        running = self._running[slots[0]]
        assert running is not None
        own, rng = running.seats[seats[0]], running.game.rngs[seats[0]]
        actions, own.state = choose(policy, self._native, slots, seats, own.state, rng)
        return actions

    def _note_turns(self) -> None:
        decided = self._decisions
        viruses = _BCD[self._native.images[:, _VIRUSES]]
        due = (decided.frames != NOT_DUE) & (self._askers >= 0)
        for slot, seat in np.argwhere(due).tolist():
            running = self._running[slot]
            assert running is not None
            own = running.seats[seat]
            own.frames.append(int(self._frames[slot]))
            own.viruses.append(int(viruses[slot, seat]))
            own.poses.append(int(decided.poses[slot, seat]))
            own.scripts.append(decided.pads[slot, seat, : decided.frames[slot, seat]].tobytes())

    def _make_played(self, slot: int, running: _RunningGame) -> PlayedGame:
        native, game = self._native, running.game
        totals, winner = native.totals[slot], int(native.winners[slot])
        frames = int(native.episode_frames[slot])
        stats = [
            SeatStats(**{name: int(totals[seat, place]) for name, place in _STATS.items()})
            for seat in range(NUM_SEATS)
        ]
        record = GameRecord(
            setup=game.setup,
            policies=(game.policies[0].name, game.policies[1].name),
            reason=END_REASONS[int(native.reasons[slot]) - 1],
            winner=None if winner == NO_WINNER else winner,
            frames=frames,
            stats=(stats[0], stats[1]),
            replay=running.encode_replay(frames),
        )
        return PlayedGame(record, (running.make_turns(0), running.make_turns(1)))
