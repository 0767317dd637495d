"""What a policy thinks of each candidate, whatever kind of policy it is.

A policy that scores placements, a search or a network of candidates, is asked for its scores. Any
other one is watched: a placement that it gives, or the pose in which a capsule locks that it
steers, is its one label.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, Protocol, cast, runtime_checkable

import numpy as np

from envs.backends.base import Backend
from envs.backends.batch import BatchSimulator
from envs.backends.native_search import pack_images
from envs.candidates import NO_POSE as PADDING
from envs.candidates import POSE_BYTES, encode_candidates, read_poses
from envs.game.layout import CELLS, COLUMNS, NUM_SEATS, ROWS, NextAction, PlayerOffset
from envs.game.layout import player_address as find_byte
from envs.game.placement import NUM_POSES
from envs.game.state import GameState
from envs.observation import encode_compact_ram
from envs.seat import Frame, Seat, decide
from policies.base import CandidateBatch, Policy, View
from policies.search import SearchPolicy

LONGEST_FALL: Final = 1_200
"""Frames after which a capsule that a policy steers counts as never locked."""
NO_POSE: Final = -1

_HALF_TURN: Final = 2 * CELLS


class Teacher(Protocol):
    """Scores placements of many positions at once."""

    @property
    def name(self) -> str:
        """The text that names the policy behind it."""
        ...

    @property
    def is_soft(self) -> bool:
        """Whether scores say more than which placement is the best."""
        ...

    def score_poses(self, images: np.ndarray, seat: int) -> np.ndarray:
        """Return the score of each pose, float64 (n, 512), -inf for what it would not take.

        Args:
            images: RAM, uint8 (n, 2048), each at the first frame of control of that seat.
            seat: The acting one.
        """
        ...


class SearchTeacher:
    """A search, which judges every placement anyway; it judges without the preview.

    The small player does not see the next capsule, so what a search makes of it is noise in its
    labels: trees grown from depth 2 cleared fewer rounds, see `docs/distillation.md`.
    """

    is_soft: Final = True

    def __init__(self, policy: SearchPolicy) -> None:
        self._policy = policy
        self._judge = replace(policy, depth=1)

    @property
    def name(self) -> str:
        """The text that names the search."""
        return self._policy.name

    def score_poses(self, images: np.ndarray, seat: int) -> np.ndarray:
        """Return the search's values; see `Teacher`."""
        return self._judge.judge_placements(pack_images(images, seat)).astype(np.float64)


@runtime_checkable
class CandidateJudge(Protocol):
    """A policy that can say what it thinks of every candidate, as networks can."""

    @property
    def name(self) -> str:
        """The text that names it."""
        ...

    @property
    def view(self) -> View:
        """How it sees the game."""
        ...

    def judge(self, observations: CandidateBatch) -> np.ndarray:
        """Return what each candidate is worth, float64 (batch, K), such as logits."""
        ...


class CandidateTeacher:
    """A network that chooses among candidates: its logits are the scores.

    They belong to the routine's candidates by pose: of a capsule of one colour both have rotations
    0 and 1 alone, and the planner, being exact, finds all that the routine reaches; a test holds
    that.
    """

    is_soft: Final = True

    def __init__(self, policy: CandidateJudge) -> None:
        self._policy = policy

    @property
    def name(self) -> str:
        """The text that names the policy."""
        return self._policy.name

    def score_poses(self, images: np.ndarray, seat: int) -> np.ndarray:
        """Return the policy's scores; see `Teacher`."""
        scores = np.full((len(images), NUM_POSES), -np.inf)
        if len(images):
            batch = _list_candidates(images, seat)
            judged = self._policy.judge(batch)
            rows, columns = np.nonzero(batch.poses < NUM_POSES)  # the others only pad
            scores[rows, batch.poses[rows, columns]] = judged[rows, columns]
        return scores


class WatchedTeacher:
    """Any policy: its choice scores 0, everything else -inf."""

    is_soft: Final = False

    def __init__(self, policy: Policy, rng: np.random.Generator) -> None:
        self._policy = policy
        self._rng = rng

    @property
    def name(self) -> str:
        """The text that names the policy."""
        return self._policy.name

    def score_poses(self, images: np.ndarray, seat: int) -> np.ndarray:
        """Return 0 for the pose that the policy takes and -inf for the others; see `Teacher`."""
        poses = choose_poses(self._policy, images, seat, self._rng)
        scores = np.full((len(images), NUM_POSES), -np.inf)
        found = np.flatnonzero(poses != NO_POSE)
        scores[found, poses[found]] = 0.0
        return scores


