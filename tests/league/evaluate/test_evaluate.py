"""Evaluation suites: frozen games, and what is made of them."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from envs.game.layout import Speed
from league.champions import find_champion
from league.evaluate import suites
from league.evaluate.evaluate import SuiteResult, run_suite, sum_up_style, sum_up_times
from league.evaluate.report import describe_suite, format_share, make_suite_tables
from league.evaluate.suites import SUITES, SoloPart, Suite, SuiteError, VersusPart, find_suite
from league.game_facts import SeatFacts
from league.players import load_policy
from league.statistics.proportion import estimate_proportion
from league.tracking.play_facts import SeatPlay
from policies.scripted import NoopPolicy, RandomPolicy
from policies.search import SearchPolicy
from tests.native import needs_native

DIGESTS = {
    "v1": "b1aac1f88025adf24be8e50d40b137aaa5766b1340e89ce1297fba2ee5e1ebbe",
    "card": "ef0480765aa93f8484473db676c5b820b937d392f51a0f7bf8884ddb93af15a0",
}

SMALL = Suite(
    name="small",
    seed=1,
    solo=(SoloPart(0, Speed.MED, 6), SoloPart(10, Speed.HI, 2)),
    versus=(VersusPart("noop", 3, Speed.MED, 2), VersusPart("search:depth=1", 1, Speed.MED, 4)),
)


def test_suites_never_change() -> None:
    """A changed suite measures something else: give the new one a new name."""
    assert {name: suite.hash_games() for name, suite in SUITES.items()} == DIGESTS


def test_v1_covers_what_it_promises() -> None:
    suite = find_suite("v1")
    conditions = {(part.level, part.speed) for part in suite.solo}
    assert conditions == {(n, s) for n in (0, 5, 10, 11, 15, 20) for s in (Speed.MED, Speed.HI)}
    assert [part.anchor for part in suite.versus] == [
        "random",
        "greedy",
        "search:depth=1",
        "search:depth=2",
    ]
    assert suite.games == 12 * 200 + 4 * 200


def test_the_card_has_400_games_of_everything() -> None:
    suite = find_suite("card")
    assert (
        {part.rounds for part in suite.solo} == {2 * part.pairs for part in suite.versus} == {400}
    )
    assert suite.games == 400 * (8 + 9)


def test_unknown_suites_are_refused() -> None:
    with pytest.raises(SuiteError, match=r"expected a suite \(v1, card\), got 'v2'"):
        find_suite("v2")


def test_games_of_a_part_have_rounds_of_their_own() -> None:
    suite = find_suite("v1")
    games = suite.make_solo_games(NoopPolicy(), suite.solo[4])
    assert len({game.setup.entry_word for game in games}) == 200
    assert all(game.setup.solo and game.setup.levels == (10, 10) for game in games)
    one, two = (
        suite.make_versus_games(NoopPolicy(), NoopPolicy(), part) for part in suite.versus[1:3]
    )
    assert {game.setup.entry_word for game in one} != {game.setup.entry_word for game in two}


@pytest.fixture(scope="module")
def result() -> SuiteResult:
    return run_suite(SearchPolicy(1), SMALL, load_policy)


@needs_native
def test_results_tell_clears_times_and_scores(result: SuiteResult) -> None:
    easy, hard = result.solo
    assert (easy.clears.share, easy.clears.games, easy.stops) == (1.0, 6, 0)
    assert easy.times is not None
    assert list(easy.times.quantiles) == sorted(easy.times.quantiles)
    assert easy.times.tail_mean >= easy.times.quantiles[2]
    assert math.isnan(easy.style.capsules_per_virus[0])
    assert all(value > 1 for value in hard.style.capsules_per_virus)
    noop, mirror = result.versus
    assert noop.score is not None
    assert (noop.score.score, noop.wins, noop.seat_scores) == (1.0, 4, (1.0, 1.0))
    assert noop.wins_by_clearing.games == 4
    assert mirror.score is not None
    # Deterministic copies play the same game twice, from either seat.
    assert mirror.score.score == 0.5
    assert sum(mirror.seat_scores) == pytest.approx(1.0)


@needs_native
def test_the_same_suite_gives_the_same_result(result: SuiteResult) -> None:
    games = 0

    def count() -> None:
        nonlocal games
        games += 1

    again = run_suite(SearchPolicy(1), SMALL, load_policy, count)
    assert describe_suite(again) == describe_suite(result)
    assert games == SMALL.games


@needs_native
def test_policies_that_press_buttons_are_measured_too() -> None:
    tiny = replace(SMALL, solo=(SoloPart(0, Speed.HI, 6),), versus=())
    described = describe_suite(run_suite(RandomPolicy(), tiny, load_policy))
    (solo,) = described["solo"]
    assert solo["frames_to_clear"] is None
    assert sum(solo["top_outs"].values()) == 6
    assert solo["capsules_per_virus"]["above_32"] is None


@needs_native
def test_reports_are_json_and_tables(result: SuiteResult) -> None:
    described = describe_suite(result)
    assert json.loads(json.dumps(described, allow_nan=False)) == described
    assert described["suite"] == {"name": "small", "sha256": SMALL.hash_games()}
    assert [table.row_count for table in make_suite_tables(result)] == [2, 2]


@needs_native
def test_the_command_prints_tables_and_json(monkeypatch: pytest.MonkeyPatch) -> None:
    from league.cli import app

    tiny = replace(SMALL, solo=SMALL.solo[:1], versus=SMALL.versus[:1])
    monkeypatch.setitem(suites.SUITES, "tiny", tiny)
    text = CliRunner().invoke(app, ["eval", "search:depth=1", "--suite", "tiny"])
    assert text.exit_code == 0
    assert "100.0 % (61.0..100.0)" in text.stdout
    report = CliRunner().invoke(app, ["eval", "search:depth=1", "--suite", "tiny", "--json"])
    assert json.loads(report.stdout)["policy"] == "search:depth=1"


@needs_native
def test_a_snapshot_outside_of_any_run_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folder is all there is of it: no run is asked what it has forgotten."""
    from league.cli import app

    tiny = replace(SMALL, solo=SMALL.solo[:1], versus=())
    monkeypatch.setitem(suites.SUITES, "tiny", tiny)
    folder = find_champion()
    report = CliRunner().invoke(app, ["eval", f"snapshot:{folder}", "--suite", "tiny", "--json"])
    assert report.exit_code == 0, report.output
    assert json.loads(report.stdout)["forgetting"] is None


