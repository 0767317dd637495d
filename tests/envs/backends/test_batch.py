"""Many games at once: each as if it were alone, on any number of threads."""

from __future__ import annotations

import os
import threading
from typing import Any

import numpy as np
import pytest

from envs.backends.base import BackendError
from envs.backends.batch import BatchSimulator
from envs.backends.native_library import load_library
from envs.backends.native_pool import count_processors
from envs.backends.simulator import SimulatorBackend
from envs.game.layout import RAM_SIZE, Address, Mode, Speed
from envs.game.setup import RoundSetup, seed_to_word
from tests.native import needs_native

pytestmark = needs_native

GAMES = 7
SETUPS = [
    RoundSetup(
        levels=(seed, 20 - seed),
        speeds=(Speed(seed % 3), Speed.HI),
        rng_word=seed_to_word(seed),
        frame_offset=seed,
        solo=seed == 3,
    )
    for seed in range(GAMES)
]


def draw_scripts(games: int, frames: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(16, size=(games, frames, 2)).astype(np.uint8)


def play_alone(setup: RoundSetup, script: np.ndarray) -> np.ndarray:
    backend = SimulatorBackend(rendering=False)
    backend.start_round(setup)
    backend.play(script)
    return backend.ram()


@pytest.fixture
def many_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow more threads than this machine may have."""
    monkeypatch.setattr("envs.backends.native_pool.count_processors", lambda: 4)


@pytest.mark.usefixtures("many_processors")
@pytest.mark.parametrize("threads", [1, 2, 3, 4])
def test_each_game_plays_as_if_alone(threads: int) -> None:
    scripts = draw_scripts(GAMES, 500)
    with BatchSimulator(GAMES, threads=threads) as batch:
        assert batch.threads == threads
        batch.start(SETUPS)
        batch.play(scripts)
        for game, setup in enumerate(SETUPS):
            assert np.array_equal(batch.images[game], play_alone(setup, scripts[game]))


@pytest.mark.usefixtures("many_processors")
def test_holding_is_a_script_of_equal_frames() -> None:
    pads = draw_scripts(GAMES, 1)[:, 0]
    with BatchSimulator(GAMES, threads=2) as held, BatchSimulator(GAMES) as played:
        for batch in (held, played):
            batch.start(SETUPS)
        held.hold(pads, 90)
        played.play(np.repeat(pads[:, None], 90, axis=1))
        assert np.array_equal(held.images, played.images)
        held.hold(pads, 0)
        assert np.array_equal(held.images, played.images)


def test_games_are_started_and_loaded_by_number() -> None:
    with BatchSimulator(3) as batch:
        batch.start(SETUPS[:3])
        images = batch.images.copy()
        batch.start([SETUPS[4]], games=[1])
        assert np.array_equal(batch.images[[0, 2]], images[[0, 2]])
        assert np.array_equal(batch.images[1], play_alone(SETUPS[4], draw_scripts(1, 0)[0]))
        batch.load(images[:1], games=[2])
        assert np.array_equal(batch.images[2], images[0])
        batch.start([], games=[])


def test_images_are_live_and_cannot_be_taken_away() -> None:
    with BatchSimulator(2) as batch:
        batch.start(SETUPS[:2])
        view = batch.images
        before = view.copy()
        batch.hold(np.zeros((2, 2), np.uint8))
        assert (view != before).any(axis=1).all()
        view[0, Address.FRAME_COUNTER] = 200
        batch.hold(np.zeros((2, 2), np.uint8))
        assert view[0, Address.FRAME_COUNTER] == 201
        with pytest.raises(ValueError, match="cannot resize"):
            view.resize((1, 1), refcheck=False)


def test_threads_are_no_more_than_processors_and_games() -> None:
    with BatchSimulator(1000, threads=1000) as batch:
        assert batch.threads == count_processors()
    with BatchSimulator(1000, threads=None) as batch:
        assert batch.threads == count_processors()
    with BatchSimulator(1, threads=None) as batch:
        assert batch.threads == 1


@pytest.mark.usefixtures("many_processors")
def test_python_threads_may_call_at_the_same_time() -> None:
    scripts = draw_scripts(GAMES, 50)
    with BatchSimulator(GAMES, threads=3) as batch:
        batch.start(SETUPS)
        callers = [threading.Thread(target=batch.play, args=(scripts,)) for _ in range(8)]
        callers += [threading.Thread(target=batch.close) for _ in range(4)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        frames = 8 * 50
        expected = [(setup.frame_offset + frames) & 1 for setup in SETUPS]
        with BatchSimulator(GAMES) as alone:
            alone.start(SETUPS)
            start = alone.images[:, Address.FRAME_COUNTER].astype(int)
        assert len(expected) == GAMES
        assert ((start + frames) & 0xFF == batch.images[:, Address.FRAME_COUNTER]).all()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.usefixtures("many_processors")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_gets_threads_of_its_own() -> None:
    scripts = draw_scripts(GAMES, 60)
    with BatchSimulator(GAMES, threads=2) as batch:
        batch.start(SETUPS)
        batch.play(scripts)
        child = os.fork()
        if child == 0:
            batch.play(scripts)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0


@pytest.mark.usefixtures("many_processors")
def test_closing_twice_is_harmless_and_the_next_call_goes_on() -> None:
    batch = BatchSimulator(GAMES, threads=2)
    batch.start(SETUPS)
    batch.play(draw_scripts(GAMES, 10))
    batch.close()
    batch.close()
    batch.play(draw_scripts(GAMES, 10))
    batch.close()


def test_threads_that_cannot_be_had_are_an_error(
    many_processors: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Library:
        def __getattr__(self, name: str) -> Any:
            real = getattr(load_library(), name)
            return (lambda threads: None) if name == "pill_pool_open" else real

    with BatchSimulator(GAMES, threads=2) as batch:
        monkeypatch.setattr(batch._pool, "_library", Library())
        with pytest.raises(BackendError, match="expected 2 threads"):
            batch.hold(np.zeros((GAMES, 2), np.uint8))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda b: b.hold(np.zeros((3, 2), np.uint8)), r"expected pads, uint8 \(2, 2\)"),
        (lambda b: b.hold(np.zeros((2, 2), np.int64)), "got int64"),
        (lambda b: b.hold(np.zeros((2, 2), np.uint8), -1), "frames to be 0"),
        (lambda b: b.hold(np.zeros((2, 2), np.uint8), 2**31), "frames to be 0"),
        (lambda b: b.play(np.zeros((2, 2), np.uint8)), r"uint8 \(2, any, 2\), got uint8 \(2, 2\)"),
        (lambda b: b.play(None), "got NoneType"),
        (lambda b: b.load(np.zeros((2, RAM_SIZE), np.uint8)), "mode"),
        (
            lambda b: b.load(np.zeros((1, RAM_SIZE), np.uint8)),
            r"\(2, 2048\), got uint8 \(1, 2048\)",
        ),
        (lambda b: b.start(SETUPS[:1]), "expected 2 set-ups"),
        (lambda b: b.start(SETUPS[:1], games=[2]), r"expected games of 0\.\.1, got \[2\]"),
        (lambda b: b.start(SETUPS[:1], games=[-1]), r"got \[-1\]"),
    ],
)
def test_bad_arguments_are_refused(call: Any, message: str) -> None:
    with BatchSimulator(2) as batch:
        batch.start(SETUPS[:2])
        before = batch.images.copy()
        with pytest.raises(ValueError, match=message):
            call(batch)
        assert np.array_equal(batch.images, before)


@pytest.mark.parametrize("arguments", [{"games": 0}, {"games": 2, "threads": 0}])
def test_at_least_one_of_each(arguments: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="to be 1 or more, got 0"):
        BatchSimulator(**arguments)


def test_games_begin_in_no_round() -> None:
    with BatchSimulator(2) as batch:
        assert (batch.images[:, Address.MODE] == Mode.TITLE).all()
