"""Golden playthroughs: whole rounds as text, with what happened and the pads that made it happen.

A file holds everything needed to play it again (set-up, pads as run lengths, bytes written), and
between that a drawing of the bottle at every spawn, lock, clear, volley and end. Each drawing
closes with a digest of the RAM of all frames so far, so a byte that differs anywhere shows.

Tile signs are those of `envs.game.position`, two characters a cell; `(` is the falling capsule.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from envs.game.capsule import place_halves
from envs.game.layout import (
    CELLS,
    COLUMNS,
    COMPARED_ADDRESSES,
    EMPTY,
    FRAMES_PER_ROW,
    NUM_SEATS,
    ROWS,
    Address,
    Button,
    Mode,
    NextAction,
    PillDuelAddress,
    PlayerOffset,
    Speed,
    Tile,
    player_address,
)
from envs.game.setup import RoundSetup
from envs.game.state import GameState, PlayerState
from tests.game_drivers import Machine

GOLDEN = Path(__file__).parent / "golden"
PREFIX = "playthrough_"

Pads = tuple[int, int]

_COMPARED = np.array(COMPARED_ADDRESSES)
_BUTTONS = {
    Button.LEFT: "L",
    Button.RIGHT: "R",
    Button.UP: "U",
    Button.DOWN: "D",
    Button.A: "A",
    Button.B: "B",
    Button.START: "S",
    Button.SELECT: "E",
}
_COLOURS = "yrb"
_SIGNS = {
    Tile.TOP: "^",
    Tile.BOTTOM: "_",
    Tile.LEFT: "<",
    Tile.RIGHT: ">",
    Tile.SINGLE: " ",
    Tile.VIRUS: " ",
    Tile.MATCHED: "*",
    Tile.CLEARED: "~",
}
_GLYPH_A = 0x0A
_UPDATE_STEP = 7
_MIN_ROWS = 8
_RUNS_PER_LINE = 10
_SETUP_LINE = re.compile(
    r"setup levels=(\d+),(\d+) speeds=(\w+),(\w+) word=([0-9A-F]{4}) offset=(\d+) solo=(yes|no)"
)


@dataclass(frozen=True)
class Write:
    """Bytes written into the RAM before the next frame."""

    address: int
    values: bytes


Instruction = Write | Pads


@dataclass(frozen=True)
class Playthrough:
    """What fixes a playthrough."""

    about: str
    setup: RoundSetup
    instructions: tuple[Instruction, ...]
    """In order; pads are one frame each."""


def golden_path(name: str) -> Path:
    """Return the file of the playthrough `name`."""
    return GOLDEN / f"{PREFIX}{name}.txt"


def list_names() -> list[str]:
    """Return the names of all golden playthroughs."""
    return sorted(path.stem.removeprefix(PREFIX) for path in GOLDEN.glob(f"{PREFIX}*.txt"))


def parse_playthrough(text: str) -> Playthrough:
    """Return what a playthrough's text says to do; drawings are passed over."""
    about, setup_line, *lines = text.splitlines()
    match = _SETUP_LINE.fullmatch(setup_line)
    assert match is not None, setup_line
    left, right, first, second, word, offset, solo = match.groups()
    setup = RoundSetup(
        levels=(int(left), int(right)),
        speeds=(Speed[first], Speed[second]),
        rng_word=int(word, 16),
        frame_offset=int(offset),
        solo=solo == "yes",
    )
    instructions = [instruction for line in lines for instruction in _parse_line(line)]
    return Playthrough(about, setup, tuple(instructions))


def render_playthrough(playthrough: Playthrough, machine: Machine) -> str:
    """Play on `machine` and return the text."""
    machine.start(playthrough.setup)
    story = _Story(machine)
    for instruction in playthrough.instructions:
        if isinstance(instruction, Write):
            story.write(instruction)
        else:
            story.step(instruction)
    lines = [playthrough.about, _format_setup(playthrough.setup), *story.end()]
    return "".join(f"{line}\n" for line in lines)


