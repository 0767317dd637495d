from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

from league.checks import OneOf, RecordError, bounded, checked, find_problems, require, suggest


@dataclass(frozen=True, slots=True)
class Sample:
    share: float = bounded(0.5, at_least=0, at_most=1)
    sizes: tuple[int, ...] = bounded((1, 2), above=0)
    colour: str = checked("red", OneOf(("red", "blue")))
    limit: int | None = bounded(None, at_least=1)
    free: str = ""

    def __post_init__(self) -> None:
        require(find_problems(self))


def test_defaults_and_edges_pass() -> None:
    Sample()
    Sample(share=0, sizes=(), limit=1)
    Sample(share=1, limit=None)


@pytest.mark.parametrize("share", [-0.01, 1.01, math.nan, math.inf])
def test_values_outside_are_refused(share: float) -> None:
    with pytest.raises(RecordError, match=r"share: expected a number >= 0 and <= 1, got"):
        Sample(share=share)


def test_an_open_end_excludes_itself_and_every_item_counts() -> None:
    with pytest.raises(RecordError, match=r"sizes: expected a number > 0, got 0"):
        Sample(sizes=(3, 0))


def test_all_problems_are_in_one_error() -> None:
    with pytest.raises(RecordError) as caught:
        Sample(share=2, colour="bleu", limit=0)
    assert [problem.keys for problem in caught.value.problems] == [
        ("share",),
        ("colour",),
        ("limit",),
    ]
    assert "did you mean 'blue'?" in str(caught.value)


def test_only_near_names_are_suggested() -> None:
    assert suggest("unifrom", ["elo", "uniform"]) == "; did you mean 'uniform'?"
    assert suggest("xyz", ["elo", "uniform"]) == ""
