"""Gathers positions that a small player gets into, with what its teacher thinks of them.

DAgger: the learner plays, the teacher judges. With some probability the teacher's best candidate is
played instead, so that positions of good play are among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from envs.backends.native_duel import (
    GREEDY,
    MAX_CANDIDATES,
    OUTSIDE,
    ROUTINE,
    STILL,
    Duels,
    choose_candidates,
    list_candidates,
    read_positions,
)
from envs.game.layout import CELLS, COLUMNS, NUM_SEATS, Speed
from policies.distill.play import draw_starts, play_on
from policies.distill.teacher import Teacher

_GAMES: Final = 64
"""Games that run side by side."""


@dataclass(frozen=True, slots=True)
class Mix:
    """Where some of the positions come from."""

    levels: tuple[int, ...]
    speeds: tuple[Speed, ...]
    opponent: int
    """Who plays seat 1, as for `DUEL_SEAT`: `STILL` is a solo round, `OUTSIDE` the learner too."""
    share: float
    """Of all positions."""


MIXES: Final = (
    Mix((0, 5, 10, 15, 20), (Speed.LOW, Speed.MED, Speed.HI), STILL, 0.6),
    Mix((5, 10), (Speed.MED, Speed.HI), OUTSIDE, 0.4),
)
"""Solo rounds of all sizes and speeds, and games against itself, with garbage."""
MATCH_MIXES: Final = (Mix((5, 10), (Speed.MED,), GREEDY, 1.0),)
"""Games against `greedy`."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """Positions with their candidates, as far as the teacher had something to say."""

    positions: np.ndarray
    """uint8 (n, 131), packed: `envs.backends.native_duel`."""
    features: np.ndarray
    """uint8 (n, 30, features)."""
    scores: np.ndarray
    """float64 (n, 30), -inf for what is no candidate or what the teacher would not take."""
    counts: np.ndarray
    """int32 (n,): candidates that count."""

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def is_candidate(self) -> np.ndarray:
        """Bool (n, 30)."""
        real: np.ndarray = np.arange(MAX_CANDIDATES) < self.counts[:, None]
        return real

    def thin(self, start: int, step: int) -> Lessons:
        """Return one lesson in `step`, from the one at `start` on."""
        return Lessons(
            self.positions[start::step],
            self.features[start::step],
            self.scores[start::step],
            self.counts[start::step],
        )

    @classmethod
    def join(cls, parts: Sequence[Lessons]) -> Lessons:
        """Return all lessons of some parts, in order."""
        return cls(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("positions", "features", "scores", "counts")
            )
        )


def collect_lessons(
    teacher: Teacher,
    page: np.ndarray | None,
    positions: int,
    teacher_share: float,
    rng: np.random.Generator,
    mixes: Sequence[Mix] = MIXES,
) -> Lessons:
    """Let a tree play until the teacher has judged so many positions.

    Args:
        teacher: Who judges.
        page: The tree, uint8 (190,); None plays the teacher's choices alone.
        positions: How many, about.
        teacher_share: Probability that the teacher's choice is played.
        rng: Source of set-ups and of who chooses.
        mixes: What is played.
    """
    parts = []
    for mix in mixes:
        wanted = round(positions * mix.share)
        while wanted > 0:
            part = _play_mix(teacher, page, mix, wanted, teacher_share, rng)
            parts.append(part)
            wanted -= len(part)
    return Lessons.join(parts)


def _play_mix(
    teacher: Teacher,
    page: np.ndarray | None,
    mix: Mix,
    wanted: int,
    teacher_share: float,
    rng: np.random.Generator,
) -> Lessons:
    """Play one batch of games, to their ends or until there are enough positions."""
    duels = Duels(draw_starts(rng, _GAMES, mix.levels, mix.speeds, solo=mix.opponent == STILL))
    duels.seats["control"] = [OUTSIDE, mix.opponent]
    duels.seats["manner"] = ROUTINE
    duels.waiting[:] = duels.seats["control"] == OUTSIDE
    parts: list[Lessons] = []
    asked = 0
    while duels.waiting.any() and asked < wanted:
        for seat in range(NUM_SEATS):
            rows = np.flatnonzero(duels.waiting[:, seat])
            if len(rows):
                part, poses = _judge(teacher, duels.images[rows], seat, page, teacher_share, rng)
                duels.seats["pose"][rows, seat] = poses
                parts.append(part)
                asked += len(rows)
        play_on(duels)
    lessons = Lessons.join(parts)
    labelled = np.isfinite(lessons.scores).any(axis=1)
    return Lessons(
        *(
            array[labelled][:wanted]
            for array in (lessons.positions, lessons.features, lessons.scores, lessons.counts)
        )
    )


def _judge(
    teacher: Teacher,
    images: np.ndarray,
    seat: int,
    page: np.ndarray | None,
    teacher_share: float,
    rng: np.random.Generator,
) -> tuple[Lessons, np.ndarray]:
    """Return what the teacher thinks, and the poses that are played, int64 (n,)."""
    positions = read_positions(images, seat)
    candidates, counts = list_candidates(positions)
    poses = (
        candidates["rotation"].astype(np.int64) * CELLS
        + candidates["row"].astype(np.int64) * COLUMNS
        + candidates["column"]
    )
    scores = np.take_along_axis(teacher.score_poses(images, seat), poses, axis=1)
    scores[np.arange(MAX_CANDIDATES) >= counts[:, None]] = -np.inf
    best = scores.argmax(axis=1)
    chosen = best
    if page is not None:
        own = choose_candidates(positions, page)
        known = np.isfinite(scores).any(axis=1)
        chosen = np.where(known & (rng.random(len(own)) < teacher_share), best, own)
    lessons = Lessons(positions, candidates["features"], scores, counts)
    return lessons, np.take_along_axis(poses, chosen[:, None], axis=1)[:, 0]
