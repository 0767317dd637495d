"""The script behind the committed weights of `search`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from envs.game.layout import Speed
from policies.search import TUNED_WEIGHTS, SearchPolicy
from policies.search_rounds import play_solo_rounds
from policies.tune_search import (
    HAND_WEIGHTS,
    TERMS,
    TuningConfig,
    make_weights,
    score_rounds,
    tune_weights,
)

TINY = TuningConfig(iterations=1, draws=3, best=2, rounds=1)


def test_a_seed_gives_the_same_weights_again() -> None:
    scores: list[float] = []
    first = tune_weights(TINY, lambda _, score: scores.append(score))
    assert first == tune_weights(TINY)
    assert first != tune_weights(replace(TINY, seed=1))
    assert len(scores) == 1


def test_weights_that_play_better_score_higher() -> None:
    setting = (8, Speed.MED, 8)
    scores = []
    for sign in (1, -1):
        values = np.array([sign * getattr(HAND_WEIGHTS, term) for term in TERMS])
        policy = SearchPolicy(1, weights=make_weights(values))
        scores.append(score_rounds(play_solo_rounds(policy, *setting, max_frames=7200), 36))
    assert scores[0] > scores[1] + 0.5


@pytest.mark.slow
def test_the_committed_weights_come_out_again() -> None:
    tuned = tune_weights(TuningConfig())
    assert all(getattr(tuned, term) == getattr(TUNED_WEIGHTS, term) for term in TERMS)