def make_teacher(policy: Policy, rng: np.random.Generator) -> Teacher:
    """Return the teacher that makes the most of a policy.

    Args:
        policy: Whom to learn from.
        rng: Source of a sampling policy's randomness.
    """
    if isinstance(policy, SearchPolicy):
        return SearchTeacher(policy)
    if isinstance(policy, CandidateJudge) and policy.view.observation == "candidates":
        return CandidateTeacher(policy)
    return WatchedTeacher(policy, rng)


def _list_candidates(images: np.ndarray, seat: int) -> CandidateBatch:
    tables = np.stack([encode_candidates(image, seat) for image in images])
    poses = read_poses(tables)
    return CandidateBatch.trim(
        np.stack([encode_compact_ram(image, seat) for image in images]),
        tables[:, :, POSE_BYTES:],
        poses,
        (poses != PADDING).sum(axis=1),
    )


def choose_poses(
    policy: Policy, images: np.ndarray, seat: int, rng: np.random.Generator
) -> np.ndarray:
    """Return where a policy puts the falling capsules, int64 (n,), `NO_POSE` for nowhere.

    Args:
        policy: Asked for each position anew, as at the start of a game.
        images: RAM, uint8 (n, 2048), each at the first frame of control of that seat.
        seat: The acting one.
        rng: Source of a sampling policy's randomness.
    """
    if not len(images):
        return np.zeros(0, np.int64)
    recorder = _Recorder(policy)
    seats = [Seat(seat, recorder, rng) for _ in images]
    for one, image in zip(seats, images, strict=True):
        one.start_round(image)
    if policy.view.actions == "placement":
        decide(seats, [_make_frame(image) for image in images])
        actions = np.concatenate(recorder.actions)
        poses = np.where(actions < NUM_POSES, actions, NO_POSE)
    else:
        poses = _play_to_lock(seats, images, seat)
    return _fold_one_colour(poses, images, seat)


class _Recorder:
    """A policy that remembers what it answered."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.actions: list[np.ndarray] = []
        self.name, self.view = policy.name, policy.view
        self.deterministic = policy.deterministic
        self.initial_state = policy.initial_state

    def act(
        self,
        observations: Any,
        masks: np.ndarray | None,
        state: Any,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, Any]:
        """Answer as the policy does; see `Policy.act`."""
        actions, state = self._policy.act(observations, masks, state, rng)
        self.actions.append(np.asarray(actions))
        return actions, state


def _play_to_lock(seats: list[Seat], images: np.ndarray, seat: int) -> np.ndarray:
    """Let the policy steer each capsule to its lock, the other seat holding nothing."""
    poses = np.full(len(images), NO_POSE, np.int64)
    falling = np.arange(len(images))
    with BatchSimulator(len(images), threads=1) as games:
        games.images[:] = images
        for _ in range(LONGEST_FALL):
            asked = [index for index in falling if seats[index].must_decide]
            decide(
                [seats[index] for index in asked],
                [_make_frame(games.images[index]) for index in asked],
            )
            pads = np.zeros((len(images), NUM_SEATS), np.uint8)
            pads[falling, seat] = [seats[index].pad for index in falling]
            games.hold(pads)
            for index in falling:
                seats[index].pass_frame()
            actions = games.images[falling, find_byte(seat, PlayerOffset.NEXT_ACTION)]
            locked = falling[actions != NextAction.FALLING]
            poses[locked] = _read_poses(games.images[locked], seat)
            falling = falling[actions == NextAction.FALLING]
            if not len(falling):
                break
    return poses


def _read_poses(images: np.ndarray, seat: int) -> np.ndarray:
    """Return the poses that capsules have, int64 (n,)."""
    x, y, rotation = (
        images[:, find_byte(seat, offset)].astype(np.int64)
        for offset in (PlayerOffset.X, PlayerOffset.Y, PlayerOffset.ROTATION)
    )
    poses: np.ndarray = rotation * CELLS + (ROWS - 1 - y) * COLUMNS + x
    return poses


def _fold_one_colour(poses: np.ndarray, images: np.ndarray, seat: int) -> np.ndarray:
    """Return the same with rotations 2 and 3 of one-colour capsules as 0 and 1."""
    first, second = (
        images[:, find_byte(seat, offset)]
        for offset in (PlayerOffset.COLOUR_FIRST, PlayerOffset.COLOUR_SECOND)
    )
    turned = (first == second) & (poses >= _HALF_TURN)
    folded: np.ndarray = np.where(turned, poses - _HALF_TURN, poses)
    return folded


def _make_frame(image: np.ndarray) -> Frame:
    # No backend stands behind an image: a policy that looks at pixels cannot be a teacher.
    return Frame(cast(Backend, None), image, GameState.from_ram(image))
