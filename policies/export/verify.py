"""Proof that a tree is the same in Python, in native code, on the 6502, in the cartridge."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from envs.backends.base import BackendError
from envs.backends.native_duel import choose_candidates, list_candidates, walk_tree
from envs.game.layout import Speed
from envs.game.setup import NUM_SEEDS, RoundSetup, seed_to_word
from policies.distill.decide import choose_best, judge_candidates
from policies.distill.routine import Situation
from policies.distill.tree import Node, encode_page, make_page, walk
from policies.export.vectors import (
    count_leaves_hit,
    count_leaves_possible,
    draw_rows,
    draw_situations,
)

VECTORS: Final = 10_000
DECISIONS: Final = 1_000
LOGGED: Final = 500

_LOG_LEVELS: Final = (5, 10, 15)
_LOG_FRAMES: Final = 6_000
"""Frames of a round after which the next one is logged."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often two ways to the same answer were compared, and how often they differed."""

    name: str
    compared: int
    mismatches: int
    facts: dict[str, Any] = field(default_factory=dict)
    """What else was measured on the way."""

    @property
    def is_exact(self) -> bool:
        """Whether something was compared and nothing differed."""
        return self.compared > 0 and self.mismatches == 0

    def describe(self) -> str:
        """Return one line for people."""
        facts = "".join(f"; {name} {value}" for name, value in self.facts.items())
        return f"{self.name}: {self.mismatches} mismatches in {self.compared}{facts}"


def compare_all(
    tree: Node, seed: int, *, decisions: int = DECISIONS, logged: int = LOGGED
) -> tuple[list[Agreement], list[str]]:
    """Compare the tree in every way that can be had here.

    Args:
        tree: What is exported.
        seed: Draws vectors, bottles and rounds.
        decisions: Random bottles for the 6502.
        logged: Decisions of the running cartridge; 0 leaves the emulator out.

    Returns:
        The comparisons, and a line for each that could not be made.
    """
    from policies.export.cartridge import write_cartridge
    from policies.export.processor import ProcessorError

    agreements = [compare_vectors(tree, seed), compare_natively(tree, seed)]
    skipped = []
    rom = write_cartridge(encode_page(tree))
    try:
        agreements.append(compare_walks(rom, tree, seed))
        agreements.append(compare_processor(rom, tree, seed, decisions))
    except ProcessorError as error:
        skipped.append(f"not compared with the 6502: {error}")
    if logged:
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / "tree.nes"
            path.write_bytes(rom)
            try:
                agreements.append(compare_cartridge(path, tree, seed, logged))
            except BackendError as error:
                skipped.append(f"not compared with the cartridge on the emulator: {error}")
    return agreements, skipped


def list_delays(agreements: Iterable[Agreement]) -> dict[int, int]:
    """Return decisions of the running cartridge by frames of delay; empty if none were logged."""
    for one in agreements:
        if "frames of delay" in one.facts:
            return dict(one.facts["frames of delay"])
    return {}


def compare_vectors(tree: Node, seed: int, count: int = VECTORS) -> Agreement:
    """Walk the tree in Python and its page in native code over rows that try all of it."""
    rows = draw_rows(tree, count, np.random.default_rng(seed))
    expected = [walk(tree, row) for row in rows.tolist()]
    mismatches = int((walk_tree(rows, make_page(tree)) != expected).sum())
    hit, possible = count_leaves_hit(tree, rows), count_leaves_possible(tree)
    facts = {
        "leaves hit": f"{hit[0]} of {possible[0]}",
        "sides of splits hit": f"{hit[1]} of {possible[1]}",
    }
    return Agreement("tree vectors, Python and native", len(rows), mismatches, facts)


