"""Recognises the user's own ROM and takes it into the user data folder, or says why not."""

from __future__ import annotations

import logging
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from envs.backends.integrations import (
    DATA_VARIABLE,
    DR_MARIO,
    GAMES,
    INES_HEADER_SIZE,
    PILL_DUEL,
    RomError,
    accepted_digests,
    headerless_digest,
    integration_path,
    user_rom_folder,
)
from league.rom_sources import Candidate, SourceError, read_candidates

LOGGER = logging.getLogger(__name__)

INES_MAGIC: Final = b"NES\x1a"
PRG_UNIT: Final = 16 << 10
CHR_UNIT: Final = 8 << 10
TRAINER_SIZE: Final = 512
_TRAINER_FLAG: Final = 0x04

DR_MARIO_HEADER: Final = INES_MAGIC + bytes((2, 4, 0x10)) + bytes(9)
"""The header that imported dumps get: 32 KiB PRG, 32 KiB CHR, mapper 1 (MMC1).

Digests leave the header out, and a dump's own may hold anything: a wrong mapper, PAL timing.
"""

TITLES: Final = {
    "ff6459bc3af5743e3d303823999f33d74abdf1aa": "Dr. Mario (Japan, USA)",
    "59b43881456c0720e9a35e391b11c4b2c55a8f91": "Dr. Mario (Japan, USA) (Rev A)",
}
"""Names of the accepted dumps, by headerless SHA-1."""

REFUSED: Final = {
    "a0939930d9655e7fd2c3fae69d558614f2d27480": (
        "this is the European version (PAL): its gravity, auto-repeat and intro timings differ, "
        "so it is another game to every policy and test here"
    ),
}
"""Reasons against dumps that are known and refused, by headerless SHA-1."""


@dataclass(frozen=True, slots=True)
class RomRecord:
    """A ROM that can be played."""

    game: str
    """Name of the integration."""
    title: str
    digest: str
    """Headerless SHA-1, lower-case hex."""
    path: Path
    shipped: bool = False
    """True: part of this project. False: the user's own."""
    intact: bool = True
    """False: the file has not the digest that it should have; import it again."""


def import_roms(path: str | os.PathLike[str]) -> list[RomRecord]:
    """Take every accepted ROM found at `path` into the user data folder.

    Args:
        path: An iNES file, a zip archive with `.nes` members, or a folder that is searched for
            both. Links to folders are not followed.

    Returns:
        One record per distinct accepted ROM, whether newly written or there already. What else
        lies beside an accepted ROM is ignored.

    Raises:
        RomError: `path` cannot be read or holds no accepted ROM, and nothing has been written;
            or the user data folder cannot be written.
    """
    source = Path(path)
    accepted: dict[str, bytes] = {}
    problems: list[str] = []
    for candidate in read_candidates(source):
        try:
            accepted |= [_recognise(candidate)]
        except SourceError as error:
            problems.append(str(error))
            LOGGER.info("skipped %s", error)
    if not accepted:
        raise RomError(f"{_summarise(problems, source)}. {_accepted_text()}")
    return [_store(digest, body) for digest, body in accepted.items()]


def list_roms() -> list[RomRecord]:
    """Return the shipped ROM and the user's imported ones, in the order of `GAMES`."""
    records = []
    for game in GAMES:
        for digest in accepted_digests(game):
            shipped = game == PILL_DUEL
            folder = integration_path(game) if shipped else user_rom_folder(game)
            path = folder / ("rom.nes" if shipped else f"{digest}.nes")
            if path.is_file():
                intact = headerless_digest(path.read_bytes()) == digest
                title = "Pill Duel" if shipped else TITLES[digest]
                records.append(RomRecord(game, title, digest, path, shipped, intact))
    return records


def _recognise(candidate: Candidate | SourceError) -> tuple[str, bytes]:
    """Return digest and headerless body of an accepted dump.

    Raises:
        SourceError: It is none, or could not even be read; says what was expected.
    """
    if isinstance(candidate, SourceError):
        raise candidate
    where, rom = candidate.where, candidate.content
    if len(rom) < INES_HEADER_SIZE or not rom.startswith(INES_MAGIC):
        found = _describe_headerless(rom)
        raise SourceError(f"{where}: expected an iNES file (it begins with 'NES', $1A), {found}")
    digest = headerless_digest(rom)
    if digest in accepted_digests(DR_MARIO):
        return digest, rom[INES_HEADER_SIZE:]
    if digest in REFUSED:
        raise SourceError(f"{where}: {REFUSED[digest]}")
    if digest in accepted_digests(PILL_DUEL):
        raise SourceError(f"{where}: this is Pill Duel, which is installed already")
    size = _size_by_header(rom)
    if len(rom) != size:
        state = "it is truncated" if len(rom) < size else "it has bytes to spare"
        raise SourceError(f"{where}: expected {size} bytes by its header, got {len(rom)}: {state}")
    raise SourceError(f"{where}: expected a known dump, got headerless SHA-1 {digest}")


def _describe_headerless(rom: bytes) -> str:
    if headerless_digest(bytes(INES_HEADER_SIZE) + rom) in accepted_digests(DR_MARIO):
        return "got the right dump without its 16-byte header: put one in front"
    return f"got {rom[:4]!r} and no header" if rom else "got an empty file"


def _size_by_header(rom: bytes) -> int:
    trainer = TRAINER_SIZE if rom[6] & _TRAINER_FLAG else 0
    return INES_HEADER_SIZE + trainer + rom[4] * PRG_UNIT + rom[5] * CHR_UNIT


def _summarise(problems: list[str], source: Path) -> str:
    if not problems:
        return f"{str(source)!r}: expected a .nes file in it, found none"
    # A known dump is what its owner came with: its reason says more than any other file's.
    known = [problem for problem in problems if problem.endswith(tuple(REFUSED.values()))]
    first = (known or problems)[0]
    if len(problems) == 1:
        return first
    return f"{str(source)!r}: none of {len(problems)} files is accepted, one of them being {first}"


def _accepted_text() -> str:
    digests = (f"{digest} {TITLES[digest]}" for digest in accepted_digests(DR_MARIO))
    return f"Accepted (SHA-1 without the header): {', '.join(digests)}; see ROM_README.md"


def _store(digest: str, body: bytes) -> RomRecord:
    """Write the dump under its digest; a reader sees the whole file or none."""
    target = user_rom_folder(DR_MARIO) / f"{digest}.nes"
    rom = DR_MARIO_HEADER + body
    try:
        if not target.is_file() or target.read_bytes() != rom:
            target.parent.mkdir(parents=True, exist_ok=True)
            _write_atomically(target, rom)
    except OSError as error:
        raise RomError(
            f"cannot write {str(target)!r} ({error.strerror or error}); make room, or set "
            f"{DATA_VARIABLE} to a folder that can be written"
        ) from error
    return RomRecord(DR_MARIO, TITLES[digest], digest, target)


def _write_atomically(target: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=".import-", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
