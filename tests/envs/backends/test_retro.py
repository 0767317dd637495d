"""Pill Duel on FCEUmm: pads, RAM, savestates, rounds, and one emulator at a time."""

from __future__ import annotations

import gc
import logging
import weakref
from pathlib import Path

import numpy as np
import pytest

from envs.backends.base import Backend, BackendError
from envs.backends.integrations import PILL_DUEL, accepted_digests
from envs.backends.retro import RetroBackend
from envs.backends.savestates import Savestate
from envs.game.layout import (
    CROWNS_TO_WIN,
    EMPTY,
    FIELD_BASES,
    PLAYER_BASES,
    Address,
    Button,
    Mode,
    NextAction,
    PillDuelAddress,
    PlayerOffset,
    Speed,
    player_address,
)
from envs.game.setup import RoundSetup, fill_reserve, place_viruses
from envs.game.state import GameState

pytestmark = pytest.mark.emulator

NOTHING = (0, 0)
PLAYABLE = [button for button in Button if button not in (Button.START, Button.SELECT)]


def random_pads(rng: np.random.Generator, frames: int) -> list[tuple[int, int]]:
    """Return pads as players hold them: any buttons but START and SELECT."""
    held = rng.integers(2, size=(frames, 2, len(PLAYABLE))) * np.array(PLAYABLE)
    return [(int(first), int(second)) for first, second in held.sum(axis=2)]


def outside_stack(ram: np.ndarray) -> np.ndarray:
    """Drop the stack page: what an interrupt leaves there depends on where it struck."""
    return np.delete(ram, np.s_[0x100:0x200])


def start_is_accepted(backend: RetroBackend, savestate: bytes, press_at: int) -> bool:
    """Whether START pressed on this one frame after `savestate` leads to the next set-up."""
    backend.load(savestate)
    for frame in range(press_at + 60):
        backend.step((Button.START if frame == press_at else 0, 0))
        if backend.ram()[Address.MODE] == Mode.SETUP:
            return True
    return False


def clear_bottle_by_next_capsule(backend: RetroBackend, seat: int) -> None:
    """Leave `seat` one virus that its falling capsule will clear by dropping straight down."""
    base = FIELD_BASES[seat]
    first = GameState.from_ram(backend.ram()).players[seat].colours[0]
    for cell in range(128):
        backend.poke(base + cell, EMPTY)
    for row in (13, 14, 15):
        backend.poke(base + row * 8 + 3, 0xD0 | first)
    backend.poke(player_address(seat, PlayerOffset.VIRUSES), 3)


def end_round(backend: RetroBackend, seat: int = 0) -> None:
    """Let `seat` win the running round by clearing, within a few seconds of play."""
    clear_bottle_by_next_capsule(backend, seat)
    viruses = player_address(seat, PlayerOffset.VIRUSES)
    for _ in range(400):
        if backend.ram()[viruses] == 0:
            return
        pads = [0, 0]
        pads[seat] = Button.DOWN
        backend.step((pads[0], pads[1]))
    pytest.fail("the capsule did not clear the viruses")


def test_is_a_backend(retro: RetroBackend) -> None:
    assert isinstance(retro, Backend)
    assert retro.name == "retro"
    assert retro.digest in accepted_digests(PILL_DUEL)


def test_both_pads_act_in_the_same_frame(retro: RetroBackend) -> None:
    retro.start_round(RoundSetup())
    rng = np.random.default_rng(1)
    for pads in random_pads(rng, 200):
        counter = retro.ram()[Address.FRAME_COUNTER]
        retro.step(pads)
        ram = retro.ram()
        assert (ram[Address.PAD1_HELD], ram[Address.PAD2_HELD]) == pads
        assert ram[Address.FRAME_COUNTER] == (int(counter) + 1) % 256


@pytest.mark.parametrize("button", list(Button))
def test_every_button_has_its_documented_bit(retro: RetroBackend, button: Button) -> None:
    retro.step((button, 0))
    for _ in range(5):
        retro.step((button, 0))
    assert retro.ram()[Address.PAD1_HELD] == button


def test_ram_is_a_copy_that_the_caller_owns(retro: RetroBackend) -> None:
    ram = retro.ram()
    assert ram.shape == (2048,)
    assert ram.dtype == np.uint8
    before = int(ram[Address.FRAME_COUNTER])
    ram[:] = 0
    retro.step(NOTHING)
    assert not ram.any()
    retro.poke(Address.FRAME_COUNTER, before)
    assert retro.ram()[Address.FRAME_COUNTER] == before


