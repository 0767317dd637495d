"""Exploiters with synthetic players: what they score is given, what follows is held here."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest

from league.manager import LeagueManager, make_exploiters
from league.roles import MAIN, Exploiter, Role, Turn
from league.settings import EvaluationSettings, LeagueSettings

RATINGS = {"random": 300.0, "noop": 200.0, "greedy": 1000.0}


def make_exploiter(role: Role = "main_exploiter", max_env_steps: int = 10_000) -> Exploiter:
    return Exploiter(role, role, max_env_steps=max_env_steps)


def make_manager(
    *exploiters: Exploiter, seed: int = 0, solo_env_steps: int = 0, **changes: Any
) -> LeagueManager:
    """Return a league with six snapshots of main, at env steps 0 to 5; everyone learns as often."""
    scripted = ("random", "noop", "greedy")
    share = len(exploiters) / (1 + len(exploiters))
    turns = {"exploiter_share": share, "exploiter_turn": 1}
    settings = {"scripted": scripted, "snapshot_every": 250, "slots": 4, **turns}
    league = LeagueSettings(**{**settings, **changes})
    evaluation = EvaluationSettings(opponents=("random", "greedy"), pairs=2)
    manager = LeagueManager(
        league,
        evaluation,
        total_env_steps=10_000,
        seed=seed,
        exploiters=exploiters,
        solo_env_steps=solo_env_steps,
    )
    for steps in range(6):
        manager.add_snapshot(steps)
    return manager


def both() -> tuple[Exploiter, Exploiter]:
    return make_exploiter("main_exploiter"), make_exploiter("league_exploiter")


def score(manager: LeagueManager, turn: Turn, chance: float, games: int = 64) -> None:
    """Play an iteration of which the learner wins a fixed share."""
    results = [
        (turn.opponents[k % len(turn.opponents)], float(k % 100 < 100 * chance))
        for k in range(games)
    ]
    manager.record_games(results, learner=turn.learner, env_steps=100)


def test_learners_take_turns() -> None:
    manager = make_manager(*both())
    learners = [manager.next_turn(RATINGS).learner for _ in range(6)]
    assert learners == ["main", "main_exploiter", "league_exploiter"] * 2


@pytest.mark.parametrize("share", [0.05, 0.1, 0.25, 0.3, 0.5, 0.9])
def test_exploiters_have_their_share_evenly_spread(share: float) -> None:
    manager = make_manager(*both(), exploiter_share=share)
    learners = [manager.next_turn(RATINGS).learner for _ in range(200)]
    drawn = Counter(learners)
    assert drawn[MAIN] == round(200 * (1 - share))
    assert drawn["main_exploiter"] - drawn["league_exploiter"] in (0, 1)
    turns = [learner != MAIN for learner in learners]
    assert all(abs(sum(turns[:number]) - number * share) < 1 for number in range(200))


def test_a_turn_has_several_iterations() -> None:
    manager = make_manager(*both(), exploiter_turn=3)
    turns = [manager.next_turn(RATINGS) for _ in range(18)]
    names = [MAIN, "main_exploiter", "league_exploiter"] * 2
    assert [turn.learner for turn in turns] == [name for name in names for _ in range(3)]
    starts = [turn.start_from is not None for turn in turns]
    assert [index for index, starting in enumerate(starts) if starting] == [3, 6]


def test_exploiters_wait_until_main_has_learned_to_clear() -> None:
    """They begin with main's first snapshot after the solo phase, and from none before it."""
    manager = make_manager(make_exploiter(), solo_env_steps=6)
    assert {manager.next_turn(RATINGS).learner for _ in range(10)} == {MAIN}
    assert manager.add_snapshot(6) == "main-0006"
    turns = [manager.next_turn(RATINGS) for _ in range(2)]
    assert [turn.learner for turn in turns] == [MAIN, "main_exploiter"]
    assert turns[1].start_from == "main-0006"


