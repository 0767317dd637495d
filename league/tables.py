"""Tables of results for the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.table import Table

from envs.game.layout import FRAME_RATE, NUM_SEATS
from league.match import MatchResult
from league.roms import RomRecord
from league.standings import Standing
from league.statistics.head_to_head import EloDifference


def make_match_table(result: MatchResult) -> Table:
    """Return a match as a table: a row per seat of A, one for all games, then the summary."""
    a, b = result.policies
    conditions = result.conditions
    table = Table(
        title=f"{a} against {b}, level {conditions.level} {conditions.speed.name}",
        caption=_summarise_match(result),
        caption_justify="left",
    )
    table.add_column(f"{a} in", justify="left")
    for heading in ("games", "wins", "draws", "losses", "stopped"):
        table.add_column(heading, justify="right")
    rows = [result.count_results(seat) for seat in range(NUM_SEATS)]
    counts = [(one.wins, one.draws, one.losses, one.stopped) for one in rows]
    totals = tuple(map(sum, zip(*counts, strict=True)))
    for name, row in zip(("left seat", "right seat", "both"), [*counts, totals], strict=True):
        table.add_row(name, str(sum(row)), *map(str, row))
    return table


def make_standings_table(standings: Sequence[Standing]) -> Table:
    """Return a ladder as a table, the best player first."""
    table = Table(title="Standings", caption="Elo points with 95 % intervals")
    for heading in ("", "player", "Elo", "interval", "W", "D", "L", "stopped", "env steps"):
        table.add_column(heading, justify="left" if heading == "player" else "right")
    for one in standings:
        record = one.record
        table.add_row(
            str(one.rank),
            one.player,
            format_elo(one.elo),
            f"{format_elo(one.lower)} .. {format_elo(one.upper)}",
            *(str(count) for count in (record.wins, record.draws, record.losses, record.stopped)),
            "" if one.env_steps is None else f"{one.env_steps:,}",
        )
    return table


def make_rom_table(records: Sequence[RomRecord]) -> Table:
    """Return the ROMs that can be played as a table."""
    table = Table(title="ROMs")
    table.add_column("game", no_wrap=True)
    table.add_column("SHA-1 without header", no_wrap=True)
    table.add_column("title, place", overflow="fold")
    for record in records:
        source = "shipped" if record.shipped else str(record.path)
        state = "" if record.intact else ", damaged: import it again"
        # Two lines in one cell: beside a digest, 80 columns hold no fourth column.
        table.add_row(record.game, record.digest, f"{record.title}\n{source}{state}")
    return table


def format_elo(elo: float) -> str:
    """Return whole Elo points; an open end is shown as an infinity sign."""
    if math.isfinite(elo):
        return f"{elo:.0f}"
    return "∞" if elo > 0 else "-∞"


def _summarise_match(result: MatchResult) -> str:
    score = "no game has a result" if result.score is None else f"score {result.score:.3f}"
    reasons = [f"{reason} {count}" for reason, count in result.count_reasons().items() if count]
    seconds = result.mean_frames / FRAME_RATE
    return "\n".join(
        [
            f"{score}, Elo difference {_format_difference(result.elo)}",
            f"ended by {', '.join(reasons)}",
            f"wins by clearing: {_format_clears(result)}",
            f"{result.mean_frames:.0f} frames per game ({seconds:.1f} s on the console)",
        ]
    )


def _format_clears(result: MatchResult) -> str:
    shares = [result.share_of_clears(player) for player in range(NUM_SEATS)]
    return ", ".join(
        f"{name} {share.share:.0%} of {share.games}" if share.games else f"{name} has no wins"
        for name, share in zip(result.policies, shares, strict=True)
    )


def _format_difference(elo: EloDifference | None) -> str:
    if elo is None:
        return "unknown"
    interval = f"{format_elo(elo.lower)} .. {format_elo(elo.upper)}"
    return f"{format_elo(elo.elo)} (95 %: {interval})"