def test_poke_survives_a_frame(retro: RetroBackend) -> None:
    retro.start_round(RoundSetup())
    retro.poke(player_address(1, PlayerOffset.LEVEL), 17)
    retro.step(NOTHING)
    assert retro.ram()[player_address(1, PlayerOffset.LEVEL)] == 17


@pytest.mark.parametrize(
    "setup",
    [
        RoundSetup(),
        RoundSetup(levels=(5, 10), rng_word=0x2ACA),
        RoundSetup(levels=(20, 20), speeds=(Speed.HI, Speed.LOW), rng_word=0x818C),
        RoundSetup(levels=(0, 3), rng_word=0xBF98, frame_offset=300),
        RoundSetup(rng_word=0x0003, frame_offset=1),
    ],
)
def test_round_starts_with_what_the_setup_says(retro: RetroBackend, setup: RoundSetup) -> None:
    retro.start_round(setup)
    ram = retro.ram()
    state = GameState.from_ram(ram, check=True)
    assert state.both_can_act()
    assert tuple(player.level for player in state.players) == setup.levels
    assert tuple(player.speed for player in state.players) == setup.speeds
    reserve, word = fill_reserve(setup.entry_word)
    np.testing.assert_array_equal(ram[0x780:0x800], reserve)
    fill = place_viruses(setup.levels, word)
    for player, field in zip(state.players, fill.fields, strict=True):
        np.testing.assert_array_equal(player.bottle.ravel(), field)
    assert state.rng_word == fill.word


def test_round_starts_on_the_first_frame_on_which_both_can_act(retro: RetroBackend) -> None:
    retro.start_round(RoundSetup())
    first = retro.ram()
    x = player_address(0, PlayerOffset.X)
    assert first[x] == 3
    retro.step((Button.LEFT, Button.RIGHT))
    state = GameState.from_ram(retro.ram())
    assert (state.players[0].x, state.players[1].x) == (2, 4)
    assert state.players[0].gravity_counter == 1


def test_frame_offset_waits_option_frames(retro: RetroBackend) -> None:
    """Waiting N frames is N RNG steps and N on the frame counter, nothing else."""
    waited = RoundSetup(rng_word=0x2ACA, frame_offset=256 + 7)
    retro.start_round(waited)
    by_waiting = retro.ram()
    retro.start_round(RoundSetup(rng_word=waited.entry_word))
    by_word = retro.ram()
    by_word[Address.FRAME_COUNTER] += 7
    np.testing.assert_array_equal(outside_stack(by_waiting), outside_stack(by_word))


def test_start_is_independent_of_what_ran_before(retro: RetroBackend) -> None:
    setup = RoundSetup(levels=(3, 3), rng_word=0x8B24)
    retro.start_round(setup)
    first = retro.save()
    for pads in random_pads(np.random.default_rng(2), 300):
        retro.step(pads)
    retro.start_round(RoundSetup(levels=(20, 1), speeds=(Speed.HI, Speed.HI)))
    retro.start_round(setup)
    assert retro.save() == first


def test_cached_boot_state_gives_the_same_round(tmp_path: Path) -> None:
    setup = RoundSetup(levels=(4, 2), speeds=(Speed.LOW, Speed.HI))
    folder = tmp_path / "states"
    saved = []
    for _ in range(2):
        with RetroBackend(cache_folder=folder) as backend:
            backend.start_round(setup)
            saved.append(backend.save())
    assert saved[0] == saved[1]
    assert len(list(folder.rglob("*.state"))) == 1


def test_cached_boot_state_of_another_rom_is_made_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "states"
    with RetroBackend(cache_folder=folder) as backend:
        backend.start_round(RoundSetup())
        expected = backend.save()
    (path,) = folder.rglob("*.state")
    state = Savestate.from_bytes(path.read_bytes())
    other = Savestate("0" * 40, state.core, bytes(len(state.payload)), state.settings)
    path.write_bytes(other.to_bytes())
    with RetroBackend(cache_folder=folder) as backend, caplog.at_level(logging.WARNING):
        backend.start_round(RoundSetup())
        assert backend.save() == expected
    assert "is not used" in caplog.text


