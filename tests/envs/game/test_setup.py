"""The RNG, the capsule reserve and the virus fill against vectors from independent descriptions."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from envs.game.layout import EMPTY, Speed, Tile
from envs.game.setup import (
    NUM_SEEDS,
    RoundSetup,
    advance_rng,
    canonical_word,
    count_viruses,
    fill_reserve,
    place_viruses,
    seed_to_word,
    step_rng,
)

# (options frames, word, first 13 ids, word after the reserve, level-0 bottle, final word)
LEVEL_ZERO = [
    (0, 0x8988, "3583010720300", 0x578B, "36B 43R 50B 52Y", 0x772B),
    (60, 0x2ACA, "8326508442774", 0x9552, "42B 54Y 65R 6AY", 0x6395),
    (120, 0x8B24, "6164731361788", 0x6EDE, "47Y 4DY 73B 7DR", 0xB0DD),
    (300, 0xBF98, "7473278887461", 0x4341, "55R 5CB 70Y 78B", 0x050D),
    (1000, 0x818C, "8618147288585", 0xB2F9, "34Y 4BB 4FR 52R", 0xA5B2),
]
LEVEL_FIVE = (
    "3DB 3EB 3FY 40R 41B 42B 46Y 47R 48Y 49B 4AR 4DY 4FR 54Y 63Y 65R 66Y 67Y 6AY 72Y 77R 7BR 7DY"
    " 7FB"
)
RESERVE_DIGESTS = {
    0x8988: "54778dc15b4f3cec9d730df06a4722c7dd24b2f9",
    0x2ACA: "ff2887b8486fdc8a169b05e728a32a4ecf7b21b2",
    0xBF98: "2d122eefd75a8173d925126f572a50ba7a323608",
}
# word: (digest of the level-20 bottle, attempts, final word)
LEVEL_TWENTY = {
    0x8988: ("f768174b5e675faa756e583685b57f8f218fbb43", 85, 0xAC37),
    0x2ACA: ("8e8a07b4c17e34dbf2b7336cc5bc43f15a12ba53", 86, 0x98B5),
    0x818C: ("c86ecb51c892ca4d753dd3af76a85b599ac9d9fc", 84, 0x1046),
}


def digest(array: np.ndarray) -> str:
    return hashlib.sha1(array.tobytes()).hexdigest()


def list_viruses(field: np.ndarray) -> str:
    cells = np.flatnonzero(field != EMPTY)
    assert all(field[cell] & 0xF0 == Tile.VIRUS for cell in cells)
    return " ".join(f"{cell:02X}{'YRB'[field[cell] & 15]}" for cell in cells)


@pytest.mark.parametrize(("frames", "word", "ids", "after", "bottle", "final"), LEVEL_ZERO)
def test_level_zero_vectors(
    frames: int, word: int, ids: str, after: int, bottle: str, final: int
) -> None:
    assert RoundSetup(frame_offset=frames).entry_word == word
    reserve, word_after = fill_reserve(word)
    assert "".join(str(capsule) for capsule in reserve[:13]) == ids
    assert word_after == after
    fill = place_viruses((0, 0), after)
    assert [list_viruses(field) for field in fill.fields] == [bottle, bottle]
    assert fill.word == final


@pytest.mark.parametrize(("word", "expected"), RESERVE_DIGESTS.items())
def test_reserve_digests(word: int, expected: str) -> None:
    assert digest(fill_reserve(word)[0]) == expected


def test_level_five_vector() -> None:
    fill = place_viruses((5, 5), fill_reserve(0x2ACA)[1])
    assert list_viruses(fill.fields[0]) == LEVEL_FIVE
    assert (fill.intro_frames, fill.word) == (25, 0x76F0)


@pytest.mark.parametrize("word", LEVEL_TWENTY)
def test_level_twenty_vectors(word: int) -> None:
    expected, frames, final = LEVEL_TWENTY[word]
    fill = place_viruses((20, 20), fill_reserve(word)[1])
    assert [digest(field) for field in fill.fields] == [expected, expected]
    assert (fill.intro_frames, fill.word) == (frames, final)


def test_unequal_levels_share_the_rng() -> None:
    fill = place_viruses((5, 10), fill_reserve(0x2ACA)[1])
    assert [digest(field) for field in fill.fields] == [
        "08d27a9286f6e2a0a6cfed1dbf02dfa4ac40abc9",
        "ac8cd4be7cd89c2effed2c82724e702863c21557",
    ]
    assert (fill.intro_frames, fill.word) == (44, 0xC716)


@pytest.mark.parametrize("level", [0, 7, 14, 16, 18, 20])
def test_fills_have_the_right_count_height_and_no_runs_of_three(level: int) -> None:
    highest = {14: 9, 16: 10, 18: 11, 20: 12}.get(level, 9)
    for seed in range(0, 400, 40):
        field = place_viruses((level, level), fill_reserve(seed_to_word(seed))[1]).fields[0]
        assert np.count_nonzero(field != EMPTY) == count_viruses(level) == 4 * (level + 1)
        board = field.reshape(16, 8)
        assert (board[: 15 - highest] == EMPTY).all()
        for lines in (board, board.T):
            equal_two_away = (lines[:, 2:] == lines[:, :-2]) & (lines[:, 2:] != EMPTY)
            assert not equal_two_away.any()


def test_rng_orbit_has_32767_words_and_starts_as_documented() -> None:
    word, seen = 0x8988, []
    for _ in range(4):
        word = step_rng(word)
        seen.append(word)
    assert seen == [0x44C4, 0x2262, 0x1131, 0x0898]
    length = 4
    while word != 0x8988:
        word = step_rng(word)
        length += 1
    assert length == NUM_SEEDS


def test_advance_rng_wraps_around_the_orbit() -> None:
    for word in (0x8988, 0x8989, 2, 0xFFFF):
        stepped = step_rng(word)
        assert advance_rng(word, 0) == word
        assert advance_rng(word, 1) == advance_rng(word, 1 + NUM_SEEDS) == stepped


def test_seeds_map_one_to_one_onto_set_ups() -> None:
    words = [seed_to_word(seed) for seed in range(NUM_SEEDS)]
    assert words[0] == 0x8988
    assert len({canonical_word(word) for word in words}) == NUM_SEEDS
    assert canonical_word(0x8988) == canonical_word(0x8989)


@pytest.mark.parametrize("seed", [-1, NUM_SEEDS, 1.5, True])
def test_seed_out_of_range_is_refused(seed: object) -> None:
    with pytest.raises(ValueError, match=r"expected seed to be an integer 0\.\.32766"):
        seed_to_word(seed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"levels": (0, 21)}, r"expected levels\[1\] to be an integer 0\.\.20, got 21"),
        ({"levels": 3}, "expected levels to be a pair"),
        ({"speeds": (0, 3)}, r"expected speeds\[1\] to be an integer 0\.\.2, got 3"),
        ({"rng_word": 1}, "expected rng_word to be an integer 2..65535, got 1"),
        ({"frame_offset": -1}, "expected frame_offset to be an integer 0 or more, got -1"),
    ],
)
def test_impossible_setups_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RoundSetup(**arguments)  # type: ignore[arg-type]


def test_frame_offset_advances_rng_and_frame_counter() -> None:
    setup = RoundSetup(rng_word=0x2ACA, frame_offset=300)
    assert setup.entry_word == advance_rng(0x2ACA, 300)
    assert setup.entry_frame_counter == 300 - 256
    assert setup.speeds == (Speed.MED, Speed.MED)
