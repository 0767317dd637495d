"""No bytes crash the simulator: not through Python, and not under sanitizers.

The long run is the same test with `PILL_FUZZ_INPUTS=1000000` in the environment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envs.backends.base import BackendError
from envs.backends.batch import BatchSimulator
from envs.backends.native_candidates import write_candidates
from envs.backends.reference import ReferenceBackend
from envs.backends.savestates import Savestate
from envs.backends.simulator import SimulatorBackend
from envs.game.layout import CELLS, COMPARED_ADDRESSES, RAM_SIZE, Address, Mode, Tile
from envs.game.placement import NUM_POSES
from envs.game.setup import RoundSetup
from envs.game.state import GameState
from league.parity.machines import SimulatorMachine
from league.parity.mutants import RULE_SOURCES, SOURCE_FOLDER
from league.parity.session import record_session
from tests.native import needs_native

pytestmark = needs_native

HERE = Path(__file__).resolve().parent
FINDINGS = HERE.parents[1] / "golden" / "fuzz_findings.ram"
"""Images that once crashed or hung a build, or were meant to."""

ASKED_SOURCES = (
    *("planner", "planner_judge", "planner_script"),
    *("candidates", "settle", "search", "greedy", "routine"),
)
INPUTS = int(os.environ.get("PILL_FUZZ_INPUTS", "30000"))
SEED = int(os.environ.get("PILL_FUZZ_SEED", "0"))
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")


@pytest.fixture(scope="module")
def corpus() -> np.ndarray:
    """Images of all modes from play, and those that once did harm, uint8 (n, 2048)."""
    machine = SimulatorMachine()
    traces = [record_session(machine, seed=11, index=index) for index in range(20)]
    images = np.concatenate([trace.images[::197] for trace in traces])
    findings = np.frombuffer(FINDINGS.read_bytes(), np.uint8).reshape(-1, RAM_SIZE)
    assert len(set(images[:, Address.MODE].tolist())) >= 4
    return np.concatenate([findings, images])


def test_sanitizers_find_nothing(corpus: np.ndarray, tmp_path: Path) -> None:
    compiler = shutil.which("c++")
    if compiler is None:
        pytest.skip("no C++ compiler on the path")
    (tmp_path / "corpus.ram").write_bytes(corpus.tobytes())
    sources = [SOURCE_FOLDER / f"{name}.cpp" for name in (*RULE_SOURCES, *ASKED_SOURCES)]
    build: list[str | Path] = [
        compiler,
        "-std=c++17",
        "-O1",
        "-g",
        *SANITIZERS,
        f"-I{SOURCE_FOLDER}",
    ]
    target = tmp_path / "fuzz_native"
    subprocess.run([*build, "-o", target, HERE / "fuzz_native.cpp", *sources], check=True)
    crash = tmp_path / "crash.ram"
    command: list[str | Path] = [target, tmp_path / "corpus.ram", str(INPUTS), str(SEED), crash]
    options = {
        "ASAN_OPTIONS": "abort_on_error=1:handle_abort=0",
        "UBSAN_OPTIONS": "abort_on_error=1",
    }
    done = subprocess.run(
        command, env={**os.environ, **options}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stderr}\nthe input is in {crash}"
    assert done.stdout == f"{INPUTS} inputs\n"


def test_any_bytes_can_be_played_in_a_batch(corpus: np.ndarray) -> None:
    rng = np.random.default_rng(SEED)
    with BatchSimulator(len(corpus)) as batch:
        for _ in range(40):
            batch.images[:] = corpus
            changed = rng.random(corpus.shape) < 0.02
            batch.images[changed] = rng.integers(256, size=int(changed.sum()))
            pads = rng.integers(256, size=(len(corpus), 30, 2)).astype(np.uint8)
            batch.play(pads)
        batch.images[:] = rng.integers(256, size=corpus.shape)
        batch.hold(pads[:, 0], 500)


def test_images_that_pass_the_check_are_played_alike(corpus: np.ndarray) -> None:
    """Whatever image the check lets through, both implementations of the rules agree on it."""
    rng = np.random.default_rng(SEED)
    simulator, reference = SimulatorBackend(rendering=False), ReferenceBackend(rendering=False)
    compared = np.array(COMPARED_ADDRESSES)
    passed = 0
    for _ in range(2000):
        image = corpus[rng.integers(len(corpus))].copy()
        for _ in range(int(rng.integers(1, 4))):
            value = int(rng.integers(256))
            image[rng.choice(compared)] = rng.choice([0, 1, 2, 3, 9, 128, 255, value])
        if find_refusal(partial(simulator.load_ram, image)) or has_uncounted_viruses(image):
            continue
        reference.load_ram(image)
        passed += 1
        for pads in rng.integers(256, size=(30, 2)).tolist():
            if simulator.ram()[Address.MODE] in (Mode.TITLE, Mode.OPTIONS):
                break
            simulator.step(tuple(pads))
            reference.step(tuple(pads))
            ours, theirs = simulator.ram()[compared], reference.ram()[compared]
            assert np.array_equal(ours, theirs)
    assert passed > 200


def has_uncounted_viruses(image: np.ndarray) -> bool:
    """Tell whether a virus count could fall below zero: the console's then wraps around."""
    players = GameState.from_ram(image).players
    return any((player.bottle & 0xF0 == Tile.VIRUS).sum() > player.viruses for player in players)


def find_refusal(call: Callable[[], None]) -> str | None:
    """Return the message with which a call refuses, None where it does not; else it raises."""
    try:
        call()
    except (ValueError, BackendError) as error:
        return str(error)
    return None


@given(data=st.binary(min_size=RAM_SIZE, max_size=RAM_SIZE))
@settings(max_examples=50, deadline=None)
def test_random_images_are_refused_or_played(data: bytes) -> None:
    backend = SimulatorBackend()
    refusal = find_refusal(lambda: backend.load_ram(np.frombuffer(data, np.uint8)))
    if refusal is None:
        backend.step((0, 0))
    else:
        assert refusal.startswith("expected ")


@given(data=st.binary(max_size=400), position=st.integers(0, 10_000), value=st.integers(0, 255))
@settings(max_examples=200, deadline=None)
def test_damaged_savestates_are_refused(data: bytes, position: int, value: int) -> None:
    backend = SimulatorBackend(rendering=False)
    backend.start_round(RoundSetup())
    saved = bytearray(backend.save())
    saved[position % len(saved)] = value
    for savestate in (data, bytes(saved), bytes(saved[: position % len(saved)])):
        refusal = find_refusal(partial(backend.load, savestate))
        assert refusal is None or refusal.startswith("expected ")


def test_candidates_need_room() -> None:
    """Frames of poses in which the capsule would overlap something give no rows."""
    tiles = bytes([Tile.VIRUS | 1] * CELLS)
    rows, poses = write_candidates(tiles, (0, 2), (1, 1), np.ones(NUM_POSES, np.uint16), 9)
    assert len(rows) == len(poses) == 0


def test_savestates_of_every_size_are_refused() -> None:
    backend = SimulatorBackend(rendering=False)
    for size in (0, 1, RAM_SIZE - 1, RAM_SIZE + 1, 1 << 16):
        with pytest.raises(ValueError, match="expected a"):
            backend.load(Savestate(backend.digest, "x", bytes(size)).to_bytes())
