from __future__ import annotations

import json

import pytest

from league.recent import HALF_LIFE, RecentResults


def test_games_fade_by_half_in_so_many_updates() -> None:
    recent = RecentResults()
    recent.update([("a", 1.0), ("a", 0.5), ("b", 0.0), ("b", None)])
    assert recent.points(["a", "b", "c"]).tolist() == [1.5, 0, 0]
    assert recent.games(["a", "b", "c"]).tolist() == [2, 1, 0]
    for _ in range(HALF_LIFE):
        recent.update([])
    assert recent.points(["a"])[0] == pytest.approx(0.75)
    assert recent.games(["a", "b"]) == pytest.approx([1.0, 0.5])


def test_the_long_forgotten_are_dropped() -> None:
    recent = RecentResults()
    recent.update([("a", 1.0)])
    for _ in range(HALF_LIFE * 11):
        recent.update([])
    assert recent.state_dict() == {"points": {}, "games": {}}


def test_the_state_survives_json() -> None:
    recent, resumed = RecentResults(), RecentResults()
    for number in range(7):
        recent.update([("a", 1.0), (f"b{number}", 0.5)])
    resumed.load_state_dict(json.loads(json.dumps(recent.state_dict())))
    for one in (recent, resumed):
        one.update([("a", 0.0)])
    assert resumed.state_dict() == recent.state_dict()
    recent.clear()
    assert recent.games(["a"])[0] == 0
