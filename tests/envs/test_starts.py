"""Starts with other bottles: which positions they are, and that the rules go on from them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from envs.backends.images import check_image, pack_image
from envs.drmario_versus_v0 import parallel_env
from envs.game.layout import CELLS, EMPTY, FIELD_BASES, Tile
from envs.game.position import parse_bottle
from envs.game.setup import RoundSetup
from envs.game.state import GameState
from envs.starts import EpisodeStart
from envs.vector import VectorEnv

SETUP = RoundSetup(levels=(10, 10), rng_word=4242)
UNEQUAL = RoundSetup(levels=(3, 12), rng_word=998)
NEAR_CLEAR = parse_bottle("/".join(["8"] * 13 + ["R7", "Y1B5", "r2<y>b1R1"]))
SEAT_FIELDS = [slice(base, base + CELLS) for base in FIELD_BASES]


def show_start(start: EpisodeStart | RoundSetup) -> np.ndarray:
    """The RAM image of the first frame."""
    env = VectorEnv(1, draw_setup=lambda stream: start)
    env.reset(seed=0)
    shown: np.ndarray = env.games.images[0].copy()
    env.close()
    return shown


def count_viruses(cells: np.ndarray) -> int:
    return int(((cells & 0xF0) == Tile.VIRUS).sum())


@pytest.mark.parametrize(("setup", "viruses"), [(SETUP, (3, 3)), (UNEQUAL, (1, 40))])
def test_a_thinned_start_lacks_viruses_and_nothing_else(
    setup: RoundSetup, viruses: tuple[int, int]
) -> None:
    full, thinned = show_start(setup), show_start(EpisodeStart(setup, viruses, thin_seed=9))
    check_image(thinned)
    state = GameState.from_ram(thinned)
    for seat, field in enumerate(SEAT_FIELDS):
        assert count_viruses(thinned[field]) == viruses[seat] == state.players[seat].viruses
        kept = thinned[field] != EMPTY
        assert np.array_equal(thinned[field][kept], full[field][kept])
    changed = np.flatnonzero(full != thinned)
    # Bottles, and one counter for each seat.
    assert (
        sum(not any(field.start <= n < field.stop for field in SEAT_FIELDS) for n in changed) == 2
    )


def test_asking_for_more_viruses_than_there_are_changes_nothing() -> None:
    assert np.array_equal(show_start(EpisodeStart(SETUP, (44, 99), 5)), show_start(SETUP))


def test_the_seed_draws_which_viruses_stay() -> None:
    fields = []
    for seed in range(40):
        image = show_start(EpisodeStart(SETUP, (4, 4), seed))
        # At equal levels both seats have the same bottle, and keep the same viruses.
        assert np.array_equal(image[SEAT_FIELDS[0]], image[SEAT_FIELDS[1]])
        fields.append(image[SEAT_FIELDS[0]])
    full = show_start(SETUP)[SEAT_FIELDS[0]]
    kept = (np.stack(fields) != EMPTY)[:, full != EMPTY]
    # 160 draws out of 44 cells, 3.6 each on average.
    assert kept.any(0).mean() > 0.9
    assert kept.sum(0).max() < 14


def test_bottles_can_be_given() -> None:
    image = show_start(EpisodeStart(UNEQUAL, bottles=(NEAR_CLEAR, NEAR_CLEAR)))
    check_image(image)
    state = GameState.from_ram(image)
    for player in state.players:
        assert player.cells == NEAR_CLEAR
        assert player.viruses == 4
    expected = GameState.from_ram(show_start(UNEQUAL)).players[0]
    assert state.players[0].colours == expected.colours
    assert state.players[0].level == 3


@pytest.mark.parametrize(
    "start",
    [
        EpisodeStart(SETUP, (5, 5), 1),
        EpisodeStart(RoundSetup(levels=(8, 8), solo=True), (2, 2), 3),
        EpisodeStart(UNEQUAL, bottles=(NEAR_CLEAR, NEAR_CLEAR)),
    ],
)
def test_the_reference_rules_go_on_alike(start: EpisodeStart) -> None:
    vector = VectorEnv(1, draw_setup=lambda stream: start)
    step = vector.reset(seed=0)
    env = parallel_env(backend="reference", actions="placement")
    env.reset(options={"savestate": pack_image(vector.games.images[0].copy())})
    rng = np.random.default_rng(2)
    for _ in range(25):
        actions = vector.games.draw_actions(rng)
        step = vector.step(actions)
        env.step(dict(zip(env.possible_agents, actions[0].tolist(), strict=True)))
        if step.terminated[0]:
            assert not env.agents
            return
        shown: Any = env.backend
        assert np.array_equal(vector.games.images[0], shown.ram())


@pytest.mark.parametrize(
    ("bottle", "message"),
    [
        (NEAR_CLEAR[:-1], "127 tiles"),
        (bytes([EMPTY]) * CELLS, "no virus"),
        (bytes([EMPTY]) * 16 + bytes([Tile.VIRUS]) * (CELLS - 16), "112 viruses"),
        (b"\xff" * 3 + b"\x80" + NEAR_CLEAR[4:], "where the first capsule appears"),
        (NEAR_CLEAR[:50] + b"\xb0" + NEAR_CLEAR[51:], "not at rest"),
    ],
)
def test_impossible_bottles_are_refused(bottle: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EpisodeStart(SETUP, bottles=(NEAR_CLEAR, bottle))


def test_impossible_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match=r"two numbers of viruses in 0\.\.99, got \(0, 100\)"):
        EpisodeStart(SETUP, (0, 100))
    with pytest.raises(ValueError, match="thin_seed"):
        EpisodeStart(SETUP, (1, 1), -1)
