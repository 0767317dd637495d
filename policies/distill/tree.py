"""A model tree over small integers, as nodes and as the page of bytes in the cartridge.

Its leaves are linear in one feature, the depth: so a split need not tell apart what is only deeper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from policies.distill.spec import (
    DEPTH,
    LEAF_BASE,
    MAX_LEAVES,
    MAX_SLOPE,
    MAX_THRESHOLD,
    MAX_VALUE,
    MIN_SLOPE,
    NUM_FEATURES,
    PAGE_SIZE,
    SLOPE_DEPTH,
    SPLIT_SIZE,
)

FILLER: Final = 0xFF
"""Bytes of a page behind its tree."""
_THRESHOLD_BITS: Final = 4
_THRESHOLD_MASK: Final = 0x0F
_SLOPES: Final = MAX_SLOPE - MIN_SLOPE + 1


@dataclass(frozen=True, slots=True)
class Leaf:
    """The end of a walk."""

    value: int
    """0..27: what a candidate is worth at depth 12."""
    slope: int = 0
    """-2..1: by what its score grows with each row of depth."""

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            ValueError: `value` or `slope` is out of range.
        """
        if not 0 <= self.value <= MAX_VALUE:
            raise ValueError(f"expected a leaf value 0..{MAX_VALUE}, got {self.value!r}")
        if not MIN_SLOPE <= self.slope <= MAX_SLOPE:
            raise ValueError(f"expected a slope {MIN_SLOPE}..{MAX_SLOPE}, got {self.slope!r}")

    @property
    def byte(self) -> int:
        """As it lies in the page."""
        return LEAF_BASE + _SLOPES * self.value + MAX_SLOPE - self.slope

    def score(self, depth: int) -> int:
        """Return what a candidate of some depth scores, as the 6502 reckons it: 73..162."""
        return (self.byte + 1) // 2 + SLOPE_DEPTH + self.slope * (depth - SLOPE_DEPTH)


@dataclass(frozen=True, slots=True)
class Split:
    """A question: is the feature below the threshold?"""

    feature: int
    threshold: int
    """Left below it, right from it on; 1..16."""
    left: Node
    right: Node

    def __post_init__(self) -> None:
        """Check ranges.

        Raises:
            ValueError: Feature or threshold is out of range.
        """
        if not 0 <= self.feature < NUM_FEATURES:
            raise ValueError(f"expected a feature 0..{NUM_FEATURES - 1}, got {self.feature!r}")
        if not 1 <= self.threshold <= MAX_THRESHOLD:
            raise ValueError(f"expected a threshold 1..{MAX_THRESHOLD}, got {self.threshold!r}")


Node = Leaf | Split


def count_leaves(node: Node) -> int:
    """Return the number of leaves below a node."""
    if isinstance(node, Leaf):
        return 1
    return count_leaves(node.left) + count_leaves(node.right)


def list_leaves(node: Node) -> list[int]:
    """Return the values of the leaves, from left to right."""
    if isinstance(node, Leaf):
        return [node.value]
    return list_leaves(node.left) + list_leaves(node.right)


def replace_leaves(node: Node, values: Sequence[int]) -> Node:
    """Return the same tree with other leaf values, from left to right; slopes stay.

    Raises:
        ValueError: Another number of values, or one out of range.
    """
    if len(values) != count_leaves(node):
        raise ValueError(f"expected {count_leaves(node)} leaf values, got {len(values)}")
    if isinstance(node, Leaf):
        return Leaf(int(values[0]), node.slope)
    split = count_leaves(node.left)
    return Split(
        node.feature,
        node.threshold,
        replace_leaves(node.left, values[:split]),
        replace_leaves(node.right, values[split:]),
    )


def walk(node: Node, features: Sequence[int]) -> int:
    """Return the score of a candidate."""
    while isinstance(node, Split):
        node = node.left if features[node.feature] < node.threshold else node.right
    return node.score(features[DEPTH])


def count_bytes(leaves: int) -> int:
    """Return the bytes that a tree of so many leaves takes in the page."""
    return (SPLIT_SIZE + 1) * leaves - SPLIT_SIZE


def encode_tree(node: Node) -> bytes:
    """Return the tree as it lies in the page, without the filler behind it.

    Raises:
        ValueError: It has more leaves than the page holds.
    """
    leaves = count_leaves(node)
    if leaves > MAX_LEAVES:
        raise ValueError(f"expected at most {MAX_LEAVES} leaves, got {leaves}")
    data = bytearray()
    _write(node, data)
    return bytes(data)


def encode_page(node: Node) -> bytes:
    """Return the whole page of a tree, 190 bytes.

    Raises:
        ValueError: It has more leaves than the page holds.
    """
    return encode_tree(node).ljust(PAGE_SIZE, bytes([FILLER]))


def decode_page(page: bytes) -> Node:
    """Return the tree of a page.

    Raises:
        ValueError: The bytes are no tree.
    """
    if len(page) != PAGE_SIZE:
        raise ValueError(f"expected a page of {PAGE_SIZE} bytes, got {len(page)}")
    node, end = _read(page, 0)
    if any(byte != FILLER for byte in page[end:]):
        raise ValueError(f"expected only {FILLER:#x} behind the tree, from byte {end} on")
    return node


def make_page(node: Node) -> np.ndarray:
    """Return the page as native code takes it, uint8 (190,)."""
    return np.frombuffer(encode_page(node), np.uint8).copy()


def _write(node: Node, data: bytearray) -> None:
    if isinstance(node, Leaf):
        data.append(node.byte)
        return
    start = len(data)
    data += bytes((node.feature << _THRESHOLD_BITS | node.threshold - 1, 0))
    _write(node.left, data)
    data[start + SPLIT_SIZE - 1] = len(data)
    _write(node.right, data)


def _read(page: bytes, at: int) -> tuple[Node, int]:
    """Return the node at an offset, and the offset behind it."""
    if page[at] >= LEAF_BASE:
        value, fall = divmod(page[at] - LEAF_BASE, _SLOPES)
        return Leaf(value, MAX_SLOPE - fall), at + 1
    if at + SPLIT_SIZE >= PAGE_SIZE:
        raise ValueError(f"expected a split to end within the page, got one at byte {at}")
    question, offset = page[at : at + SPLIT_SIZE]
    left, end = _read(page, at + SPLIT_SIZE)
    if offset != end or end >= PAGE_SIZE:
        raise ValueError(f"expected the right child of byte {at} at {end}, got {offset}")
    right, end = _read(page, end)
    feature, threshold = question >> _THRESHOLD_BITS, (question & _THRESHOLD_MASK) + 1
    return Split(feature, threshold, left, right), end
