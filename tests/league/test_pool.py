from __future__ import annotations

import json

import pytest

from league.pool import OpponentPool


def make_pool(max_snapshots: int, births: int) -> OpponentPool:
    pool = OpponentPool(("random", "greedy"), max_snapshots)
    for number in range(births):
        pool.add(f"main-{number}")
    return pool


def test_scripted_members_come_first_and_snapshots_in_the_order_of_birth() -> None:
    pool = make_pool(max_snapshots=5, births=3)
    assert pool.active == ("random", "greedy", "main-0", "main-1", "main-2")
    assert pool.is_snapshot("main-1")
    assert not pool.is_snapshot("greedy")


def test_the_first_and_the_newest_snapshots_stay_active() -> None:
    pool = make_pool(max_snapshots=3, births=10)
    assert pool.active == ("random", "greedy", "main-0", "main-8", "main-9")
    assert len(pool.snapshots) == 10


def test_eviction_protects_who_must_not_go() -> None:
    """Anchors, the first, the newest, the best, exploiters and the Nash support stay."""
    pool = OpponentPool(("greedy", "search:depth=1"), 8)
    ratings = {f"main-{number}": 1000.0 + number for number in range(30)} | {"main-5": 3000.0}
    for number in range(30):
        pool.add(f"main-{number}", ratings=ratings, support=("main-7",))
        if number == 3:
            pool.add("main_exploiter-0", exploiter=True, ratings=ratings, support=("main-7",))
    assert pool.active[:2] == ("greedy", "search:depth=1")
    assert {"main-0", "main-5", "main-7", "main-28", "main-29"} <= set(pool.active)
    assert "main_exploiter-0" in pool.active
    assert len(pool.active) == 2 + 8
    assert len(pool.snapshots) == 31


def test_the_oldest_unprotected_snapshot_goes_first() -> None:
    pool = make_pool(max_snapshots=4, births=4)
    assert pool.add("main-4") == ("main-1",)
    assert pool.add("main-5", ratings={"main-2": 9.0}) == ("main-3",)


def test_a_pool_of_protected_members_grows() -> None:
    pool = OpponentPool(("greedy",), 2)
    for number in range(6):
        assert pool.add(f"league_exploiter-{number}", exploiter=True) == ()
    assert len(pool.active) == 7
    assert pool.snapshots_of_main() == ()
    assert pool.is_exploiter("league_exploiter-5")


def test_a_pool_of_one_keeps_the_newest() -> None:
    assert make_pool(max_snapshots=1, births=4).active == ("random", "greedy", "main-3")


@pytest.mark.parametrize("name", ["greedy", "main-1"])
def test_a_name_is_given_once(name: str) -> None:
    with pytest.raises(ValueError, match="new name"):
        make_pool(max_snapshots=5, births=2).add(name)


def test_the_state_survives_json() -> None:
    pool = make_pool(max_snapshots=3, births=6)
    resumed = make_pool(max_snapshots=3, births=0)
    resumed.load_state_dict(json.loads(json.dumps(pool.state_dict())))
    for one in (pool, resumed):
        one.add("main-6")
    assert resumed.active == pool.active
    assert resumed.snapshots == pool.snapshots