def test_save_and_load_rewind_exactly(retro: RetroBackend) -> None:
    retro.start_round(RoundSetup(levels=(8, 8)))
    saved = retro.save()
    pads = random_pads(np.random.default_rng(3), 400)

    def play() -> list[bytes]:
        images = []
        for frame_pads in pads:
            retro.step(frame_pads)
            images.append(retro.ram().tobytes())
        return images

    first = play()
    retro.load(saved)
    assert retro.save() == saved
    assert play() == first


def test_savestate_of_another_rom_is_refused(retro: RetroBackend) -> None:
    state = Savestate.from_bytes(retro.save())
    other = Savestate("0" * 40, state.core, state.payload)
    with pytest.raises(ValueError, match=f"digest {retro.digest}"):
        retro.load(other.to_bytes())


def test_savestate_that_the_core_refuses_is_an_error(retro: RetroBackend) -> None:
    state = Savestate.from_bytes(retro.save())
    short = Savestate(state.digest, state.core, state.payload[:100])
    with pytest.raises(ValueError, match="100 bytes"):
        retro.load(short.to_bytes())


@pytest.mark.parametrize(
    ("address", "value", "named"),
    [
        (Address.MODE, 77, "mode 77"),
        (FIELD_BASES[0] + 20, 0x11, r"players\[0\]\.cells\[20\]"),
        (player_address(1, PlayerOffset.X), 200, r"players\[1\]\.x"),
    ],
)
def test_savestate_with_impossible_ram_is_refused_and_changes_nothing(
    retro: RetroBackend, address: int, value: int, named: str
) -> None:
    retro.start_round(RoundSetup())
    here = retro.save()
    retro.poke(address, value)
    tampered = retro.save()
    retro.load(here)
    with pytest.raises(ValueError, match=named):
        retro.load(tampered)
    assert retro.save() == here


def test_picture_is_rgb_and_owned(retro: RetroBackend) -> None:
    retro.start_round(RoundSetup())
    screen = retro.screen()
    assert screen.shape == (224, 240, 3)
    assert screen.dtype == np.uint8
    assert screen.any()
    screen[:] = 0
    assert retro.screen().any()


def play_images(rendering: bool, solo: bool, cache: Path) -> list[np.ndarray]:
    with RetroBackend(rendering=rendering, cache_folder=cache) as backend:
        backend.start_round(RoundSetup(levels=(2, 6), solo=solo))
        images = []
        for pads in random_pads(np.random.default_rng(4), 600):
            backend.step(pads)
            images.append(backend.ram())
        return images


def test_rendering_off_changes_no_other_byte(tmp_path: Path) -> None:
    drawn = play_images(rendering=True, solo=False, cache=tmp_path)
    blind = play_images(rendering=False, solo=False, cache=tmp_path)
    for with_picture, without in zip(drawn, blind, strict=True):
        assert without[PillDuelAddress.RENDER_OFF] == 1
        without[PillDuelAddress.RENDER_OFF] = 0
        np.testing.assert_array_equal(outside_stack(with_picture), outside_stack(without))


def test_rendering_off_survives_load_and_refuses_pictures(tmp_path: Path) -> None:
    with RetroBackend(cache_folder=tmp_path) as drawn:
        drawn.start_round(RoundSetup())
        saved = drawn.save()
    with RetroBackend(rendering=False, cache_folder=tmp_path) as blind:
        blind.load(saved)
        assert blind.ram()[PillDuelAddress.RENDER_OFF] == 1
        with pytest.raises(BackendError, match="rendering=True"):
            blind.screen()


def test_solo_round_leaves_player_two_alone(retro: RetroBackend) -> None:
    retro.start_round(RoundSetup(solo=True))
    assert retro.solo
    before = retro.ram()[PLAYER_BASES[1] : PLAYER_BASES[1] + 48]
    for pads in random_pads(np.random.default_rng(5), 300):
        retro.step(pads)
    after = retro.ram()[PLAYER_BASES[1] : PLAYER_BASES[1] + 48]
    np.testing.assert_array_equal(before, after)
    retro.start_round(RoundSetup())
    assert not retro.solo


