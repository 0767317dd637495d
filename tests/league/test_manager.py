from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from scipy.stats import chisquare

from league.manager import LeagueManager
from league.payoff import Payoff
from league.records import ResultCount
from league.settings import EvaluationSettings, LeagueSettings

RATINGS = {"random": 300.0, "noop": 200.0, "greedy": 1000.0, "main-0000": 350.0}


def make_manager(seed: int = 0, total: int = 1000, **changes: Any) -> LeagueManager:
    scripted = ("random", "noop", "greedy")
    settings = {"scripted": scripted, "snapshot_every": 250, "slots": 3, **changes}
    league = LeagueSettings(**settings)
    evaluation = EvaluationSettings(opponents=("random", "greedy"), past_snapshots=2, pairs=4)
    return LeagueManager(league, evaluation, total_env_steps=total, seed=seed)


def run_to_the_end(manager: LeagueManager, total: int, batch: int) -> list[int]:
    """Train in steps of `batch` and return the env steps at which a snapshot was taken."""
    taken, steps = [], 0
    while True:
        last = steps >= total
        if manager.is_snapshot_due(steps, last=last):
            manager.add_snapshot(steps)
            taken.append(steps)
        if last:
            return taken
        steps += batch


@pytest.mark.parametrize(
    ("batch", "expected"),
    [
        (50, [0, 250, 500, 750, 1000]),
        (60, [0, 300, 600, 900, 1020]),
        (120, [0, 360, 720, 1080]),
        (130, [0, 260, 520, 780, 1040]),
        (230, [0, 460, 920, 1150]),
        (1000, [0, 1000]),
    ],
)
def test_snapshots_lie_a_tenth_of_the_run_apart(batch: int, expected: list[int]) -> None:
    taken = run_to_the_end(make_manager(), 1000, batch)
    assert taken == expected
    assert min(b - a for a, b in pairwise(taken)) >= 100


def test_no_last_snapshot_right_after_another() -> None:
    assert run_to_the_end(make_manager(snapshot_every=480), 1000, 50) == [0, 500, 1000]
    assert run_to_the_end(make_manager(snapshot_every=310), 1000, 50) == [0, 350, 700, 1000]
    assert run_to_the_end(make_manager(snapshot_every=475), 1000, 50) == [0, 500, 1000]
    assert run_to_the_end(make_manager(snapshot_every=950), 1000, 50) == [0, 950]


def test_snapshots_that_come_quickly_still_end_the_run() -> None:
    taken = run_to_the_end(make_manager(total=10_000, snapshot_every=60), 10_000, 50)
    assert taken[-1] == 10_000


def test_snapshots_are_numbered_and_join_the_pool() -> None:
    manager = make_manager()
    assert [manager.add_snapshot(steps) for steps in (0, 250)] == ["main-0000", "main-0001"]
    assert manager.pool.active == ("random", "noop", "greedy", "main-0000", "main-0001")


def test_every_slot_gets_an_opponent_of_the_pool() -> None:
    manager = make_manager()
    assert len(manager.choose_opponents({})) == 3
    assert set(manager.choose_opponents({})) <= {"random", "noop", "greedy"}


def test_opponents_are_drawn_by_their_shares() -> None:
    manager = make_manager()
    manager.add_snapshot(0)
    shares = manager.opponent_shares(RATINGS)
    drawn = Counter(name for _ in range(3000) for name in manager.choose_opponents(RATINGS))
    observed = [drawn[name] for name in shares]
    assert chisquare(observed, [share * 9000 for share in shares.values()]).pvalue > 0.001
    # The learner stands where its newest rated snapshot stands, far below `greedy`.
    assert max(shares, key=shares.__getitem__) == "main-0000"
    assert min(shares, key=shares.__getitem__) == "greedy"


def test_the_learner_stands_where_its_newest_snapshot_stands() -> None:
    manager = make_manager()
    for steps in (0, 250):
        manager.add_snapshot(steps)
    shares = manager.opponent_shares({**RATINGS, "main-0001": 990.0})
    assert max(shares, key=shares.__getitem__) == "main-0001"
    assert shares["greedy"] > shares["main-0000"]


def test_a_newborn_is_not_taken_for_the_learner_before_it_is_rated() -> None:
    manager = make_manager(floor=0.0)
    manager.add_snapshot(0)
    before = manager.opponent_shares(RATINGS)
    manager.add_snapshot(250)
    after = manager.opponent_shares(RATINGS)
    assert after["greedy"] / after["main-0000"] == pytest.approx(
        before["greedy"] / before["main-0000"]
    )


def test_a_snapshot_meets_scripted_players_and_a_spread_of_its_past() -> None:
    manager = make_manager()
    opponents = []
    for number in range(5):
        plan = manager.plan_evaluation(manager.add_snapshot(number * 250))
        assert {pair.players[0] for pair in plan} == {f"main-{number:04d}"}
        counts = Counter(pair.players[1] for pair in plan)
        assert set(counts.values()) == {4}
        opponents.append(list(counts))
    assert opponents == [
        ["random", "greedy"],
        ["random", "greedy", "main-0000"],
        ["random", "greedy", "main-0001", "main-0000"],
        ["random", "greedy", "main-0002", "main-0000"],
        ["random", "greedy", "main-0003", "main-0000"],
    ]


