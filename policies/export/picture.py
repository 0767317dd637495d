"""A tree as an SVG picture: questions left to right, leaves at the right edge, shaded by value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from xml.sax.saxutils import escape

from policies.distill.decide import describe_leaf
from policies.distill.spec import FEATURE_NAMES, MAX_VALUE
from policies.distill.tree import Leaf, Node, count_leaves

_ROW: Final = 18
_COLUMN: Final = 132
_BOX: Final = 112
_MARGIN: Final = 10
_TEXT: Final = 11


@dataclass(slots=True)
class _Drawing:
    """Shapes so far, and the row of the next leaf."""

    shapes: list[str] = field(default_factory=list)
    leaves: int = 0


def draw_tree(tree: Node) -> str:
    """Return an SVG element; upper branches are those below the threshold."""
    depth = _measure_depth(tree)
    drawing = _Drawing()
    _draw(tree, 0, drawing)
    width = _COLUMN * depth + 44 + 2 * _MARGIN
    height = _ROW * count_leaves(tree) + 2 * _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" font-family="monospace" font-size="{_TEXT}" role="img" '
        'aria-label="decision tree">' + "".join(drawing.shapes) + "</svg>"
    )


def _draw(node: Node, depth: int, drawing: _Drawing) -> float:
    """Draw a node and what is below it; returns the height of its middle."""
    x = _MARGIN + _COLUMN * depth
    if isinstance(node, Leaf):
        y = _MARGIN + _ROW * (drawing.leaves + 0.5)
        drawing.leaves += 1
        light = 95 - 55 * node.value // MAX_VALUE
        ink = "#fff" if light < 60 else "#000"
        drawing.shapes.append(
            f'<rect x="{x}" y="{y - 8:g}" width="36" height="16" rx="3" '
            f'fill="hsl(140,55%,{light}%)"/>'
            f'<text x="{x + 18}" y="{y + 4:g}" text-anchor="middle" fill="{ink}">'
            f"{describe_leaf(node)}</text>"
        )
        return y
    ends = (_draw(node.left, depth + 1, drawing), _draw(node.right, depth + 1, drawing))
    y = sum(ends) / 2
    label = escape(f"{FEATURE_NAMES[node.feature]} < {node.threshold}")
    for end in ends:
        drawing.shapes.append(
            f'<path d="M{x + _BOX} {y:g} L{x + _COLUMN} {end:g}" stroke="#888" fill="none"/>'
        )
    drawing.shapes.append(
        f'<rect x="{x}" y="{y - 8:g}" width="{_BOX}" height="16" rx="3" fill="#eef" '
        f'stroke="#99b"/><text x="{x + 4}" y="{y + 4:g}">{label}</text>'
    )
    return y


def _measure_depth(node: Node) -> int:
    if isinstance(node, Leaf):
        return 0
    return 1 + max(_measure_depth(node.left), _measure_depth(node.right))
