"""The RAM map, tile codes and pad bits of the game: the one table that everything else reads.

The cartridge's `layout.inc`, both `data.json` files and the table in `docs/game.md` are rendered
from here by `python -m envs.game.layout_export`; a test holds them equal. This module knows
addresses only; what the bytes mean for play is decoded in `envs.game.state`.

Source: public descriptions of NES Dr. Mario's RAM, gathered in `docs/game.md`.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final

RAM_SIZE: Final = 2048
"""Bytes of NES CPU RAM, `$0000-$07FF`."""

ROWS: Final = 16
COLUMNS: Final = 8
CELLS: Final = ROWS * COLUMNS
"""A bottle is 16 rows (row 0 on top) of 8 cells; cell index = row * 8 + column."""

NUM_SEATS: Final = 2
PLAYER_BASES: Final = (0x0300, 0x0380)
"""Address of each seat's 48-byte player block."""
PLAYER_BLOCK_SIZE: Final = 48
SCRATCH_BASE: Final = 0x0080
"""The block of the player being processed; holds player 2 between frames of a round."""
FIELD_BASES: Final = (0x0400, 0x0500)
"""Address of each seat's 128-byte bottle."""
RESERVE_BASE: Final = 0x0780
RESERVE_SIZE: Final = 128
"""The capsule reserve: 128 ids 0..8, shared by both players."""

NUM_COLOURS: Final = 3
NUM_CAPSULE_IDS: Final = 9
"""Capsule id = 3 * first colour + second colour."""
MAX_LEVEL: Final = 20
MAX_SPEED_UPS: Final = 49
CROWNS_TO_WIN: Final = 3

TREE_PAGE: Final = 0xFE00
"""CPU address of the page of data that decides what Pill Duel's CPU opponent plays."""
TREE_PAGE_SIZE: Final = 190

FRAME_RATE: Final = 60.0988
"""NTSC frames per second."""


class Colour(IntEnum):
    """Low nibble of a tile byte, and the colour bytes of capsules."""

    YELLOW = 0
    RED = 1
    BLUE = 2


class Tile(IntEnum):
    """High nibble of a tile byte in a bottle; the low nibble is the `Colour`."""

    TOP = 0x40
    BOTTOM = 0x50
    LEFT = 0x60
    RIGHT = 0x70
    SINGLE = 0x80
    MATCHED = 0xB0
    """Part of a line found in this pass; drawn as an empty circle."""
    VIRUS = 0xD0
    CLEARED = 0xF0
    """Just emptied; the colour is kept until the next fall pass."""


EMPTY: Final = 0xFF
"""The only tile byte that counts as an empty cell."""


class Button(IntFlag):
    """Bits of a pad byte, as in `$F5-$F8`."""

    RIGHT = 0x01
    LEFT = 0x02
    DOWN = 0x04
    UP = 0x08
    START = 0x10
    SELECT = 0x20
    B = 0x40
    A = 0x80


NO_BUTTONS: Final = Button(0)


class Mode(IntEnum):
    """Values of `Address.MODE`."""

    TITLE = 0
    OPTIONS = 1
    TO_LEVEL = 2
    SETUP = 3
    PLAY = 4
    TOP_OUT = 5
    END = 7
    INTRO = 8


class NextAction(IntEnum):
    """Values of `PlayerOffset.NEXT_ACTION`: what a player's next frame does."""

    FALLING = 0
    PLACED = 1
    CHECK_ATTACK = 2
    PILL_SENT = 3
    STEP = 5
    SEND_PILL = 6


class CpuDecision(IntEnum):
    """Values of `PillDuelAddress.CPU_DECISION`: how far the CPU is with a seat's capsule."""

    NONE = 0
    ASKED = 1
    MADE = 2


class Speed(IntEnum):
    """Values of `PlayerOffset.SPEED`."""

    LOW = 0
    MED = 1
    HI = 2


SPEED_BASES: Final = (15, 25, 31)
"""Gravity index of each `Speed` before speed-ups."""

# fmt: off
FRAMES_PER_ROW: Final[tuple[int, ...]] = (
    70, 68, 66, 64, 62, 60, 58, 56, 54, 52, 50, 48, 46, 44, 42, 40,
    38, 36, 34, 32, 30, 28, 26, 24, 22, 20,
    19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 10, 9, 9, 8, 8, 7, 7,
    6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 5, 5, 5, 5, 5,
    4, 4, 4, 4, 4, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1,
)
# fmt: on
"""Frames a capsule takes for one row of free fall, by gravity index 0..80 (NTSC)."""


