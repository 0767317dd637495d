"""Where the Stable-Retro integrations and their ROMs lie, in a checkout and when installed.

Finds files only: nothing here opens an emulator, and ROMs are imported by `league.roms`.
"""

from __future__ import annotations

import difflib
import hashlib
import os
from pathlib import Path
from typing import Final

from envs.backends.base import BackendError

PILL_DUEL: Final = "PillDuel-Nes-v0"
DR_MARIO: Final = "DrMario-Nes-v0"
GAMES: Final = (PILL_DUEL, DR_MARIO)
"""Names of the integrations; the first ships with its ROM, the second never."""

DATA_VARIABLE: Final = "PILL_LEAGUE_DATA"
"""Environment variable that names the user data folder."""

INES_HEADER_SIZE: Final = 16


class RomError(BackendError):
    """A ROM is missing, or is not one that this project accepts."""


def integration_path(name: str) -> Path:
    """Return the folder of integration `name`, with its `data.json`, `rom.sha` and the rest.

    Raises:
        ValueError: There is no such integration.
        BackendError: The installation lacks its data files.
    """
    if name not in GAMES:
        nearest = difflib.get_close_matches(name, GAMES, n=1, cutoff=0.3)
        hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
        raise ValueError(f"expected an integration out of {', '.join(GAMES)}, got {name!r}{hint}")
    # `integrations` lies beside `envs` in a checkout and in site-packages alike. Importing it by
    # its name instead could find a folder of the same name in the current directory.
    folder = Path(__file__).resolve().parents[2] / "integrations" / name
    if not folder.is_dir():
        raise BackendError(
            f"expected the data files of {name!r} in {folder}; reinstall pill-league"
        )
    return folder


def user_data_path() -> Path:
    """Return the user data folder, which may not exist yet.

    `$PILL_LEAGUE_DATA`, else `pill-league` below `$XDG_DATA_HOME`, else `~/.local/share`.
    """
    if chosen := os.environ.get(DATA_VARIABLE):
        return Path(chosen).expanduser().absolute()
    base = os.environ.get("XDG_DATA_HOME", "")
    # The XDG specification asks to ignore a relative path.
    root = Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "share"
    return root / "pill-league"


def user_rom_folder(name: str) -> Path:
    """Return the folder of the user's own ROMs of game `name`; each is `<digest>.nes`."""
    return user_data_path() / "roms" / name


def accepted_digests(name: str) -> tuple[str, ...]:
    """Return the headerless SHA-1 digests that `rom.sha` of game `name` accepts, in its order."""
    return tuple((integration_path(name) / "rom.sha").read_text(encoding="ascii").split())


def headerless_digest(rom: bytes) -> str:
    """Return the SHA-1 of `rom` (a whole iNES file) without its header, in lower-case hex.

    Source: Stable-Retro names NES ROMs this way in `rom.sha`.
    """
    return hashlib.sha1(rom[INES_HEADER_SIZE:], usedforsecurity=False).hexdigest()


def find_rom(name: str) -> Path:
    """Return the ROM to run for game `name`: the shipped one, else the user's first accepted one.

    Raises:
        ValueError: There is no such integration.
        RomError: The user has imported no ROM of this game.
    """
    shipped = integration_path(name) / "rom.nes"
    if name == PILL_DUEL and shipped.is_file():
        return shipped
    digests = accepted_digests(name)
    for digest in digests:
        candidate = user_rom_folder(name) / f"{digest}.nes"
        if candidate.is_file():
            return candidate
    raise RomError(
        f"expected a ROM of {name!r} in {user_rom_folder(name)}, found none; import your own with "
        f"`league rom import PATH` (headerless SHA-1 {' or '.join(digests)}; see ROM_README.md)"
    )
