"""The curve called online: where the newest snapshot stands after every game, and no rating."""

from __future__ import annotations

from league.records import PairRow, SnapshotRow
from league.settings import LeagueSettings
from league.statistics.online_elo import K, trace_online_elo
from league.tracking.loop_metrics import find_online_elo

LEAGUE = LeagueSettings(anchor="greedy", anchor_rating=1000.0)


def make_snapshot(number: int) -> SnapshotRow:
    parent = f"main-{number - 1:04d}" if number else None
    return SnapshotRow(f"main-{number:04d}", "main", parent, number, number, "", "", {})


SNAPSHOTS = [make_snapshot(number) for number in range(2)]


def test_it_moves_with_every_game_and_not_with_stopped_ones() -> None:
    pairs = [
        PairRow(0, ("main-0000", "greedy"), ("win", "stopped")),
        PairRow(1, ("greedy", "main-0000"), ("win", "draw")),
    ]
    games = [
        ("main-0000", "greedy", 1.0),
        ("greedy", "main-0000", 1.0),
        ("greedy", "main-0000", 0.5),
    ]
    expected = trace_online_elo(games, anchor="greedy", player="main-0000")
    assert find_online_elo("main-0000", SNAPSHOTS, pairs, LEAGUE) == expected[-1]
    assert find_online_elo("main-0000", SNAPSHOTS, pairs[:1], LEAGUE) == 1000 + K / 2


def test_a_new_snapshot_begins_where_its_parent_stands() -> None:
    pairs = [
        PairRow(0, ("main-0000", "greedy"), ("win", "win")),
        PairRow(1, ("main-0001", "main-0000"), ("draw", "draw")),
    ]
    parent = find_online_elo("main-0000", SNAPSHOTS, pairs[:1], LEAGUE)
    assert find_online_elo("main-0001", SNAPSHOTS, pairs, LEAGUE) == parent > 1000
