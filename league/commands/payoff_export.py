"""The payoff matrix in formats for other tools: CSV and NumPy's npz."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Final

import numpy as np

from league.payoff import Payoff

_RESULTS: Final = ("wins", "draws", "losses", "stopped")
COLUMNS: Final = ("seat_0", "seat_1", *_RESULTS)
"""Of the CSV; results are those of the player in seat 0."""


def format_csv(payoff: Payoff) -> list[str]:
    """Return the lines of a CSV: one per seating that has games, after the headings."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    tables = [getattr(payoff, name) for name in _RESULTS]
    for i, j in np.argwhere(sum(tables)).tolist():
        writer.writerow([payoff.names[i], payoff.names[j], *(int(table[i, j]) for table in tables)])
    return text.getvalue().splitlines()


def write_npz(payoff: Payoff, path: Path) -> None:
    """Write the arrays of a payoff.

    They are `names` (n,); int64 (n, n) `wins`, `draws`, `losses` and `stopped`, row in seat 0
    against column in seat 1; float64 (n, n) `scores`, both seats together, NaN where two have not
    met.
    """
    with path.open("wb") as file:
        np.savez(
            file,
            names=np.array(payoff.names),
            scores=payoff.scores(),
            **{name: getattr(payoff, name) for name in _RESULTS},
        )
