from __future__ import annotations

import json
from collections import Counter

import numpy as np

from league.snapshot_gate import SnapshotGate


def feed(gate: SnapshotGate, rng: np.random.Generator, score: float, iterations: int) -> int:
    """Play 16 games an iteration, 8 against the newest snapshot; return the early snapshots."""
    taken = 0
    for _ in range(iterations):
        gate.add([float(rng.random() < score) for _ in range(8)], 16)
        if gate.is_stronger():
            taken += 1
            gate.clear()
    return taken


def test_a_stronger_learner_passes_soon() -> None:
    gate, rng = SnapshotGate("gsprt", 50, 0), np.random.default_rng(0)
    assert feed(gate, rng, 0.75, 7) == 0
    assert feed(gate, rng, 0.75, 20) >= 1


def test_an_equal_learner_passes_as_rarely_as_promised() -> None:
    """D2: 5 % of the tests; a peeked rolling window would pass nearly always."""
    rng = np.random.default_rng(0)
    runs = Counter(feed(SnapshotGate("gsprt", 50, 0), rng, 0.5, 200) for _ in range(60))
    # 1,600 games hold about seven tests: about a third of a false snapshot a run.
    assert sum(taken * count for taken, count in runs.items()) < 60 * 0.7


def test_a_weaker_learner_that_catches_up_gets_a_new_test() -> None:
    gate, rng = SnapshotGate("gsprt", 50, 0), np.random.default_rng(1)
    assert feed(gate, rng, 0.3, 40) == 0
    assert feed(gate, rng, 0.75, 30) >= 1


def test_time_alone_never_calls_main_stronger() -> None:
    assert feed(SnapshotGate("time", 50, 0), np.random.default_rng(0), 1.0, 100) == 0


def test_too_few_games_make_no_snapshot() -> None:
    gate = SnapshotGate("gsprt", 50, 500)
    gate.add([1.0] * 100, 499)
    assert not gate.has_games
    assert not gate.is_stronger()
    gate.add([None], 1)
    assert gate.has_games
    assert gate.is_stronger()


def test_the_state_survives_json() -> None:
    gate, resumed = SnapshotGate("gsprt", 50, 10), SnapshotGate("gsprt", 50, 10)
    feed(gate, np.random.default_rng(2), 0.6, 9)
    resumed.load_state_dict(json.loads(json.dumps(gate.state_dict())))
    for one in (gate, resumed):
        feed(one, np.random.default_rng(3), 0.8, 1)
    assert resumed.state_dict() == gate.state_dict()
