"""`league bench`: the speeds that the project promises, measured here; exit 1 below a target."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Any, Final

import typer

CHECK_FAILED: Final = 1

bench_app = typer.Typer(help="Benchmarks of the project's promises.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Turns = Annotated[int, typer.Option(min=1, help="Interleaved turns; medians are reported.")]


@bench_app.command("env")
def env_command(
    pairs: Annotated[int, typer.Option(min=1, help="Turns; medians are reported.")] = 7,
    as_json: AsJson = False,
) -> None:
    """The environment beside Stable-Retro's own `env.step`."""
    from league.bench.env import ENV_TARGETS, run_env_bench

    report = run_env_bench(pairs)
    lines = [
        f"{name}: {report[name]['ratio']:.2f} x, target {report[name]['target']} x"
        for name in ENV_TARGETS
    ]
    _show(report, lines, met=all(report[name]["met"] for name in ENV_TARGETS), as_json=as_json)


@bench_app.command("sim")
def simulator_command(turns: Turns = 5, as_json: AsJson = False) -> None:
    """The simulator beside Stable-Retro's own `env.step`."""
    from league.bench.simulator import format_bench, list_missed_targets, run_simulator_bench

    report = run_simulator_bench(turns)
    _show(report, format_bench(report), met=not list_missed_targets(report), as_json=as_json)


@bench_app.command("planner")
def planner_command(turns: Turns = 5, as_json: AsJson = False) -> None:
    """Placement planner, and the vector env with and without candidate rows."""
    from league.bench.planner import format_bench, run_planner_bench

    report = run_planner_bench(turns)
    _show(report, format_bench(report), met=report["met"], as_json=as_json)


@bench_app.command("search")
def search_command(
    positions: Annotated[int, typer.Option(min=1, help="Decisions to time.")] = 2048,
    as_json: AsJson = False,
) -> None:
    """The search players, and what the pruning of depth 2 loses."""
    from league.bench.search import TARGETS, format_bench, run_search_bench

    report = run_search_bench(positions)
    met = all(report[f"depth_{depth}"]["met"] for depth in TARGETS)
    _show(report, format_bench(report), met=met, as_json=as_json)


@bench_app.command("train")
def train_command(
    turns: Annotated[int, typer.Option(min=1, help="Interleaved turns; medians are reported.")] = 3,
    as_json: AsJson = False,
) -> None:
    """A trained decision beside `examples/ppo.py` and beside RLlib's own runner."""
    from league.bench.train import format_bench, run_train_bench

    report = run_train_bench(turns)
    _show(report, format_bench(report), met=report["met"], as_json=as_json)


@bench_app.command("matchmaking")
def matchmaking_command(
    seeds: Annotated[int, typer.Option(min=1, help="Runs of every preset.")] = 3,
    scale: Annotated[float, typer.Option(min=0.01, help="Factor on their length.")] = 1.0,
    as_json: AsJson = False,
) -> None:
    """The matchmaking presets at equal budget, on toy games with a known truth."""
    from league.bench.matchmaking import format_bench, run_matchmaking_bench

    report = run_matchmaking_bench(seeds, scale=scale)
    _show(report, format_bench(report), met=True, as_json=as_json)


def _show(report: dict[str, Any], lines: Iterable[str], *, met: bool, as_json: bool) -> None:
    """Print a report.

    Raises:
        typer.Exit: A target was missed.
    """
    if as_json:
        print(json.dumps(report, indent=2))
    else:
        print(*lines, sep="\n")
    if not met:
        raise typer.Exit(CHECK_FAILED)