class _Story:
    """The lines of a playthrough as it is played."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._ram = machine.ram()
        self._lines = ["", "frame 0: the round begins", *_draw_both(self._ram)]
        self._frame = self._digest = 0
        self._pads: list[Pads] = []
        """Played since the last line."""

    def write(self, write: Write) -> None:
        """Write bytes."""
        self._tell_pads()
        self._lines.append(f"write {write.address:04X} {write.values.hex()}")
        self._machine.set_ram(dict(enumerate(write.values, write.address)))
        self._ram = self._machine.ram()

    def step(self, pads: Pads) -> None:
        """Run a frame and tell what it did."""
        self._machine.step(pads)
        before, self._ram = self._ram, self._machine.ram()
        self._digest = zlib.crc32(self._ram[_COMPARED].tobytes(), self._digest)
        self._frame += 1
        self._pads.append(pads)
        events = list(_find_events(before, self._ram))
        if not events:
            return
        self._tell_pads()
        self._lines.append("")
        for headline, drawing in events:
            self._lines += [f"frame {self._frame}: {headline}", *drawing]
        self._lines.append(f"  ram {self._digest:08x}")

    def end(self) -> list[str]:
        """Return all lines."""
        self._tell_pads()
        last = f"frame {self._frame}: end of the playthrough, ram {self._digest:08x}"
        return [*self._lines, "", last]

    def _tell_pads(self) -> None:
        self._lines += _format_pads(self._pads)
        self._pads.clear()


def _find_events(before_ram: np.ndarray, ram: np.ndarray) -> Iterator[tuple[str, list[str]]]:
    """Yield the headline and drawing of everything worth telling that a frame did."""
    before, state = GameState.from_ram(before_ram), GameState.from_ram(ram)
    for seat in range(NUM_SEATS):
        headline = _describe_step(before.players[seat], state.players[seat], ram, seat)
        if headline:
            yield f"player_{seat} {headline}", _draw_bottle(state, seat)
    if state.paused != before.paused:
        yield "pause" if state.paused else "the game goes on", []
    place = _find_place(ram)
    if place != _find_place(before_ram):
        yield f"mode {place[0].name}, phase {place[1]}", _draw_both(ram)


def _find_place(ram: np.ndarray) -> tuple[Mode, int]:
    """Return where the program is between set-up and the end of a set."""
    return Mode(ram[Address.MODE]), int(ram[PillDuelAddress.PHASE])


def _describe_step(
    before: PlayerState, player: PlayerState, ram: np.ndarray, seat: int
) -> str | None:
    """Say what a seat's frame did, if it is worth a drawing."""
    step = (before.next_action, player.next_action)
    matched = int(ram[player_address(seat, PlayerOffset.MATCHED)])
    capsule = f"capsule {player.capsules - 1} ({_name_colours(player.colours)})"
    if step == (NextAction.FALLING, NextAction.PLACED):
        place = f"row {ROWS - 1 - player.y}, column {player.x}, rotation {player.rotation}"
        return f"locks {capsule} at {place}"
    if step == (NextAction.CHECK_ATTACK, NextAction.PLACED):
        written = np.flatnonzero(before.bottle[0] != player.bottle[0])
        return f"takes garbage, columns {', '.join(map(str, written))}"
    if step == (NextAction.SEND_PILL, NextAction.PILL_SENT):
        return f"tops out with {capsule}" if player.topped_out else f"gets {capsule}"
    scanned = before.placed_step != player.placed_step == _UPDATE_STEP
    if scanned and matched:
        return f"clears {matched} line{'s' if matched > 1 else ''}"
    return None


def _draw_both(ram: np.ndarray) -> list[str]:
    state = GameState.from_ram(ram)
    return [
        line
        for seat in range(NUM_SEATS)
        for line in (f"  player_{seat}", *_draw_bottle(state, seat))
    ]


def _draw_bottle(state: GameState, seat: int) -> list[str]:
    """Draw a bottle from its highest piece down, its counters beside it."""
    player = state.players[seat]
    texts = [_format_tile(tile) for tile in player.cells]
    if player.next_action in (NextAction.FALLING, NextAction.PILL_SENT) and not player.topped_out:
        halves = place_halves(player.x, player.y, player.rotation, player.colours)
        for cell, tile in halves:
            texts[cell] = "(" + _COLOURS[tile & 0x0F]
    rows = ["".join(texts[start : start + COLUMNS]) for start in range(0, CELLS, COLUMNS)]
    top = min((number for number, row in enumerate(rows) if row.strip(" .")), default=ROWS)
    shown = rows[min(top, ROWS - _MIN_ROWS) :]
    notes = _list_counters(state, seat)
    notes += [""] * (len(shown) - len(notes))
    return [f"  |{row} |  {note}".rstrip() for row, note in zip(shown, notes, strict=True)]


def _list_counters(state: GameState, seat: int) -> list[str]:
    player = state.players[seat]
    return [
        f"next {_name_colours(player.next_colours)}",
        f"viruses {player.viruses}",
        f"lines {player.combo}, queued {player.garbage_out} {_name_colours(player.attack_colours)}",
        f"{FRAMES_PER_ROW[player.gravity_index]} frames a row, {player.speed_ups} speed-ups",
        f"gravity {player.gravity_counter}, auto-repeat {player.das_counter}",
        f"crowns {player.crowns}",
        f"$43 = {state.frame_counter:02X}",
    ]


def _format_tile(tile: int) -> str:
    if tile == EMPTY:
        return " ."
    kind, colour = tile & 0xF0, tile & 0x0F
    if kind in _SIGNS and colour < len(_COLOURS):
        letter = _COLOURS[colour]
        return _SIGNS[Tile(kind)] + (letter.upper() if kind == Tile.VIRUS else letter)
    # Words at the end of a round.
    return f"'{chr(tile - _GLYPH_A + ord('A'))}"


def _name_colours(colours: tuple[int, ...]) -> str:
    return "".join(_COLOURS[colour] for colour in colours)


def _format_setup(setup: RoundSetup) -> str:
    levels = ",".join(str(level) for level in setup.levels)
    speeds = ",".join(speed.name for speed in setup.speeds)
    solo = "yes" if setup.solo else "no"
    return (
        f"setup levels={levels} speeds={speeds} word={setup.rng_word:04X} "
        f"offset={setup.frame_offset} solo={solo}"
    )


def _format_pads(pads: list[Pads]) -> list[str]:
    """Return run lengths, both pads and the frames of each run."""
    runs = [
        f"{_format_pad(first)}:{_format_pad(second)}*{sum(1 for _ in run)}"
        for (first, second), run in groupby(pads)
    ]
    starts = range(0, len(runs), _RUNS_PER_LINE)
    return [f"pads {' '.join(runs[start : start + _RUNS_PER_LINE])}" for start in starts]


def _format_pad(pad: int) -> str:
    return "".join(letter for button, letter in _BUTTONS.items() if pad & button) or "-"


def _parse_line(line: str) -> Iterator[Instruction]:
    word, *arguments = line.split(" ")
    if word == "write":
        yield Write(int(arguments[0], 16), bytes.fromhex(arguments[1]))
    elif word == "pads":
        for run in arguments:
            first, second, frames = re.split("[:*]", run)
            for _ in range(int(frames)):
                yield _parse_pad(first), _parse_pad(second)


def _parse_pad(text: str) -> int:
    buttons = {letter: int(button) for button, letter in _BUTTONS.items()}
    return sum(buttons[letter] for letter in text if letter != "-")
