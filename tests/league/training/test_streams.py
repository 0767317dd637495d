"""Transitions of seats that decide at different times, held against a plain computation."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from league.training.streams import SeatStreams

GAMMA, LAMBDA = 0.9, 0.8


@dataclass
class Event:
    """A decision as the plain computation remembers it."""

    seat: int
    value: float
    reward: float = 0.0
    frames: int = 0
    end: str = "open"
    """`next`, `ended`, `cut` (with a value behind it) or `open`."""
    following: int = -1
    behind: float = 0.0
    advantage: float = field(default=0.0, init=False)


def play(streams: SeatStreams, events: list[Event], steps: int, rng: np.random.Generator) -> None:
    """Let random seats decide, pay and end; note the same in `events`."""
    seats = len(streams._open)
    for _ in range(steps):
        due = np.flatnonzero(rng.random(seats) < 0.5)
        values = rng.normal(size=len(due)).astype(np.float32)
        streams.decide(due, values)
        for seat, value in zip(due.tolist(), values.tolist(), strict=True):
            for event in events:
                if event.seat == seat and event.end == "open":
                    event.end, event.following = "next", len(events)
            events.append(Event(seat, value))
        frames = rng.integers(1, 120, seats)
        rewards = rng.normal(size=seats).astype(np.float32)
        streams.pass_frames(frames, rewards)
        over = np.flatnonzero(rng.random(seats) < 0.1)
        streams.end(over)
        for event in events:
            if event.end == "open":
                event.reward += float(rewards[event.seat])
                event.frames += int(frames[event.seat])
                if event.seat in over:
                    event.end = "ended"


def estimate(events: list[Event]) -> None:
    for event in reversed(events):
        discount = GAMMA ** (event.frames / 60)
        if event.end == "next":
            after = events[event.following]
            error = event.reward + discount * after.value - event.value
            rest = discount * LAMBDA * after.advantage
            event.advantage = error + rest
        elif event.end in ("ended", "cut"):
            event.advantage = event.reward + discount * event.behind - event.value


@pytest.mark.parametrize("seed", range(5))
def test_advantages_are_those_of_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    seats = 6
    streams = SeatStreams(seats, gamma=GAMMA, gae_lambda=LAMBDA)
    events: list[Event] = []
    for _ in range(3):
        play(streams, events, 12, rng)
        due = np.flatnonzero(rng.random(seats) < 0.5)
        values = rng.normal(size=seats).astype(np.float32)
        count = streams.count_finished(due)
        for event in events:
            if event.end == "open" and event.seat in due:
                event.end, event.behind = "cut", float(values[event.seat])
        estimate(events)
        result = streams.cut(due, values[due])
        finished = [index for index, event in enumerate(events) if event.end != "open"]
        assert result.records.tolist() == finished
        assert count == len(finished)
        expected = np.array([events[index].advantage for index in finished])
        targets = expected + [events[index].value for index in finished]
        np.testing.assert_allclose(result.advantages, expected, atol=1e-4)
        np.testing.assert_allclose(result.value_targets, targets, atol=1e-4)
        assert result.carried.tolist() == [
            index for index, event in enumerate(events) if event.end == "open"
        ]
        events = [event for event in events if event.end == "open"]


def test_a_longer_wait_is_discounted_more() -> None:
    targets = []
    for frames in (60, 120):
        streams = SeatStreams(1, gamma=GAMMA, gae_lambda=LAMBDA)
        streams.decide(np.array([0]), np.zeros(1, np.float32))
        streams.pass_frames(np.array([frames]), np.zeros(1, np.float32))
        targets.append(streams.cut(np.array([0]), np.ones(1, np.float32)).value_targets[0])
    np.testing.assert_allclose(targets, [GAMMA, GAMMA**2], rtol=1e-6)