def compare_walks(rom: bytes, tree: Node, seed: int, count: int = VECTORS) -> Agreement:
    """Walk the tree in Python and by the cartridge's code on a bare 6502, over the same rows.

    Raises:
        ProcessorError: py65 is missing, or the code does not return.
    """
    from policies.export.processor import Processor

    processor = Processor(rom)
    rows = draw_rows(tree, count, np.random.default_rng(seed)).tolist()
    walks = [processor.walk(row) for row in rows]
    mismatches = sum(one.score != walk(tree, row) for one, row in zip(walks, rows, strict=True))
    facts = {"most cycles of a walk": max(one.cycles for one in walks)}
    return Agreement("tree vectors, Python and 6502", len(rows), mismatches, facts)


def compare_natively(tree: Node, seed: int, count: int = DECISIONS) -> Agreement:
    """Decide in Python and in native code over random bottles."""
    situations = list(draw_situations(count, np.random.default_rng(seed)))
    positions = np.stack([np.frombuffer(one.packed, np.uint8) for one in situations])
    candidates, _ = list_candidates(positions)
    choices = choose_candidates(positions, make_page(tree))
    found = candidates[np.arange(len(choices)), choices]
    mismatches = sum(
        (int(own["rotation"]), int(own["column"])) != _decide(tree, situation)
        for own, situation in zip(found, situations, strict=True)
    )
    return Agreement("decisions, Python and native", len(situations), mismatches)


def compare_processor(rom: bytes, tree: Node, seed: int, count: int = DECISIONS) -> Agreement:
    """Decide in Python and by the cartridge's code on a bare 6502, over random bottles.

    Raises:
        ProcessorError: py65 is missing, or the code does not return.
    """
    from policies.export.processor import Processor

    processor = Processor(rom)
    cycles, mismatches = [], 0
    for number, situation in enumerate(draw_situations(count, np.random.default_rng(seed))):
        decision = processor.decide(situation, number % 2)
        cycles.append(decision.cycles)
        mismatches += (decision.rotation, decision.column) != _decide(tree, situation)
    facts = {"mean cycles": round(float(np.mean(cycles))), "most cycles": max(cycles)}
    return Agreement("decisions, Python and 6502", count, mismatches, facts)


def compare_cartridge(rom: Path, tree: Node, seed: int, count: int = LOGGED) -> Agreement:
    """Decide in Python what the cartridge decided in games with itself on the emulator.

    Raises:
        BackendError: The emulator cannot be opened.
    """
    from policies.export.cartridge_play import CpuBackend, log_decisions

    rng = np.random.default_rng(seed)
    frames: Counter[int] = Counter()
    mismatches = 0
    with CpuBackend(rom) as backend:
        for logged in log_decisions(backend, _draw_setups(rng), _LOG_FRAMES):
            expected = _decide(tree, logged.situation)
            mismatches += (logged.rotation, logged.column) != expected
            frames[logged.frames] += 1
            if frames.total() == count:
                break
    facts = {"frames of delay": dict(sorted(frames.items()))}
    return Agreement("decisions, Python and cartridge", frames.total(), mismatches, facts)


def _decide(tree: Node, situation: Situation) -> tuple[int, int]:
    drop = choose_best(judge_candidates(situation, tree)).drop
    return drop.rotation, drop.column


def _draw_setups(rng: np.random.Generator) -> list[RoundSetup]:
    def draw(number: int) -> RoundSetup:
        level = _LOG_LEVELS[number % len(_LOG_LEVELS)]
        speed = tuple(Speed)[number % len(Speed)]
        word = seed_to_word(int(rng.integers(NUM_SEEDS)))
        return RoundSetup(levels=(level, level), speeds=(speed, speed), rng_word=word)

    return [draw(number) for number in range(_MOST_ROUNDS)]


_MOST_ROUNDS: Final = 60


def list_failures(agreements: Iterable[Agreement], most_cycles: int) -> list[str]:
    """Return what is wrong, one line each; empty where everything agrees and is quick enough."""
    failures = [one.describe() for one in agreements if not one.is_exact]
    for one in agreements:
        cycles = one.facts.get("most cycles", 0)
        if cycles > most_cycles:
            failures.append(f"{one.name}: {cycles} cycles, at most {most_cycles} are allowed")
    return failures
