"""The sampling loop: a learner and its opponents at a table; training rows and games come out.

Knows no RLlib. One loop serves the simulator, the emulator and third-party games; one forward pass
per player and step chooses actions and, for the learner, gives the values for advantages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from envs.game.layout import NUM_SEATS
from envs.starts import EpisodeStart
from league.rng import make_rng
from league.tracking.play_facts import PHASES, Choices, SeatPlay, find_phase, merge_choices
from league.training.bank import OpponentBank, draw_choices, evaluate
from league.training.report import TrainingGame
from league.training.roster import INERT, MAIN, Roster, draw_seating
from league.training.rows import (
    ACTION,
    ADVANTAGE,
    INPUT,
    LOG_PROBABILITY,
    VALUE_TARGET,
    Rows,
    gather_padded,
)
from league.training.steering import Steering
from league.training.streams import SeatStreams
from league.training.tables import EndedGame, GameTable, list_seats

DrawGame = Callable[[np.random.Generator, bool], EpisodeStart]
"""Draws how a game begins, from a stream; with True it must be a solo game."""

_MAX_IDLE_STEPS: Final = 1_000_000
"""Steps without a single finished transition after which sampling gives up."""


@dataclass(frozen=True, slots=True)
class SamplerSetup:
    """What a sampler does not learn from its roster."""

    seed: int
    """Seed of the run."""
    runner: int
    """Index of the env runner, part of every stream's name."""
    gae_lambda: float
    """Horizon of the advantage estimate, in decisions."""
    draw_game: DrawGame
    stall: float = 0.0
    """Paid to both seats of a game that meets the frame limit."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one call of `Sampler.sample` brought."""

    rows: Rows
    """Training rows; the inputs of the network have the prefix `INPUT`."""
    games: tuple[TrainingGame, ...]
    """Games that ended."""
    choices: Choices | None
    """Facts about the decisions of the learner."""


class Sampler:
    """Plays on from call to call; a new roster takes effect as games begin.

    A game is never handed from one opponent to another in the middle, nor from one learner to
    another: a sampler serves one learner.
    """

    def __init__(self, table: GameTable, bank: OpponentBank, setup: SamplerSetup) -> None:
        self._table = table
        self._bank = bank
        self._setup = setup
        seats = NUM_SEATS * table.games
        self._players = np.full(seats, INERT, dtype=object)
        """Who sits in each seat."""
        self._returns = np.zeros((table.games, NUM_SEATS))
        """What the running games have paid so far."""
        self._opponents = [INERT] * table.games
        self._main_seats = [0] * table.games
        self._streams = SeatStreams(seats, gae_lambda=setup.gae_lambda)
        self._decisions: list[Rows] = []
        """Inputs, actions and probabilities of the unfinished batch, step by step."""
        self._choices: list[Choices] = []
        self._games: list[TrainingGame] = []
        self._tally = _Tally(table.games)
        self._roster: Roster | None = None
        self._learner = MAIN
        self._solo = False

    def prepare(self, roster: Roster, steering: Steering) -> None:
        """Seat the players of `roster` from the next game on, and take new settings.

        Raises:
            ValueError: The roster is for another learner than those before.
        """
        if self._roster is not None and roster.learner != self._learner:
            raise ValueError(f"expected a roster for {self._learner!r}, got {roster.learner!r}")
        self._learner = roster.learner
        self._bank.load(roster, set(self._players))
        self._table.set_reward(steering.reward)
        self._streams.gamma = steering.gamma
        self._solo = steering.solo
        is_first = self._roster is None
        self._roster = roster
        self._rng, self._start_rng, self._seating_rng = (
            make_rng(self._setup.seed, f"{name}/{roster.iteration}/{self._setup.runner}")
            for name in ("actions", "starts", "seatings")
        )
        if is_first:
            self._table.reset(self._draw_start)
            for game in range(self._table.games):
                self._seat(game)

    def sample(self, network: Any, decisions: int) -> Sample:
        """Play until so many transitions of the learner are finished, or a few more.

        Args:
            network: Of the learner; maps inputs to logits and values.
            decisions: 1 or more.

        Raises:
            RuntimeError: No roster was set, or no transition ever finishes.
        """
        if self._roster is None:
            raise RuntimeError("expected a roster before sampling, call prepare first")
        for _ in range(_MAX_IDLE_STEPS):
            due = self._table.list_due()
            mine = due[self._players[due] == self._learner]
            if self._streams.count_finished(mine) >= decisions:
                return self._cut(network, mine)
            self._play_step(network, due)
        raise RuntimeError(f"expected {decisions} decisions in {_MAX_IDLE_STEPS} steps")

    def close(self) -> None:
        """Release the table."""
        self._table.close()

    def _play_step(self, network: Any, due: np.ndarray) -> None:
        actions = np.zeros(len(due), np.int64)
        players = self._players[due]
        for player in sorted(set(players.tolist())):
            places = np.flatnonzero(players == player)
            seats = due[places]
            if player == self._learner:
                actions[places] = self._decide(network, seats)
            else:
                actions[places] = self._bank.choose(player, self._table, seats, self._rng)
        step = self._table.step(due, actions)
        rewards = step.rewards.copy()
        stalled = [one.game for one in step.ended if one.end_reason == "frame_limit"]
        rewards[stalled] += self._setup.stall
        self._streams.pass_frames(np.repeat(step.frames, NUM_SEATS), rewards.reshape(-1))
        self._returns += rewards
        for ended in step.ended:
            self._end(ended)

    def _decide(self, network: Any, seats: np.ndarray) -> np.ndarray:
        """Choose for the learner, and keep what it saw and did."""
        inputs = self._table.observe(seats)
        drawn = draw_choices(network, inputs, self._rng)
        self._streams.decide(seats, drawn.values)
        self._decisions.append(
            {
                **{INPUT + name: column for name, column in inputs.items()},
                ACTION: drawn.choices,
                LOG_PROBABILITY: drawn.log_probabilities,
            }
        )
        self._choices.append(drawn.describe(has_masks=self._table.has_masks))
        self._tally.count(seats, self._table.count_viruses(seats))
        return self._table.find_actions(seats, drawn.choices)

    def _cut(self, network: Any, due: np.ndarray) -> Sample:
        """Hand over the finished transitions and carry the others into the next batch."""
        values = np.zeros(0, np.float32)
        if len(due):
            _, values = evaluate(network, self._table.observe(due))
        transitions = self._streams.cut(due, values)
        # Shuffled here, where the rows are moved anyway, instead of in the learner's epochs.
        shuffled = self._rng.permutation(len(transitions.records))
        order = transitions.records[shuffled]
        rows: Rows = {}
        carried: Rows = {}
        for name in list(self._decisions[0]):
            parts = [part.pop(name) for part in self._decisions]
            carried[name] = gather_padded(parts, transitions.carried)
            rows[name] = gather_padded(parts, order)
        rows[ADVANTAGE] = transitions.advantages[shuffled]
        rows[VALUE_TARGET] = transitions.value_targets[shuffled]
        sample = Sample(rows, tuple(self._games), merge_choices(self._choices))
        self._decisions = [carried]
        self._games, self._choices = [], []
        return sample

    def _draw_start(self) -> EpisodeStart:
        return self._setup.draw_game(self._start_rng, self._solo)

    def _seat(self, game: int) -> None:
        """Draw who plays the game that begins."""
        assert self._roster is not None
        solo = self._table.find_start(game).setup.solo
        seating = draw_seating(self._seating_rng, self._roster, solo=solo)
        self._players[list_seats(game)] = seating.players
        self._opponents[game], self._main_seats[game] = seating.opponent, seating.main_seat

    def _end(self, ended: EndedGame) -> None:
        """Report a game, and seat the players of the next one."""
        seats = list_seats(ended.game)
        self._streams.end(np.array(seats))
        main_seat = self._main_seats[ended.game]
        counts = ended.seats[main_seat]
        setup = ended.start.setup
        self._games.append(
            TrainingGame(
                opponent=self._opponents[ended.game],
                main_seat=main_seat,
                rng_word=setup.rng_word,
                main_return=float(self._returns[ended.game, main_seat]),
                winner_seat=ended.winner_seat,
                end_reason=ended.end_reason,
                frames=ended.frames,
                capsules=counts.capsules,
                viruses=counts.viruses,
                lines=counts.lines,
                garbage_sent=counts.garbage_sent,
                level=setup.levels[main_seat],
                speed=int(setup.speeds[main_seat]),
                thinned=ended.start.bottles is not None or any(ended.start.viruses),
                play=self._tally.describe(ended, main_seat),
            )
        )
        self._tally.forget(ended.game)
        self._returns[ended.game] = 0.0
        self._seat(ended.game)


