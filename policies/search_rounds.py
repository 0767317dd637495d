"""Plays many rounds of `search` at once on the simulator, for tuning and reports.

The vector env moves packed bytes from the games to the search, so nearly all time is the search's.
`policies.rollout` plays the same policy on any backend, one frame at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from envs.backends.native_search import pack_images
from envs.backends.native_vector import TOTALS
from envs.game.layout import FRAME_RATE, NUM_SEATS, Speed
from envs.game.outcome import END_REASONS
from envs.game.placement import WAIT
from envs.vector import DrawSetup, UniformSetups, VectorEnv
from policies.search import SearchPolicy

MAX_FRAMES: Final = 36_000
"""Frames after which a round counts as not cleared: ten minutes."""

_SECONDS_PER_MINUTE: Final = 60
_CLEAR: Final = END_REASONS.index("clear") + 1
_VIRUSES: Final = TOTALS.index("viruses")
_CAPSULES: Final = TOTALS.index("capsules")


@dataclass(frozen=True, slots=True)
class Rounds:
    """What became of some rounds; every array is by round."""

    reasons: np.ndarray
    """uint8 (n,): 1 + place in `END_REASONS`."""
    winners: np.ndarray
    """int8 (n,): winning seat, -1 for none."""
    frames: np.ndarray
    """int32 (n,): from the first controlled one."""
    totals: np.ndarray
    """int32 (n, 2, 11): counts by seat, see `envs.backends.native_vector.TOTALS`."""

    @property
    def cleared(self) -> np.ndarray:
        """Whether seat 0 cleared its bottle and won, bool (n,)."""
        cleared: np.ndarray = (self.reasons == _CLEAR) & (self.winners == 0)
        return cleared

    @property
    def viruses(self) -> np.ndarray:
        """int32 (n,): viruses that seat 0 cleared."""
        return self.totals[:, 0, _VIRUSES]

    @property
    def minutes(self) -> np.ndarray:
        """float64 (n,): playing time."""
        return self.frames / (FRAME_RATE * _SECONDS_PER_MINUTE)

    @property
    def viruses_per_minute(self) -> float:
        """Over all rounds together."""
        return float(self.viruses.sum() / self.minutes.sum())

    @property
    def capsules_per_virus(self) -> float:
        """Over all rounds together; infinite where no virus was cleared."""
        capsules, viruses = int(self.totals[:, 0, _CAPSULES].sum()), int(self.viruses.sum())
        return capsules / viruses if viruses else float("inf")


def play_solo_rounds(
    policy: SearchPolicy,
    level: int,
    speed: Speed,
    rounds: int,
    *,
    seed: int = 0,
    max_frames: int = MAX_FRAMES,
) -> Rounds:
    """Play solo rounds at the real falling speed.

    Args:
        policy: Plays seat 0.
        level: Virus level 0..20.
        speed: Speed at the start.
        rounds: How many, 1 or more.
        seed: Draws their boards.
        max_frames: Frames after which a round is stopped.
    """
    setups = UniformSetups((level,), speed, solo=True)
    return _play((policy,), setups, rounds, seed, max_frames)


def play_versus_rounds(
    policies: tuple[SearchPolicy, SearchPolicy],
    level: int,
    speed: Speed,
    rounds: int,
    *,
    seed: int = 0,
    max_frames: int = MAX_FRAMES,
) -> Rounds:
    """Play rounds between two policies, by seat; arguments as of `play_solo_rounds`."""
    return _play(policies, UniformSetups((level,), speed), rounds, seed, max_frames)


def _play(
    policies: Sequence[SearchPolicy],
    setups: DrawSetup,
    rounds: int,
    seed: int,
    max_frames: int,
) -> Rounds:
    env = VectorEnv(rounds, draw_setup=setups, max_frames=max_frames)
    games = env.games
    result = Rounds(
        reasons=np.zeros(rounds, np.uint8),
        winners=np.zeros(rounds, np.int8),
        frames=np.zeros(rounds, np.int32),
        totals=np.zeros_like(games.totals),
    )
    env.reset(seed)
    while (running := result.reasons == 0).any():
        env.step(_choose(policies, env, running))
        ended = running & (games.reasons != 0)
        result.reasons[ended] = games.reasons[ended]
        result.winners[ended] = games.winners[ended]
        result.frames[ended] = games.episode_frames[ended]
        result.totals[ended] = games.totals[ended]
    env.close()
    return result


def _choose(policies: Sequence[SearchPolicy], env: VectorEnv, running: np.ndarray) -> np.ndarray:
    """Return actions, int64 (rounds, 2); games that have started anew are left to themselves."""
    actions = np.full((len(running), NUM_SEATS), WAIT, np.int64)
    for seat, policy in enumerate(policies):
        due = np.flatnonzero(running & env.games.due[:, seat])
        if len(due):
            positions = pack_images(env.games.images[due], seat)
            actions[due, seat] = policy.choose_placements(positions)
    return actions
