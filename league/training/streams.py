"""Transitions of many seats, and their advantages.

The seats of a game decide at different times, so each has a stream of its own: a decision, the
rewards and frames up to the same seat's next one or the end of the game, and so on. Returns are
discounted by gamma for every `FRAMES_PER_DISCOUNT` frames, however many decisions fall in them
(a semi-Markov decision process; Sutton, Precup and Singh, 1999).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from league.training.tables import FRAMES_PER_DISCOUNT

_NONE = -1


@dataclass(frozen=True, slots=True)
class Transitions:
    """The finished transitions of a batch."""

    records: np.ndarray
    """int64 (n,): numbers of their decisions, in the order in which they were taken."""
    advantages: np.ndarray
    """float32 (n,)."""
    value_targets: np.ndarray
    """float32 (n,)."""
    carried: np.ndarray
    """int64 (m,): decisions that are not finished; they are records 0..m-1 of the next batch."""


class SeatStreams:
    """Collects what follows each decision; decisions are numbered as they come in."""

    def __init__(self, seats: int, *, gamma: float = 0.99, gae_lambda: float) -> None:
        """Start without decisions.

        Args:
            seats: How many seats there are.
            gamma: Discount per `FRAMES_PER_DISCOUNT` frames, 0..1.
            gae_lambda: Horizon of the estimate in decisions, 0..1.
        """
        self.gamma = gamma
        """Takes effect where the batch is cut next."""
        self._lambda = gae_lambda
        self._open = np.full(seats, _NONE)
        """The unfinished decision of each seat."""
        self._allocate(2 * seats)
        self._steps: list[int] = [0]
        """Number of decisions after each call of `decide`."""
        self._finished = 0

    @property
    def _length(self) -> int:
        return self._steps[-1]

    def count_finished(self, due: np.ndarray) -> int:
        """Return how many transitions are finished if the batch is cut now.

        Args:
            due: Seats that must decide next, int64.
        """
        return self._finished + int((self._open[due] >= 0).sum())

    def decide(self, seats: np.ndarray, values: np.ndarray) -> None:
        """Note that some seats decide now; this finishes their last transitions.

        Args:
            seats: int64 (n,), each once.
            values: What the value function says of what they see, float32 (n,).
        """
        first, last = self._length, self._length + len(seats)
        if last > len(self._values):
            self._grow(last)
        records = np.arange(first, last)
        before = self._open[seats]
        follows = before >= 0
        self._next[before[follows]] = records[follows]
        self._finished += int(follows.sum())
        self._values[first:last] = values
        self._open[seats] = records
        self._steps.append(last)

    def pass_frames(self, frames: np.ndarray, rewards: np.ndarray) -> None:
        """Note what a step brought to every seat.

        Args:
            frames: Integers (seats,).
            rewards: float32 (seats,).
        """
        seats = np.flatnonzero(self._open >= 0)
        records = self._open[seats]
        self._frames[records] += frames[seats]
        self._rewards[records] += rewards[seats]

    def end(self, seats: np.ndarray) -> None:
        """Note that the games of some seats are over; what was open ends there."""
        records = self._open[seats]
        records = records[records >= 0]
        self._ended[records] = True
        self._finished += len(records)
        self._open[seats] = _NONE

    def cut(self, due: np.ndarray, values: np.ndarray) -> Transitions:
        """Finish the batch and start the next one.

        Args:
            due: Seats that must decide next, int64 (n,); what they do belongs to the next batch.
            values: What the value function says of what they see, float32 (n,).
        """
        length = self._length
        bootstrap = np.zeros(length, np.float32)
        waiting = self._open[due] >= 0
        bootstrap[self._open[due][waiting]] = values[waiting]
        self._open[due] = _NONE
        carried = np.sort(self._open[self._open >= 0])
        advantages = self._estimate(bootstrap, carried)
        finished = np.ones(length, np.bool_)
        finished[carried] = False
        records = np.flatnonzero(finished)
        result = Transitions(
            records=records,
            advantages=advantages[records],
            value_targets=advantages[records] + self._values[records],
            carried=carried,
        )
        self._carry(carried)
        return result

    def _estimate(self, bootstrap: np.ndarray, carried: np.ndarray) -> np.ndarray:
        """Return the advantage of every decision, walking back step by step; 0 where carried."""
        length = self._length
        following = self._next[:length]
        continues = following >= 0
        next_values = np.where(continues, self._values[following], bootstrap)
        next_values[self._ended[:length]] = 0.0
        discounts = self.gamma ** (self._frames[:length] / FRAMES_PER_DISCOUNT)
        errors = self._rewards[:length] + discounts * next_values - self._values[:length]
        errors[carried] = 0.0
        weights = np.where(continues, discounts * self._lambda, 0.0)
        # One place more than decisions: what follows the last ones, at -1, is 0.
        advantages = np.zeros(length + 1, np.float32)
        for first, last in reversed(list(zip(self._steps, self._steps[1:], strict=False))):
            rest = weights[first:last] * advantages[following[first:last]]
            advantages[first:last] = errors[first:last] + rest
        return advantages[:length]

    def _carry(self, carried: np.ndarray) -> None:
        """Make the carried decisions the first ones of the next batch."""
        seats = np.flatnonzero(self._open >= 0)
        self._open[seats] = np.searchsorted(carried, self._open[seats])
        values, rewards, frames = (
            array[carried] for array in (self._values, self._rewards, self._frames)
        )
        self._allocate(max(len(self._values), len(carried)))
        count = len(carried)
        self._values[:count], self._rewards[:count], self._frames[:count] = values, rewards, frames
        self._steps = [0, count]
        self._finished = 0

    def _allocate(self, capacity: int) -> None:
        self._values = np.zeros(capacity, np.float32)
        self._rewards = np.zeros(capacity, np.float32)
        self._frames = np.zeros(capacity, np.int64)
        self._next = np.full(capacity, _NONE)
        self._ended = np.zeros(capacity, np.bool_)

    def _grow(self, needed: int) -> None:
        old = (self._values, self._rewards, self._frames, self._next, self._ended)
        length = len(self._values)
        self._allocate(max(2 * length, needed))
        new = (self._values, self._rewards, self._frames, self._next, self._ended)
        for before, after in zip(old, new, strict=True):
            after[:length] = before
