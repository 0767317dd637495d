"""What `greedy` promises as the anchor of the ratings, on the emulator."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from envs.backends.retro import RetroBackend
from envs.game.setup import RoundSetup, seed_to_word
from league.match import play_match
from league.players import load_policy
from policies.greedy import GreedyPolicy
from policies.rollout import Game, play_games
from policies.scripted import NoopPolicy

pytestmark = [pytest.mark.emulator, pytest.mark.slow]

ROUNDS = 200
LEAST_CLEARED = 0.6
LEAST_SCORE = 0.95


@pytest.fixture
def backend() -> Iterator[RetroBackend]:
    with RetroBackend(rendering=False) as backend:
        yield backend


def test_clears_solo_rounds_at_level_0(backend: RetroBackend) -> None:
    rng = np.random.default_rng(0)
    games = [
        Game(
            RoundSetup(rng_word=seed_to_word(seed), solo=True),
            (GreedyPolicy(), NoopPolicy()),
            (rng, rng),
        )
        for seed in range(ROUNDS)
    ]
    records = play_games(games, [backend])
    cleared = sum(record.reason == "clear" for record in records)
    assert cleared >= LEAST_CLEARED * ROUNDS, cleared


@pytest.mark.parametrize("opponent", ["random", "noop"])
def test_beats_who_does_not_think(backend: RetroBackend, opponent: str) -> None:
    greedy, other = load_policy("greedy"), load_policy(opponent)
    result = play_match(greedy, other, pairs=ROUNDS // 2, backends=[backend])
    assert result.score is not None
    assert result.score >= LEAST_SCORE
