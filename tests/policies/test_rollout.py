"""The game loop, on the reference rules."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from envs.backends.base import Backend
from envs.backends.reference import ReferenceBackend
from envs.game.layout import NextAction
from envs.game.setup import RoundSetup, seed_to_word
from envs.game.state import GameState
from policies.base import Policy
from policies.greedy import GreedyPolicy
from policies.replay import decode_replay
from policies.rollout import Game, GameRecord, play_games
from policies.scripted import NoopPolicy, RandomPolicy

GREEDY, RANDOM, NOOP = GreedyPolicy(), RandomPolicy(), NoopPolicy()


def make_game(left: Policy, right: Policy, seed: int = 0, **setup: object) -> Game:
    rngs = (np.random.default_rng([seed, 0]), np.random.default_rng([seed, 1]))
    word = seed_to_word(seed)
    return Game(RoundSetup(rng_word=word, **setup), (left, right), rngs)  # type: ignore[arg-type]


def play(games: Sequence[Game], backends: int = 1, max_frames: int = 5000) -> list[GameRecord]:
    opened = [ReferenceBackend(rendering=False) for _ in range(backends)]
    return play_games(games, opened, max_frames=max_frames)


def mixed_games() -> list[Game]:
    return [
        make_game(GREEDY, RANDOM, 1),
        make_game(RANDOM, NOOP, 2),
        make_game(NOOP, NOOP, 3),
        make_game(GREEDY, GREEDY, 4, levels=(1, 2)),
        make_game(GREEDY, NOOP, 5, solo=True),
    ]


def test_records_tell_how_a_game_went() -> None:
    game = make_game(GREEDY, NOOP, 7)
    (record,) = play([game])
    assert record.setup == game.setup
    assert record.policies == ("greedy", "noop")
    assert (record.reason, record.winner) in [("clear", 0), ("top_out", 0)]
    assert record.frames == len(list(decode_replay(record.replay)))
    assert record.stats[1].viruses == 0
    assert record.stats[0].lines > 0


def test_idle_seats_top_out_in_the_same_frame() -> None:
    (record,) = play([make_game(NOOP, NOOP)])
    assert (record.reason, record.winner) == ("both_top_out", None)
    assert record.stats[0] == record.stats[1]


def test_the_frame_limit_has_no_winner() -> None:
    (record,) = play([make_game(GREEDY, RANDOM)], max_frames=100)
    assert (record.reason, record.winner, record.frames) == ("frame_limit", None, 100)


def test_a_round_that_ends_in_the_last_allowed_frame_has_its_result() -> None:
    (free,) = play([make_game(NOOP, NOOP)])
    (limited,) = play([make_game(NOOP, NOOP)], max_frames=free.frames)
    assert limited == free


def test_replays_give_the_same_ram() -> None:
    final: list[np.ndarray] = []
    (record,) = play_games(
        [make_game(GREEDY, RANDOM, 3)],
        [ReferenceBackend(rendering=False)],
        on_frame=lambda index, backend: final.append(backend.ram()),
    )
    backend = ReferenceBackend(rendering=False)
    backend.start_round(record.setup)
    for pads in decode_replay(record.replay):
        backend.step(pads)
    assert len(final) == record.frames
    assert np.array_equal(backend.ram(), final[-1])


@pytest.mark.parametrize("backends", [2, 9])
def test_records_do_not_depend_on_the_number_of_backends(backends: int) -> None:
    expected = play(mixed_games(), max_frames=900)
    assert play(mixed_games(), backends, max_frames=900) == expected
    assert len({record.reason for record in expected}) > 1


def test_records_do_not_depend_on_the_other_games() -> None:
    together = play(mixed_games(), 3, max_frames=900)
    alone = [play([game], max_frames=900)[0] for game in mixed_games()]
    assert together == alone


def test_every_game_is_reported_once() -> None:
    reported: dict[int, GameRecord] = {}
    records = play_games(
        mixed_games(),
        [ReferenceBackend(rendering=False), ReferenceBackend(rendering=False)],
        max_frames=900,
        on_game=reported.__setitem__,
    )
    assert [reported[index] for index in range(len(records))] == records


def test_seat_1_is_left_alone_in_a_solo_round() -> None:
    (record,) = play([make_game(GREEDY, RANDOM, 5, solo=True)])
    assert (record.reason, record.winner) == ("clear", 0)
    assert all(pads[1] == 0 for pads in decode_replay(record.replay))
    assert (record.stats[0].viruses, record.stats[1].capsules) == (4, 0)


class GarbageCounter:
    """Counts what is added to the queues, as the reference rules show them frame by frame."""

    def __init__(self) -> None:
        self.sent = [0, 0]
        self.lines = [0, 0]
        self._last: GameState | None = None

    def __call__(self, index: int, backend: Backend) -> None:
        state = GameState.from_ram(backend.ram())
        for seat in (0, 1):
            last = self._last.players[seat] if self._last else state.players[seat]
            if last.next_action == NextAction.CHECK_ATTACK:
                self.lines[seat] += last.combo
                self.sent[seat] += last.combo if last.combo > 1 else 0
        self._last = state


def test_lines_and_garbage_are_counted() -> None:
    counter = GarbageCounter()
    game = make_game(GREEDY, GREEDY, 11, levels=(6, 6))
    (record,) = play_games([game], [ReferenceBackend(rendering=False)], on_frame=counter)
    sent = [stats.garbage_sent for stats in record.stats]
    assert sent == counter.sent
    assert sum(sent) > 0
    for stats, counted in zip(record.stats, counter.lines, strict=True):
        # Lines of the last capsule may not have come to the attack check.
        assert counted <= stats.lines <= counted + 8


def test_capsules_are_counted_when_they_lock() -> None:
    states: list[GameState] = []
    (record,) = play_games(
        [make_game(NOOP, NOOP)],
        [ReferenceBackend(rendering=False)],
        on_frame=lambda index, backend: states.append(GameState.from_ram(backend.ram())),
    )
    # The counter is two ahead of the locks: the falling capsule and the one in the preview.
    assert record.stats[0].capsules == states[-1].players[0].capsules - 2
    assert record.stats[0].capsules > 5


@pytest.mark.parametrize(("backends", "max_frames"), [(0, 10), (1, 0)])
def test_nothing_to_play_with_is_refused(backends: int, max_frames: int) -> None:
    with pytest.raises(ValueError, match="expected a backend and max_frames >= 1"):
        play([make_game(NOOP, NOOP)], backends, max_frames=max_frames)


def test_no_games_give_no_records() -> None:
    assert play([], 2) == []
