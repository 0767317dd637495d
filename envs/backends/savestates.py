"""The savestate file format, and the cache of boot states.

A savestate is a JSON header that says what it belongs to, and the core's own bytes. It is data
only: reading one runs nothing.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

MAGIC: Final = b"PILLSTATE1\n"
"""First bytes of every savestate; the digit is the version of the format."""
MAX_PAYLOAD: Final = 1 << 20
"""Largest payload that is unpacked, in bytes; an NES state has some 13 KiB."""
_HEADER_LENGTH_BYTES: Final = 4

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Savestate:
    """A savestate and what it belongs to."""

    digest: str
    """Lower-case SHA-1 of the headerless ROM."""
    core: str
    """Emulator core and version; another version may lay its bytes out differently."""
    payload: bytes
    """The core's own bytes."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What the state was made with, JSON values: levels, speeds, ..."""

    def to_bytes(self) -> bytes:
        """Return the file form; the same savestate always gives the same bytes."""
        fields = {"core": self.core, "digest": self.digest, "settings": dict(self.settings)}
        header = json.dumps(fields, sort_keys=True).encode()
        length = len(header).to_bytes(_HEADER_LENGTH_BYTES, "little")
        return MAGIC + length + header + zlib.compress(self.payload, level=1)

    @classmethod
    def from_bytes(cls, data: bytes) -> Savestate:
        """Read the file form.

        Raises:
            ValueError: `data` is not a savestate or is damaged.
        """
        if not data.startswith(MAGIC):
            raise ValueError(
                f"expected a savestate that starts with {MAGIC!r}, got {data[:16]!r}; "
                "make one with the backend's save()"
            )
        start = len(MAGIC) + _HEADER_LENGTH_BYTES
        length = int.from_bytes(data[len(MAGIC) : start], "little")
        try:
            fields = json.loads(data[start : start + length])
            unpacker = zlib.decompressobj()
            payload = unpacker.decompress(data[start + length :], MAX_PAYLOAD)
            if not unpacker.eof:
                raise ValueError("the payload ends early or is too large")
            return cls(
                digest=str(fields["digest"]),
                core=str(fields["core"]),
                payload=payload,
                settings=dict(fields["settings"]),
            )
        except (ValueError, KeyError, TypeError, zlib.error) as error:
            raise ValueError(
                f"expected an undamaged savestate, got {len(data)} bytes that do not unpack "
                f"({error}); make it again"
            ) from error

    def check_belongs_to(self, digest: str, core: str) -> None:
        """Refuse a savestate of another game or core.

        Raises:
            ValueError: The digest or the core differs.
        """
        if self.digest != digest:
            raise ValueError(
                f"expected a savestate of the ROM with digest {digest}, got one of "
                f"{self.digest}; savestates do not move between ROMs, make a new one"
            )
        if self.core != core:
            raise ValueError(
                f"expected a savestate of core {core!r}, got one of {self.core!r}; "
                "savestates do not move between core versions, make a new one"
            )


def read_savestate(path: Path) -> Savestate:
    """Read a savestate file.

    Raises:
        ValueError: The file is not a savestate or is damaged; names the file.
        OSError: The file cannot be read.
    """
    try:
        return Savestate.from_bytes(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def write_savestate(path: Path, savestate: Savestate) -> None:
    """Write a savestate file: to a temporary name first, then renamed into place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(savestate.to_bytes())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


class SavestateCache:
    """Boot states on disk, one file per ROM digest, core version and settings."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, which is made at the first write."""
        self._folder = folder

    def path(self, digest: str, core: str, settings: Mapping[str, Any]) -> Path:
        """Return the file that holds the state of these settings."""
        text = "-".join(f"{key}{_flatten(settings[key])}" for key in sorted(settings))
        return self._folder / digest / f"{_flatten(core)}-{text}.state"

    def get(self, digest: str, core: str, settings: Mapping[str, Any]) -> bytes | None:
        """Return the cached payload, or None where there is none that can be used.

        A file that is damaged or belongs to something else is refused with a warning; the caller
        then makes the state again, which replaces it.
        """
        path = self.path(digest, core, settings)
        try:
            savestate = read_savestate(path)
            savestate.check_belongs_to(digest, core)
        except FileNotFoundError:
            return None
        except (ValueError, OSError) as error:
            _LOGGER.warning("cached savestate %s is not used: %s", path, error)
            return None
        if dict(savestate.settings) != dict(settings):
            _LOGGER.warning("cached savestate %s is not used: other settings", path)
            return None
        return savestate.payload

    def put(self, savestate: Savestate) -> None:
        """Keep `savestate`; a folder that cannot be written costs only the cache."""
        path = self.path(savestate.digest, savestate.core, savestate.settings)
        try:
            write_savestate(path, savestate)
        except OSError as error:
            _LOGGER.warning("savestate is not cached at %s: %s", path, error)


def _flatten(value: object) -> str:
    """Return `value` as a piece of a file name."""
    return "".join(c if c.isalnum() or c == "." else "_" for c in str(value)).strip("_")
