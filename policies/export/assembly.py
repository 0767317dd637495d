"""The tree as ca65 source: the same bytes as `tree.bin`, with names instead of numbers."""

from __future__ import annotations

from typing import Final

from policies.distill.spec import FEATURES, LEAF_BASE, MAX_SLOPE
from policies.distill.tree import Leaf, Node, count_bytes, count_leaves

_INDENT: Final = "  "


def render_assembly(tree: Node, policy: str) -> str:
    """Return `tree.s`.

    Args:
        tree: What to write.
        policy: Text of the policy that taught it, for the heading.
    """
    leaves = count_leaves(tree)
    lines = [
        f"; A decision tree that plays Pill Duel, distilled from {policy}.",
        f"; {leaves} leaves, {count_bytes(leaves)} bytes; what the features mean: "
        "docs/distillation.md",
        "; split: feature and threshold - 1, offset of the right child; left where feature < "
        "threshold",
        f"; leaf: ${LEAF_BASE:02X} + 4 * value + {MAX_SLOPE} - slope",
        "",
        *(f"{_symbol(number)} = {number} ; {one.meaning}" for number, one in enumerate(FEATURES)),
        "",
        ".export tree",
        "tree:",
    ]
    labels = [0]
    _write(tree, lines, 0, labels)
    return "\n".join(lines) + "\n"


def _write(node: Node, lines: list[str], depth: int, labels: list[int]) -> None:
    indent = _INDENT * (depth + 1)
    if isinstance(node, Leaf):
        slope = f"{MAX_SLOPE - node.slope}"
        lines.append(f"{indent}.byte ${LEAF_BASE:02X} + 4 * {node.value} + {slope}")
        return
    label = f"from_{labels[0]}"
    labels[0] += 1
    question = f"{_symbol(node.feature)} << 4 + {node.threshold} - 1"
    lines.append(f"{indent}.byte {question}, {label} - tree")
    _write(node.left, lines, depth + 1, labels)
    lines.append(f"{label}: ; {FEATURES[node.feature].name} >= {node.threshold}")
    _write(node.right, lines, depth + 1, labels)


def _symbol(feature: int) -> str:
    return "F_" + FEATURES[feature].name.upper()
