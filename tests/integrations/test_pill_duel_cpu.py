"""The cartridge's CPU opponent on a bare 6502: whole decisions, the tree's walk, bytes, cycles."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from envs.game.layout import (
    FIELD_BASES,
    MAX_SPEED_UPS,
    PLAYER_BASES,
    ROWS,
    Address,
    CpuDecision,
    PillDuelAddress,
    PlayerOffset,
    Speed,
)
from policies.distill.decide import choose_best, judge_candidates
from policies.distill.routine import Situation
from policies.distill.spec import (
    DEPTH,
    FEATURE_NAMES,
    FEATURES,
    MAX_DEPTH,
    MAX_LEAVES,
    MAX_SLOPE,
    MAX_THRESHOLD,
    MAX_VALUE,
    MIN_SLOPE,
    PAGE_SIZE,
)
from policies.distill.tree import Leaf, Node, Split, decode_page, encode_page, walk
from policies.export.cartridge import (
    AI_BYTES_LIMIT,
    measure_parts,
    read_page,
    read_rom,
    write_cartridge,
)
from policies.export.processor import CYCLE_LIMIT, FEATURES_ADDRESS, Processor
from tests.integrations.console import CARTRIDGE, Console
from tests.integrations.situations import draw_situations, fill_bottle, hang_capsules
from tests.integrations.test_pill_duel_routines import CLAIMS
from tests.policies.distill.chains import CHAINS, Chain

DEEPEST = MAX_DEPTH
"""Splits to a leaf for which the cycles of a decision are promised."""

Box = tuple[tuple[int, int], ...]
"""By feature: the smallest and the largest value that can still come."""


def find_work_ram(name: str) -> int:
    """Return the address of one of the cartridge's own variables."""
    text = (CARTRIDGE / "src" / "pillduel.inc").read_text()
    found = re.search(rf"^{name} += \$(\w+)", text, re.MULTILINE)
    assert found is not None
    return int(found[1], 16)


def start_box() -> Box:
    return tuple((feature.low, min(feature.high, MAX_THRESHOLD)) for feature in FEATURES)


def cut_box(box: Box, split: Split) -> tuple[Box, Box]:
    """What reaches the left and the right child of a split."""
    low, high = box[split.feature]
    before, behind = box[: split.feature], box[split.feature + 1 :]
    left = (low, split.threshold - 1)
    return (*before, left, *behind), (*before, (split.threshold, high), *behind)


def grow_tree(rng: np.random.Generator, leaves: int, box: Box, depth: int = DEEPEST) -> Node:
    """A tree with leaves that can all be reached."""
    wide = [number for number, (low, high) in enumerate(box) if low < high]
    if leaves == 1 or depth == 0 or not wide:
        return Leaf(int(rng.integers(MAX_VALUE + 1)), int(rng.integers(MIN_SLOPE, MAX_SLOPE + 1)))
    number = int(rng.choice(wide))
    low, high = box[number]
    leaf = Leaf(0)
    split = Split(number, int(rng.integers(low + 1, high + 1)), leaf, leaf)
    left_box, right_box = cut_box(box, split)
    left = int(rng.integers(1, leaves))
    return Split(
        number,
        split.threshold,
        grow_tree(rng, left, left_box, depth - 1),
        grow_tree(rng, leaves - left, right_box, depth - 1),
    )


def list_vectors(rng: np.random.Generator, node: Node, box: Box) -> list[list[int]]:
    """Features that reach every leaf, and both sides of every split right at its threshold."""
    vector = [int(rng.integers(low, high + 1)) for low, high in box]
    if isinstance(node, Leaf):
        return [vector]
    sides = [list(vector), list(vector)]
    sides[0][node.feature], sides[1][node.feature] = node.threshold - 1, node.threshold
    left_box, right_box = cut_box(box, node)
    left, right = (
        list_vectors(rng, child, part)
        for child, part in ((node.left, left_box), (node.right, right_box))
    )
    return [*sides, *left, *right]


def make_chain(splits: int) -> Node:
    """A tree that asks every candidate all its questions."""
    node: Node = Leaf(1, MIN_SLOPE)
    for _ in range(splits):
        node = Split(DEPTH, 1, Leaf(2), node)
    return node


def compare_decisions(processor: Processor, tree: Node, situations: list[Situation]) -> list[int]:
    """Hold the cartridge's decisions equal to the definition's, and return their cycles."""
    cycles = []
    for index, situation in enumerate(situations):
        expected = choose_best(judge_candidates(situation, tree)).drop
        decision = processor.decide(situation, seat=index % 2)
        assert (decision.rotation, decision.column) == (expected.rotation, expected.column), (
            f"situation {index}: {situation}"
        )
        cycles.append(decision.cycles)
    return cycles


@pytest.fixture
def processor() -> Processor:
    return Processor(read_rom())


def test_a_thousand_decisions_are_those_of_the_definition(
    processor: Processor, record_property: Callable[[str, object], None]
) -> None:
    tree = decode_page(read_page(read_rom()))
    situations = list(draw_situations(np.random.default_rng(0), 1000))
    cycles = compare_decisions(processor, tree, situations)
    record_property("cycles_mean", round(np.mean(cycles)))
    record_property("cycles_max", max(cycles))
    assert max(cycles) <= CYCLE_LIMIT
    # All rotations and all colours were asked for, at slow and fast falls.
    assert len({situation.colours for situation in situations}) == 9
    assert len({situation.frames_per_row for situation in situations}) > 10


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("threshold", [4, 5, 6, 16])
def test_a_line_that_starts_a_chain_is_told_apart(
    chain: Chain, mirrored: bool, threshold: int
) -> None:
    tree = Split(FEATURE_NAMES.index("run_max"), threshold, Leaf(1), Leaf(2))
    processor = Processor(write_cartridge(encode_page(tree)))
    compare_decisions(processor, tree, [chain.make_situation(mirrored)])


