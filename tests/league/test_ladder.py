"""The ladder: which pairs it plays, when it stops, and that a kill costs nothing but a batch."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from envs.game.setup import NUM_SEEDS
from league.config import render_config
from league.ladder import (
    LadderError,
    LadderPlan,
    choose_match_ups,
    climb_ladder,
    list_wide,
    plan_pair,
)
from league.manager import PlannedPair
from league.payoff import Payoff
from league.ratings import Tally, fit_ratings
from league.records import Condition, GameRow, IterationRow, Result, utc_now
from league.rng import make_rng
from league.rundir import RunDir
from league.settings import EnvSettings, EvaluationSettings, RunConfig, RunSettings
from league.standings import rate_players, rating_rows
from league.statistics.elo import ELO_PER_NAT, sigmoid
from league.store import Store
from tests.native import needs_native

TRUTH = {"greedy": 1000.0, "a": 900.0, "b": 1100.0, "c": 1120.0, "weak": 650.0}
CONDITION = Condition((0, 0), (1, 1), "fake", 100)
PLAN = LadderPlan("greedy", 1000.0, seed=3, target=60.0, max_pairs=1000, batch=20)


def play(pairs: Sequence[PlannedPair]) -> list[list[GameRow]]:
    """Games whose results follow from true ratings and the plan."""
    return [
        [make_row(pair, players, seat) for seat, players in enumerate((pair.players, swap(pair)))]
        for pair in pairs
    ]


def swap(pair: PlannedPair) -> tuple[str, str]:
    return pair.players[1], pair.players[0]


def make_row(pair: PlannedPair, players: tuple[str, str], seat: int) -> GameRow:
    chance = sigmoid((TRUTH[players[0]] - TRUTH[players[1]]) / ELO_PER_NAT)
    rng = make_rng(pair.policy_seed, f"fake/{seat}")
    result: Result = "win" if rng.random() < chance else "loss"
    return GameRow(
        "evaluation",
        CONDITION,
        pair.round_seed,
        players,
        result,
        "clear",
        900,
        policy_seed=pair.policy_seed,
    )


def fill(store: Store, pairs: int = 10) -> None:
    """Record what a run would have: everybody against the anchor."""
    games = []
    for number, name in enumerate(name for name in TRUTH if name != "greedy"):
        planned = [
            PlannedPair((name, "greedy"), 100 * number + n, 50_000 + 100 * number + n)
            for n in range(pairs)
        ]
        for n, both in enumerate(play(planned)):
            games += [replace(game, pair=number * pairs + n) for game in both]
    store.commit_iteration(
        IterationRow(0, 0, utc_now()),
        games=games,
        rate=lambda inside: rating_rows(0, rate_players(inside, "greedy")),
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.create(tmp_path / "league.sqlite") as opened:
        fill(opened)
        yield opened


def test_the_ladder_ends_with_narrow_intervals(store: Store) -> None:
    before = store.count_games()
    batches: list[int] = []
    result = climb_ladder(store, PLAN, play, lambda pairs, _: batches.append(pairs))
    assert result.wide == ()
    assert 0 < result.pairs < PLAN.max_pairs
    assert sum(batches) == result.pairs
    assert store.count_games() == before + 2 * result.pairs
    recorded = {row.player: row for row in store.ratings()}
    for name, truth in TRUTH.items():
        row = recorded[name]
        assert row.lower - 1 <= truth <= row.upper + 1
        assert (row.upper - row.lower) / 2 <= PLAN.target
    pairs = [game.pair for _, game in store.games("evaluation")]
    assert set(Counter(pairs).values()) == {2}


def test_it_stops_at_the_most_pairs_and_names_who_is_wide(store: Store) -> None:
    result = climb_ladder(store, replace(PLAN, target=5.0, max_pairs=30), play)
    assert result.pairs == 30
    assert {"a", "b", "c"} <= set(result.wide)
    assert climb_ladder(store, replace(PLAN, target=1e6), play).pairs == 0


def test_a_kill_costs_the_batch_at_hand_alone(tmp_path: Path) -> None:
    whole, broken = (Store.create(tmp_path / f"{name}.sqlite") for name in ("whole", "broken"))
    for one in (whole, broken):
        fill(one)
    climb_ladder(whole, replace(PLAN, max_pairs=60), play)
    played = 0

    def play_and_die(pairs: Sequence[PlannedPair]) -> list[list[GameRow]]:
        nonlocal played
        played += len(pairs)
        if played > 40:
            raise KeyboardInterrupt
        return play(pairs)

    with pytest.raises(KeyboardInterrupt):
        climb_ladder(broken, replace(PLAN, max_pairs=60), play_and_die)
    assert broken.count_games() == 80 + 80
    climb_ladder(broken, replace(PLAN, max_pairs=20), play)
    assert list(broken.games("evaluation")) == list(whole.games("evaluation"))
    assert broken.ratings() == whole.ratings()
    whole.close()
    broken.close()


def test_rounds_of_the_ladder_are_not_those_of_the_run() -> None:
    plans = [plan_pair(7, number, ("a", "b")) for number in range(200)]
    taken = make_rng(7, "evaluation/rounds").permutation(NUM_SEEDS)[:5000].tolist()
    assert len({plan.round_seed for plan in plans}) == 200
    assert not {plan.round_seed for plan in plans} & set(taken)
    assert plans[3] == plan_pair(7, 3, ("a", "b"))


def test_informative_pairs_come_first() -> None:
    """Near equals tell more than a mismatch, and nobody plays whom the games know well."""
    tallies = [
        Tally("greedy", "strong", 3, 3),
        Tally("greedy", "known", 300, 300),
        Tally("greedy", "weak", 200, 2),
    ]
    ratings = fit_ratings(tallies, anchor="greedy")
    chosen = choose_match_ups(ratings, list_wide(ratings, 50.0), 4)
    assert all("strong" in pair for pair in chosen)
    assert set(chosen) <= {("greedy", "strong"), ("known", "strong")}


def test_a_pair_narrows_what_it_promises() -> None:
    """The chosen pair is the one that a fit with one more even pair finds most useful."""
    rng = np.random.default_rng(0)
    names = ["greedy", "a", "b", "c"]
    tallies = []
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            games = int(rng.integers(4, 60))
            wins = int(rng.binomial(games, sigmoid((TRUTH[first] - TRUTH[second]) / ELO_PER_NAT)))
            tallies.append(Tally(first, second, wins, games - wins))
    ratings = fit_ratings(tallies, anchor="greedy")
    wide = ("a", "b", "c")
    ((first, second),) = choose_match_ups(ratings, wide, 1)

    def total_variance(pair: tuple[str, str]) -> float:
        chance = ratings.predicted_scores()[names_of(pair)]
        more = Tally(*pair, round(200 * chance), 200 - round(200 * chance))
        return float(np.trace(fit_ratings([*tallies, more], anchor="greedy").covariance))

    def names_of(pair: tuple[str, str]) -> tuple[int, int]:
        return ratings.names.index(pair[0]), ratings.names.index(pair[1])

    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    order = sorted(pairs, key=total_variance)
    assert {first, second} in [set(pair) for pair in order[:2]]


def test_players_that_nobody_beats_are_settled_in_the_end() -> None:
    few = fit_ratings([Tally("greedy", "weak", 20, 0)], anchor="greedy")
    many = fit_ratings([Tally("greedy", "weak", 80, 0)], anchor="greedy")
    assert math.isinf(few["weak"].lower)
    assert list_wide(few, 50.0) == ("weak",)
    assert list_wide(many, 50.0) == ()


def test_plans_and_runs_that_make_no_ladder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LadderError, match="expected target > 0"):
        replace(PLAN, target=0.0)
    with (
        Store.create(tmp_path / "league.sqlite") as empty,
        pytest.raises(LadderError, match="two rated players"),
    ):
        climb_ladder(empty, PLAN, play)


@needs_native
def test_the_commands_work_on_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from league.cli import app

    monkeypatch.chdir(tmp_path)
    config = RunConfig(
        run=RunSettings(name="tiny"),
        env=EnvSettings(backend="simulator"),
        evaluation=EvaluationSettings(opponents=("greedy",), level=0, max_frames=3000),
    )
    run_dir = RunDir.create(Path("runs/tiny"), render_config(config))
    row = GameRow(
        "evaluation",
        Condition((0, 0), (1, 1), "simulator", 3000),
        1,
        ("search:depth=1", "greedy"),
        "win",
        "clear",
        900,
        pair=0,
        policy_seed=0,
    )
    with Store.create(run_dir.database) as store:
        store.commit_iteration(IterationRow(0, 0, utc_now()), games=[row])
    command = ["ladder", "tiny", "--max-pairs", "6", "--batch", "4", "--json"]
    climbed = CliRunner().invoke(app, command)
    assert climbed.exit_code == 0, climbed.output
    report = json.loads(climbed.stdout)
    assert report["pairs"] == 6
    assert {line["player"] for line in report["ladder"]} == {"greedy", "search:depth=1"}

    shown = CliRunner().invoke(app, ["payoff", "tiny"])
    lines = shown.stdout.splitlines()
    assert lines[0] == "seat_0,seat_1,wins,draws,losses,stopped"
    assert len(lines) == 3
    assert sum(int(cell) for line in lines[1:] for cell in line.split(",")[2:]) == 13
    npz = CliRunner().invoke(app, ["payoff", "tiny", "--format", "npz", "--output", "p.npz"])
    assert npz.exit_code == 0
    with np.load("p.npz", allow_pickle=False) as arrays, Store(run_dir.database) as store:
        payoff = Payoff.from_counts(store.count_results("evaluation"))
        assert arrays["names"].tolist() == list(payoff.names)
        assert (arrays["wins"] == payoff.wins).all()
        assert np.array_equal(arrays["scores"], payoff.scores(), equal_nan=True)
    assert CliRunner().invoke(app, ["payoff", "tiny", "--format", "npz"]).exit_code == 2
