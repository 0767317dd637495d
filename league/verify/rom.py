"""`league rom verify`: how far a ROM plays the game that the simulator plays.

Three things are compared for each of some rounds: what set-up draws, every frame of play, and who
won. Play goes on from the ROM's own RAM at the first frame of control, so that a ROM whose menus or
intro take other times is not blamed for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from envs.backends.boot import run_to_control
from envs.backends.integrations import DR_MARIO, PILL_DUEL, accepted_digests
from envs.game.layout import (
    CELLS,
    FIELD_BASES,
    NUM_SEATS,
    PLAY_ADDRESSES,
    RESERVE_BASE,
    RESERVE_SIZE,
    PlayerOffset,
    player_address,
)
from envs.game.outcome import detect_outcome
from envs.game.state import GameState
from league.parity.crafted import draw_setup
from league.parity.machines import CartridgeMachine, SimulatorMachine
from league.parity.session import record_round
from league.parity.trace import Difference, Start, Trace, find_difference

DEFAULT_ROUNDS: Final = 60
REST_FRAMES: Final = 100
"""Frames after a round, within which the crown is paid on every cartridge."""

_SETUP_ADDRESSES: Final = tuple(
    sorted(
        {
            *(base + cell for base in FIELD_BASES for cell in range(CELLS)),
            *range(RESERVE_BASE, RESERVE_BASE + RESERVE_SIZE),
        }
    )
)
_COMPARED: Final = {
    "setups": "capsules and viruses drawn",
    "frames": "frames before the first difference of their round",
    "rounds": "rounds in every frame",
    "results": "winners",
}
_CROWNS: Final = [player_address(seat, PlayerOffset.CROWNS) for seat in range(NUM_SEATS)]


@dataclass(slots=True)
class _Agreement:
    """How much of one thing was compared, and how much of it was equal."""

    compared: int = 0
    equal: int = 0

    def add(self, equal: int, compared: int = 1) -> None:
        self.compared += compared
        self.equal += equal


@dataclass(slots=True)
class _Report:
    setups: _Agreement = field(default_factory=_Agreement)
    frames: _Agreement = field(default_factory=_Agreement)
    rounds: _Agreement = field(default_factory=_Agreement)
    results: _Agreement = field(default_factory=_Agreement)
    first_difference: Difference | None = None

    def note(self, difference: Difference | None) -> None:
        if self.first_difference is None:
            self.first_difference = difference


def verify_rom(
    rom: str | Path,
    rounds: int = DEFAULT_ROUNDS,
    *,
    seed: int = 0,
    on_round: Callable[[], None] | None = None,
) -> dict[str, Any]:
    """Compare a ROM with the simulator and return the report, ready for JSON.

    Args:
        rom: Path of an iNES file, or the name of an integration.
        rounds: Rounds to play, at all levels and speeds.
        seed: Draws them.
        on_round: Called after each.

    Returns:
        `digest` and `game` of the ROM; `setups`, `frames`, `rounds` and `results`, each with
        `compared` and `equal`; `first_difference`, with both positions; `agrees`.

    Raises:
        BackendError: The ROM cannot be run, or does not reach a round.
    """
    report = _Report()
    cartridge = CartridgeMachine(rom)
    simulator = SimulatorMachine()
    try:
        digest = cartridge.backend.digest
        for index in range(rounds):
            _compare_round(report, cartridge, simulator, np.random.default_rng([seed, index]))
            if on_round is not None:
                on_round()
    finally:
        cartridge.close()
    difference = report.first_difference
    return {
        "digest": digest,
        "game": _name_game(digest),
        **{name: asdict(getattr(report, name)) for name in _COMPARED},
        "first_difference": difference and {**asdict(difference), "text": difference.describe()},
        "agrees": difference is None and report.results.equal == report.results.compared,
    }


def format_rom_report(report: Mapping[str, Any]) -> list[str]:
    """Return the lines of text that a report of `verify_rom` reads as."""
    lines = [f"{report['game']}, headerless SHA-1 {report['digest']}"]
    for name, what in _COMPARED.items():
        entry = report[name]
        lines.append(f"{what}: {entry['equal']} of {entry['compared']} equal")
    if report["first_difference"] is not None:
        lines.append(report["first_difference"]["text"])
    return lines


def _compare_round(
    report: _Report,
    cartridge: CartridgeMachine,
    simulator: SimulatorMachine,
    rng: np.random.Generator,
) -> None:
    setup = replace(draw_setup(rng), solo=False)
    cartridge.enter_setup(setup)
    run_to_control(cartridge.backend, solo=False)
    theirs = cartridge.backend.ram()
    simulator.backend.start_round(setup)
    ours = simulator.backend.ram()
    drawn = Trace("set-up", Start(setup), ours, np.zeros((1, NUM_SEATS), np.uint8), ours[None])
    difference = find_difference(drawn, theirs[None], "rom", _SETUP_ADDRESSES)
    report.setups.add(difference is None)
    report.note(difference)
    if difference is not None:
        return
    image = ours.copy()
    image[list(PLAY_ADDRESSES)] = theirs[list(PLAY_ADDRESSES)]
    trace = record_round(simulator, Start(setup, image), rng)
    images = cartridge.run(trace.pads)
    difference = find_difference(trace, images, "rom", PLAY_ADDRESSES)
    report.frames.add(difference.frame if difference else len(trace), len(trace))
    report.rounds.add(difference is None)
    report.note(difference)
    if difference is None and len(trace):
        report.results.add(_same_result(cartridge, simulator, trace, images))


def _same_result(
    cartridge: CartridgeMachine, simulator: SimulatorMachine, trace: Trace, images: np.ndarray
) -> bool:
    """Tell whether both give the round to the same seat, once the crown is paid."""
    states = [GameState.from_ram(ram) for ram in (trace.images[-1], images[-1])]
    outcomes = [detect_outcome(None, state, solo=False) for state in states]
    rest = np.zeros((REST_FRAMES, NUM_SEATS), np.uint8)
    ours, theirs = simulator.backend.trace(rest)[-1], cartridge.run(rest)[-1]
    return outcomes[0] == outcomes[1] and bool((ours[_CROWNS] == theirs[_CROWNS]).all())


def _name_game(digest: str) -> str:
    for game in (PILL_DUEL, DR_MARIO):
        if digest in accepted_digests(game):
            return game
    return "unknown"