class Address(IntEnum):
    """Global RAM addresses; `size` is in bytes, `doc` one line for the generated tables."""

    size: int
    doc: str

    def __new__(cls, address: int, size: int, doc: str) -> Address:
        """Attach `size` and `doc` to the integer address."""
        member = int.__new__(cls, address)
        member._value_ = address
        member.size = size
        member.doc = doc
        return member

    RNG_HIGH = 0x17, 1, "RNG, high byte of the 16-bit shift register"
    RNG_LOW = 0x18, 1, "RNG, low byte"
    NMI_DONE = 0x33, 1, "set to 1 by the NMI; the main loop waits on it"
    FRAME_COUNTER = 0x43, 1, "frame counter, +1 per NMI, 8 bit"
    MODE = 0x46, 1, "mode of the program, see `Mode`"
    WAIT_FRAMES = 0x51, 1, "frames left of the current wait"
    PAUSE_ENABLED = 0x54, 1, "1 while a round may be paused"
    WHO_CLEARED = 0x55, 1, "1/2, set 64 frames after a clear; 0 on a draw"
    FIELD_POINTER_LOW = 0x57, 1, "field pointer, low byte"
    FIELD_POINTER_HIGH = 0x58, 1, "field pointer, high byte: 4 player 1, 5 player 2"
    PRESSED = 0x5B, 1, "current player's newly pressed buttons"
    HELD = 0x5C, 1, "current player's held buttons"
    IN_LEVEL = 0x5D, 1, "1 while a level is played, 0 while paused"
    WHO_FAILED = 0x61, 1, "1/2, who topped out; 0 none or draw"
    OPTIONS_CURSOR = 0x65, 1, "options section: 0 level, 1 speed, 2 music"
    PAD1_PRESSED = 0xF5, 1, "player 1's newly pressed buttons"
    PAD2_PRESSED = 0xF6, 1, "player 2's newly pressed buttons"
    PAD1_HELD = 0xF7, 1, "player 1's held buttons"
    PAD2_HELD = 0xF8, 1, "player 2's held buttons"
    SPRITES = 0x0200, 256, "sprite page copied to the PPU every frame"
    PAUSED = 0x068D, 1, "5 while paused"
    NO_SPEED_UPS = 0x0723, 1, "1: capsules never speed up"
    NO_FALL = 0x0724, 1, "1: nothing falls after clears"
    CROWNS_NEEDED = 0x0725, 1, "crowns that win the set; 3 on entering options"
    NUM_PLAYERS = 0x0727, 1, "number of players"
    MUSIC = 0x0731, 1, "music choice: 2 off"
    SAVED_CROWNS = 0x0732, 2, "save area between rounds: crowns"
    SAVED_LEVELS = 0x0734, 2, "save area between rounds: levels"
    SAVED_SPEEDS = 0x0736, 2, "save area between rounds: speeds"
    DEMO = 0x0741, 1, "demo flag, 0 none"


class PillDuelAddress(IntEnum):
    """RAM that only Pill Duel has; all of it lies outside the documented map."""

    size: int
    doc: str

    def __new__(cls, address: int, size: int, doc: str) -> PillDuelAddress:
        """Attach `size` and `doc` to the integer address."""
        member = int.__new__(cls, address)
        member._value_ = address
        member.size = size
        member.doc = doc
        return member

    RENDER_OFF = 0x0760, 1, "nonzero: the PPU is never switched on (training)"
    SOLO = 0x0761, 1, "nonzero: player 2's bottle is inert"
    PHASE = 0x0762, 1, "step within the current mode (screen upload, round end)"
    CPU_SEATS = 0x0763, 2, "by seat, nonzero: the CPU plays it from its next capsule on"
    CPU_DECISION = 0x0765, 2, "by seat: 0 none, 1 asked for, 2 made; see `CpuDecision`"
    CPU_ROTATION = 0x0767, 2, "by seat: rotation that the CPU turns its capsule to"
    CPU_COLUMN = 0x0769, 2, "by seat: column that the CPU moves its capsule to"
    CPU_HELD = 0x076B, 2, "by seat: buttons that the CPU holds"
    CPU_FRAMES = 0x076D, 2, "by seat: frames of control over the falling capsule so far"


class PlayerOffset(IntEnum):
    """Offsets within a player block (`PLAYER_BASES[seat] + offset`)."""

    doc: str

    def __new__(cls, offset: int, doc: str) -> PlayerOffset:
        """Attach `doc` to the integer offset."""
        member = int.__new__(cls, offset)
        member._value_ = offset
        member.doc = doc
        return member

    STATUS = 0x00, "field row being redrawn, 0F down to 00, FF idle"
    COLOUR_FIRST = 0x01, "falling capsule, first colour"
    COLOUR_SECOND = 0x02, "falling capsule, second colour"
    X = 0x05, "falling capsule, left column 0..7"
    Y = 0x06, "falling capsule, bottom cell: 15 top row, 0 bottom row"
    PLACED_STEP = 0x07, "step of the placed pipeline, 0..8"
    TOPPED_OUT = 0x09, "nonzero: this player topped out"
    SPEED_UPS = 0x0A, "speed-ups so far, 0..49"
    SPEED = 0x0B, "speed: 0 LOW, 1 MED, 2 HI"
    LAST_RUN = 0x0E, "length of the last run, 0-based"
    COMBO = 0x0F, "lines cleared by this capsule so far"
    CAPSULES_LOW = 0x10, "capsule count, BCD, tens and units"
    CAPSULES_HIGH = 0x11, "capsule count, BCD, hundreds"
    GRAVITY_COUNTER = 0x12, "frames since the last row, counting up"
    DAS_COUNTER = 0x13, "auto-repeat counter of left and right"
    MATCHED = 0x14, "nonzero: this pass found a line"
    LAST_CHAIN_ROW = 0x15, "row of the last chain (unused)"
    LEVEL = 0x16, "virus level 0..20"
    NEXT_ACTION = 0x17, "what the next frame does, see `NextAction`"
    GARBAGE_OUT = 0x18, "garbage queued by this player for the opponent"
    NEXT_FIRST = 0x1A, "next capsule, first colour"
    NEXT_SECOND = 0x1B, "next capsule, second colour"
    CROWNS = 0x1E, "rounds won in this set"
    SPEED_UPS_COPY = 0x20, "copy of the speed-ups, made on each frame of gravity"
    RUN_TOTAL = 0x21, "chain length total of this pass"
    NEXT_ROTATION = 0x22, "next capsule, rotation"
    NEXT_SIZE = 0x23, "next capsule, size in cells"
    VIRUSES = 0x24, "viruses left, packed BCD"
    ROTATION = 0x25, "falling capsule, rotation 0..3"
    SIZE = 0x26, "falling capsule, size in cells"
    RESERVE_INDEX = 0x27, "reserve index of the capsule after the next, 0..127"
    VIRUSES_TO_PLACE = 0x28, "viruses still to place during the intro"
    ATTACK_COLOURS = 0x29, "attack colour of line 1 (2, 3, 4 follow)"
    SCORE_MULTIPLIER = 0x2D, "score multiplier (1P only)"


