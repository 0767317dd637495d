"""Results of `league eval` as JSON types and as tables for the terminal."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from rich.table import Table

from envs.game.layout import FRAME_RATE
from league.evaluate.evaluate import QUANTILES, PlayStyle, SoloResult, SuiteResult, VersusResult
from league.standings_play import Forgetting, RunPlay, clean_json
from league.statistics.proportion import Proportion
from league.tracking.play_facts import PHASES


def describe_suite(result: SuiteResult) -> dict[str, Any]:
    """Return a result as JSON types; numbers that do not exist are None."""
    described: dict[str, Any] = clean_json(
        {
            "policy": result.policy,
            "suite": {"name": result.suite, "sha256": result.digest},
            "game": result.backend,
            "solo": [_describe_solo(one) for one in result.solo],
            "versus": [_describe_versus(one) for one in result.versus],
        }
    )
    return described


def make_suite_tables(result: SuiteResult) -> list[Table]:
    """Return the solo and the versus table."""
    return [_make_solo_table(result), _make_versus_table(result)]


def format_share(share: Proportion) -> str:
    """Return a share with its interval in percent, e.g. `98.5 % (95.7..99.5)`."""
    if not share.games:
        return "-"
    return f"{share.share:.1%} ({100 * share.lower:.1f}..{100 * share.upper:.1f})".replace(
        "%", " %"
    )


def format_forgetting(lost: Forgetting) -> str:
    """Return forgetting as a line."""
    score = lost.score
    return (
        f"forgetting: {lost.newest} scores {score.score:.3f} "
        f"({score.score_lower:.3f}..{score.score_upper:.3f}) against {lost.earlier}, its worst "
        "result against an earlier one"
    )


def format_number(value: float, digits: int = 1) -> str:
    """Return a number, or a dash where there is none."""
    return f"{value:.{digits}f}" if math.isfinite(value) else "-"


def make_play_table(play: RunPlay) -> Table:
    """Return how the players of a run play, in the order of the ladder."""
    lines = ["left, right: mean score from that seat; clears: share of its wins by clearing"]
    if play.seat is not None:
        error = format_number(play.seat.standard_error, 0)
        lines.append(f"the left seat is worth {round(play.seat.elo)} Elo, standard error {error}")
    lines += [format_forgetting(one) for one in play.forgetting]
    table = Table(title="Play", caption="\n".join(lines), caption_justify="left")
    headings = ("player", "left, right", "clears", "viruses/min", "volleys/min", "capsules/virus")
    for heading in (*headings, "top-outs"):
        table.add_column(heading)
    for line in play.lines:
        style = line.style
        table.add_row(
            line.player,
            ", ".join(format_number(score, 2) for score in line.seat_scores),
            format_share(line.wins_by_clearing),
            "-" if style is None else _format_rates(style),
            "-" if style is None else format_number(style.volleys_per_minute),
            "-" if style is None else _format_phases(style),
            "-" if style is None else _format_ends(style, 0, 0),
        )
    return table


def _make_solo_table(result: SuiteResult) -> Table:
    table = Table(
        title=f"{result.policy}, suite {result.suite}, solo",
        caption="clears with 95 % interval; seconds to clear: median, 5..95 %, mean of the slowest "
        "tenth; viruses a minute: whole round, first minute; capsules a virus with more than 32, "
        "9-32, up to 8 viruses left",
        caption_justify="left",
    )
    headings = ("level", "clears", "seconds", "viruses/min", "capsules/virus", "not cleared")
    for heading in headings:
        table.add_column(heading)
    for one in result.solo:
        table.add_row(
            one.part.name,
            format_share(one.clears),
            _format_times(one),
            _format_rates(one.style),
            _format_phases(one.style),
            _format_ends(one.style, one.stops, one.forfeits),
        )
    return table


def _make_versus_table(result: SuiteResult) -> Table:
    table = Table(
        title=f"{result.policy}, suite {result.suite}, versus",
        caption="score with 95 % interval over pairs, then from the left and the right seat; "
        "clears: share of its wins by clearing",
        caption_justify="left",
    )
    headings = ("against", "score", "W-D-L", "left, right", "clears", "viruses/min", "volleys/min")
    for heading in (*headings, "its losses"):
        table.add_column(heading)
    for one in result.versus:
        table.add_row(
            f"{one.part.anchor}, {one.part.level} {one.part.speed.name}",
            _format_score(one),
            f"{one.wins}-{one.draws}-{one.losses}",
            ", ".join(format_number(score, 2) for score in one.seat_scores),
            format_share(one.wins_by_clearing),
            _format_rates(one.style),
            format_number(one.style.volleys_per_minute),
            _format_ends(one.style, one.stops, one.forfeits),
        )
    return table


def _describe_solo(one: SoloResult) -> dict[str, Any]:
    times = None
    if one.times is not None:
        marks = {f"q{100 * mark:.0f}": value for mark, value in _zip_quantiles(one)}
        times = {"mean": one.times.mean, **marks, "cvar_slowest_tenth": one.times.tail_mean}
    return {
        "level": one.part.level,
        "speed": one.part.speed.name,
        "rounds": one.part.rounds,
        "clears": asdict(one.clears),
        "frames_to_clear": times,
        "stopped": one.stops,
        "forfeits": one.forfeits,
        **_describe_style(one.style),
    }


def _describe_versus(one: VersusResult) -> dict[str, Any]:
    return {
        "anchor": one.part.anchor,
        "level": one.part.level,
        "speed": one.part.speed.name,
        "pairs": one.part.pairs,
        "score": None if one.score is None else asdict(one.score),
        "wins": one.wins,
        "draws": one.draws,
        "losses": one.losses,
        "stopped": one.stops,
        "forfeits": one.forfeits,
        "score_by_seat": list(one.seat_scores),
        "wins_by_clearing": asdict(one.wins_by_clearing),
        **_describe_style(one.style),
    }


def _describe_style(style: PlayStyle) -> dict[str, Any]:
    described = asdict(style)
    by_phase = zip(PHASES, style.capsules_per_virus, strict=True)
    return {**described, "capsules_per_virus": dict(by_phase)}


def _zip_quantiles(one: SoloResult) -> list[tuple[float, float]]:
    return [] if one.times is None else list(zip(QUANTILES, one.times.quantiles, strict=True))


def _format_times(one: SoloResult) -> str:
    if one.times is None:
        return "-"
    low, *_, high = one.times.quantiles
    median = one.times.quantiles[len(QUANTILES) // 2]
    seconds = [frames / FRAME_RATE for frames in (median, low, high, one.times.tail_mean)]
    return "{:.0f}, {:.0f}..{:.0f}, {:.0f}".format(*seconds)


def _format_rates(style: PlayStyle) -> str:
    rates = (style.viruses_per_minute, style.viruses_first_minute)
    return ", ".join(format_number(rate) for rate in rates)


def _format_phases(style: PlayStyle) -> str:
    return ", ".join(format_number(value, 2) for value in style.capsules_per_virus)


def _format_ends(style: PlayStyle, stops: int, forfeits: int) -> str:
    counts = {**style.top_outs, "frame limit": stops, "forfeit": forfeits}
    return ", ".join(f"{name} {count}" for name, count in counts.items() if count) or "-"


def _format_score(one: VersusResult) -> str:
    if one.score is None:
        return "-"
    return f"{one.score.score:.3f} ({one.score.score_lower:.3f}..{one.score.score_upper:.3f})"