def test_cartridge_without_the_flags_always_draws_and_refuses_solo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dr. Mario, for which Pill Duel stands in here."""
    monkeypatch.setattr(
        "envs.backends.retro.accepted_digests", lambda _: accepted_digests(PILL_DUEL)
    )
    with RetroBackend(rendering=False, cache_folder=tmp_path) as backend:
        assert backend.rendering
        with pytest.raises(BackendError, match="a solo round needs a RAM flag"):
            backend.start_round(RoundSetup(solo=True))
        backend.start_round(RoundSetup())
        assert not backend.ram()[PillDuelAddress.RENDER_OFF]
        assert backend.screen().any()


def test_next_round_keeps_crowns_levels_and_speeds(retro: RetroBackend) -> None:
    retro.start_round(RoundSetup(levels=(1, 2), speeds=(Speed.HI, Speed.LOW)))
    end_round(retro, seat=1)
    word = GameState.from_ram(retro.ram()).rng_word
    retro.next_round()
    state = GameState.from_ram(retro.ram(), check=True)
    assert state.both_can_act()
    assert tuple(player.crowns for player in state.players) == (0, 1)
    assert tuple(player.level for player in state.players) == (1, 2)
    assert tuple(player.speed for player in state.players) == (Speed.HI, Speed.LOW)
    # The RNG just continues: nothing draws from it during play or while START is waited for.
    np.testing.assert_array_equal(retro.ram()[0x780:0x800], fill_reserve(word)[0])


def test_next_round_presses_start_on_the_first_frame_that_accepts_it(retro: RetroBackend) -> None:
    retro.start_round(RoundSetup())
    end_round(retro)
    saved = retro.save()
    retro.next_round()
    reached = retro.ram()
    # A wait of some 96 frames comes first, in which START does nothing.
    assert not start_is_accepted(retro, saved, press_at=80)
    earliest = next(frame for frame in range(81, 120) if start_is_accepted(retro, saved, frame))
    retro.load(saved)
    for frame in range(earliest + 1):
        retro.step((Button.START if frame == earliest else 0, 0))
    while not GameState.from_ram(retro.ram()).both_can_act():
        retro.step(NOTHING)
    np.testing.assert_array_equal(outside_stack(reached), outside_stack(retro.ram()))


def test_set_ends_at_three_crowns(retro: RetroBackend) -> None:
    retro.start_round(RoundSetup())
    for round_number in range(1, CROWNS_TO_WIN + 1):
        end_round(retro)
        assert GameState.from_ram(retro.ram()).players[0].crowns == round_number
        if round_number < CROWNS_TO_WIN:
            retro.next_round()
    with pytest.raises(BackendError, match="call start_round"):
        retro.next_round()


def test_next_round_during_a_round_is_refused(retro: RetroBackend) -> None:
    retro.start_round(RoundSetup())
    with pytest.raises(BackendError, match="expected a round that has ended"):
        retro.next_round()


def test_next_round_after_a_top_out(retro: RetroBackend) -> None:
    retro.start_round(RoundSetup())
    for cell in range(8):
        retro.poke(FIELD_BASES[0] + cell, 0x80 + cell % 2)
    for _ in range(900):
        retro.step((Button.DOWN, 0))
        if retro.ram()[player_address(0, PlayerOffset.TOPPED_OUT)]:
            break
    retro.next_round()
    state = GameState.from_ram(retro.ram(), check=True)
    assert tuple(player.crowns for player in state.players) == (0, 1)
    assert state.players[0].next_action == NextAction.FALLING


def test_second_emulator_is_a_clear_error_and_closing_makes_room(retro: RetroBackend) -> None:
    with pytest.raises(BackendError, match=r"one per process: close\(\)"):
        RetroBackend()
    retro.close()
    retro.close()
    with RetroBackend() as second:
        second.step(NOTHING)


def test_closed_backend_says_so(retro: RetroBackend) -> None:
    retro.close()
    for use in (retro.ram, retro.save, lambda: retro.step(NOTHING)):
        with pytest.raises(BackendError, match="was closed"):
            use()


def test_garbage_collection_releases_the_emulator(user_data: Path) -> None:
    backend = RetroBackend()
    gone = weakref.ref(backend)
    cycle = [backend]
    cycle.append(cycle)  # type: ignore[arg-type]
    del backend, cycle
    gc.collect()
    assert gone() is None
    RetroBackend().close()


def test_emulator_in_an_uncollected_cycle_does_not_block_the_next(user_data: Path) -> None:
    backend = RetroBackend()
    cycle = [backend]
    cycle.append(cycle)  # type: ignore[arg-type]
    del backend, cycle
    RetroBackend().close()


def test_unknown_rom_is_named() -> None:
    with pytest.raises(BackendError, match=r"no-such-rom\.nes"):
        RetroBackend("no-such-rom.nes")