def test_clear_times_are_summed_up() -> None:
    times = sum_up_times(range(1, 101))
    assert times is not None
    assert times.mean == 50.5
    assert times.quantiles == pytest.approx((5.95, 25.75, 50.5, 75.25, 95.05))
    assert times.tail_mean == 95.5
    assert sum_up_times([]) is None
    (one,) = [sum_up_times([7])]
    assert one is not None
    assert one.tail_mean == 7


def test_styles_are_over_all_games_together() -> None:
    quick = SeatFacts(SeatPlay(1800, (0, 4, 0), (0, 2, 0), 1), 2, None)
    slow = SeatFacts(SeatPlay(5411, (0, 8, 2), (0, 2, 4), 0), 5, "garbage")
    style = sum_up_style([quick, slow])
    minutes = (1800 + 5411) / 3606
    assert style.viruses_per_minute == pytest.approx(8 / minutes, rel=1e-3)
    assert style.viruses_first_minute == pytest.approx(7 * 3606 / (1800 + 3606), rel=1e-3)
    assert style.volleys_per_minute == pytest.approx(1 / minutes, rel=1e-3)
    assert style.capsules_per_virus[1:] == (3.0, 0.5)
    assert math.isnan(style.capsules_per_virus[0])
    assert style.top_outs == {"garbage": 1}
    assert math.isnan(sum_up_style([]).viruses_per_minute)


def test_shares_are_shown_with_their_interval() -> None:
    assert format_share(estimate_proportion(197, 200)) == "98.5 % (95.7..99.5)"
    assert format_share(estimate_proportion(0, 0)) == "-"
