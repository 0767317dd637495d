from __future__ import annotations

import numpy as np
import pytest

from league.statistics.elo import ELO_PER_NAT, sigmoid
from league.statistics.online_elo import OnlineElo, trace_online_elo


def test_an_even_win_moves_half_of_k() -> None:
    elo = OnlineElo(anchor="greedy")
    elo.add("a", "b", 1.0)
    assert (elo["a"], elo["b"]) == (1008.0, 992.0)


def test_the_anchor_stays() -> None:
    elo = OnlineElo(anchor="greedy")
    elo.add("a", "greedy", 1.0)
    assert (elo["a"], elo["greedy"]) == (1008.0, 1000.0)


def test_a_newcomer_starts_at_its_parent_and_small_changes_are_kept() -> None:
    elo = OnlineElo(anchor="greedy")
    for _ in range(500):
        elo.add("old", "greedy", 1.0)
    elo.enter("new", "old")
    assert elo["new"] == elo["old"] > 1500
    before = elo["greedy"], elo["new"]
    elo.add("weak", "new", 0.0)
    # A rating that is rounded to whole points would not move here.
    assert before[1] < elo["new"] < before[1] + 1
    elo.enter("stranger", None)
    assert elo["stranger"] == 1000


def test_the_curve_wanders_around_the_truth() -> None:
    rng = np.random.default_rng(0)
    chance = sigmoid(200 / ELO_PER_NAT)
    games = [("a", "g", float(rng.random() < chance)) for _ in range(4000)]
    curve = trace_online_elo(games, anchor="g", player="a")
    assert len(curve) == 4000
    assert np.mean(curve[1000:]) == pytest.approx(1200, abs=15)
    assert np.std(curve[1000:]) > 15


def test_k_is_positive() -> None:
    with pytest.raises(ValueError, match="k > 0"):
        OnlineElo(anchor="g", k=0)
