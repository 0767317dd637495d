"""Evaluation games: swapped pairs, repeatable, in a process whose failures are seen."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from envs.backends.base import Backend
from envs.backends.reference import ReferenceBackend
from envs.game.layout import Speed
from envs.game.setup import canonical_word, seed_to_word
from league.evaluation import (
    EvaluationError,
    EvaluationSetup,
    Evaluator,
    open_simulator,
    play_pair,
)
from league.manager import PlannedPair
from league.records import GameRow
from league.snapshots import save_snapshot
from policies.base import View
from policies.network import NetworkConfig, build_network
from policies.replay import decode_replay

SIZES: dict[str, Any] = {"kind": "column", "column_features": 2, "hidden": 4}


def open_reference() -> Backend:
    return ReferenceBackend(rendering=False)


def open_nothing() -> Backend:
    raise RuntimeError("no game here")


def make_setup(folder: Path, open_backend: object = open_reference) -> EvaluationSetup:
    return EvaluationSetup(
        open_backend=open_backend,  # type: ignore[arg-type]
        levels=(0, 1),
        speeds=(Speed.MED, Speed.HI),
        max_frames=900,
        snapshots=folder,
    )


def make_snapshot(folder: Path, name: str, greedy: bool) -> None:
    torch.manual_seed(0)
    network = build_network(NetworkConfig(**SIZES))
    save_snapshot(
        folder / name,
        run="test",
        snapshot_id=name,
        env_steps=0,
        network=SIZES,
        weights={key: value.numpy() for key, value in network.state_dict().items()},
        view=View("compact", "buttons", action_repeat=8, greedy=greedy),
    )


def collect_all(evaluator: Evaluator, seconds: float = 60.0) -> list[tuple[GameRow, GameRow]]:
    played: list[tuple[GameRow, GameRow]] = []
    deadline = time.monotonic() + seconds
    while evaluator.waiting:
        assert time.monotonic() < deadline
        played += evaluator.collect(1.0)
    return played


def test_a_pair_is_one_round_with_the_players_swapped(tmp_path: Path) -> None:
    pair = PlannedPair(("greedy", "random"), round_seed=5, policy_seed=9)
    first, second = play_pair(make_setup(tmp_path), pair, ReferenceBackend(rendering=False))
    assert first.players == ("greedy", "random")
    assert second.players == ("random", "greedy")
    assert first.seed == second.seed == canonical_word(seed_to_word(5))
    assert first.condition == second.condition
    assert first.condition.levels == (0, 1)
    assert first.condition.speeds == (int(Speed.MED), int(Speed.HI))
    assert first.policy_seed == 9
    assert first.purpose == "evaluation"
    for row in (first, second):
        assert row.replay is not None
        assert len(list(decode_replay(row.replay))) == row.frames


def test_a_pair_depends_on_its_plan_alone(tmp_path: Path) -> None:
    setup, backend = make_setup(tmp_path), ReferenceBackend(rendering=False)
    plans = [PlannedPair(("random", "noop"), 3, seed) for seed in (1, 2, 1)]
    rows = [play_pair(setup, plan, backend) for plan in plans]
    assert rows[0] == rows[2]
    assert rows[0][0].replay != rows[1][0].replay


def test_a_player_draws_the_same_in_neither_game(tmp_path: Path) -> None:
    pair = PlannedPair(("random", "random"), 3, 1)
    first, second = play_pair(make_setup(tmp_path), pair, ReferenceBackend(rendering=False))
    assert first.replay is not None
    pads = list(decode_replay(first.replay))
    assert [left for left, _ in pads] != [right for _, right in pads]
    assert first.replay != second.replay


def test_games_without_draws_are_logged_under_seed_zero(tmp_path: Path) -> None:
    make_snapshot(tmp_path, "main-0000", greedy=True)
    setup, backend = make_setup(tmp_path), ReferenceBackend(rendering=False)
    for opponent, expected in (("noop", 0), ("random", 7)):
        rows = play_pair(setup, PlannedPair(("main-0000", opponent), 1, 7), backend)
        assert [row.policy_seed for row in rows] == [expected] * 2


def test_frame_limit_is_no_draw(tmp_path: Path) -> None:
    rows = play_pair(
        make_setup(tmp_path), PlannedPair(("noop", "noop"), 1, 1), ReferenceBackend(rendering=False)
    )
    assert {row.reason for row in rows} == {"frame_limit"}
    assert {row.result for row in rows} == {"stopped"}


def test_the_process_plays_what_this_process_would(tmp_path: Path) -> None:
    make_snapshot(tmp_path, "main-0000", greedy=False)
    setup = make_setup(tmp_path)
    plans = [
        PlannedPair(("main-0000", name), seed, 4) for seed, name in enumerate(("noop", "random"))
    ]
    with Evaluator(setup) as evaluator:
        assert evaluator.collect() == []
        evaluator.submit(plans)
        assert evaluator.waiting == tuple(plans)
        played = collect_all(evaluator)
    here = [tuple(play_pair(setup, plan, ReferenceBackend(rendering=False))) for plan in plans]
    assert played == here


def test_the_simulator_plays_waiting_pairs_together_as_one_by_one(tmp_path: Path) -> None:
    setup = make_setup(tmp_path, open_simulator())
    names = ("greedy", "search:depth=1", "random")
    plans = [PlannedPair((name, "greedy"), seed, 4) for seed in range(4) for name in names]
    with Evaluator(setup) as evaluator:
        evaluator.submit(plans)
        played = collect_all(evaluator)
    backend = setup.open_backend()
    assert played == [tuple(play_pair(setup, plan, backend)) for plan in plans]


def test_an_error_in_the_process_arrives_with_its_traceback(tmp_path: Path) -> None:
    with Evaluator(make_setup(tmp_path, open_nothing)) as evaluator:
        evaluator.submit([PlannedPair(("noop", "noop"), 1, 1)])
        with pytest.raises(EvaluationError, match=r"(?s)open_nothing.*RuntimeError: no game here"):
            collect_all(evaluator)


def test_an_unknown_player_is_an_error(tmp_path: Path) -> None:
    with Evaluator(make_setup(tmp_path)) as evaluator:
        evaluator.submit([PlannedPair(("gredy", "noop"), 1, 1)])
        with pytest.raises(EvaluationError, match="did you mean 'greedy'"):
            collect_all(evaluator)


def test_a_killed_process_is_noticed(tmp_path: Path) -> None:
    with Evaluator(make_setup(tmp_path)) as evaluator:
        evaluator.submit(PlannedPair(("noop", "noop"), seed, 1) for seed in range(1000))
        pid = evaluator._process.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(EvaluationError, match="ended with exit code -9"):
            collect_all(evaluator)


def test_ctrl_c_does_not_reach_the_process(tmp_path: Path) -> None:
    with Evaluator(make_setup(tmp_path)) as evaluator:
        evaluator.submit([PlannedPair(("noop", "noop"), 1, 1)])
        collect_all(evaluator)
        pid = evaluator._process.pid
        assert pid is not None
        os.kill(pid, signal.SIGINT)
        evaluator.submit([PlannedPair(("noop", "noop"), 2, 1)])
        assert len(collect_all(evaluator)) == 1


def test_close_ends_a_busy_process_at_once(tmp_path: Path) -> None:
    evaluator = Evaluator(make_setup(tmp_path))
    evaluator.submit(PlannedPair(("noop", "noop"), seed, 1) for seed in range(1000))
    evaluator.collect(30.0)
    evaluator.close()
    assert not evaluator._process.is_alive()
    evaluator.close()
