"""The backends that run the rules on a RAM image: native simulator and reference."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import pytest

from envs.backends import native_library
from envs.backends.base import Backend, BackendError
from envs.backends.image_backend import ImageBackend
from envs.backends.images import CORE, check_image
from envs.backends.native_library import load_library
from envs.backends.reference import ReferenceBackend
from envs.backends.registry import BACKEND_NAMES, open_backend
from envs.backends.savestates import Savestate
from envs.backends.simulator import SimulatorBackend
from envs.game.layout import (
    FIELD_BASES,
    RAM_SIZE,
    RESERVE_BASE,
    Address,
    Button,
    Mode,
    PillDuelAddress,
    PlayerOffset,
    Speed,
    player_address,
)
from envs.game.setup import RoundSetup, fill_reserve, place_viruses
from envs.game.state import GameState
from league.parity.machines import SimulatorMachine
from league.parity.session import record_session
from tests.native import needs_native

SETUP = RoundSetup(levels=(3, 17), speeds=(Speed.LOW, Speed.HI), rng_word=0x2ACA, frame_offset=300)
DOWN = (int(Button.DOWN), int(Button.DOWN))
NOTHING = (0, 0)
_O = PlayerOffset


@pytest.fixture(params=[pytest.param("simulator", marks=needs_native), "reference"])
def backend(request: pytest.FixtureRequest) -> ImageBackend:
    return SimulatorBackend() if request.param == "simulator" else ReferenceBackend()


def play_to_end(backend: ImageBackend) -> None:
    """Top out: capsules stack in the middle."""
    for _ in range(3000):
        if backend.ram()[Address.MODE] == Mode.TOP_OUT:
            return
        backend.step(DOWN)
    raise AssertionError("expected a top-out")


def test_is_a_backend(backend: ImageBackend) -> None:
    assert isinstance(backend, Backend)
    assert len(backend.digest) == 40
    assert backend.name in BACKEND_NAMES


def test_round_starts_with_what_the_setup_says(backend: ImageBackend) -> None:
    backend.start_round(SETUP)
    ram = backend.ram()
    state = GameState.from_ram(ram, check=True)
    reserve, word = fill_reserve(SETUP.entry_word)
    fill = place_viruses(SETUP.levels, word)
    assert state.both_can_act()
    assert np.array_equal(ram[RESERVE_BASE:], reserve)
    for player, field in zip(state.players, fill.fields, strict=True):
        assert player.cells == field.tobytes()
    assert tuple(player.level for player in state.players) == SETUP.levels
    assert tuple(player.speed for player in state.players) == SETUP.speeds
    assert state.rng_word == fill.word


def test_solo_round_starts_when_player_1_can_act(backend: ImageBackend) -> None:
    backend.start_round(RoundSetup(solo=True))
    assert backend.solo
    assert GameState.from_ram(backend.ram()).both_can_act(solo=True)


@needs_native
def test_the_two_play_alike() -> None:
    machines = SimulatorBackend(), ReferenceBackend()
    rng = np.random.default_rng(0)
    for machine in machines:
        machine.start_round(SETUP)
    for pads in rng.integers(16, size=(600, 2)).tolist():
        for machine in machines:
            machine.step(tuple(pads))
        assert np.array_equal(machines[0].ram(), machines[1].ram())


@needs_native
def test_savestate_continues_exactly_and_moves_between_the_two(backend: ImageBackend) -> None:
    backend.start_round(SETUP)
    for _ in range(100):
        backend.step(DOWN)
    saved, ram = backend.save(), backend.ram()
    other = ReferenceBackend() if backend.name == "simulator" else SimulatorBackend()
    other.load(saved)
    assert np.array_equal(other.ram(), ram)
    for _ in range(200):
        backend.step(DOWN)
        other.step(DOWN)
    assert np.array_equal(other.ram(), backend.ram())
    backend.load(saved)
    assert np.array_equal(backend.ram(), ram)


@needs_native
def test_image_of_any_frame_continues_exactly() -> None:
    machine = SimulatorMachine()
    rng = np.random.default_rng(1)
    modes = set()
    for index in range(20):
        trace = record_session(machine, seed=5, index=index)
        setups = np.flatnonzero(trace.images[:, Address.MODE] == Mode.SETUP)
        for frame in [*rng.integers(len(trace) - 1, size=30).tolist(), *setups.tolist()]:
            if trace.images[frame, Address.MODE] == Mode.TITLE:
                continue
            machine.backend.load_ram(trace.images[frame])
            rest = machine.backend.trace(trace.pads[frame + 1 : frame + 40])
            assert np.array_equal(rest, trace.images[frame + 1 : frame + 40])
            modes.add(int(trace.images[frame, Address.MODE]))
    assert modes == {Mode.SETUP, Mode.INTRO, Mode.PLAY, Mode.TOP_OUT, Mode.END}


@needs_native
def test_every_recorded_image_passes_the_check() -> None:
    machine = SimulatorMachine()
    for index in range(30):
        for image in record_session(machine, seed=6, index=index).images[::17]:
            if image[Address.MODE] not in (Mode.TITLE, Mode.OPTIONS):
                check_image(image)


def test_rounds_follow_each_other_until_the_set_is_over(backend: ImageBackend) -> None:
    backend.start_round(RoundSetup(levels=(20, 10), speeds=(Speed.HI, Speed.LOW)))
    for crowns in (1, 2, 3):
        play_to_end(backend)
        assert backend.ram()[player_address(1, _O.CROWNS)] == crowns
        if crowns < 3:
            backend.next_round()
            state = GameState.from_ram(backend.ram(), check=True)
            assert state.both_can_act()
            assert state.players[1].crowns == crowns
    with pytest.raises(BackendError, match="set with rounds left"):
        backend.next_round()


def test_next_round_needs_the_end_of_one(backend: ImageBackend) -> None:
    backend.start_round(SETUP)
    with pytest.raises(BackendError, match="a round that has ended"):
        backend.next_round()


def test_menus_are_not_played(backend: ImageBackend) -> None:
    with pytest.raises(BackendError, match=r"mode 0 .*start_round"):
        backend.step(NOTHING)
    backend.start_round(SETUP)
    backend.step((Button.A | Button.B | Button.SELECT | Button.START, 0))
    with pytest.raises(BackendError, match="mode 0"):
        backend.step(NOTHING)


@pytest.mark.parametrize("pads", [(256, 0), (0, -1), (1000, 1000)])
def test_pads_are_bytes(backend: ImageBackend, pads: tuple[int, int]) -> None:
    backend.start_round(SETUP)
    with pytest.raises(ValueError, match=r"pads of 0\.\.255"):
        backend.step(pads)


@pytest.mark.parametrize(("address", "value"), [(RAM_SIZE, 0), (-1, 0), (0, 256), (0, -1)])
def test_poke_stays_inside(backend: ImageBackend, address: int, value: int) -> None:
    with pytest.raises(ValueError, match="expected an address below 2048 and a byte"):
        backend.poke(address, value)


def test_poke_writes_a_byte(backend: ImageBackend) -> None:
    backend.start_round(SETUP)
    backend.poke(Address.FRAME_COUNTER, 77)
    assert backend.ram()[Address.FRAME_COUNTER] == 77


def test_ram_is_a_copy(backend: ImageBackend) -> None:
    backend.start_round(SETUP)
    before = backend.ram()
    backend.ram()[:] = 0
    assert np.array_equal(backend.ram(), before)


IMPOSSIBLE = [
    (Address.MODE, 2, "mode"),
    (Address.MODE, 6, "mode"),
    (Address.WHO_FAILED, 3, "who_failed"),
    (Address.PAUSED, 1, "paused"),
    (PillDuelAddress.SOLO, 2, "solo"),
    (PillDuelAddress.PHASE, 6, "phase"),
    (PillDuelAddress.CPU_SEATS + 1, 1, r"cpu_seats\[1\]"),
    (player_address(0, _O.X), 8, r"players\[0\].x"),
    (player_address(1, _O.Y), 16, r"players\[1\].y"),
    (player_address(0, _O.ROTATION), 4, r"players\[0\].rotation"),
    (player_address(1, _O.SPEED), 3, r"players\[1\].speed"),
    (player_address(0, _O.SPEED_UPS), 50, r"players\[0\].speed_ups"),
    (player_address(0, _O.LEVEL), 21, r"players\[0\].level"),
    (player_address(1, _O.NEXT_ACTION), 4, r"players\[1\].next_action"),
    (player_address(0, _O.PLACED_STEP), 9, r"players\[0\].placed_step"),
    (player_address(0, _O.VIRUSES), 0x1A, r"players\[0\].viruses"),
    (player_address(0, _O.COLOUR_FIRST), 3, r"players\[0\].colour_first"),
    (player_address(1, _O.RESERVE_INDEX), 128, r"players\[1\].reserve_index"),
    (player_address(0, _O.NEXT_ROTATION), 1, r"players\[0\].next_rotation"),
    (player_address(1, _O.COMBO), 200, r"players\[1\].combo"),
    (player_address(1, _O.RUN_TOTAL), 4, r"players\[1\].run_total"),
    (player_address(0, _O.DAS_COUNTER), 16, r"players\[0\].das_counter"),
    (player_address(0, _O.SCORE_MULTIPLIER), 7, r"players\[0\].score_multiplier"),
    (RESERVE_BASE + 5, 9, r"reserve\[5\]"),
    (FIELD_BASES[0] + 7, 0x13, r"players\[0\].cells\[7\]"),
    (FIELD_BASES[1], 0x70, r"players\[1\].cells\[0\]"),
    (FIELD_BASES[1] + 15, 0x61, r"players\[1\].cells\[15\]"),
]


@pytest.mark.parametrize(("address", "value", "name"), IMPOSSIBLE)
def test_impossible_images_are_refused(
    backend: ImageBackend, address: int, value: int, name: str
) -> None:
    backend.start_round(SETUP)
    before = backend.ram()
    image = before.copy()
    image[address] = value
    with pytest.raises(ValueError, match=rf"expected {name} to be .*, got {value}\b"):
        backend.load_ram(image)
    saved = Savestate(backend.digest, CORE, image.tobytes()).to_bytes()
    with pytest.raises(ValueError, match=rf"expected {name} to be"):
        backend.load(saved)
    assert np.array_equal(backend.ram(), before), "a refused image changes nothing"


@pytest.mark.parametrize("tile", [0xB1, 0xF1])
def test_cells_of_a_line_are_refused_while_a_capsule_falls(
    backend: ImageBackend, tile: int
) -> None:
    backend.start_round(SETUP)
    image = backend.ram()
    image[FIELD_BASES[1] + 120] = tile
    with pytest.raises(ValueError, match=r"players\[1\]\.\w+ cells to be 0 in step 0 of a lock"):
        backend.load_ram(image)


def test_a_wait_that_would_never_end_is_refused(backend: ImageBackend) -> None:
    backend.start_round(SETUP)
    play_to_end(backend)
    backend.step(NOTHING)
    image = backend.ram()
    image[Address.WAIT_FRAMES] = 0
    with pytest.raises(ValueError, match=r"wait_frames to be 1\.\.255 in phase 1, got 0"):
        backend.load_ram(image)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros(2047, np.uint8),
        np.zeros((1, RAM_SIZE), np.uint8),
        np.zeros(RAM_SIZE, np.int64),
        bytes(RAM_SIZE),
        None,
    ],
)
def test_what_is_no_image_is_refused(backend: ImageBackend, image: object) -> None:
    with pytest.raises(ValueError, match=r"expected a RAM image, uint8 \(2048\), got"):
        backend.load_ram(image)  # type: ignore[arg-type]


def test_foreign_savestates_are_refused(backend: ImageBackend) -> None:
    backend.start_round(SETUP)
    payload = backend.ram().tobytes()
    for savestate in (
        Savestate("0" * 40, CORE, payload).to_bytes(),
        Savestate(backend.digest, "fceumm", payload).to_bytes(),
        Savestate(backend.digest, CORE, payload[:-1]).to_bytes(),
        backend.save()[:-20],
        b"",
    ):
        with pytest.raises(ValueError, match="expected a"):
            backend.load(savestate)


@needs_native
def test_picture_is_refused_without_rendering() -> None:
    for backend in (SimulatorBackend(rendering=False), ReferenceBackend(rendering=False)):
        backend.start_round(SETUP)
        with pytest.raises(BackendError, match="rendering=True"):
            backend.screen()


@needs_native
def test_script_is_played_as_frames() -> None:
    pads = np.random.default_rng(2).integers(16, size=(300, 2)).astype(np.uint8)
    stepped = SimulatorBackend()
    stepped.start_round(SETUP)
    images = []
    for first, second in pads.tolist():
        stepped.step((first, second))
        images.append(stepped.ram())
    for rendering in (False, True):
        played = SimulatorBackend(rendering=rendering)
        played.start_round(SETUP)
        played.play(pads)
        assert np.array_equal(played.ram(), images[-1])
    traced = SimulatorBackend()
    traced.start_round(SETUP)
    assert np.array_equal(traced.trace(pads), np.array(images))
    assert np.array_equal(traced.ram(), images[-1])


@needs_native
@pytest.mark.parametrize(
    "script",
    [np.zeros((4, 3), np.uint8), np.zeros(4, np.uint8), np.zeros((4, 2), np.int32), [[0, 0]], None],
)
def test_what_is_no_script_is_refused(script: object) -> None:
    backend = SimulatorBackend()
    with pytest.raises(ValueError, match=r"a pad script, uint8 \(any, 2\), got"):
        backend.play(script)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"a pad script, uint8 \(any, 2\), got"):
        backend.trace(script)  # type: ignore[arg-type]


@needs_native
def test_script_may_lie_anyhow_in_memory() -> None:
    pads = np.random.default_rng(3).integers(16, size=(64, 2)).astype(np.uint8)
    images = []
    for script in (pads, np.asfortranarray(pads), np.repeat(pads, 2, axis=1)[:, ::2]):
        backend = SimulatorBackend()
        backend.start_round(SETUP)
        images.append(backend.trace(script))
    assert np.array_equal(images[0], images[1])
    assert np.array_equal(images[0], images[2])


@needs_native
def test_registry_opens_by_name() -> None:
    assert isinstance(open_backend("simulator"), SimulatorBackend)
    assert isinstance(open_backend("reference", rendering=False), ReferenceBackend)
    with pytest.raises(ValueError, match="rules built in, got 'DrMario-Nes-v0'"):
        open_backend("simulator", "DrMario-Nes-v0")


def test_missing_extension_says_how_to_build_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native_library, "find_library", lambda: None)
    load_library.cache_clear()
    try:
        with pytest.raises(BackendError, match=r"pip install.*backend='reference'"):
            SimulatorBackend()
    finally:
        load_library.cache_clear()


@needs_native
def test_other_versions_of_the_extension_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    path = native_library.find_library()
    assert path is not None
    monkeypatch.setattr(native_library, "ABI_VERSION", native_library.ABI_VERSION + 1)
    with pytest.raises(BackendError, match=r"expected version \d+ of the simulator .* got \d+"):
        native_library.open_library(path)


def test_what_is_no_library_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "_pill_native.so"
    path.write_bytes(b"nothing")
    with pytest.raises(BackendError, match="expected a loadable simulator"):
        native_library.open_library(path)
    libc = Path(ctypes.CDLL(None)._name or "libc.so.6")
    with pytest.raises(BackendError, match="expected a loadable simulator"):
        native_library.open_library(libc)
