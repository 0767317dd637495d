"""`report.html`: everything about an exported tree on one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from envs.game.layout import COLUMNS, EMPTY, ROWS, Tile
from policies.distill.decide import Judged, choose_best, judge_candidates, list_path
from policies.distill.routine import Situation
from policies.distill.spec import FEATURES, SLOPE_DEPTH
from policies.distill.tree import Leaf, Node
from policies.export.picture import draw_tree

_COLOURS: Final = ("#d9b300", "#c8322b", "#2f63c8")
_CELL: Final = 12

_STYLE: Final = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:.5rem 0}td,th{border:1px solid #ccc;padding:.15rem .5rem;
text-align:right}th{background:#f4f4f4}td:first-child,th:first-child{text-align:left}
.fail{background:#fdd}.scroll{overflow-x:auto}.boards{display:flex;gap:2rem;flex-wrap:wrap}
code{background:#f4f4f4}
"""


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """What a report tells; rows and gates are the plain JSON values of `tree.json`."""

    policy: str
    tree: Node
    seed: int
    sizes: Sequence[Mapping[str, Any]]
    """Rows of the size-strength table; the first row's keys are the columns."""
    gates: Sequence[Mapping[str, Any]]
    notes: Sequence[str]
    """What was verified and measured besides, a line each."""
    parts: Mapping[str, int]
    """Bytes of the CPU opponent by part."""
    delays: Mapping[int, int]
    """Decisions by frames of delay; empty if they were not logged."""
    samples: Sequence[Situation]


def render_report(facts: ReportFacts) -> str:
    """Return the page."""
    title = f"Tree of {escape(facts.policy)}"
    sections = (
        ("Gates", _render_gates(facts.gates)),
        ("Sizes", _render_rows(facts.sizes)),
        ("Verified", _render_list(facts.notes)),
        ("Bytes of the CPU opponent", _render_counts(facts.parts, "part", "bytes")),
        ("Frames from spawn to decision", _render_bars(facts.delays)),
        ("Feature use", _render_features(facts.tree)),
        ("Sample boards", _render_samples(facts.samples, facts.tree)),
        ("The tree", f'<div class="scroll">{draw_tree(facts.tree)}</div>'),
    )
    body = "".join(f"<h2>{name}</h2>{content}" for name, content in sections if content)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>"
        f"<p>Seed {facts.seed}. Upper branches of the tree are those below the threshold; "
        "of the candidates the greatest score wins: twice the value of its leaf and, if that has a "
        f"slope such as -1d, so much for each row of depth below {SLOPE_DEPTH}.</p>"
        f"{body}</body></html>\n"
    )


def count_uses(node: Node) -> list[int]:
    """Return how many splits ask for each feature."""
    if isinstance(node, Leaf):
        return [0] * len(FEATURES)
    sums = [a + b for a, b in zip(count_uses(node.left), count_uses(node.right), strict=True)]
    sums[node.feature] += 1
    return sums


def _render_gates(gates: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for gate in gates:
        sign = "&ge;" if gate["at_least"] else "&le;"
        interval = f"{_show(gate['lower'])}..{_show(gate['upper'])}"
        cells = (
            escape(gate["name"]),
            _show(gate["value"]),
            interval,
            f"{sign}&nbsp;{_show(gate['bound'])}",
            str(gate["games"]),
            "pass" if gate["is_passed"] else "FAIL",
            escape(gate["note"]),
        )
        mark = "" if gate["is_passed"] else ' class="fail"'
        rows.append(f"<tr{mark}>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    heads = ("gate", "value", "95 % interval", "asked", "games", "verdict", "note")
    return _render_table(heads, rows) if rows else ""


def _render_rows(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return ""
    heads = list(rows[0])
    lines = [
        "<tr>" + "".join(f"<td>{escape(_show(row.get(head)))}</td>" for head in heads) + "</tr>"
        for row in rows
    ]
    return _render_table([escape(head) for head in heads], lines)


def _render_list(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>" if lines else ""


def _render_counts(counts: Mapping[str, int], name: str, unit: str) -> str:
    if not counts:
        return ""
    rows = [f"<tr><td>{escape(key)}</td><td>{value}</td></tr>" for key, value in counts.items()]
    rows.append(f"<tr><th>together</th><th>{sum(counts.values())}</th></tr>")
    return _render_table((name, unit), rows)


def _render_bars(counts: Mapping[int, int]) -> str:
    if not counts:
        return ""
    most = max(counts.values())
    bars = [
        f'<rect x="40" y="{20 * place + 3}" width="{400 * count / most:.1f}" height="14" '
        f'fill="#69c"/><text x="4" y="{20 * place + 15}">{frames}</text>'
        f'<text x="{46 + 400 * count / most:.1f}" y="{20 * place + 15}">{count}</text>'
        for place, (frames, count) in enumerate(sorted(counts.items()))
    ]
    height = 20 * len(counts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="520" height="{height}" '
        f'font-size="12" role="img" aria-label="histogram">{"".join(bars)}</svg>'
    )


def _render_features(tree: Node) -> str:
    rows = [
        f"<tr><td>{one.name}</td><td>{one.low}..{one.high}</td><td>{uses}</td>"
        f"<td>{one.cost_bytes}</td><td>{escape(one.meaning)}</td></tr>"
        for one, uses in zip(FEATURES, count_uses(tree), strict=True)
    ]
    return _render_table(("feature", "range", "splits", "6502 bytes, about", "meaning"), rows)


def _render_samples(samples: Sequence[Situation], tree: Node) -> str:
    boards = []
    for situation in samples:
        best = choose_best(judge_candidates(situation, tree))
        steps = "".join(f"<li>{escape(step)}</li>" for step in list_path(tree, best.features))
        boards.append(f"<div>{_draw_board(situation, best)}<ol>{steps}</ol></div>")
    return f'<div class="boards">{"".join(boards)}</div>' if boards else ""


def _draw_board(situation: Situation, best: Judged) -> str:
    """Return an SVG of a bottle; viruses are round, the capsule's halves have a black edge."""
    shapes = []
    for cell, tile in enumerate(situation.bottle):
        if tile != EMPTY:
            shapes.append(_draw_tile(cell, tile & 3, tile & 0xF0 == Tile.VIRUS, "none"))
    for cell, tile in best.drop_cells(situation.colours):
        shapes.append(_draw_tile(cell, tile & 3, False, "#000"))
    width, height = COLUMNS * _CELL, ROWS * _CELL
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * width}" '
        f'viewBox="-1 -1 {width + 2} {height + 2}" role="img" aria-label="bottle">'
        f'<rect width="{width}" height="{height}" fill="#fafafa" stroke="#888"/>'
        f"{''.join(shapes)}</svg>"
    )


def _draw_tile(cell: int, colour: int, is_virus: bool, edge: str) -> str:
    row, column = divmod(cell, COLUMNS)
    radius = _CELL / 2 if is_virus else 2
    return (
        f'<rect x="{column * _CELL + 1}" y="{row * _CELL + 1}" width="{_CELL - 2}" '
        f'height="{_CELL - 2}" rx="{radius:g}" fill="{_COLOURS[colour % 3]}" stroke="{edge}"/>'
    )


def _render_table(heads: Sequence[str], rows: Sequence[str]) -> str:
    head = "".join(f"<th>{name}</th>" for name in heads)
    return f'<div class="scroll"><table><tr>{head}</tr>{"".join(rows)}</table></div>'


def _show(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