def test_settings_make_the_exploiters() -> None:
    settings = LeagueSettings(main_exploiters=2, league_exploiters=1, exploiter_env_steps=7)
    made = make_exploiters(settings)
    assert [one.name for one in made] == [
        "main_exploiter_1",
        "main_exploiter_2",
        "league_exploiter_1",
    ]
    made[0].record([], 6)
    assert (made[0].is_freeze_due(), made[0].share) == (False, 6 / 7)
    made[0].record([], 6)
    assert (made[0].is_freeze_due(), made[0].share) == (True, 1.0)


def test_without_exploiters_main_always_learns() -> None:
    manager = make_manager()
    assert {manager.next_turn(RATINGS).learner for _ in range(5)} == {MAIN}


def test_an_exploiter_starts_from_a_snapshot_of_main_once() -> None:
    manager = make_manager(make_exploiter())
    turns = [manager.next_turn(RATINGS) for _ in range(6)]
    assert [turn.start_from is not None for turn in turns] == [False, True, *[False] * 4]
    assert manager.pool.is_snapshot(str(turns[1].start_from))


def test_starts_are_the_first_or_recent_snapshots_of_main() -> None:
    starts = Counter(make_starting(seed)[1] for seed in range(200))
    assert set(starts) == {"main-0000", "main-0002", "main-0003", "main-0004", "main-0005"}
    assert 70 < starts["main-0000"] < 130


def make_starting(seed: int) -> tuple[LeagueManager, str | None]:
    manager = make_manager(make_exploiter(), seed=seed)
    manager.next_turn(RATINGS)
    return manager, manager.next_turn(RATINGS).start_from


def test_a_main_exploiter_plays_main_and_falls_back_to_its_past() -> None:
    manager = make_manager(make_exploiter())
    manager.next_turn(RATINGS)
    turn = manager.next_turn(RATINGS)
    assert turn.opponents == (MAIN,) * 4
    score(manager, turn, 0.05)
    manager.next_turn(RATINGS)
    turn = manager.next_turn(RATINGS)
    assert set(turn.opponents) <= {f"main-{number:04d}" for number in range(6)}
    assert not manager.is_exploiter_due("main_exploiter")


def test_practice_on_the_past_is_no_win_over_main() -> None:
    exploiter = make_exploiter()
    exploiter.record([("main-0001", 1.0)] * 500, 100)
    assert not exploiter.is_freeze_due()
    exploiter.record([(MAIN, 1.0)] * 80, 100)
    assert exploiter.is_freeze_due()


@pytest.mark.parametrize(
    ("wins", "games", "due"), [(63, 63, False), (48, 64, True), (40, 64, False), (640, 1000, True)]
)
def test_it_is_frozen_when_it_surely_wins(wins: int, games: int, due: bool) -> None:
    """The lower end of the interval at 0.6, and 64 games: a streak of 63 is none."""
    exploiter = make_exploiter()
    exploiter.record([(MAIN, 1.0)] * wins + [(MAIN, 0.0)] * (games - wins), 100)
    assert exploiter.is_freeze_due() is due


def test_it_is_frozen_after_its_time() -> None:
    exploiter = make_exploiter(max_env_steps=300)
    for _ in range(3):
        assert not exploiter.is_freeze_due()
        exploiter.record([(MAIN, None)], 100)
    assert exploiter.is_freeze_due()


@pytest.mark.parametrize("seed", range(6))
def test_a_main_exploiter_is_stored_before_it_starts_anew(seed: int) -> None:
    """The snapshot is named while the exploiter still has the weights that won."""
    manager = make_manager(make_exploiter(), seed=seed)
    manager.next_turn(RATINGS)
    turn = manager.next_turn(RATINGS)
    weights = "those that won"
    score(manager, turn, 0.9)
    assert manager.is_exploiter_due("main_exploiter")
    name, parent = manager.add_exploiter("main_exploiter", RATINGS)
    stored = {name: weights}
    assert (name, parent) == ("main_exploiter-0000", turn.start_from)
    manager.next_turn(RATINGS)
    again = manager.next_turn(RATINGS)
    weights = str(again.start_from)
    assert weights.startswith("main-")
    assert stored == {"main_exploiter-0000": "those that won"}
    assert not manager.is_exploiter_due("main_exploiter")
    assert manager.pool.is_exploiter(name)


