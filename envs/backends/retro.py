"""The game on Stable-Retro (FCEUmm): the ground truth, run from the ROM itself.

Drives Stable-Retro's emulator object, not its `RetroEnv`: every `RetroEnv.step` refreshes a copy
of all memory (`update_ram`), which costs as much as the emulated frame. Buttons pass through
unfiltered, as with `Actions.ALL`.
"""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any, Final

import numpy as np

from envs.backends.base import BackendError
from envs.backends.boot import run_to_control, walk_to_next_setup, walk_to_setup
from envs.backends.images import check_image
from envs.backends.integrations import (
    DR_MARIO,
    GAMES,
    PILL_DUEL,
    accepted_digests,
    find_rom,
    headerless_digest,
    integration_path,
    user_data_path,
)
from envs.backends.savestates import Savestate, SavestateCache
from envs.game.layout import (
    RAM_SIZE,
    RESERVE_BASE,
    RESERVE_SIZE,
    Address,
    Button,
    Mode,
    PillDuelAddress,
)
from envs.game.setup import RoundSetup, fill_reserve
from envs.game.state import GameState

_CORE_BUTTONS: Final = (
    Button.B,
    None,
    Button.SELECT,
    Button.START,
    Button.UP,
    Button.DOWN,
    Button.LEFT,
    Button.RIGHT,
    Button.A,
)
"""Order of the core's nine button flags; the second is not an NES button."""
_BUTTON_MASKS: Final = tuple(
    np.array([button is not None and bool(pad & button) for button in _CORE_BUTTONS], np.uint8)
    for pad in range(256)
)
_CHECKED_MODES: Final = (Mode.PLAY, Mode.TOP_OUT, Mode.END)
"""Modes in which a savestate's RAM must be one that a round leaves."""
_RAM_BLOCKS: Final = (0, RAM_SIZE // 2)
"""The core publishes RAM in blocks of 1 KiB, keyed by address."""


class RetroBackend:
    """One game on FCEUmm. The emulator runs from construction to `close`.

    Stable-Retro allows one emulator per process. It is released by `close`, at the end of a
    `with` block, or when the backend is garbage-collected.
    """

    name = "retro"

    def __init__(
        self,
        rom: str | Path = PILL_DUEL,
        *,
        rendering: bool = True,
        cache_folder: Path | None = None,
    ) -> None:
        """Open the emulator and switch the machine on.

        Args:
            rom: `PillDuel-Nes-v0`, `DrMario-Nes-v0`, or the path of a build of Pill Duel.
            rendering: False where no picture is needed: Pill Duel then keeps it off, which makes
                a frame a third cheaper and changes no byte of the documented RAM, and `screen`
                raises. Dr. Mario has no such switch and always draws.
            cache_folder: Where boot states are kept; default: in the user data folder.

        Raises:
            BackendError: Another emulator is open in this process, Stable-Retro is missing, or
                the ROM is not there.
        """
        path = find_rom(str(rom)) if str(rom) in GAMES else Path(rom)
        self._digest = headerless_digest(_read_rom(path))
        self._has_flags = self._digest not in accepted_digests(DR_MARIO)
        self._rendering = rendering or not self._has_flags
        self._emulator, self._data, self._core = _open_emulator(path)
        self._power_on: bytes = self._emulator.get_state()
        self._power_on_ram = self.ram()
        self._cache = SavestateCache(cache_folder or default_cache_folder())
        self._boot_states: dict[tuple[object, ...], bytes] = {}

    @property
    def digest(self) -> str:
        """Lower-case SHA-1 of the ROM without its iNES header."""
        return self._digest

    @property
    def rendering(self) -> bool:
        """Whether the machine draws a picture."""
        return self._rendering

    def start_round(self, setup: RoundSetup) -> None:
        """Start a round; see `envs.backends.base.Backend.start_round`."""
        if setup.solo and not self._has_flags:
            raise BackendError(
                f"expected solo=False on {DR_MARIO}, got True; a solo round needs a RAM flag "
                f"that only {PILL_DUEL} has"
            )
        self._set_state(self._boot_state(setup))
        self._poke_flags(setup.solo)
        self.poke(Address.RNG_HIGH, setup.entry_word >> 8)
        self.poke(Address.RNG_LOW, setup.entry_word & 0xFF)
        self.poke(Address.FRAME_COUNTER, setup.entry_frame_counter)
        run_to_control(self, setup.solo)
        self._check_reserve(setup.entry_word)

    def next_round(self) -> None:
        """Go on to the next round of the set; see `envs.backends.base.Backend.next_round`."""
        solo = self.solo
        walk_to_next_setup(self, solo)
        run_to_control(self, solo)

    @property
    def solo(self) -> bool:
        """Whether player 2's bottle is inert in the running round."""
        return self._has_flags and bool(self.ram()[PillDuelAddress.SOLO])

    def step(self, pads: tuple[int, int]) -> None:
        """Run one frame with the pad bytes of both seats."""
        emulator = self._emulator
        emulator.set_button_mask(_BUTTON_MASKS[pads[0]], 0)
        emulator.set_button_mask(_BUTTON_MASKS[pads[1]], 1)
        emulator.step()

    def ram(self) -> np.ndarray:
        """Return a copy of the CPU RAM, uint8 (2048,)."""
        blocks = self._data.memory.blocks
        return np.frombuffer(bytearray(blocks[_RAM_BLOCKS[0]] + blocks[_RAM_BLOCKS[1]]), np.uint8)

    def poke(self, address: int, value: int) -> None:
        """Write one byte of the running machine's CPU RAM."""
        self._data.memory.assign(int(address), "|u1", int(value))

    def save(self) -> bytes:
        """Return a savestate of this instant."""
        return Savestate(self._digest, self._core, self._emulator.get_state()).to_bytes()

    def load(self, savestate: bytes) -> None:
        """Continue from `savestate`; see `envs.backends.base.Backend.load`.

        Raises:
            ValueError: The savestate is broken, belongs to another game, core or version, or has
                RAM that no frame of a round leaves; the game goes on from where it was.
        """
        loaded = Savestate.from_bytes(savestate)
        loaded.check_belongs_to(self._digest, self._core)
        before = self._emulator.get_state()
        self._set_state(loaded.payload)
        try:
            self._check_ram()
        except ValueError:
            self._set_state(before)
            raise
        if self._has_flags:
            self.poke(PillDuelAddress.RENDER_OFF, not self._rendering)

    def screen(self) -> np.ndarray:
        """Return the picture of the last frame, uint8 (224, 240, 3), RGB.

        After `load` it is the old picture until the next `step`.

        Raises:
            BackendError: The backend was opened with `rendering=False`.
        """
        if not self._rendering:
            raise BackendError("expected rendering=True for a picture, got rendering=False")
        return np.array(self._emulator.get_screen())

    def close(self) -> None:
        """Release the emulator; safe to call twice."""
        # The emulator's memory view does not keep its owner alive, so it goes first.
        self._data = _CLOSED
        self._emulator = _CLOSED

    def __enter__(self) -> RetroBackend:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _boot_state(self, setup: RoundSetup) -> bytes:
        """Return the core state on entering set-up with these levels and speeds."""
        settings = {"levels": list(setup.levels), "speeds": [int(s) for s in setup.speeds]}
        key = (setup.levels, setup.speeds)
        if key not in self._boot_states:
            state = self._cache.get(self._digest, self._core, settings)
            if state is None:
                self._set_state(self._power_on)
                walk_to_setup(self, setup.levels, setup.speeds)
                state = self._emulator.get_state()
                self._cache.put(Savestate(self._digest, self._core, state, settings))
            self._boot_states[key] = state
        return self._boot_states[key]

    def _set_state(self, state: bytes) -> None:
        if not self._emulator.set_state(state):
            raise ValueError(
                f"expected a state of core {self._core!r}, got {len(state)} bytes that it "
                "refuses; make the savestate again"
            )

    def _check_ram(self) -> None:
        """Refuse RAM that cannot occur; menus and the frames of set-up may hold anything.

        Before a machine's first frame nothing has been written yet, so that is let through, too.

        Raises:
            ValueError: Names the field, the value and what was expected.
        """
        ram = self.ram()
        if np.array_equal(ram, self._power_on_ram):
            return
        mode = int(ram[Address.MODE])
        if mode not in set(Mode):
            raise ValueError(
                f"expected a savestate with a known mode ({', '.join(map(str, map(int, Mode)))}), "
                f"got mode {mode}; make the savestate again"
            )
        if mode in _CHECKED_MODES:
            if self._has_flags:
                check_image(ram)
            else:
                GameState.from_ram(ram, check=mode == Mode.PLAY)

    def _poke_flags(self, solo: bool) -> None:
        if self._has_flags:
            self.poke(PillDuelAddress.RENDER_OFF, not self._rendering)
            self.poke(PillDuelAddress.SOLO, solo)

    def _check_reserve(self, entry_word: int) -> None:
        """Make sure that set-up really drew from the word: all that seeds promise rests on it."""
        expected, _ = fill_reserve(entry_word)
        reserve = self.ram()[RESERVE_BASE : RESERVE_BASE + RESERVE_SIZE]
        if not np.array_equal(reserve, expected):
            raise BackendError(
                f"expected the capsules of RNG word {entry_word:#06x}, got others; the ROM with "
                f"digest {self._digest} does not draw them on the frame after its mode becomes 3"
            )


class _Closed:
    """Stands for the emulator after `close`: every use raises."""

    def __getattr__(self, name: str) -> Any:
        raise BackendError("expected an open backend, got one that was closed; open a new one")


_CLOSED: Final = _Closed()


def default_cache_folder() -> Path:
    """Return the folder of cached boot states."""
    return user_data_path() / "savestates"


def _read_rom(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BackendError(
            f"expected a game out of {', '.join(GAMES)} or the path of a ROM, got {str(path)!r} "
            f"({error.strerror})"
        ) from error


def _open_emulator(path: Path) -> tuple[Any, Any, str]:
    """Open the process's emulator and return it, its memory and the core's name."""
    stable_retro = _import_stable_retro()
    # An abandoned backend may still wait in a reference cycle for its release.
    gc.collect()
    try:
        emulator = stable_retro.RetroEmulator(str(path))
    except RuntimeError as error:
        raise BackendError(
            "expected no other emulator in this process, got a live one; Stable-Retro runs one "
            "per process: close() the other env or backend first, or use a second process"
        ) from error
    data = stable_retro.data.GameData()
    emulator.configure_data(data)
    _clear_cartridge_ram(data.memory)
    return emulator, data, f"fceumm of stable-retro {stable_retro.__version__.strip()}"


def _clear_cartridge_ram(memory: Any) -> None:
    """Zero the RAM at $6000-$7FFF, which the core leaves as it finds it.

    Neither cartridge has any, but savestates hold it, and equal machines are to have equal states.
    """
    for start, block in memory.blocks.items():
        if start >= RAM_SIZE:
            for address in range(start, start + len(block), 4):
                memory.assign(address, "<u4", 0)


def _import_stable_retro() -> Any:
    try:
        import stable_retro
    except ImportError as error:
        raise BackendError(
            "expected the package stable-retro, got none; it has wheels for Linux x86-64 and "
            "macOS arm64 only: use one of these, or another backend"
        ) from error
    return stable_retro


def make_stock_env(game: str = PILL_DUEL) -> Any:
    """Return Stable-Retro's own `RetroEnv`, to compare with and to check the integration.

    RAM observation, both pads, `Actions.ALL`, no window.
    """
    stable_retro = _import_stable_retro()
    integrations = stable_retro.data.Integrations
    folder = str(integration_path(game).parent)
    if folder not in integrations.CUSTOM_ONLY.paths:
        integrations.add_custom_path(folder)
    return stable_retro.make(
        game,
        inttype=integrations.CUSTOM_ONLY,
        players=2,
        use_restricted_actions=stable_retro.Actions.ALL,
        obs_type=stable_retro.Observations.RAM,
        render_mode=None,
    )


def list_stock_buttons(pad: int) -> np.ndarray:
    """Return the nine button flags of `Actions.ALL` for a pad byte, uint8 (9,)."""
    return _BUTTON_MASKS[pad].copy()
