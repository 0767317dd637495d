"""Many versus games at once, a decision at a time, on the native simulator.

One call runs every game to the next frame in which one of its seats must place a capsule, or to its
end; games that end start anew. Actions, masks, the compact observation and rewards are those of
`drmario_versus_v0` with `actions="placement"`; a seat that is not due waits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from envs import compact
from envs.backends.native_vector import EVENTS, ROUND_START, ByteProgram, VectorGames, pack_start
from envs.game.layout import NUM_SEATS, Speed
from envs.game.outcome import END_REASONS
from envs.game.placement import NUM_PLACEMENTS, WAIT
from envs.game.setup import NUM_SEEDS, RoundSetup, seed_to_word
from envs.reward import RewardConfig
from envs.starts import EpisodeStart
from envs.versus_config import DEFAULT_MAX_FRAMES

DrawSetup = Callable[[np.random.Generator], RoundSetup | EpisodeStart]
"""Draws how an episode starts from the stream of its game."""

_FRAME_LIMIT: Final = END_REASONS.index("frame_limit") + 1


@dataclass(frozen=True, slots=True)
class UniformSetups:
    """Draws a level out of some, the same for both seats, and one of all 32,767 boards."""

    levels: tuple[int, ...] = (0,)
    speed: Speed = Speed.MED
    solo: bool = False

    def __call__(self, stream: np.random.Generator) -> RoundSetup:
        """Return the set-up of an episode."""
        level = self.levels[int(stream.integers(len(self.levels)))]
        return RoundSetup(
            levels=(level, level),
            speeds=(self.speed, self.speed),
            rng_word=seed_to_word(int(stream.integers(NUM_SEEDS))),
            solo=self.solo,
        )


@dataclass(frozen=True, slots=True)
class VectorStep:
    """What a step shows. The arrays are overwritten by the next one."""

    due: np.ndarray
    """bool (games, 2): who must place a capsule; the others only wait."""
    observations: np.ndarray
    """uint8 (games, 2, 314), `compact` of each due seat; other rows are old."""
    masks: np.ndarray
    """int8 (games, 2, 513), legal actions of every seat."""
    frames: np.ndarray
    """int32 (games,), frames that the step took."""
    rewards: np.ndarray
    """float32 (games, 2), what those frames paid."""
    terminated: np.ndarray
    """bool (games,): the episode ended; what is shown is the start of the next one."""
    truncated: np.ndarray
    """bool (games,): the same, by the frame limit."""


class VectorEnv:
    """A fixed number of games for both seats."""

    def __init__(
        self,
        games: int,
        *,
        draw_setup: DrawSetup | None = None,
        reward: RewardConfig | None = None,
        max_frames: int = DEFAULT_MAX_FRAMES,
        candidates: int = 0,
        candidates_at_once: bool = True,
        threads: int | None = 1,
    ) -> None:
        """Make an env whose games have not started.

        Args:
            games: How many, 1 or more.
            draw_setup: How an episode is set up; default: level 0 at MED.
            reward: Weights of the terms.
            max_frames: Frames after which an episode is truncated, 1 or more.
            candidates: Rows of features for each due seat, see `envs.candidates`; 0 for none.
            candidates_at_once: Write them in every step; else `games.show_candidates` does, for
                the seats that are asked about.
            threads: Threads that share the games; None takes one per processor.

        Raises:
            ValueError: A number is below 1.
            BackendError: The simulator was not built.
        """
        if max_frames < 1:
            raise ValueError(f"expected max_frames to be 1 or more, got {max_frames}")
        self.games = VectorGames(
            games,
            make_compact_program(),
            candidates=candidates,
            candidates_at_once=candidates_at_once,
            threads=threads,
        )
        """The games and their arrays; `totals` and others tell of episodes that ended."""
        self._draw_setup = draw_setup if draw_setup is not None else UniformSetups()
        self._max_frames = max_frames
        self.set_reward(reward if reward is not None else RewardConfig())
        self._streams: list[np.random.Generator] = []
        self._starts = np.zeros(games, ROUND_START)
        self._rewards = np.zeros((games, NUM_SEATS), np.float32)

    def set_reward(self, reward: RewardConfig) -> None:
        """Pay by other weights from the next step on."""
        self._weights = _list_weights(reward)
        self._per_frame = reward.per_frame

    def reset(self, seed: int | None = None) -> VectorStep:
        """Start an episode in every game.

        Args:
            seed: Seeds one stream per game, from which all its set-ups are drawn; game i of a
                seed plays the same set-ups in an env of any size.
        """
        seeds = np.random.SeedSequence(seed).spawn(len(self.games))
        self._streams = [np.random.default_rng(each) for each in seeds]
        self._draw_starts(range(len(self.games)))
        self.games.reset(self._starts)
        self._draw_starts(range(len(self.games)))
        for array in (self.games.frames, self.games.reasons, self._rewards):
            array.fill(0)
        return self._show()

    def step(self, actions: np.ndarray) -> VectorStep:
        """Run every game to its next decision.

        Args:
            actions: Integers (games, 2): poses of due seats, WAIT for the others. A due seat's
                illegal pose is played as no input until the capsule locks.

        Raises:
            ValueError: Another shape or type, or an action outside 0..512.
            RuntimeError: The env was not reset.
        """
        if not self._streams:
            raise RuntimeError("expected running episodes, got none; call reset first")
        games = self.games
        games.step(_check_actions(actions, len(games)), self._max_frames, self._starts)
        ended = np.flatnonzero(games.reasons)
        if len(ended):
            self._draw_starts(ended.tolist())
        np.matmul(games.events, self._weights, out=self._rewards, casting="same_kind")
        if self._per_frame:
            self._rewards += np.float32(self._per_frame) * games.frames[:, None]
        return self._show()

    def close(self) -> None:
        """End the threads; safe to call twice."""
        self.games.close()

    def _draw_starts(self, indices: range | list[int]) -> None:
        for index in indices:
            start = self._draw_setup(self._streams[index])
            if isinstance(start, RoundSetup):
                start = EpisodeStart(start)
            self._starts[index] = pack_start(
                start.setup, start.viruses, start.thin_seed, start.bottles
            )

    def _show(self) -> VectorStep:
        games = self.games
        truncated = games.reasons == _FRAME_LIMIT
        return VectorStep(
            due=games.due,
            observations=games.observations,
            masks=games.masks,
            frames=games.frames,
            rewards=self._rewards,
            terminated=(games.reasons != 0) & ~truncated,
            truncated=truncated,
        )


def make_compact_program() -> ByteProgram:
    """Return the `compact` observation as the native code runs it."""
    spec = compact.COMPACT_SPEC
    tables, table = np.unique(
        compact.TABLES.reshape(compact.COMPACT_SIZE, 256), axis=0, return_inverse=True
    )
    sums = [
        (spec[f"{owner}.gravity_index"].offset, spec[f"{owner}.speed_ups"].offset)
        for owner in ("own", "opponent")
    ]
    return ByteProgram(
        sources=np.array(compact.SOURCES, np.int32),
        table=table.reshape(-1).astype(np.uint8),
        tables=np.ascontiguousarray(tables),
        sums=np.array(sums, np.int32),
    )


def _list_weights(config: RewardConfig) -> np.ndarray:
    """Return what each of `EVENTS` pays, float32 (9,)."""
    weights = {
        "viruses": config.virus,
        "lines": config.line,
        "garbage_sent": config.garbage_sent,
        "sunk": config.height,
        "capsules": 0.0,
        "won": config.win,
        "lost": config.loss,
        "clear_won": config.clear_win,
        "topped_out": config.top_out,
    }
    return np.array([weights[event] for event in EVENTS], np.float32)


def _check_actions(actions: np.ndarray, games: int) -> np.ndarray:
    shape = (games, NUM_SEATS)
    if actions.shape != shape or not np.issubdtype(actions.dtype, np.integer):
        raise ValueError(f"expected integer actions {shape}, got {actions.dtype} {actions.shape}")
    if actions.min() < 0 or actions.max() > WAIT:
        raise ValueError(
            f"expected actions in 0..{NUM_PLACEMENTS - 1}, got {actions.min()}..{actions.max()}"
        )
    return np.ascontiguousarray(actions, np.int64)