@pytest.mark.parametrize(
    ("role", "low", "high"), [("league_exploiter", 70, 130), ("main_exploiter", 400, 400)]
)
def test_resets_come_as_often_as_the_role_says(role: Role, low: int, high: int) -> None:
    exploiter, rng = make_exploiter(role), np.random.default_rng(0)
    fresh = 0
    for _ in range(400):
        exploiter.record([(MAIN, 1.0)] * 100, 1)
        assert exploiter.is_freeze_due()
        exploiter.freeze(["main-0000"], rng)
        fresh += exploiter.take_start() is not None
        assert not exploiter.is_freeze_due()
    assert low <= fresh <= high


def test_a_league_exploiter_goes_where_it_loses() -> None:
    manager = make_manager(make_exploiter("league_exploiter"), floor=0.0)
    manager.next_turn(RATINGS)
    turn = manager.next_turn(RATINGS)
    assert MAIN not in turn.opponents
    results = [(name, float(name != "noop")) for name in manager.pool.active for _ in range(500)]
    manager.record_games(results, learner="league_exploiter", env_steps=1)
    drawn: Counter[str] = Counter()
    for _ in range(100):
        manager.next_turn(RATINGS)
        drawn.update(manager.next_turn(RATINGS).opponents)
    assert drawn["noop"] > 0.8 * drawn.total()


def test_exploiters_leave_mains_own_draws_alone() -> None:
    """Main's opponents come from a stream of their own, in the same order with or without them."""
    alone, crowded = make_manager(), make_manager(*both())
    expected = [alone.next_turn(RATINGS).opponents for _ in range(4)]
    turns = [crowded.next_turn(RATINGS) for _ in range(12)]
    assert [turn.opponents for turn in turns if turn.learner == MAIN] == expected


def test_main_meets_the_exploiters_and_is_not_rated_by_them() -> None:
    manager = make_manager(make_exploiter(), floor=0.0, matchmaking="pfsp")
    manager.next_turn(RATINGS)
    manager.next_turn(RATINGS)
    name, _ = manager.add_exploiter("main_exploiter", RATINGS)
    manager.record_games([(name, 0.0)] * 60)
    shares = manager.opponent_shares(RATINGS)
    # The newest snapshot of main keeps its 35 %; the unanswered exploiter gets the verification.
    assert shares["main-0005"] > 0.35
    assert shares[name] > 0.15
    assert manager.plan_evaluation("main-0005")[-1].players[1].startswith("main-")


def test_the_state_survives_json() -> None:
    def go_on(manager: LeagueManager) -> list[object]:
        turns = [manager.next_turn(RATINGS) for _ in range(9)]
        return [*turns, manager.add_exploiter("league_exploiter"), manager.state_dict()]

    manager = make_manager(*both())
    for _ in range(7):
        turn = manager.next_turn(RATINGS)
        score(manager, turn, 0.8)
        if manager.is_exploiter_due(turn.learner):
            manager.add_exploiter(turn.learner)
    resumed = make_manager(*both())
    resumed.load_state_dict(json.loads(json.dumps(manager.state_dict())))
    assert go_on(resumed) == go_on(manager)


def test_impossible_exploiters_are_refused() -> None:
    with pytest.raises(ValueError, match="main_exploiter or league_exploiter"):
        make_exploiter("main")
    with pytest.raises(ValueError, match="max_env_steps"):
        make_exploiter(max_env_steps=0)
