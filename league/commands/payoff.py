"""`league payoff`: the results of a run's evaluation games as a table or as arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from league.commands.terminal import print_lines

FormatName = Literal["csv", "npz"]


def payoff_command(
    run: Annotated[str, typer.Argument(help="Run: its name under runs/, or its folder.")],
    format_name: Annotated[
        FormatName, typer.Option("--format", help="csv: a line per seating; npz: arrays (n, n).")
    ] = "csv",
    output: Annotated[
        Path | None, typer.Option(help="File to write; csv goes to stdout without it.")
    ] = None,
) -> None:
    """Write who beat whom, by seat, from the evaluation games of a run."""
    from league.commands.payoff_export import format_csv, write_npz
    from league.payoff import Payoff
    from league.players import open_run
    from league.store import Store

    with Store(open_run(run).database, read_only=True) as store:
        payoff = Payoff.from_counts(store.count_results("evaluation"))
    if format_name == "npz":
        if output is None:
            raise typer.BadParameter("expected --output FILE for npz, got none")
        write_npz(payoff, output)
    elif output is None:
        print_lines(*format_csv(payoff))
    else:
        output.write_text("".join(f"{line}\n" for line in format_csv(payoff)), encoding="utf-8")
