"""Plays and records traces on the simulator: mixed kinds of play, some from crafted starts.

A session is named by (seed, index): the same two numbers give the same trace.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from envs.game.layout import NUM_SEATS, Address, Mode, NextAction, PlayerOffset, player_address
from league.parity.crafted import CRAFTED, craft_image, draw_setup
from league.parity.inputs import (
    ODD_PADS,
    PLAYING_PADS,
    SOFT_RESET,
    START,
    HeldPads,
    PadSource,
    PolicyPads,
    RandomPads,
    RoundEndPads,
    SearchPads,
)
from league.parity.machines import SimulatorMachine
from league.parity.trace import Start, Trace
from policies.greedy import GreedyPolicy
from policies.search import SearchPolicy

CRAFTED_FRAMES: Final = 500
"""Frames of a session from a crafted start: the crafted event, and a while after it."""
PLAYED_FRAMES: Final = 8000
"""Most frames of a session from set-up; it ends with its set."""
_CRAFTED_SHARE: Final = 2
"""One session in so many begins at a crafted start."""

_MENUS: Final = (Mode.TITLE, Mode.OPTIONS)

Sources = tuple[PadSource, PadSource]
_Make = Callable[[SimulatorMachine, np.random.Generator], Sources]


def _play_random(machine: SimulatorMachine, rng: np.random.Generator) -> Sources:
    longest = int(rng.integers(2, 30))
    first, second = (RandomPads(rng, PLAYING_PADS, longest) for _ in range(NUM_SEATS))
    return first, second


def _mash(machine: SimulatorMachine, rng: np.random.Generator) -> Sources:
    pads = (*PLAYING_PADS, *ODD_PADS)
    # START pauses, and all four buttons end the session.
    return (
        RandomPads(rng, (*pads * 8, START, START, SOFT_RESET), 3),
        RandomPads(rng, (*pads, START), 3),
    )


def _play_greedy(machine: SimulatorMachine, rng: np.random.Generator) -> Sources:
    first, second = (
        PolicyPads(GreedyPolicy(int(rng.integers(1, 4))), seat, machine.backend, rng)
        for seat in range(NUM_SEATS)
    )
    return first, second


def _play_greedy_against_random(machine: SimulatorMachine, rng: np.random.Generator) -> Sources:
    return _play_greedy(machine, rng)[0], _play_random(machine, rng)[1]


def _search(machine: SimulatorMachine, rng: np.random.Generator) -> Sources:
    first, second = (SearchPads(SearchPolicy(depth=1), seat) for seat in range(NUM_SEATS))
    return first, second


def _search_against_greedy(machine: SimulatorMachine, rng: np.random.Generator) -> Sources:
    return SearchPads(SearchPolicy(depth=2), 0), _play_greedy(machine, rng)[1]


def _search_against_top_out(machine: SimulatorMachine, rng: np.random.Generator) -> Sources:
    return HeldPads(), SearchPads(SearchPolicy(depth=1), 1)


def _top_out(machine: SimulatorMachine, rng: np.random.Generator) -> Sources:
    return HeldPads(), RandomPads(rng, PLAYING_PADS, 12)


KINDS: Final[dict[str, _Make]] = {
    "random": _play_random,
    "mashing": _mash,
    "search": _search,
    "deliberate top-out": _top_out,
    "greedy against random": _play_greedy_against_random,
    "search against greedy": _search_against_greedy,
    "search against a deliberate top-out": _search_against_top_out,
}
"""Kinds of play from set-up on."""


@dataclass(slots=True)
class _Recorder:
    """Steps the simulator frame by frame and keeps what it shows."""

    machine: SimulatorMachine
    sources: Sources
    round_end: RoundEndPads
    mirrored: bool = False
    one_round: bool = False

    def record(self, first: np.ndarray, frames: int) -> tuple[np.ndarray, np.ndarray]:
        """Run up to `frames` frames; stop on leaving the rounds for a menu, or at a round's end."""
        backend = self.machine.backend
        pads: list[tuple[int, int]] = []
        images: list[np.ndarray] = []
        ram = first
        while len(pads) < frames and ram[Address.MODE] not in _MENUS:
            if self.one_round and RoundEndPads.applies(ram):
                break
            pressed = self._press(ram)
            backend.step(pressed)
            ram = backend.ram()
            pads.append(pressed)
            images.append(ram)
        return np.array(pads, np.uint8).reshape(-1, NUM_SEATS), np.array(images, np.uint8)

    def _press(self, ram: np.ndarray) -> tuple[int, int]:
        first, second = (source.press(ram) for source in self.sources)
        if self.round_end.applies(ram):
            first = self.round_end.press(ram)
        return first, first if self.mirrored else second


def record_session(machine: SimulatorMachine, seed: int, index: int) -> Trace:
    """Play session `index` of `seed` on the simulator and return its trace."""
    rng = np.random.default_rng([seed, index])
    number, crafted = divmod(index, _CRAFTED_SHARE)
    if crafted:
        return _record_crafted(machine, tuple(CRAFTED)[number % len(CRAFTED)], rng)
    kind = tuple(KINDS)[number % len(KINDS)]
    start = Start(draw_setup(rng))
    first = machine.begin(start)
    recorder = _Recorder(machine, KINDS[kind](machine, rng), RoundEndPads(rng))
    pads, images = recorder.record(first, PLAYED_FRAMES)
    return Trace(kind, start, first, pads, images)


def record_round(machine: SimulatorMachine, start: Start, rng: np.random.Generator) -> Trace:
    """Play one round from a start with buttons that every cartridge takes alike.

    The last frame is the one in which the round ends, or `PLAYED_FRAMES` after the start.
    """
    first = machine.begin(start)
    kind = str(rng.choice(["random", "search", "greedy against random", "deliberate top-out"]))
    recorder = _Recorder(machine, KINDS[kind](machine, rng), RoundEndPads(rng), one_round=True)
    pads, images = recorder.record(first, PLAYED_FRAMES)
    return Trace(kind, start, first, pads, images)


def _record_crafted(machine: SimulatorMachine, name: str, rng: np.random.Generator) -> Trace:
    setup = draw_setup(rng)
    machine.backend.start_round(setup)
    start = Start(setup, craft_image(machine.backend.ram(), name, rng))
    first = machine.begin(start)
    crafted = CRAFTED[name]
    sources = _FallThenPlay(rng, 0, crafted.pad), _FallThenPlay(rng, 1, crafted.pad)
    recorder = _Recorder(machine, sources, RoundEndPads(rng), mirrored=crafted.mirrored)
    pads, images = recorder.record(first, CRAFTED_FRAMES)
    return Trace(name, start, first, pads, images)


class _FallThenPlay:
    """Lets the first capsule fall while it holds a pad, then plays at random."""

    def __init__(self, rng: np.random.Generator, seat: int, pad: int) -> None:
        self._falls = True
        self._fall = HeldPads(pad)
        self._play = RandomPads(rng, PLAYING_PADS, 12)
        self._next_action = player_address(seat, PlayerOffset.NEXT_ACTION)

    def press(self, ram: np.ndarray) -> int:
        self._falls = self._falls and bool(ram[self._next_action] == NextAction.FALLING)
        return (self._fall if self._falls else self._play).press(ram)
