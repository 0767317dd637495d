"""Reads what could be a ROM out of a file, a zip archive or a folder, trusting none of them.

Sizes are capped before and while reading, archive members are never unpacked to disk, and only
regular files are opened. What the bytes are is decided in `league.roms`.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Final

MAX_ROM_BYTES: Final = 4 << 20
"""Larger files are not read; no NES dump comes near."""
MAX_ARCHIVE_BYTES: Final = 64 << 20
MAX_UNPACKED_BYTES: Final = 256 << 20
"""Bytes that the `.nes` members of one archive may claim to unpack to."""
MAX_ENTRIES: Final = 10_000
"""Files of one folder, or members of one archive."""

ROM_SUFFIX: Final = ".nes"
ARCHIVE_SUFFIX: Final = ".zip"
ARCHIVE_MAGIC: Final = b"PK\x03\x04"
_ENCRYPTED_FLAG: Final = 0x1
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DAMAGE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    ValueError,
    OSError,
)
"""What zipfile raises on archives that are damaged or made to look so."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """The content of a file that could be a ROM."""

    where: str
    """Its path, with the member name after a colon in an archive."""
    content: bytes


class SourceError(Exception):
    """A file, archive or folder that cannot be read, or is not read for safety."""


def read_candidates(path: Path) -> Iterator[Candidate | SourceError]:
    """Yield what could be a ROM at `path`, and in the same order what could not be read.

    Args:
        path: Any regular file; an archive's `.nes` members are yielded one by one; a folder is
            searched for `.nes` and `.zip` files. Links to folders are not followed.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        yield _unreadable(path, error)
        return
    if stat.S_ISDIR(mode):
        for found in _walk(path):
            if isinstance(found, SourceError):
                yield found
            else:
                yield from _read_file(found)
    else:
        yield from _read_file(path)


def _walk(folder: Path) -> Iterator[Path | SourceError]:
    """Yield the `.nes` and `.zip` files below `folder`, in a fixed order."""
    problems: list[OSError] = []
    seen = 0
    for root, folders, names in os.walk(folder, onerror=problems.append):
        folders.sort()
        seen += len(names)
        if seen > MAX_ENTRIES:
            yield SourceError(
                f"{folder}: expected at most {MAX_ENTRIES} files in it, got more; name the "
                f"{ROM_SUFFIX} file itself"
            )
            return
        suffixes = (ROM_SUFFIX, ARCHIVE_SUFFIX)
        yield from (Path(root, name) for name in sorted(names) if name.lower().endswith(suffixes))
    yield from (_unreadable(Path(str(error.filename)), error) for error in problems)


def _read_file(path: Path) -> Iterator[Candidate | SourceError]:
    try:
        with _open_regular(path) as file:
            is_archive = file.read(len(ARCHIVE_MAGIC)) == ARCHIVE_MAGIC
            file.seek(0)
            if is_archive or path.suffix.lower() == ARCHIVE_SUFFIX:
                yield from _read_archive(file, path)
            else:
                yield Candidate(str(path), _read_capped(file, str(path)))
    except OSError as error:
        yield _unreadable(path, error)
    except SourceError as error:
        yield error


def _open_regular(path: Path) -> IO[bytes]:
    """Open a regular file; anything else (a pipe, a device) could block or never end."""
    # Without O_NONBLOCK, opening a pipe would wait for a writer before it could be refused.
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise SourceError(f"{path}: expected a regular file, a zip archive or a folder")
    return file


def _read_capped(file: IO[bytes], where: str) -> bytes:
    content = file.read(MAX_ROM_BYTES + 1)
    if len(content) > MAX_ROM_BYTES:
        raise SourceError(f"{where}: expected at most {MAX_ROM_BYTES} bytes, got more")
    return content


def _read_archive(file: IO[bytes], path: Path) -> Iterator[Candidate | SourceError]:
    size = os.fstat(file.fileno()).st_size
    if size > MAX_ARCHIVE_BYTES:
        raise SourceError(
            f"{path}: expected an archive of at most {MAX_ARCHIVE_BYTES} bytes, got {size}; unpack "
            f"it and name the {ROM_SUFFIX} file itself"
        )
    try:
        with zipfile.ZipFile(file) as archive:
            yield from _read_members(archive, path)
    except _DAMAGE as error:
        yield SourceError(f"{path}: expected a sound zip archive, got a damaged one ({error})")


def _read_members(archive: zipfile.ZipFile, path: Path) -> Iterator[Candidate | SourceError]:
    members = archive.infolist()
    if len(members) > MAX_ENTRIES:
        raise SourceError(f"{path}: expected at most {MAX_ENTRIES} members, got {len(members)}")
    # All names before any content: an archive with one trick in it is refused as a whole.
    for member in members:
        _check_name(member, path)
    roms = [member for member in members if member.filename.lower().endswith(ROM_SUFFIX)]
    claimed = sum(member.file_size for member in roms)
    if claimed > MAX_UNPACKED_BYTES:
        raise SourceError(
            f"{path}: expected {ROM_SUFFIX} members of at most {MAX_UNPACKED_BYTES} bytes "
            f"together, got {claimed}"
        )
    for member in roms:
        where = f"{path}:{member.filename}"
        try:
            _check_readable(member, where)
            # zipfile stops at the claimed size, so a member that lies about it cannot unpack to
            # more than the check above has allowed.
            with archive.open(member) as content:
                yield Candidate(where, _read_capped(content, where))
        except SourceError as error:
            yield error


def _check_name(member: zipfile.ZipInfo, path: Path) -> None:
    """Refuse names that would leave a folder they are unpacked in: no sound archive has any."""
    # ZipInfo.filename is cut at a NUL byte; orig_filename is what the archive says.
    name = member.orig_filename
    windows = PureWindowsPath(name)
    leaves = name.startswith("/") or ".." in PurePosixPath(name.replace("\\", "/")).parts
    is_link = stat.S_ISLNK(member.external_attr >> 16)
    if leaves or windows.drive or windows.root or is_link or "\0" in name:
        raise SourceError(f"{path}: expected members with plain relative names, got {name!r}")


def _check_readable(member: zipfile.ZipInfo, where: str) -> None:
    if member.flag_bits & _ENCRYPTED_FLAG:
        raise SourceError(f"{where}: expected a member without a password; unpack it first")
    if member.compress_type not in _METHODS:
        raise SourceError(
            f"{where}: expected a stored or deflated member, got compression method "
            f"{member.compress_type}; unpack it first"
        )


def _unreadable(path: Path, error: OSError | ValueError) -> SourceError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else error
    return SourceError(f"{str(path)!r}: cannot read it ({reason})")
