"""`league ladder`: sharpens the ratings of a run by more evaluation games."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from league.commands.terminal import PLAY_WIDTH, AsJson, print_json, print_table, show_progress

if TYPE_CHECKING:
    from league.ladder import LadderResult
    from league.rundir import RunDir
    from league.store import Store


def ladder_command(
    run: Annotated[str, typer.Argument(help="Run: its name under runs/, or its folder.")],
    target: Annotated[float, typer.Option(help="Elo: half width of every interval.")] = 40.0,
    max_pairs: Annotated[int, typer.Option(min=1, help="Most pairs to play.")] = 400,
    batch: Annotated[int, typer.Option(min=1, help="Pairs recorded together.")] = 16,
    as_json: AsJson = False,
) -> None:
    """Play the most informative pairs of a run until its intervals are below a target."""
    from league.evaluate.report import make_play_table
    from league.players import open_run
    from league.standings import describe_standings, read_standings
    from league.standings_play import describe_run_play, read_run_play
    from league.store import Store
    from league.tables import make_standings_table

    run_dir = open_run(run)
    with run_dir.lock(), Store(run_dir.database) as store:
        result = _climb(run_dir, store, target, max_pairs, batch)
        standings, play = read_standings(store), read_run_play(store)
    if as_json:
        columns = describe_run_play(play)
        ladder = [line | columns.get(line["player"], {}) for line in describe_standings(standings)]
        print_json({"pairs": result.pairs, "wide": list(result.wide), "ladder": ladder})
        return
    print_table(make_standings_table(standings), width=PLAY_WIDTH)
    print_table(make_play_table(play), width=PLAY_WIDTH)
    wide = f"; still wider than {target:g}: {', '.join(result.wide)}" if result.wide else ""
    sys.stderr.write(f"{result.pairs} pairs played{wide}\n")


def _climb(
    run_dir: RunDir, store: Store, target: float, max_pairs: int, batch: int
) -> LadderResult:
    from league.config import load_config
    from league.evaluation import make_setup, play_pairs
    from league.ladder import LadderPlan, climb_ladder

    config = load_config(run_dir.config)
    plan = LadderPlan(
        anchor=config.league.anchor,
        anchor_rating=config.league.anchor_rating,
        seed=config.run.seed,
        target=target,
        max_pairs=max_pairs,
        batch=batch,
    )
    setup = make_setup(config, run_dir)
    with (
        closing(setup.open_backend()) as backend,
        show_progress(f"ladder of {run_dir.path.name}", max_pairs) as advance,
    ):
        return climb_ladder(
            store,
            plan,
            lambda pairs: play_pairs(setup, pairs, backend),
            lambda played, _: advance(played),
        )
