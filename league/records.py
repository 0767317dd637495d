"""The rows of a run's database, as plain records: games, snapshots, iterations, ratings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

Purpose = Literal["train", "evaluation", "match"]
"""What a game was played for; ratings rest on `evaluation` alone."""
Result = Literal["win", "draw", "loss", "stopped"]
"""For the player in seat 0; `stopped` met the frame limit: no result, and no draw either."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What a game was played under; ratings are comparable within one condition."""

    levels: tuple[int, int]
    """Virus level 0..20 by seat."""
    speeds: tuple[int, int]
    """Speed 0..2 by seat, as `envs.game.layout.Speed`."""
    backend: str
    """What played the game, e.g. `retro`."""
    max_frames: int
    """Frames after which a game ends without a winner."""
    episode: str = "round"
    """`round` or `set`."""


@dataclass(frozen=True, slots=True)
class GameRow:
    """One game that ended."""

    purpose: Purpose
    condition: Condition
    seed: int
    """RNG word after one step, `envs.game.setup.canonical_word`: equal words, equal set-up."""
    players: tuple[str, str]
    """Policy ids by seat."""
    result: Result
    reason: str
    """End reason, see `envs.game.outcome`."""
    frames: int
    """Frames of play."""
    pair: int | None = None
    """Number of the pair, from `Store.next_pair`; None for games that were not played in pairs."""
    policy_seed: int | None = None
    """Seed of what the policies draw; 0 where neither draws. None where no seed could replay the
    game, which then is never taken for a repetition."""
    stats: Mapping[str, Any] = field(default_factory=dict)
    """JSON: viruses, lines, garbage and so on by seat."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """JSON: package, game and core that played it."""
    replay: bytes | None = None
    """Pads of every frame, see `policies.replay`."""


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """A frozen, numbered copy of a learner."""

    id: str
    """For example `main-0003`."""
    role: str
    """The learner that it is a copy of."""
    parent: str | None
    """The snapshot that it grew from: of `main` the one before it."""
    env_steps: int
    """Env steps that `main` had seen by then, whoever the learner is."""
    iteration: int
    sha256: str
    """Digest of the weights file."""
    created: str
    """UTC, ISO 8601."""
    view: Mapping[str, Any]
    """JSON form of `policies.base.View`."""


@dataclass(frozen=True, slots=True)
class IterationRow:
    """A finished iteration."""

    iteration: int
    """From 0, where 0 is the state before any training."""
    env_steps: int
    """Env steps trained so far."""
    created: str
    """UTC, ISO 8601."""


@dataclass(frozen=True, slots=True)
class RatingRow:
    """A rating as it stood after an iteration; fields as in `league.ratings.Rating`."""

    iteration: int
    player: str
    elo: float
    lower: float
    upper: float
    kind: str
    games: int


@dataclass(frozen=True, slots=True)
class ResultCount:
    """How often two policies in fixed seats ended a game with one result."""

    players: tuple[str, str]
    result: Result
    games: int


@dataclass(frozen=True, slots=True)
class ConditionCount:
    """The same, under one condition."""

    condition: Condition
    count: ResultCount


@dataclass(frozen=True, slots=True)
class PairRow:
    """Two games on one seed with the seats swapped."""

    pair: int
    players: tuple[str, str]
    """Policy ids by seat of the pair's first game."""
    results: tuple[Result, Result]
    """Results of the two games, both for the first of `players`."""


def utc_now() -> str:
    """Return the time now in UTC, ISO 8601 to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
