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
