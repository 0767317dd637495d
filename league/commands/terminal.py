"""What commands write: results to stdout, progress to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
"""The option of commands that print a table."""

PLAY_WIDTH: Final = 132
"""Columns of tables about play where the output is no terminal."""


@contextmanager
def show_progress(title: str, total: int) -> Iterator[Callable[..., None]]:
    """Show a bar with the time left on stderr, if it is a terminal; yield what moves it on."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (*Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=total)
        yield lambda steps=1: progress.advance(task, steps)


def print_json(value: Any) -> None:
    """Print JSON, indented."""
    print_lines(json.dumps(value, indent=2))


def print_table(table: Any, *, width: int | None = None) -> None:
    """Print a `rich` table.

    Args:
        table: The table.
        width: Columns where the output is no terminal; 80 by default.
    """
    from rich.console import Console

    console = Console()
    if width is not None and not console.is_terminal:
        console.width = width
    console.print(table)


def print_lines(*lines: str) -> None:
    """Print lines of text."""
    sys.stdout.writelines(f"{line}\n" for line in lines)
