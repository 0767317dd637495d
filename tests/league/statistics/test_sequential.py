from __future__ import annotations

import numpy as np
import pytest

from league.statistics.elo import ELO_PER_NAT, sigmoid
from league.statistics.sequential import SequentialTest, Verdict


def run_test(test: SequentialTest, elo: float, rng: np.random.Generator) -> tuple[Verdict, int]:
    """Feed pairs of independent games until the test stops."""
    chance = float(sigmoid(elo / ELO_PER_NAT))
    scores = rng.binomial(2, chance, test.max_samples) / 2
    for count in range(test.min_samples, test.max_samples + 1):
        if (verdict := test.judge(scores[:count])) != "continue":
            return verdict, count
    raise AssertionError("the cap stops every test")


@pytest.mark.parametrize(("elo", "wrong"), [(0.0, "stronger"), (50.0, "not_stronger")])
def test_errors_are_as_rare_as_promised(elo: float, wrong: Verdict) -> None:
    """A10: 5 % nominal at either hypothesis, and about 130 pairs on average."""
    test, rng = SequentialTest(), np.random.default_rng(0)
    ended = [run_test(test, elo, rng) for _ in range(400)]
    assert np.mean([verdict == wrong for verdict, _ in ended]) <= 0.09
    # 2.65 * 2 v / (s1 - s0)^2 with v = 1/8 per pair.
    expected = 2.65 * 2 * 0.125 / (float(sigmoid(50 / ELO_PER_NAT)) - 0.5) ** 2
    assert np.mean([count for _, count in ended]) == pytest.approx(expected, rel=0.2)


def test_no_verdict_before_the_minimum() -> None:
    test = SequentialTest(min_samples=32)
    assert test.judge([1.0] * 31) == "continue"
    assert test.judge([1.0] * 32) == "stronger"
    assert test.judge([0.0] * 32) == "not_stronger"


def test_the_cap_is_inconclusive() -> None:
    test = SequentialTest(min_samples=2, max_samples=4)
    assert test.judge([1.0, 0.0]) == "continue"
    assert test.judge([1.0, 0.0, 1.0, 0.0]) == "inconclusive"


@pytest.mark.parametrize(
    "options",
    [{"elo_0": 5.0, "elo_1": 5.0}, {"min_samples": 1}, {"min_samples": 9, "max_samples": 8}],
)
def test_impossible_tests_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        SequentialTest(**options)  # type: ignore[arg-type]
