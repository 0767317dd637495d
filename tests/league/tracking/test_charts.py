"""Tables as HTML."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from league.tracking.charts import Rows, render_curve, render_page


def parse(page: str) -> ElementTree.Element:
    return ElementTree.fromstring(f"<page>{page}</page>")


def test_the_payoff_is_a_heat_map() -> None:
    page = parse(render_page("payoff", ["player", "a<b"], [["a<b", None], ["c", 0.75], ["d", 0.0]]))
    cells = [(cell.text, cell.get("style")) for cell in page.iter("td")]
    assert cells == [
        ("a<b", None),
        (None, None),
        ("c", None),
        ("0.75", "background:rgb(128,255,128)"),
        ("d", None),
        ("0", "background:rgb(255,0,0)"),
    ]
    plain = parse(render_page("standings", ["player", "elo"], [["c", 0.75]]))
    assert [cell.get("style") for cell in plain.iter("td")] == [None, None]


def test_the_elo_curve_is_drawn_with_its_intervals() -> None:
    columns = ["player", "env_steps", "elo", "lower", "upper"]
    rows: Rows = [
        ["a", 0, 900.0, None, 950.0],
        ["b", 100, 1000.0, 900.0, 1100.0],
        ["c", None, 1, 1, 1],
    ]
    page = parse(render_page("elo_curve", columns, rows))
    heights = [float(dot.get("cy", "")) for dot in page.iter("circle")]
    assert len(heights) == 2, "who has no env steps is not on the curve"
    assert heights[1] < heights[0], "a higher rating is drawn higher"
    first, second = page.iter("line")
    assert float(second.get("y2", "")) < heights[1] < float(second.get("y1", ""))
    # An open end reaches the edge, which is the lowest of all here.
    assert first.get("y1") == second.get("y1")
    assert [cell.text for cell in page.iter("td")][:2] == ["a", "0"]


def test_a_single_point_is_drawn() -> None:
    assert len(list(parse(render_curve([(5, 1000.0, None, None)])).iter("circle"))) == 1
    assert render_curve([]) == ""