class _Tally:
    """Capsules and viruses of every seat's running game, by phase."""

    def __init__(self, games: int) -> None:
        seats = NUM_SEATS * games
        self._capsules = np.zeros((seats, len(PHASES)), np.int64)
        self._viruses = np.zeros((seats, len(PHASES)), np.int64)
        self._left = np.zeros(seats, np.int64)
        """Viruses at the last decision."""
        self._phases = np.zeros(seats, np.int64)
        """Phase of the last decision."""

    def count(self, seats: np.ndarray, viruses: np.ndarray | None) -> None:
        """Note decisions of some seats and the viruses left in their bottles."""
        if viruses is None:
            return
        left = viruses.astype(np.int64)
        follows = self._capsules[seats].any(1)
        cleared = np.where(follows, self._left[seats] - left, 0)
        self._viruses[seats, self._phases[seats]] += cleared
        phases = find_phase(left)
        self._capsules[seats, phases] += 1
        self._left[seats], self._phases[seats] = left, phases

    def describe(self, ended: EndedGame, main_seat: int) -> SeatPlay | None:
        """Return what a seat did in a game that is over; None without decisions."""
        seat = NUM_SEATS * ended.game + main_seat
        if not self._capsules[seat].any():
            return None
        viruses = self._viruses[seat].copy()
        counts = ended.seats[main_seat]
        viruses[self._phases[seat]] += counts.viruses - viruses.sum()
        return SeatPlay(
            frames=ended.frames,
            capsules=_as_counts(self._capsules[seat]),
            viruses=_as_counts(viruses),
            volleys=counts.volleys,
            solo=ended.start.setup.solo,
        )

    def forget(self, game: int) -> None:
        """Start anew with a game."""
        self._capsules[list_seats(game)] = 0
        self._viruses[list_seats(game)] = 0


def _as_counts(row: np.ndarray) -> tuple[int, int, int]:
    first, second, third = row.tolist()
    return first, second, third
