"""Tables as HTML with no outside parts: the payoff as a heat map, Elo curves with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

Cell = str | int | float | None
Rows = Sequence[Sequence[Cell]]

_WIDTH, _HEIGHT, _MARGIN = 640, 360, 56
"""Pixels of a chart, and of the space for its labels."""
_LINE: Final = "#1f5fa8"
_TICKS: Final = 4


def render_page(name: str, columns: Sequence[str], rows: Rows) -> str:
    """Return a table as HTML.

    Args:
        name: `payoff` is coloured by score, and `elo_curve` has a chart above it.
        columns: Headings.
        rows: A cell for each of them; None is an empty one.
    """
    table = _render_table(columns, rows, coloured=name == "payoff")
    if name == "elo_curve":
        return render_curve(_list_points(columns, rows)) + table
    return table


def render_curve(points: Sequence[tuple[float, float, float | None, float | None]]) -> str:
    """Return an SVG picture of a curve with an interval at every point.

    Args:
        points: Abscissa, value, and both ends of the interval; None for an open end, which is
            drawn to the edge.
    """
    if not points:
        return ""
    known = [value for point in points for value in point[1:] if value is not None]
    low, high = _widen(min(known), max(known))
    first, last = _widen(min(point[0] for point in points), max(point[0] for point in points))

    def place_x(value: float) -> float:
        return _MARGIN + (value - first) / (last - first) * (_WIDTH - 2 * _MARGIN)

    def place_y(value: float) -> float:
        return _HEIGHT - _MARGIN - (value - low) / (high - low) * (_HEIGHT - 2 * _MARGIN)

    parts = [
        f'<line x1="{place_x(x):.1f}" x2="{place_x(x):.1f}" '
        f'y1="{place_y(low if lower is None else lower):.1f}" '
        f'y2="{place_y(high if upper is None else upper):.1f}" stroke="{_LINE}" opacity="0.4"/>'
        f'<circle cx="{place_x(x):.1f}" cy="{place_y(value):.1f}" r="3" fill="{_LINE}"/>'
        for x, value, lower, upper in points
    ]
    path = " ".join(f"{place_x(point[0]):.1f},{place_y(point[1]):.1f}" for point in points)
    parts.append(f'<polyline points="{path}" fill="none" stroke="{_LINE}"/>')
    for tick in range(_TICKS + 1):
        value = low + (high - low) * tick / _TICKS
        parts.append(_write(_MARGIN - 6, place_y(value) + 4, f"{value:.0f}", "end"))
        value = first + (last - first) * tick / _TICKS
        parts.append(_write(place_x(value), _HEIGHT - _MARGIN + 18, f"{value:,.0f}", "middle"))
    parts.append(_write(_WIDTH / 2, _HEIGHT - 12, "env steps", "middle"))
    parts.append(_write(_MARGIN, _MARGIN - 16, "Elo, 95 % intervals", "middle"))
    return f'<svg width="{_WIDTH}" height="{_HEIGHT}" font-size="12">{"".join(parts)}</svg>'


def format_cell(cell: Cell) -> str:
    """Return a cell as text: numbers to four digits, an empty text for None."""
    if cell is None:
        return ""
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


def _render_table(columns: Sequence[str], rows: Rows, *, coloured: bool) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(
        "<tr>" + "".join(_render_cell(cell, coloured) for cell in row) + "</tr>" for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _render_cell(cell: Cell, coloured: bool) -> str:
    style = f' style="background:{_colour(cell)}"' if coloured and isinstance(cell, float) else ""
    return f"<td{style}>{escape(format_cell(cell))}</td>"


def _colour(score: float) -> str:
    """Return red for 0, white for one half, green for 1."""
    pale = round(255 * (1 - abs(2 * score - 1)))
    return f"rgb(255,{pale},{pale})" if score < 1 / 2 else f"rgb({pale},255,{pale})"


def _list_points(
    columns: Sequence[str], rows: Rows
) -> list[tuple[float, float, float | None, float | None]]:
    places = [columns.index(name) for name in ("env_steps", "elo", "lower", "upper")]
    points = []
    for row in rows:
        x, value, lower, upper = (
            None if isinstance(row[place], str) else row[place] for place in places
        )
        if x is not None and value is not None:
            points.append((x, value, lower, upper))
    return points  # type: ignore[return-value]


def _widen(low: float, high: float) -> tuple[float, float]:
    """Return an interval that is not empty."""
    return (low, high) if high > low else (low - 1, high + 1)


def _write(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
