"""One seat of a running game: shows the game to its policy as the policy's view asks.

Adapts a frame-level game to a view (observation, actions, action repeat, stack), so policies with
different views can meet: one that presses buttons and one that gives placements. What a policy is
stands in `policies.base`; here it is whatever has its attributes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, get_args

import numpy as np

from envs.actions import BUTTON_ACTIONS
from envs.backends.base import Backend
from envs.candidate_batch import CandidateBatch
from envs.candidates import NO_POSE, POSE_BYTES, encode_candidates, read_poses
from envs.game.layout import NO_BUTTONS
from envs.game.placement import NUM_PLACEMENTS
from envs.game.state import GameState
from envs.observation import encode_compact_ram, encode_planes
from envs.placement import SeatPlacement
from envs.versus_config import ActionKind, check_choice
from envs.views import swap_ram, swap_screen


class SeatView(Protocol):
    """What a seat reads of `policies.base.View`."""

    @property
    def observation(self) -> str:
        """Kind of observation."""
        ...

    @property
    def actions(self) -> str:
        """`buttons` or `placement`."""
        ...

    @property
    def action_repeat(self) -> int:
        """Frames that buttons are held."""
        ...

    @property
    def stack(self) -> int:
        """Observations stacked on the last axis."""
        ...


class SeatPolicy(Protocol):
    """What a seat needs of `policies.base.Policy`, which says what each part means."""

    @property
    def name(self) -> str:
        """The text that names the policy."""
        ...

    @property
    def view(self) -> SeatView:
        """How it sees the game."""
        ...

    @property
    def deterministic(self) -> bool:
        """True when `act` never draws from `rng`."""
        ...

    def initial_state(self, batch: int) -> Any:
        """Return the state of `batch` games that are about to start."""
        ...

    def act(
        self,
        observations: Any,
        masks: np.ndarray | None,
        state: Any,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, Any]:
        """Choose one action per row; return them, int64 (batch,), and the next state."""
        ...


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a game, as the backend gives it and decoded."""

    backend: Backend
    """The running game; what it shows is this frame until its next step."""
    ram: np.ndarray
    """uint8 (2048,)."""
    state: GameState


def _show_position(frame: Frame, seat: int) -> GameState:
    public = frame.state.public()
    return public.swapped() if seat else public


def _show_ram(frame: Frame, seat: int) -> np.ndarray:
    return swap_ram(frame.ram) if seat else frame.ram


def _show_pixels(frame: Frame, seat: int) -> np.ndarray:
    screen = frame.backend.screen()
    return swap_screen(screen) if seat else screen


def _show_candidates(frame: Frame, seat: int) -> CandidateBatch:
    """Return a batch of one, padded as wide as any can be: `_join_candidates` trims it."""
    table = encode_candidates(frame.ram, seat)
    poses = read_poses(table)
    return CandidateBatch(
        compact=encode_compact_ram(frame.ram, seat)[None],
        rows=table[None, :, POSE_BYTES:],
        poses=poses[None],
        counts=np.array([(poses != NO_POSE).sum()]),
    )


def _join_candidates(batches: Sequence[CandidateBatch]) -> CandidateBatch:
    return CandidateBatch.trim(
        np.concatenate([one.compact for one in batches]),
        np.concatenate([one.rows for one in batches]),
        np.concatenate([one.poses for one in batches]),
        np.concatenate([one.counts for one in batches]),
    )


_SHOW: Final[dict[str, Callable[[Frame, int], Any]]] = {
    "compact": lambda frame, seat: encode_compact_ram(frame.ram, seat),
    "planes": lambda frame, seat: encode_planes(frame.state, seat),
    "candidates": _show_candidates,
    "pixels": _show_pixels,
    "ram": _show_ram,
    "position": _show_position,
}


