"""`league eval`: measures a policy on a frozen suite."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from league.commands.terminal import (
    PLAY_WIDTH,
    AsJson,
    print_json,
    print_lines,
    print_table,
    show_progress,
)

if TYPE_CHECKING:
    from league.standings_play import Forgetting


def evaluate_command(
    policy: Annotated[str, typer.Argument(help="Policy, as for `league match`.")],
    suite: Annotated[str, typer.Option(help="Frozen set of games.")] = "v1",
    seconds: Annotated[float, typer.Option(min=0.01, help="Most for an action of `exec:`.")] = 2.0,
    as_json: AsJson = False,
) -> None:
    """Measure a policy on a frozen suite: solo rounds, and pairs of games against anchors."""
    from league.evaluate.evaluate import run_suite
    from league.evaluate.report import describe_suite, format_forgetting, make_suite_tables
    from league.evaluate.suites import find_suite
    from league.players import load_any_policy
    from league.standings_play import describe_forgetting

    games = find_suite(suite)
    load = partial(load_any_policy, decision_seconds=seconds)
    measured = load(policy)
    start = time.monotonic()
    with show_progress(f"{measured.name}, suite {suite}", games.games) as advance:
        result = run_suite(measured, games, load, advance)
    lost = _find_forgetting(policy)
    if as_json:
        report = describe_suite(result)
        report["forgetting"] = None if lost is None else describe_forgetting(lost)
        print_json({**report, "seconds": time.monotonic() - start})
        return
    for table in make_suite_tables(result):
        print_table(table, width=PLAY_WIDTH)
    if lost is not None:
        print_lines(format_forgetting(lost))


def _find_forgetting(policy: str) -> Forgetting | None:
    """Return what the rated games of a snapshot's run say; None for any other policy.

    A snapshot that is named by its folder belongs to no run that could be asked.
    """
    from league.players import find_folder, find_snapshot, open_run
    from league.standings_play import find_forgetting
    from league.store import Store

    kind, _, details = policy.partition(":")
    if kind != "snapshot" or find_folder(details) is not None:
        return None
    run, _, snapshot_id = details.rpartition("/")
    with Store(open_run(run).database, read_only=True) as store:
        return find_forgetting(store, find_snapshot(run, snapshot_id).name)
