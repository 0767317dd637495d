"""How well `greedy` plays on the emulator, and that the reference rules play the same games."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from envs.backends.reference import ReferenceBackend
from envs.backends.retro import RetroBackend
from envs.game.layout import Speed
from envs.game.setup import RoundSetup, seed_to_word
from policies.base import Policy
from policies.greedy import GreedyPolicy
from policies.rollout import Game, play_games
from policies.scripted import NoopPolicy, RandomPolicy

pytestmark = pytest.mark.emulator


@pytest.fixture(scope="module")
def retro(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RetroBackend]:
    folder: Path = tmp_path_factory.mktemp("states")
    with RetroBackend(rendering=False, cache_folder=folder) as backend:
        yield backend


def make_game(left: Policy, right: Policy, seed: int, **setup: object) -> Game:
    rngs = (np.random.default_rng([seed, 0]), np.random.default_rng([seed, 1]))
    word = seed_to_word(seed)
    return Game(RoundSetup(rng_word=word, **setup), (left, right), rngs)  # type: ignore[arg-type]


@pytest.mark.slow
def test_clears_nearly_every_solo_round_at_level_0(retro: RetroBackend) -> None:
    games = [make_game(GreedyPolicy(), NoopPolicy(), seed, solo=True) for seed in range(40)]
    records = play_games(games, [retro])
    assert sum(record.reason == "clear" for record in records) >= 36


@pytest.mark.slow
@pytest.mark.parametrize("opponent", [RandomPolicy(), NoopPolicy()])
def test_beats_the_policies_that_look_at_nothing(retro: RetroBackend, opponent: Policy) -> None:
    games = []
    for seed in range(8):
        games.append(make_game(GreedyPolicy(), opponent, seed))
        games.append(make_game(opponent, GreedyPolicy(), seed))
    records = play_games(games, [retro])
    assert [record.winner for record in records] == [0, 1] * 8


def test_games_are_the_same_on_the_reference_rules(retro: RetroBackend) -> None:
    def games() -> list[Game]:
        uneven = {"levels": (4, 2), "speeds": (Speed.HI, Speed.LOW)}
        return [
            make_game(GreedyPolicy(), RandomPolicy(), 1),
            make_game(GreedyPolicy(4), GreedyPolicy(), 2, **uneven),
            make_game(GreedyPolicy(), NoopPolicy(), 3, solo=True),
        ]

    on_emulator = play_games(games(), [retro], max_frames=1500)
    assert on_emulator == play_games(games(), [ReferenceBackend(rendering=False)], max_frames=1500)