def test_no_rated_round_comes_twice() -> None:
    manager = make_manager(total=10**9)
    seeds = [
        pair.round_seed
        for number in range(200)
        for pair in manager.plan_evaluation(manager.add_snapshot(number))
    ]
    assert len(set(seeds)) == len(seeds) > 2500
    assert all(0 <= seed < 32767 for seed in seeds)


def test_the_same_seed_decides_the_same() -> None:
    def decide(seed: int) -> list[object]:
        manager = make_manager(seed)
        snapshot = manager.add_snapshot(0)
        return [manager.choose_opponents(RATINGS), manager.plan_evaluation(snapshot)]

    assert decide(1) == decide(1)
    assert decide(1) != decide(2)


def test_drawing_opponents_does_not_shift_the_rated_games() -> None:
    quiet, busy = make_manager(), make_manager()
    for _ in range(10):
        busy.choose_opponents({})
    plans = [one.plan_evaluation(one.add_snapshot(0)) for one in (quiet, busy)]
    assert plans[0] == plans[1]


def test_the_state_survives_json() -> None:
    def go_on(manager: LeagueManager) -> list[object]:
        assert not manager.is_snapshot_due(400)
        assert manager.is_snapshot_due(500)
        snapshot = manager.add_snapshot(500)
        return [
            snapshot,
            manager.plan_evaluation(snapshot),
            [manager.choose_opponents(RATINGS) for _ in range(5)],
        ]

    manager = make_manager()
    for steps in (0, 250):
        manager.plan_evaluation(manager.add_snapshot(steps))
        manager.choose_opponents(RATINGS)
    state = json.loads(json.dumps(manager.state_dict()))
    resumed = make_manager()
    resumed.load_state_dict(state)
    assert go_on(resumed) == go_on(manager)


def test_the_state_of_another_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="seed"):
        make_manager(seed=1).load_state_dict(make_manager(seed=0).state_dict())


def test_a_clearly_stronger_main_is_frozen_early() -> None:
    manager = make_manager(snapshot_gate="gsprt")
    manager.add_snapshot(0)
    manager.record_games([("main-0000", 1.0)] * 80)
    # A quarter of the usual distance must lie between two snapshots all the same.
    assert not manager.is_snapshot_due(60)
    assert manager.is_snapshot_due(70)
    manager.add_snapshot(70)
    assert not manager.is_snapshot_due(200)


def test_wins_over_others_are_no_reason_to_freeze_early() -> None:
    manager = make_manager(snapshot_gate="gsprt")
    manager.add_snapshot(0)
    manager.record_games([("random", 1.0)] * 500)
    assert not manager.is_snapshot_due(200)


def test_time_alone_needs_games_but_at_the_end() -> None:
    manager = make_manager(snapshot_min_games=50)
    manager.add_snapshot(0)
    manager.record_games([("random", 1.0)] * 49)
    assert not manager.is_snapshot_due(999)
    assert manager.is_snapshot_due(1000, last=True)
    manager.record_games([("random", None)])
    assert manager.is_snapshot_due(250)


def test_what_main_scored_steers_whom_it_meets() -> None:
    manager = make_manager(matchmaking="pfsp")
    manager.add_snapshot(0)
    before = manager.opponent_shares(RATINGS)["noop"]
    manager.record_games([("noop", 0.0)] * 50)
    assert manager.opponent_shares(RATINGS)["noop"] > 2 * before


def test_retired_snapshots_can_still_be_rated() -> None:
    """D4: eviction takes a snapshot out of the draw, not out of the world."""
    manager = make_manager(max_snapshots=2, total=10**9)
    for number in range(6):
        manager.add_snapshot(number, RATINGS, Payoff.from_counts([]))
    assert "main-0002" not in manager.opponent_shares(RATINGS)
    assert {pair.players[1] for pair in manager.plan_evaluation("main-0002")} == {
        "random",
        "greedy",
        "main-0000",
        "main-0001",
    }


def test_the_nash_support_is_not_retired() -> None:
    """`main-0001` is worst by rating, but alone beats the one that beats everyone."""
    manager = make_manager(max_snapshots=3)
    names = [f"main-{number:04d}" for number in range(7)]
    counts = [ResultCount((a, b), "win", 400) for a, b in pairwise(reversed(names))]
    counts += [ResultCount(("main-0001", name), "win", 4000) for name in names[2:]]
    counts += [ResultCount(("greedy", "main-0001"), "win", 4000)]
    counts += [ResultCount((name, "greedy"), "win", 4000) for name in names[2:]]
    for number in range(7):
        manager.add_snapshot(number, RATINGS, Payoff.from_counts(counts))
    assert "main-0001" in manager.pool.active