@dataclass(slots=True)
class Seat:
    """The policy of one seat, and what it holds between its decisions."""

    index: int
    """0 is the left bottle and controller 1."""
    policy: SeatPolicy
    rng: np.random.Generator
    pad: int = NO_BUTTONS
    """Pad byte of the coming frame."""
    _view: SeatView = field(init=False)
    _policy_state: Any = field(init=False)
    _stack: deque[Any] = field(init=False)
    _placement: SeatPlacement | None = field(init=False)
    """Plays placements; None for a policy that presses buttons."""
    _frames_left: int = field(default=0, init=False)
    """Frames until the next decision about buttons."""

    def __post_init__(self) -> None:
        """Check that the policy's view can be served.

        Raises:
            ValueError: The view asks for something that this game loop does not offer.
        """
        view = self._view = self.policy.view
        check_choice(f"observation of {self.policy.name!r}", view.observation, tuple(_SHOW))
        check_choice(f"actions of {self.policy.name!r}", view.actions, get_args(ActionKind))
        if view.stack > 1 and view.observation == "position":
            raise ValueError(
                f"expected stack 1 for the observation 'position', got {view.stack} "
                f"from {self.policy.name!r}"
            )
        self._placement = SeatPlacement(self.index) if view.actions == "placement" else None
        self._policy_state = self.policy.initial_state(1)
        self._stack = deque(maxlen=view.stack)

    @property
    def must_decide(self) -> bool:
        """Whether the policy is asked before the next frame."""
        return self._frames_left == 0 if self._placement is None else self._placement.is_due

    @property
    def mask(self) -> np.ndarray | None:
        """Legal actions, int8 (num_actions,); None where all are legal."""
        return None if self._placement is None else self._placement.mask

    @property
    def can_batch(self) -> bool:
        """Whether one call may serve this seat together with others of the same policy.

        A policy that draws or remembers is called for each game by itself: only then does a game
        not depend on which others run beside it.
        """
        return self.policy.deterministic and self._policy_state is None

    def observe(self, frame: Frame) -> Any:
        """Return what the policy is shown, stacked on the last axis, the newest last.

        Frames before the first are zeros, as in SuperSuit.
        """
        view = self._view
        observation = _SHOW[view.observation](frame, self.index)
        if view.stack == 1:
            return observation
        while len(self._stack) < view.stack - 1:
            self._stack.append(np.zeros_like(observation))
        self._stack.append(observation)
        return np.concatenate(self._stack, axis=-1)

    def start_round(self, ram: np.ndarray) -> None:
        """Drop what was planned in an earlier round, on the first frame of a new one."""
        if self._placement is not None:
            self._placement.start_round(ram.tobytes())

    def see(self, frame: Frame) -> None:
        """Take a frame, before the decision that may fall due on it; once for every frame."""
        if self._placement is None:
            return
        self._placement.see(frame.ram.tobytes())
        if not self._placement.is_due:
            self.pad = self._placement.next_pad()

    def play(self, action: int) -> None:
        """Hold the buttons of `action` until the next decision, or set out for a placement.

        Raises:
            ValueError: `action` is outside the action space.
        """
        num_actions = len(BUTTON_ACTIONS) if self._placement is None else NUM_PLACEMENTS
        if not 0 <= action < num_actions:
            raise ValueError(
                f"expected an action 0..{num_actions - 1}, got {action!r} from {self.policy.name!r}"
            )
        if self._placement is None:
            self.pad = int(BUTTON_ACTIONS[action])
            self._frames_left = self._view.action_repeat
        else:
            self._placement.choose(action)
            self.pad = self._placement.next_pad()

    def pass_frame(self) -> None:
        """Count one frame of the game."""
        if self._placement is None:
            self._frames_left -= 1


def decide(seats: Sequence[Seat], frames: Sequence[Frame]) -> None:
    """Let the policies of `seats` choose their next buttons or placements.

    Args:
        seats: Seats that must decide.
        frames: The frame that each of them sees.
    """
    batches: dict[int, list[tuple[Seat, Frame]]] = {}
    for seat, frame in zip(seats, frames, strict=True):
        key = id(seat.policy) if seat.can_batch else id(seat)
        batches.setdefault(key, []).append((seat, frame))
    for batch in batches.values():
        _decide_batch(batch)


def _decide_batch(batch: list[tuple[Seat, Frame]]) -> None:
    """Ask one policy for the actions of all its seats."""
    first = batch[0][0]
    observations: Any = [seat.observe(frame) for seat, frame in batch]
    if first.policy.view.observation == "candidates":
        observations = _join_candidates(observations)
    elif first.policy.view.observation != "position":
        observations = np.stack(observations)
    masks = [seat.mask for seat, _ in batch if seat.mask is not None]
    actions, first._policy_state = first.policy.act(
        observations, np.stack(masks) if masks else None, first._policy_state, first.rng
    )
    for (seat, _), action in zip(batch, actions, strict=True):
        seat.play(int(action))
