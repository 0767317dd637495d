"""Puts a tree into Pill Duel and takes it out again: one page of data, no assembler.

Only the page at `envs.game.layout.TREE_PAGE` changes; a test holds every other byte.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from envs.backends.integrations import INES_HEADER_SIZE, PILL_DUEL, find_rom, integration_path
from envs.game.layout import TREE_PAGE, TREE_PAGE_SIZE
from policies.distill.tree import decode_page

PROGRAM_START: Final = 0x8000
"""CPU address of the first byte behind the header."""
PAGE_OFFSET: Final = INES_HEADER_SIZE + TREE_PAGE - PROGRAM_START
"""Where the page lies in the file."""
AI_BYTES_LIMIT: Final = 1024
"""Bytes that the whole CPU opponent may take, its page included."""

_PARTS: Final = (
    ("cpu_reset", "scheduling"),
    ("cpu_play", "movement"),
    ("cpu_think", "scheduling"),
    ("turn_buttons", "movement"),
    ("cpu_decide", "candidates"),
    ("survey", "features"),
    ("find_limits", "candidates"),
    ("try_candidate", "features and argmax"),
    ("scan_other", "features"),
    ("walk_tree", "walker"),
    ("turning_taps", "candidates"),
)
"""First label of each stretch of the CPU opponent's code, and the part that it belongs to."""
_CODE_END: Final = "cpu_code_end"


class CartridgeError(ValueError):
    """A ROM is not Pill Duel; the message says what was expected."""


def write_cartridge(page: bytes) -> bytes:
    """Return Pill Duel as an iNES file whose CPU opponent plays this tree.

    Args:
        page: 190 bytes, see `policies.distill.tree.encode_page`.

    Raises:
        ValueError: The page holds no tree: the console would walk astray in it.
    """
    return replace_page(read_rom(), page)


def replace_page(rom: bytes, page: bytes) -> bytes:
    """Return a Pill Duel ROM with another tree.

    Raises:
        CartridgeError: `rom` is not Pill Duel.
        ValueError: The page holds no tree.
    """
    decode_page(page)
    _check_rom(rom)
    return rom[:PAGE_OFFSET] + page + rom[PAGE_OFFSET + TREE_PAGE_SIZE :]


def read_page(rom: bytes) -> bytes:
    """Return the page of a Pill Duel ROM, 190 bytes.

    Raises:
        CartridgeError: `rom` is not Pill Duel.
    """
    _check_rom(rom)
    return rom[PAGE_OFFSET : PAGE_OFFSET + TREE_PAGE_SIZE]


def read_rom() -> bytes:
    """Return the shipped Pill Duel, an iNES file."""
    return find_rom(PILL_DUEL).read_bytes()


def read_labels() -> dict[str, int]:
    """Return the CPU addresses of the shipped cartridge's labels by name."""
    text = (integration_path(PILL_DUEL) / "rom.mlb").read_text(encoding="ascii")
    lines = (line.split(":") for line in text.split())
    return {name: PROGRAM_START + int(offset, 16) for _, offset, name in lines}


def measure_parts() -> dict[str, int]:
    """Return the bytes of the CPU opponent by part; the last part is its page of data.

    The calls in the main loop, the NMI and the menu are the game's and not counted.
    """
    labels = read_labels()
    starts = [(labels[label], part) for label, part in _PARTS]
    sizes: dict[str, int] = {}
    for (start, part), (end, _) in pairwise([*starts, (labels[_CODE_END], "")]):
        sizes[part] = sizes.get(part, 0) + end - start
    return sizes | {"tree page": TREE_PAGE_SIZE}


def _check_rom(rom: bytes) -> None:
    shipped = read_rom()
    end = PAGE_OFFSET + TREE_PAGE_SIZE
    if (len(rom), rom[:PAGE_OFFSET], rom[end:]) != (
        len(shipped),
        shipped[:PAGE_OFFSET],
        shipped[end:],
    ):
        raise CartridgeError(
            f"expected Pill Duel as it is shipped, {len(shipped)} bytes that differ from it in "
            f"the tree's page alone, got {len(rom)} other bytes; start from {find_rom(PILL_DUEL)}"
        )
