"""What a run's rated games tell beside results."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from envs.backends.simulator import SimulatorBackend
from envs.game.layout import Speed
from league.evaluate.report import make_play_table
from league.evaluation import EvaluationSetup, open_simulator, play_pair
from league.game_facts import SeatFacts
from league.manager import PlannedPair
from league.records import Condition, GameRow, IterationRow, Result, SnapshotRow, utc_now
from league.standings import rate_players, rating_rows
from league.standings_play import (
    describe_facts,
    describe_run_play,
    find_forgetting,
    read_run_play,
)
from league.store import Store
from league.tracking.play_facts import SeatPlay
from tests.native import needs_native

CONDITION = Condition((0, 0), (1, 1), "simulator", 36_000)
FACTS = (
    SeatFacts(SeatPlay(1803, (0, 3, 9), (0, 2, 3), 1), 5, None),
    SeatFacts(SeatPlay(1803, (0, 0, 8), (0, 0, 1), 0), 1, "garbage"),
)


def make_snapshot(number: int, role: str = "main") -> SnapshotRow:
    return SnapshotRow(f"{role}-{number:04d}", role, None, number * 100, 0, "00", utc_now(), {})


def make_pair(
    number: int, a: str, b: str, results: tuple[Result, Result], reason: str = "clear"
) -> list[GameRow]:
    """Two games of `a` and `b`, in seats (a, b) and then (b, a); results are those of seat 0."""
    stats = {"play": describe_facts(FACTS)}
    return [
        GameRow(
            "evaluation",
            CONDITION,
            number,
            players,
            result,
            reason,
            1803,
            pair=number,
            stats=json.loads(json.dumps(stats)) if number else {},
        )
        for players, result in zip(((a, b), (b, a)), results, strict=True)
    ]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    games = [
        *make_pair(0, "main-0002", "greedy", ("win", "loss")),
        *make_pair(1, "main-0002", "greedy", ("loss", "win"), "top_out"),
        *make_pair(2, "main-0002", "main-0001", ("win", "loss")),
        *make_pair(3, "main-0002", "main-0000", ("loss", "win")),
        *make_pair(4, "main-0002", "main-0000", ("draw", "stopped"), "both_clear"),
        *make_pair(5, "main-0001", "greedy", ("win", "win"), "top_out"),
    ]
    with Store.create(tmp_path / "league.sqlite") as opened:
        opened.commit_iteration(
            IterationRow(0, 0, utc_now()),
            snapshots=[*(make_snapshot(number) for number in range(3)), make_snapshot(0, "x")],
            games=games,
            rate=lambda inside: rating_rows(0, rate_players(inside, "greedy")),
        )
        yield opened


def test_scores_by_seat_and_wins_by_clearing(store: Store) -> None:
    lines = {line.player: line for line in read_run_play(store).lines}
    assert set(lines) == {row.player for row in store.ratings()}
    main = lines["main-0002"]
    # Left: 1, 0, 1, 0 and a draw; right: 1, 0, 1, 0, the stopped game left out.
    assert main.seat_scores == (0.5, 0.5)
    assert (main.wins_by_clearing.share, main.wins_by_clearing.games) == (1.0, 4)
    anchor = lines["greedy"]
    assert anchor.seat_scores == pytest.approx((2 / 3, 1 / 3))
    assert (anchor.wins_by_clearing.share, anchor.wins_by_clearing.games) == (0.0, 3)


def test_styles_come_from_the_games_that_have_them(store: Store) -> None:
    lines = {line.player: line for line in read_run_play(store).lines}
    style = lines["main-0001"].style
    assert style is not None
    # Two games each from either seat: 12 or 8 capsules, 5 or 1 viruses.
    assert style.viruses_per_minute == pytest.approx((5 + 1) / (2 * 1803) * 3606, rel=1e-3)
    assert style.capsules_per_virus[1:] == (1.5, 17 / 4)
    assert style.top_outs == {"garbage": 2}


def test_forgetting_is_the_worst_result_against_an_earlier_one(store: Store) -> None:
    (lost,) = read_run_play(store).forgetting
    assert (lost.newest, lost.earlier) == ("main-0002", "main-0000")
    assert lost.score.score == pytest.approx(0.25)


def test_forgetting_knows_earlier_snapshots_of_the_same_role_only(store: Store) -> None:
    lost = find_forgetting(store, "main-0002")
    assert lost is not None
    assert lost.earlier == "main-0000"
    for name in ("main-0000", "main-0001", "x-0000", "greedy"):
        assert find_forgetting(store, name) is None


def test_reports_are_json_and_a_table(store: Store) -> None:
    play = read_run_play(store)
    described = describe_run_play(play)
    assert json.loads(json.dumps(described, allow_nan=False)) == described
    assert described["main-0002"]["forgetting"]["against"] == "main-0000"
    assert described["greedy"]["forgetting"] is None
    assert described["main-0001"]["capsules_per_virus"][0] is None
    table = make_play_table(play)
    assert table.row_count == len(play.lines)
    assert "the left seat is worth" in str(table.caption)
    assert "forgetting: main-0002 scores 0.250" in str(table.caption)


def test_a_run_without_games_has_no_lines(tmp_path: Path) -> None:
    with Store.create(tmp_path / "empty.sqlite") as empty:
        play = read_run_play(empty)
    assert (play.lines, play.seat, play.forgetting) == ((), None, ())
    assert make_play_table(play).row_count == 0


@needs_native
def test_rated_games_on_the_simulator_tell_how_they_were_played(tmp_path: Path) -> None:
    setup = EvaluationSetup(open_simulator(), (0, 0), (Speed.MED, Speed.MED), 36_000, tmp_path)
    backend = setup.open_backend()
    assert isinstance(backend, SimulatorBackend)
    games = play_pair(setup, PlannedPair(("search:depth=1", "noop"), 5, 6), backend)
    for seat, game in enumerate(games):
        facts = game.stats["play"][seat]
        assert sum(facts["play"]["viruses"]) == game.stats["seats"][seat]["viruses"]
        assert facts["cause"] is None
        # Whoever never moves tops out, or loses to a clear before that.
        assert game.stats["play"][1 - seat]["cause"] in ("stacked", "garbage", None)
