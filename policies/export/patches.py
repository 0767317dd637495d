"""Patches (IPS and BPS) that put a tree into a ROM of the user's own, after every check.

A map file says which ROM it is and where its free bytes lie. Nothing is assumed about a ROM: its
digest must be the map's, and the bytes to be replaced must be what the map expects there. A patch
holds our bytes alone, never the ROM's.

Source: the IPS and BPS formats as their public descriptions have them.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from envs.backends.integrations import INES_HEADER_SIZE
from policies.distill.spec import PAGE_SIZE

_IPS_LIMIT: Final = 1 << 24
_IPS_EOF: Final = 0x454F46
"""An offset that reads as the end mark."""
_IPS_RECORD: Final = 0xFFFF
_SOURCE_READ, _TARGET_READ = 0, 1
_KEYS: Final = ("offset", "expected", "sha1")


class PatchError(ValueError):
    """A ROM or map that a patch cannot be made for; the message says why."""


@dataclass(frozen=True, slots=True)
class RomMap:
    """Where a page may go in a certain ROM."""

    sha1: str
    """SHA-1 of the ROM without its iNES header, lower case."""
    offset: int
    """Of the page, in the file with its header."""
    expected: bytes
    """What lies there now, `PAGE_SIZE` bytes."""


def read_map(path: Path) -> RomMap:
    """Return a map file: JSON with `sha1`, `offset` and `expected`.

    `expected` is hexadecimal: two digits for a filler byte, or the whole page.

    Raises:
        PatchError: It cannot be read, or is no map.
    """
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PatchError(f"expected a map file in {path}, got: {error}") from error
    if not isinstance(facts, dict) or sorted(facts) != sorted(_KEYS):
        raise PatchError(f"expected the keys {', '.join(_KEYS)} in {path}, got {_name(facts)}")
    try:
        expected = bytes.fromhex(facts["expected"])
        offset, sha1 = int(facts["offset"]), str(facts["sha1"]).lower()
    except (ValueError, TypeError) as error:
        raise PatchError(f"expected numbers and hexadecimal digits in {path}: {error}") from error
    if len(expected) == 1:
        expected *= PAGE_SIZE
    if len(expected) != PAGE_SIZE or offset < 0:
        raise PatchError(
            f"expected one filler byte or {PAGE_SIZE} bytes in 'expected', and an offset of 0 or "
            f"more, got {len(expected)} bytes and {offset} in {path}"
        )
    return RomMap(sha1, offset, expected)


def patch_rom(rom: bytes, where: RomMap, page: bytes) -> bytes:
    """Return the ROM with the page in its place.

    Raises:
        PatchError: The digest is another, or the bytes there are not what the map expects.
    """
    digest = hashlib.sha1(rom[INES_HEADER_SIZE:]).hexdigest()
    if digest != where.sha1:
        raise PatchError(
            f"expected a ROM of SHA-1 {where.sha1} without its header, got {digest}; the map "
            "belongs to another ROM"
        )
    end = where.offset + PAGE_SIZE
    if rom[where.offset : end] != where.expected:
        raise PatchError(
            f"expected the map's bytes at {where.offset}..{end - 1} of the ROM, got others: they "
            "may be in use; nothing was written"
        )
    return rom[: where.offset] + page + rom[end:]


def make_ips(source: bytes, target: bytes) -> bytes:
    """Return the IPS patch from one file to another of equal size.

    Raises:
        PatchError: The sizes differ, or the file is too large for the format.
    """
    _check_sizes(source, target)
    if len(source) > _IPS_LIMIT:
        raise PatchError(f"expected at most {_IPS_LIMIT} bytes for IPS, got {len(source)}")
    patch = bytearray(b"PATCH")
    for start, end in _list_changes(source, target):
        # An offset must not read as the end mark: begin a byte earlier.
        begin = start - 1 if start == _IPS_EOF else start
        for at in range(begin, end, _IPS_RECORD):
            data = target[at : min(end, at + _IPS_RECORD)]
            patch += at.to_bytes(3, "big") + len(data).to_bytes(2, "big") + data
    return bytes(patch + b"EOF")


def make_bps(source: bytes, target: bytes) -> bytes:
    """Return the BPS patch from one file to another of equal size, with its three checksums.

    Raises:
        PatchError: The sizes differ.
    """
    _check_sizes(source, target)
    patch = bytearray(b"BPS1")
    patch += _encode_number(len(source)) + _encode_number(len(target)) + _encode_number(0)
    at = 0
    for start, end in _list_changes(source, target):
        if start > at:
            patch += _encode_number((start - at - 1) << 2 | _SOURCE_READ)
        patch += _encode_number((end - start - 1) << 2 | _TARGET_READ) + target[start:end]
        at = end
    if at < len(target):
        patch += _encode_number((len(target) - at - 1) << 2 | _SOURCE_READ)
    for data in (source, target):
        patch += zlib.crc32(data).to_bytes(4, "little")
    return bytes(patch + zlib.crc32(patch).to_bytes(4, "little"))


def _list_changes(source: bytes, target: bytes) -> list[tuple[int, int]]:
    """Return the stretches that differ, each as start and end."""
    differs = np.frombuffer(source, np.uint8) != np.frombuffer(target, np.uint8)
    edges = np.flatnonzero(np.diff(differs, prepend=False, append=False)).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def _encode_number(value: int) -> bytes:
    data = bytearray()
    while True:
        low, value = value & 0x7F, value >> 7
        if value == 0:
            return bytes([*data, low | 0x80])
        data.append(low)
        value -= 1


def _check_sizes(source: bytes, target: bytes) -> None:
    if len(source) != len(target):
        raise PatchError(f"expected files of one size, got {len(source)} and {len(target)} bytes")


def _name(facts: Any) -> str:
    return ", ".join(sorted(map(str, facts))) if isinstance(facts, dict) else type(facts).__name__
