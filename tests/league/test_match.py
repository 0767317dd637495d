"""Matches, on the reference rules."""

from __future__ import annotations

import json
from typing import cast

import pytest

from envs.backends.reference import ReferenceBackend
from envs.backends.simulator import SimulatorBackend
from envs.game.layout import Speed
from envs.game.outcome import END_REASONS, EndReason
from envs.game.setup import NUM_SEEDS, RoundSetup, canonical_word
from league.match import (
    Conditions,
    MatchError,
    MatchGame,
    MatchResult,
    SeatResults,
    describe_match,
    make_pair,
    make_pairs,
    play_match,
)
from policies.base import Policy
from policies.greedy import GreedyPolicy
from policies.rollout import GameRecord, SeatStats, play_games
from policies.scripted import NoopPolicy, RandomPolicy
from tests.native import needs_native

GREEDY, RANDOM, NOOP = GreedyPolicy(), RandomPolicy(), NoopPolicy()
SHORT = Conditions(max_frames=700)


def make_result(*outcomes: tuple[EndReason, int | None]) -> MatchResult:
    """A match whose games ended so, told as reason and winning seat."""
    games = []
    for index, (reason, winner) in enumerate(outcomes):
        pair, seat_of_a = divmod(index, 2)
        stats = [SeatStats(0, 0, 0, 0), SeatStats(0, 0, 0, 0)]
        stats[seat_of_a] = SeatStats(4, 3, 2, 1)
        record = GameRecord(
            RoundSetup(), ("a", "b"), reason, winner, 100 * (index + 1), (stats[0], stats[1]), b""
        )
        games.append(MatchGame(pair, seat_of_a, record))
    return MatchResult(("a", "b"), Conditions(), 0, ("reference", "0"), tuple(games))


def test_both_games_of_a_pair_have_one_round_and_swapped_seats() -> None:
    games = make_pairs((GREEDY, NOOP), pairs=5, conditions=SHORT, seed=3)
    assert len(games) == 10
    for first, second in zip(games[::2], games[1::2], strict=True):
        assert first.setup == second.setup
        assert first.policies == (GREEDY, NOOP)
        assert second.policies == (NOOP, GREEDY)


def test_no_round_is_played_in_two_pairs() -> None:
    games = make_pairs((NOOP, NOOP), pairs=2000, conditions=SHORT, seed=0)
    words = {canonical_word(game.setup.entry_word) for game in games}
    assert len(words) == 2000


def test_conditions_hold_for_both_seats() -> None:
    conditions = Conditions(level=7, speed=Speed.HI)
    (game, _) = make_pairs((NOOP, NOOP), pairs=1, conditions=conditions, seed=0)
    assert game.setup.levels == (7, 7)
    assert game.setup.speeds == (Speed.HI, Speed.HI)


def test_every_player_of_every_game_draws_from_a_stream_of_its_own() -> None:
    games = [
        *make_pairs((RANDOM, RANDOM), pairs=2, conditions=SHORT, seed=0),
        *make_pairs((RANDOM, RANDOM), pairs=2, conditions=SHORT, seed=1),
    ]
    draws = {tuple(rng.integers(1000, size=4)) for game in games for rng in game.rngs}
    assert len(draws) == 2 * len(games)


def test_longer_matches_begin_like_shorter_ones() -> None:
    def describe(pairs: int) -> list[tuple[RoundSetup, int]]:
        games = make_pairs((RANDOM, NOOP), pairs=pairs, conditions=SHORT, seed=5)
        return [(game.setup, int(game.rngs[0].integers(1 << 30))) for game in games]

    assert describe(6)[:4] == describe(2)


def test_a_pair_of_equal_policies_is_the_same_game_twice() -> None:
    games = make_pair((GREEDY, GREEDY), RoundSetup(), policy_seed=0)
    first, second = play_games(games, [ReferenceBackend(rendering=False)], max_frames=400)
    assert first == second


def test_a_match_is_fixed_by_its_seed() -> None:
    def play(seed: int, backends: int = 1) -> str:
        opened = [ReferenceBackend(rendering=False) for _ in range(backends)]
        result = play_match(GREEDY, RANDOM, pairs=2, backends=opened, conditions=SHORT, seed=seed)
        return json.dumps(describe_match(result))

    assert play(1) == play(1)
    assert play(1) == play(1, backends=3)
    assert play(1) != play(2)


def test_greedy_beats_noop() -> None:
    result = play_match(GREEDY, NOOP, pairs=2, backends=[ReferenceBackend(rendering=False)])
    assert result.policies == ("greedy", "noop")
    assert result.score == 1.0
    assert [result.count_results(seat) for seat in (0, 1)] == [SeatResults(2, 0, 0, 0)] * 2


