"""One seat: what its policy is shown, and how long its choices hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from envs.backends.reference import ReferenceBackend
from envs.game.layout import Button
from envs.game.setup import RoundSetup
from envs.game.state import GameState
from envs.observation import encode_compact, encode_planes
from envs.seat import Frame, Seat, decide
from envs.views import swap_ram, swap_screen
from policies.base import View
from policies.scripted import RandomPolicy


@dataclass
class Recorder:
    """Plays action 1 and keeps what it was shown."""

    view: View
    deterministic: bool = True
    state: Any = None
    name: str = "recorder"
    seen: list[Any] = field(default_factory=list)
    states: list[Any] = field(default_factory=list)
    action: int = 1

    def initial_state(self, batch: int) -> Any:
        return self.state

    def act(
        self, observations: Any, masks: Any, state: Any, rng: np.random.Generator
    ) -> tuple[np.ndarray, Any]:
        self.seen.append(observations)
        self.states.append(state)
        return np.full(len(observations), self.action), None if state is None else state + 1


def make_seat(policy: Any, index: int = 0) -> Seat:
    return Seat(index, policy, np.random.default_rng(0))


def frames(levels: tuple[int, int] = (2, 5)) -> Iterator[Frame]:
    backend = ReferenceBackend()
    backend.start_round(RoundSetup(levels=levels))
    while True:
        yield Frame(backend, backend.ram(), GameState.from_ram(backend.ram()))
        backend.step((Button.LEFT, Button.A))


@pytest.mark.parametrize("index", [0, 1])
def test_every_kind_of_observation_shows_the_own_seat_first(index: int) -> None:
    frame = next(frames())
    state = frame.state
    own_first = state.public().swapped() if index else state.public()
    screen = frame.backend.screen()
    expected: dict[str, Any] = {
        "position": own_first,
        "compact": encode_compact(state, index),
        "planes": encode_planes(state, index),
        "ram": swap_ram(frame.ram) if index else frame.ram,
        "pixels": swap_screen(screen) if index else screen,
    }
    for kind, value in expected.items():
        shown = make_seat(Recorder(View(kind)), index).observe(frame)  # type: ignore[arg-type]
        assert np.array_equal(shown, value) if kind != "position" else shown == value


def test_positions_hide_what_players_cannot_know() -> None:
    shown = make_seat(Recorder(View("position"))).observe(next(frames()))
    assert (shown.rng_word, shown.players[0].reserve_index) == (0, 0)


def test_a_choice_holds_for_the_action_repeat() -> None:
    policy = Recorder(View("position", action_repeat=3))
    seat = make_seat(policy)
    for frame, _ in zip(frames(), range(7), strict=False):
        if seat.must_decide:
            decide([seat], [frame])
        assert seat.pad == Button.LEFT
        seat.pass_frame()
    assert len(policy.seen) == 3


def test_stacked_observations_start_with_zeros_and_end_with_the_newest() -> None:
    seat = make_seat(Recorder(View("compact", stack=3)))
    shown = [(seat.observe(frame), frame) for frame, _ in zip(frames(), "abcd", strict=False)]
    size = len(encode_compact(shown[0][1].state, 0))
    singles = [encode_compact(frame.state, 0) for _, frame in shown]
    assert not shown[0][0][: 2 * size].any()
    assert np.array_equal(shown[0][0][2 * size :], singles[0])
    assert np.array_equal(shown[3][0], np.concatenate(singles[1:4]))


def test_stacking_planes_adds_channels() -> None:
    seat = make_seat(Recorder(View("planes", stack=2)))
    assert seat.observe(next(frames())).shape == (16, 8, 48)


def test_seats_of_one_deterministic_policy_share_a_call() -> None:
    policy = Recorder(View("compact"))
    seats = [make_seat(policy, 0), make_seat(policy, 1)]
    frame = next(frames())
    decide(seats, [frame, frame])
    assert [rows.shape[0] for rows in policy.seen] == [2]
    assert np.array_equal(policy.seen[0][1], encode_compact(frame.state, 1))


@pytest.mark.parametrize(
    "policy", [Recorder(View("position"), deterministic=False), Recorder(View("position"), state=0)]
)
def test_policies_that_draw_or_remember_are_called_by_seat(policy: Recorder) -> None:
    frame = next(frames())
    decide([make_seat(policy, 0), make_seat(policy, 1)], [frame, frame])
    assert [len(rows) for rows in policy.seen] == [1, 1]


def test_the_policy_state_comes_back_with_the_next_call() -> None:
    policy = Recorder(View("position"), state=5)
    seat = make_seat(policy)
    frame = next(frames())
    for _ in range(3):
        decide([seat], [frame])
    assert policy.states == [5, 6, 7]


def test_draws_come_from_the_own_generator() -> None:
    frame = next(frames())
    pads = []
    for _ in range(2):
        seat = make_seat(RandomPolicy())
        decide([make_seat(RandomPolicy(), 1), seat], [frame, frame])
        pads.append(seat.pad)
    assert pads[0] == pads[1]


@pytest.mark.parametrize("action", [-1, 12])
def test_actions_outside_the_space_are_refused(action: int) -> None:
    seat = make_seat(Recorder(View("position"), action=action))
    with pytest.raises(ValueError, match=f"expected an action 0..11, got {action} from 'recorder'"):
        decide([seat], [next(frames())])


def test_placements_are_chosen_once_a_capsule_and_played_through_the_pads() -> None:
    """Pose 120 is column 0 of the floor: seat 1 gets there while seat 0 holds LEFT."""
    policy = Recorder(View("position", actions="placement"), action=120)
    backend = ReferenceBackend()
    backend.start_round(RoundSetup())
    seat = make_seat(policy, 1)
    for _ in range(600):
        frame = Frame(backend, backend.ram(), GameState.from_ram(backend.ram()))
        seat.see(frame)
        if seat.must_decide:
            if policy.seen:
                break
            assert seat.mask is not None
            assert seat.mask[120] == 1
            decide([seat], [frame])
        backend.step((Button.LEFT, seat.pad))
        seat.pass_frame()
    assert len(policy.seen) == 1
    assert GameState.from_ram(backend.ram()).players[1].bottle[15, :2].max() < 0xFF


def test_placements_outside_the_space_are_refused() -> None:
    seat = make_seat(Recorder(View("position", actions="placement"), action=513))
    frame = next(frames())
    seat.see(frame)
    with pytest.raises(ValueError, match=r"expected an action 0\.\.512, got 513"):
        decide([seat], [frame])


def test_views_that_cannot_be_served_are_refused() -> None:
    with pytest.raises(ValueError, match="stack 1 for the observation 'position', got 2"):
        make_seat(Recorder(View("position", stack=2)))
