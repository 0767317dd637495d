"""Whole rounds on the emulator: legal ends, and RAM that never holds what cannot be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest

from envs.backends.base import Backend
from envs.backends.retro import RetroBackend
from envs.game.layout import CELLS, EMPTY, FIELD_BASES, Mode, NextAction, Speed, Tile
from envs.game.setup import RoundSetup
from envs.game.state import GameState, PlayerState
from policies.greedy import GreedyPolicy
from policies.rollout import Game, GameRecord, play_games
from policies.scripted import RandomPolicy

pytestmark = pytest.mark.emulator

LEVELS = (0, 5, 10, 20)
REASONS = {"clear", "top_out", "both_clear", "both_top_out"}
PARTNERS = {Tile.TOP: (8, Tile.BOTTOM), Tile.LEFT: (1, Tile.RIGHT)}


@pytest.fixture(scope="module")
def backend() -> Iterator[RetroBackend]:
    with RetroBackend(rendering=False) as backend:
        yield backend


class Invariants:
    """Checks every frame of a game against what must always hold."""

    def __init__(self) -> None:
        self.frames = 0
        self._last: GameState | None = None
        self._game = -1

    def check(self, game: int, backend: Backend) -> None:
        ram = backend.ram()
        state = GameState.from_ram(ram, check=True)
        last = self._last if game == self._game else None
        if last is not None:
            assert state.frame_counter == (last.frame_counter + 1) & 0xFF
            assert state.rng_word == last.rng_word
        assert state.mode in (Mode.PLAY, Mode.TOP_OUT)
        for seat, player in enumerate(state.players):
            field = ram[FIELD_BASES[seat] : FIELD_BASES[seat] + CELLS]
            self._check_player(player, field, last.players[seat] if last else None)
        self._game, self._last = game, state
        self.frames += 1

    @staticmethod
    def _check_player(player: PlayerState, field: np.ndarray, last: PlayerState | None) -> None:
        viruses = int((field & 0xF0 == Tile.VIRUS).sum())
        assert player.viruses == viruses
        if last is not None:
            assert player.viruses <= last.viruses
            assert player.capsules - last.capsules in (0, 1)
            assert player.speed_ups - last.speed_ups in (0, 1)
        if player.next_action != NextAction.FALLING or player.topped_out:
            return
        assert not (field & 0xF0 == Tile.MATCHED).any()
        for kind, (step, partner) in PARTNERS.items():
            halves = np.flatnonzero((field & 0xF0 == kind) & (field != EMPTY))
            assert (field[halves + step] & 0xF0 == partner).all()


def make_games(rounds_per_level: int) -> list[Game]:
    """Rounds at all levels and speeds, equal and unequal, greedy and random in both seats."""
    games = []
    policies = (GreedyPolicy(), RandomPolicy())
    for level in LEVELS:
        for number in range(rounds_per_level):
            rng = np.random.default_rng([level, number])
            other = level if number % 3 else LEVELS[number // 3 % len(LEVELS)]
            speeds = (Speed(number % 3), Speed(number // 3 % 3))
            word = int(rng.integers(2, 0x10000))
            setup = RoundSetup(levels=(level, other), speeds=speeds, rng_word=word)
            first, second = policies[number % 5 == 4], policies[number % 2]
            games.append(Game(setup, (first, second), (rng.spawn(1)[0], rng.spawn(1)[0])))
    return games


def play_checked(backend: RetroBackend, rounds_per_level: int) -> list[GameRecord]:
    invariants = Invariants()
    records = play_games(make_games(rounds_per_level), [backend], on_frame=invariants.check)
    assert invariants.frames == sum(record.frames for record in records)
    assert all(record.reason in REASONS for record in records)
    for record in records:
        assert (record.winner is None) == record.reason.startswith("both")
    return records


def test_rounds_keep_the_invariants(backend: RetroBackend) -> None:
    records = play_checked(backend, rounds_per_level=3)
    assert len(records) == 12


@pytest.mark.slow
def test_a_hundred_rounds_keep_the_invariants(backend: RetroBackend) -> None:
    records = play_checked(backend, rounds_per_level=25)
    ends = Counter(record.reason for record in records)
    assert len(records) == 100
    assert ends["clear"] >= 30, ends