ATTACK_COLOURS_SIZE: Final = 4
FIRST_PILL_DUEL_ADDRESS: Final = 0x0760


def player_address(seat: int, offset: PlayerOffset) -> int:
    """Return the RAM address of `offset` in the block of `seat` (0 or 1)."""
    return PLAYER_BASES[seat] + offset


EXCLUDED_FROM_PARITY: Final[tuple[tuple[range, str], ...]] = (
    (range(0x00, 0x17), "the cartridge's scratch variables, dead between frames"),
    (range(0x19, 0x33), "the cartridge's pad readings, sound and CPU opponent"),
    (range(0x33, 0x34), "NMI_DONE: handshake of main loop and NMI within a frame"),
    (range(0x65, 0x66), "OPTIONS_CURSOR: of the menu before the round"),
    (range(0x100, 0x200), "the processor's stack: what lies below its pointer is left over"),
    (range(0x200, 0x300), "SPRITES: the picture, drawn from the rest and read by no rule"),
    (range(0x760, 0x761), "RENDER_OFF: how the cartridge runs, not what it plays"),
)
"""RAM that the parity tests leave out, with the reason; all else must be equal."""

_EXCLUDED: Final = frozenset(a for addresses, _ in EXCLUDED_FROM_PARITY for a in addresses)
COMPARED_ADDRESSES: Final = tuple(a for a in range(RAM_SIZE) if a not in _EXCLUDED)
"""RAM in which every backend is held equal to the cartridge at every frame of a round."""


def name_address(address: int) -> str:
    """Return the name of a RAM address: `MODE`, `player 1 GRAVITY_COUNTER`, `bottle 2 cell 17`."""
    for seat in range(NUM_SEATS):
        cell = address - FIELD_BASES[seat]
        if 0 <= cell < CELLS:
            return f"bottle {seat + 1} cell {cell}"
    blocks = {f"player {seat + 1}": base for seat, base in enumerate(PLAYER_BASES)}
    for owner, base in (blocks | {"scratch": SCRATCH_BASE}).items():
        if 0 <= address - base < PLAYER_BLOCK_SIZE:
            return f"{owner} {_name_offset(address - base)}"
    if 0 <= address - RESERVE_BASE < RESERVE_SIZE:
        return f"reserve entry {address - RESERVE_BASE}"
    for named in (*Address, *PillDuelAddress):
        if named <= address < named + named.size:
            return str(named.name)
    return "unnamed"


def _name_offset(offset: int) -> str:
    below = max((known for known in PlayerOffset if known <= offset), default=None)
    if below is None:
        return f"offset {offset:#04x}"
    last = below + (ATTACK_COLOURS_SIZE if below == PlayerOffset.ATTACK_COLOURS else 1)
    if offset >= last:
        return f"offset {offset:#04x}"
    name = str(below.name)
    return name if offset == below else f"{name}+{offset - below}"


PLAY_ADDRESSES: Final = tuple(
    sorted(
        {
            *(Address.RNG_HIGH, Address.RNG_LOW, Address.FRAME_COUNTER, Address.MODE),
            *(Address.PAD1_PRESSED, Address.PAD2_PRESSED, Address.PAD1_HELD, Address.PAD2_HELD),
            *(
                base + offset + place
                for base in PLAYER_BASES
                for offset in PlayerOffset
                for place in range(
                    ATTACK_COLOURS_SIZE if offset == PlayerOffset.ATTACK_COLOURS else 1
                )
            ),
            *(base + cell for base in FIELD_BASES for cell in range(CELLS)),
            *range(RESERVE_BASE, RESERVE_BASE + RESERVE_SIZE),
        }
    )
)
"""RAM that decides the play of a round, on any cartridge with these rules."""
