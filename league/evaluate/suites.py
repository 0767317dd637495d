"""Frozen evaluation suites: which games a policy is measured by, for ever the same per name.

A suite never changes once it has been used: a better one gets the next name. A test holds the
digest of every suite's games.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from envs.game.layout import Speed
from envs.game.setup import NUM_SEEDS, RoundSetup, seed_to_word
from league.checks import suggest
from league.errors import LeagueError
from league.match import Conditions, make_pairs
from league.rng import make_rng
from policies.base import Policy
from policies.rollout import MAX_FRAMES, Game
from policies.scripted import NoopPolicy

_NUM_POLICY_SEEDS: Final = 2**31


class SuiteError(LeagueError):
    """There is no such suite."""


@dataclass(frozen=True, slots=True)
class SoloPart:
    """Solo rounds under one condition."""

    level: int
    speed: Speed
    rounds: int

    @property
    def name(self) -> str:
        """For tables, e.g. `10 MED`."""
        return f"{self.level} {self.speed.name}"


@dataclass(frozen=True, slots=True)
class VersusPart:
    """Pairs of games against one anchor."""

    anchor: str
    """Policy text."""
    level: int
    speed: Speed
    pairs: int


@dataclass(frozen=True, slots=True)
class Suite:
    """A named set of games."""

    name: str
    seed: int
    """Draws the rounds and everything that policies draw."""
    solo: tuple[SoloPart, ...]
    versus: tuple[VersusPart, ...]
    max_frames: int = MAX_FRAMES
    """Frames after which a game ends without a winner."""

    @property
    def games(self) -> int:
        """Games in all."""
        solo = sum(part.rounds for part in self.solo)
        return solo + 2 * sum(part.pairs for part in self.versus)

    def make_solo_games(self, policy: Policy, part: SoloPart) -> list[Game]:
        """Return the rounds of a part, no two on the same board."""
        name = f"eval/{self.name}/solo/{part.level}/{part.speed.name}"
        boards = make_rng(self.seed, f"{name}/rounds").permutation(NUM_SEEDS)[: part.rounds]
        draws = make_rng(self.seed, f"{name}/policies").integers(
            _NUM_POLICY_SEEDS, size=part.rounds
        )
        idle = NoopPolicy()
        return [
            Game(
                RoundSetup(
                    levels=(part.level, part.level),
                    speeds=(part.speed, part.speed),
                    rng_word=seed_to_word(board),
                    solo=True,
                ),
                (policy, idle),
                (make_rng(draw, "solo/0"), make_rng(draw, "solo/1")),
            )
            for board, draw in zip(boards.tolist(), draws.tolist(), strict=True)
        ]

    def make_versus_games(self, policy: Policy, anchor: Policy, part: VersusPart) -> list[Game]:
        """Return the pairs of a part: the policy in seat 0, then the same round swapped."""
        conditions = Conditions(part.level, part.speed, self.max_frames)
        # Part of the seed, so that no two anchors are met on the same rounds.
        seed = make_rng(self.seed, f"eval/{self.name}/versus/{part.anchor}/{part.level}")
        return make_pairs(
            (policy, anchor),
            pairs=part.pairs,
            conditions=conditions,
            seed=int(seed.integers(_NUM_POLICY_SEEDS)),
        )

    def hash_games(self) -> str:
        """Return the SHA-256 of all set-ups and of a draw of every stream, in hexadecimal."""
        digest = hashlib.sha256(f"{self.name} {self.max_frames}\n".encode())
        for game in self._list_games():
            draws = [int(rng.integers(_NUM_POLICY_SEEDS)) for rng in game.rngs]
            setup = game.setup
            conditions = (setup.levels, tuple(map(int, setup.speeds)), int(setup.solo))
            digest.update(f"{setup.entry_word} {conditions} {draws}\n".encode())
        return digest.hexdigest()

    def _list_games(self) -> Iterator[Game]:
        idle = NoopPolicy()
        for solo in self.solo:
            yield from self.make_solo_games(idle, solo)
        for versus in self.versus:
            yield from self.make_versus_games(idle, idle, versus)


_LEVELS: Final = (0, 5, 10, 11, 15, 20)
_ANCHORS: Final = ("random", "greedy", "search:depth=1", "search:depth=2")

SUITES: Final = {
    "v1": Suite(
        name="v1",
        seed=1990,
        solo=tuple(
            SoloPart(level, speed, 200) for level in _LEVELS for speed in (Speed.MED, Speed.HI)
        ),
        versus=tuple(VersusPart(anchor, 10, Speed.MED, 100) for anchor in _ANCHORS),
    ),
    "card": Suite(
        name="card",
        seed=1991,
        solo=tuple(
            SoloPart(level, speed, 400)
            for level in (5, 10, 11, 20)
            for speed in (Speed.MED, Speed.HI)
        ),
        versus=tuple(
            VersusPart(anchor, level, Speed.MED, 200)
            for anchor in ("greedy", "search:depth=1", "search:depth=2")
            for level in (0, 5, 10)
        ),
    ),
}
"""By name: `v1` for any player, `card` for what a champion's card says of it."""


def find_suite(name: str) -> Suite:
    """Return a suite.

    Raises:
        SuiteError: There is none of that name.
    """
    if name not in SUITES:
        raise SuiteError(
            f"expected a suite ({', '.join(SUITES)}), got {name!r}{suggest(name, SUITES)}"
        )
    return SUITES[name]
