"""Every fact of `docs/game.md` names a test that exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FACT_ROW = re.compile(r"^\| (?P<fact>.+?) \| (agreed|one|reading|ours) \| (?P<tests>.+) \|$", re.M)
TEST_NAME = re.compile(r"`(?P<file>tests/[\w/]+\.py)::(?P<name>\w+)`")
ROWS = [match.groupdict() for match in FACT_ROW.finditer((ROOT / "docs/game.md").read_text())]


@cache
def list_tests(file: str) -> frozenset[str]:
    """Names of all test functions and methods of a file; empty if there is no such file."""
    path = ROOT / file
    if not path.is_file():
        return frozenset()
    nodes = ast.walk(ast.parse(path.read_text()))
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef))


def test_there_are_facts() -> None:
    assert len(ROWS) > 50


@pytest.mark.parametrize("row", ROWS, ids=[row["fact"][:50] for row in ROWS])
def test_a_fact_names_tests_that_exist(row: dict[str, str]) -> None:
    named = list(TEST_NAME.finditer(row["tests"]))
    assert named, f"no test is named for: {row['fact']}"
    for match in named:
        assert match["name"] in list_tests(match["file"]), match[0]
