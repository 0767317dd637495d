"""`league game`: asks the rules of the game, a JSON object a line in and one a line out.

For judges from outside; the formats are in `docs/game.md`, section "The door".
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from league.commands.game_door import VerbName

game_app = typer.Typer(
    help="The rules of the game, asked and answered in lines of JSON.", no_args_is_help=True
)

EngineOption = Annotated[
    Literal["reference", "simulator"],
    typer.Option("--engine", help="The readable rules in Python, or the native ones."),
]


@game_app.command("setup")
def setup_command(engine: EngineOption = "reference") -> None:
    """Word and levels: the capsules, both bottles, the word after, the frames of the intro."""
    _answer("setup", engine)


@game_app.command("settle")
def settle_command(engine: EngineOption = "reference") -> None:
    """Field, capsule and pose: the field at rest, lines, attack colours, frames to control."""
    _answer("settle", engine)


@game_app.command("garbage")
def garbage_command(engine: EngineOption = "reference") -> None:
    """Queue, frame counter and colours: the cells that the volley writes."""
    _answer("garbage", engine)


@game_app.command("reach")
def reach_command(engine: EngineOption = "reference") -> None:
    """Field, capsule, speed index and frame counter: lockable poses with the fewest frames."""
    _answer("reach", engine)


def _answer(verb: VerbName, engine: Literal["reference", "simulator"]) -> None:
    """Answer standard input on standard output, line by line as they come."""
    from league.commands.game_door import answer_lines, open_engine

    for answer in answer_lines(verb, open_engine(engine), sys.stdin):
        sys.stdout.write(f"{answer}\n")
        # A judge may wait for this answer before it asks again.
        sys.stdout.flush()