def test_results_are_told_by_the_seat_of_a() -> None:
    result = make_result(
        ("clear", 0),
        ("clear", 0),
        ("top_out", 1),
        ("both_clear", None),
        ("frame_limit", None),
        ("top_out", 1),
    )
    assert result.count_results(0) == SeatResults(wins=1, draws=0, losses=1, stopped=1)
    assert result.count_results(1) == SeatResults(wins=1, draws=1, losses=1, stopped=0)
    assert result.count_reasons() == {
        "clear": 2,
        "top_out": 2,
        "both_clear": 1,
        "both_top_out": 0,
        "frame_limit": 1,
        "forfeit": 0,
    }
    assert tuple(result.count_reasons()) == (*END_REASONS, "forfeit")
    assert result.mean_frames == 350


def test_stopped_games_enter_neither_score_nor_elo() -> None:
    result = make_result(("clear", 0), ("clear", 1), ("frame_limit", None), ("clear", 0))
    assert result.score == pytest.approx(2 / 3)
    assert result.elo is not None
    assert (result.elo.pairs, result.elo.score) == (1, 1.0)
    stopped = make_result(("frame_limit", None), ("frame_limit", None))
    assert (stopped.score, stopped.elo) == (None, None)


def test_elo_rests_on_pairs() -> None:
    # Whoever sits left wins: every pair is even, so the difference is known to be small.
    left: tuple[EndReason, int | None] = ("clear", 0)
    even = make_result(*[left] * 40)
    assert even.elo is not None
    assert even.elo.elo == 0
    swept = make_result(*[left, ("clear", 1), ("clear", 1), left] * 10)
    assert swept.elo is not None
    assert swept.elo.elo == 0
    assert swept.elo.upper > 2 * even.elo.upper


def test_described_results_are_plain_json() -> None:
    described = describe_match(make_result(("clear", 0), ("clear", 1)))
    assert json.loads(json.dumps(described, allow_nan=False)) == described
    assert described["elo"]["difference"] is None
    assert described["elo"]["lower"] is not None
    assert described["pairs"] == 1
    a, b = described["play"]
    assert a == {"viruses": 4, "lines": 3, "garbage_sent": 2, "capsules": 1}
    assert set(b.values()) == {0}


def test_replays_are_told_apart() -> None:
    played = [
        play_match(
            policy, NOOP, pairs=1, backends=[ReferenceBackend(rendering=False)], conditions=SHORT
        )
        for policy in (GREEDY, RANDOM)
    ]
    digests = {cast(str, describe_match(result)["replay_sha1"]) for result in played}
    assert len(digests) == 2


@pytest.mark.parametrize("pairs", [0, -1, NUM_SEEDS + 1])
def test_impossible_numbers_of_pairs_are_refused(pairs: int) -> None:
    with pytest.raises(MatchError, match=f"expected pairs in 1..32767, .* got {pairs}"):
        make_pairs((NOOP, NOOP), pairs=pairs, conditions=SHORT, seed=0)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"level": 21}, "expected level in 0..20, got 21"),
        ({"level": -1}, "expected level in 0..20, got -1"),
        ({"max_frames": 0}, "expected max_frames >= 1, got 0"),
    ],
)
def test_impossible_conditions_are_refused(values: dict[str, int], message: str) -> None:
    with pytest.raises(MatchError, match=message):
        Conditions(**values)  # type: ignore[arg-type]


def test_draws_of_a_policy_do_not_depend_on_its_opponent() -> None:
    first = make_pairs((RANDOM, NOOP), pairs=1, conditions=SHORT, seed=0)[0]
    second = make_pairs((RANDOM, GREEDY), pairs=1, conditions=SHORT, seed=0)[0]
    draws = [game.rngs[0].integers(1000, size=4) for game in (first, second)]
    assert draws[0].tolist() == draws[1].tolist()


@needs_native
@pytest.mark.parametrize("opponent", [NOOP, RANDOM], ids=lambda policy: policy.name)
def test_the_simulator_plays_the_games_of_the_slow_loop(opponent: Policy) -> None:
    told: dict[int, GameRecord] = {}
    backend = SimulatorBackend(rendering=False)
    fast = play_match(GREEDY, opponent, pairs=3, backends=[backend], on_game=told.__setitem__)
    slow = play_match(GREEDY, opponent, pairs=3, backends=[backend], on_frame=lambda *_: None)
    assert fast == slow
    assert [told[index] for index in range(6)] == [game.record for game in fast.games]


def test_wins_by_clearing_are_counted_for_both() -> None:
    result = make_result(
        ("clear", 0), ("top_out", 0), ("top_out", 0), ("clear", 1), ("both_clear", None),
        ("frame_limit", None),
    )  # fmt: skip
    a, b = result.share_of_clears(0), result.share_of_clears(1)
    assert (a.share, a.games) == (2 / 3, 3)
    assert (b.share, b.games) == (0.0, 1)
    assert describe_match(result)["wins_by_clearing"] == [2 / 3, 0.0]
    nobody = make_result(("both_clear", None), ("both_clear", None))
    assert describe_match(nobody)["wins_by_clearing"] == [None, None]
