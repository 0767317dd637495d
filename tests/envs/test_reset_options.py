"""The options of reset: what is accepted, and what each means."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from envs.game.layout import Speed
from envs.game.setup import BOOT_WORD, RoundSetup, seed_to_word
from envs.reset_options import RESET_KEYS, ResetOptions, parse_levels, parse_speeds

DEFAULTS = RoundSetup(levels=(3, 4), speeds=(Speed.LOW, Speed.HI))


def make_setup(
    options: dict[str, Any] | None, seed: int | None = None, stream_seed: int = 0
) -> RoundSetup:
    stream = np.random.default_rng(stream_seed)
    return ResetOptions.parse(options).make_setup(DEFAULTS, seed, stream)


@pytest.mark.parametrize("options", [None, {}, {"options": 1}, {"levels": None}])
def test_nothing_given_keeps_the_defaults(options: dict[str, Any] | None) -> None:
    setup = make_setup(options, seed=0)
    assert setup == RoundSetup(DEFAULTS.levels, DEFAULTS.speeds, seed_to_word(0))


def test_given_options_replace_the_defaults() -> None:
    options = {"levels": 7, "speeds": ("hi", 0), "rng_word": 99, "frame_offset": 5, "solo": True}
    assert make_setup(options) == RoundSetup((7, 7), (Speed.HI, Speed.LOW), 99, 5, True)


def test_large_seed_uses_the_stream() -> None:
    word = make_setup(None, seed=40_000, stream_seed=40_000).rng_word
    draw = int(np.random.default_rng(40_000).integers(32767))
    assert word == seed_to_word(draw)


def test_small_seed_draws_nothing_from_the_stream() -> None:
    stream = np.random.default_rng(1)
    ResetOptions().make_setup(DEFAULTS, 5, stream)
    assert stream.integers(1000) == np.random.default_rng(1).integers(1000)


def test_power_on_word_on_request() -> None:
    assert make_setup({"randomize_rng": False}).rng_word == BOOT_WORD


@pytest.mark.parametrize(
    ("key", "nearest"),
    [("level", "levels"), ("rng", "rng_word"), ("frame_ofset", "frame_offset"), (3, None)],
)
def test_unknown_key_names_the_nearest(key: Any, nearest: str | None) -> None:
    with pytest.raises(ValueError, match=f"got {key!r}; did you mean {(nearest or '')!r}"[:-1]):
        ResetOptions.parse({key: 1})


def test_error_lists_every_key() -> None:
    with pytest.raises(ValueError, match=", ".join(RESET_KEYS)):
        ResetOptions.parse({"x": 1})


@pytest.mark.parametrize(
    "options",
    [
        {"levels": 21},
        {"levels": (1, 2, 3)},
        {"levels": "high"},
        {"speeds": "FAST"},
        {"speeds": 3},
        {"speeds": True},
        {"rng_word": 0},
        {"rng_word": 1},
        {"rng_word": 0x10000},
        {"rng_word": "2ACA"},
        {"frame_offset": -1},
        {"frame_offset": 1.5},
        {"randomize_rng": 1},
        {"solo": "yes"},
        {"savestate": 5},
        {"savestate": b"x", "levels": 1},
        {"rng_word": 5, "randomize_rng": True},
    ],
)
def test_impossible_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        make_setup(options)


def test_pairs_and_single_values() -> None:
    assert parse_levels(np.array([1, 2])) == (1, 2)
    assert parse_speeds([Speed.HI, "med"]) == (Speed.HI, Speed.MED)