@pytest.mark.parametrize("seed", range(3))
def test_a_cartridge_with_another_tree_decides_by_that_tree(seed: int) -> None:
    rng = np.random.default_rng(100 + seed)
    tree = grow_tree(rng, MAX_LEAVES, start_box())
    processor = Processor(write_cartridge(encode_page(tree)))
    situations = list(draw_situations(rng, 100))
    assert max(compare_decisions(processor, tree, situations)) <= CYCLE_LIMIT
    shipped = Processor(read_rom())
    others = [shipped.decide(situation) for situation in situations]
    own = [processor.decide(situation) for situation in situations]
    assert others != own


@pytest.mark.slow
def test_many_decisions_of_many_trees_are_those_of_the_definition() -> None:
    rng = np.random.default_rng(2)
    for _ in range(40):
        tree = grow_tree(rng, int(rng.integers(1, MAX_LEAVES + 1)), start_box())
        processor = Processor(write_cartridge(encode_page(tree)))
        compare_decisions(processor, tree, list(draw_situations(rng, 250)))


@pytest.mark.parametrize(
    "bottle",
    [fill_bottle(2), fill_bottle(8), fill_bottle(15), hang_capsules()],
    ids=["viruses high", "viruses in the middle", "viruses low", "hanging capsules"],
)
@pytest.mark.parametrize("colours", [(0, 1), (2, 0), (1, 1)])
def test_the_longest_decision_keeps_to_its_cycles(bottle: bytes, colours: tuple[int, int]) -> None:
    tree = make_chain(DEEPEST)
    processor = Processor(write_cartridge(encode_page(tree)))
    situation = Situation(bottle, colours, 20)
    assert compare_decisions(processor, tree, [situation])[0] <= CYCLE_LIMIT


def test_what_a_decision_starts_with_keeps_to_its_cycles() -> None:
    console = Console()
    console.write_player(1, PlayerOffset.SPEED, Speed.HI)
    console.write_player(1, PlayerOffset.SPEED_UPS, MAX_SPEED_UPS)
    for bottle in (hang_capsules(), *(fill_bottle(row) for row in range(2, ROWS))):
        console.write(FIELD_BASES[1], bottle)
        console.call("cpu_decide", x=1)
        assert console.call("survey").cycles <= CLAIMS["survey"]


@pytest.mark.parametrize("shipped", [True, False])
def test_the_walk_finds_every_leaf_and_both_sides_of_every_split(shipped: bool) -> None:
    rng = np.random.default_rng(3)
    page = read_page(read_rom())
    tree = decode_page(page) if shipped else grow_tree(rng, MAX_LEAVES, start_box())
    processor = Processor(write_cartridge(encode_page(tree)))
    assert find_work_ram("cpu_work") == FEATURES_ADDRESS
    for vector in list_vectors(rng, tree, start_box()):
        assert processor.walk(vector).score == walk(tree, vector)


def test_a_decision_writes_nothing_but_its_own_ram(processor: Processor) -> None:
    before = list(processor.memory[:0x800])
    situation = next(draw_situations(np.random.default_rng(4), 1))
    processor.decide(situation)
    changed = {a for a in range(0x800) if processor.memory[a] != before[a]}
    allowed = set(range(0x24, 0x33)) | set(range(0xB0, 0xF4)) | set(range(0x100, 0x200))
    allowed |= set(range(PillDuelAddress.CPU_ROTATION, PillDuelAddress.CPU_HELD))
    allowed |= set(range(PLAYER_BASES[0], PLAYER_BASES[0] + 48))  # what the test itself wrote
    allowed |= set(range(FIELD_BASES[0], FIELD_BASES[0] + 128))
    assert changed <= allowed
    assert bytes(processor.memory[FIELD_BASES[0] :][:128]) == situation.bottle


def test_the_whole_opponent_fits_its_bytes(record_property: Callable[[str, object], None]) -> None:
    parts = measure_parts()
    record_property("bytes", parts)
    assert sum(parts.values()) <= AI_BYTES_LIMIT
    assert parts["tree page"] == PAGE_SIZE
    assert min(parts.values()) > 0


def test_the_nmi_runs_the_frame_while_a_decision_is_being_made() -> None:
    console = Console()
    thinking = find_work_ram("cpu_thinking")
    console.memory[Address.MODE] = 4
    console.memory[thinking] = 1
    long = console.interrupt("nmi").cycles
    assert console.memory[Address.NMI_DONE] == 0
    assert console.memory[thinking] == 1
    console.memory[thinking] = 0
    assert console.interrupt("nmi").cycles < long
    assert console.memory[Address.NMI_DONE] == 1


def test_a_frame_that_is_due_comes_before_a_decision() -> None:
    """An NMI may come between the main loop's look for it and the start of a decision."""
    console = Console()
    console.memory[PillDuelAddress.CPU_DECISION] = CpuDecision.ASKED
    console.memory[Address.NMI_DONE] = 1
    console.call("cpu_think")
    assert console.memory[PillDuelAddress.CPU_DECISION] == CpuDecision.ASKED
    assert console.memory[find_work_ram("cpu_thinking")] == 0
    console.memory[Address.NMI_DONE] = 0
    console.call("cpu_think")
    assert console.memory[PillDuelAddress.CPU_DECISION] == CpuDecision.MADE
    assert console.memory[find_work_ram("cpu_thinking")] == 0
