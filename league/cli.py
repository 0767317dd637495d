"""The command line: `league match`, `eval`, `run`, `standings`, `ladder`, `exploit` and others.

Every command imports what it needs when it runs, so that `league --help` is quick. Results go to
stdout, progress and errors to stderr; exit codes: 0 done, 1 a check failed, 2 bad usage or input,
130 interrupted.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from league.commands.bench import CHECK_FAILED, bench_app
from league.commands.evaluate import evaluate_command
from league.commands.exploit import exploit_command
from league.commands.export import export_command
from league.commands.game import game_app
from league.commands.ladder import ladder_command
from league.commands.payoff import payoff_command
from league.commands.terminal import PLAY_WIDTH, AsJson, print_json, print_table, show_progress
from league.commands.track import track_command
from league.imitate_cli import imitate_command

if TYPE_CHECKING:
    from envs.backends.base import Backend

BAD_USAGE: Final = 2
_HELP: Final = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    help="A self-play league for two-player NES Dr. Mario rules.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings=_HELP,
)
rom_app = typer.Typer(help="The user's own ROMs.", no_args_is_help=True)
app.add_typer(rom_app, name="rom")
app.add_typer(bench_app, name="bench")
app.add_typer(game_app, name="game")
app.command("track")(track_command)
app.command("export")(export_command)
app.command("eval")(evaluate_command)
app.command("exploit")(exploit_command)
app.command("imitate")(imitate_command)
app.command("ladder")(ladder_command)
app.command("payoff")(payoff_command)

BackendName = Literal["retro", "simulator", "reference"]
SpeedName = Literal["LOW", "MED", "HI"]
GameName = Literal["PillDuel-Nes-v0", "DrMario-Nes-v0"]


@app.command("match")
def match_command(
    a: Annotated[str, typer.Argument(metavar="A", help="Policy: greedy, snapshot:RUN/ID ...")],
    b: Annotated[str, typer.Argument(metavar="B", help="Its opponent.")],
    pairs: Annotated[int, typer.Option(help="Pairs of games: one round, both seatings.")] = 10,
    level: Annotated[int, typer.Option(help="Virus level of both, 0..20.")] = 0,
    speed: Annotated[SpeedName, typer.Option(help="Speed of both.", case_sensitive=False)] = "MED",
    backend: Annotated[BackendName, typer.Option(help="What runs the game.")] = "retro",
    game: Annotated[GameName, typer.Option(help="Game to run, on retro.")] = "PillDuel-Nes-v0",
    seed: Annotated[int, typer.Option(min=0, help="Fixes rounds and random policies.")] = 0,
    as_json: AsJson = False,
    video: Annotated[Path | None, typer.Option(help="MP4 of the first pair.")] = None,
    seconds: Annotated[float, typer.Option(min=0.01, help="Most for an action of `exec:`.")] = 2.0,
) -> None:
    """Play two policies against each other, in pairs of games with the seats swapped."""
    from envs.game.layout import Speed
    from league.match import Conditions, describe_match, play_match
    from league.players import load_any_policy
    from league.tables import make_match_table

    conditions = Conditions(level=level, speed=Speed[speed])
    first, second = (load_any_policy(text, decision_seconds=seconds) for text in (a, b))
    sees_pixels = "pixels" in (first.view.observation, second.view.observation)
    start = time.monotonic()
    with (
        _open_backend(backend, game, rendering=sees_pixels or video is not None) as opened,
        _record_first_pair(video) as on_frame,
        show_progress(f"{first.name} - {second.name}", 2 * pairs) as advance,
    ):
        result = play_match(
            first,
            second,
            pairs=pairs,
            backends=[opened],
            conditions=conditions,
            seed=seed,
            on_game=lambda *_: advance(),
            on_frame=on_frame,
        )
    print(*result.forfeits, sep="\n", end="\n" if result.forfeits else "", file=sys.stderr)
    if as_json:
        print_json({**describe_match(result), "seconds": time.monotonic() - start})
    else:
        print_table(make_match_table(result))


@app.command("run")
def run_command(
    config: Annotated[Path | None, typer.Argument(help="YAML file in configs/.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="training.gamma=0.99")
    ] = None,
    resume: Annotated[Path | None, typer.Option(help="Folder of a run to go on with.")] = None,
) -> None:
    """Train, freeze and rate policies, as `python -m league.run` does."""
    from league.run import main as run_main

    arguments = [str(config)] if config is not None else []
    arguments += overrides or []
    if resume is not None:
        arguments += ["--resume", str(resume)]
    raise typer.Exit(run_main(arguments))


@app.command("standings")
def standings_command(
    run: Annotated[str, typer.Argument(help="Run: its name under runs/, or its folder.")],
    as_json: AsJson = False,
) -> None:
    """Print the ladder of a run, with 95 % intervals."""
    from league.evaluate.report import make_play_table
    from league.players import open_run
    from league.standings import describe_standings, read_standings
    from league.standings_play import describe_run_play, read_run_play
    from league.store import Store
    from league.tables import make_standings_table

    with Store(open_run(run).database, read_only=True) as store:
        standings, play = read_standings(store), read_run_play(store)
    if as_json:
        columns = describe_run_play(play)
        ladder = describe_standings(standings)
        print_json([line | columns.get(line["player"], {}) for line in ladder])
    else:
        print_table(make_standings_table(standings), width=PLAY_WIDTH)
        print_table(make_play_table(play), width=PLAY_WIDTH)


@rom_app.command("import")
def rom_import_command(
    path: Annotated[Path, typer.Argument(help="A .nes file, a zip archive or a folder.")],
) -> None:
    """Take the user's own Dr. Mario ROM into the user data folder."""
    from league.roms import import_roms
    from league.tables import make_rom_table

    print_table(make_rom_table(import_roms(path)))


@rom_app.command("list")
def rom_list_command() -> None:
    """List the ROMs that can be played."""
    from league.roms import list_roms
    from league.tables import make_rom_table

    print_table(make_rom_table(list_roms()))


@app.command("verify")
def verify_command(
    sessions: Annotated[
        int | None, typer.Option(min=1, help="Sessions to play; the default is a full run.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Draws the sessions.")] = 0,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes, each with an emulator.")
    ] = None,
    mutants: Annotated[bool, typer.Option(help="Also hunt builds with a wrong rule.")] = True,
    planner: Annotated[bool, typer.Option(help="Also judge the planner.")] = True,
    as_json: AsJson = False,
) -> None:
    """Hold simulator, cartridge, reference and planner together; exit 1 if anything is amiss."""
    from league.verify.simulator import DEFAULT_SESSIONS, FULL_SCOPE, format_report, run_verify

    total = sessions or DEFAULT_SESSIONS
    with show_progress("sessions", total) as advance:
        report = run_verify(
            total,
            seed=seed,
            workers=workers,
            mutants=mutants,
            planner=FULL_SCOPE if planner else None,
            on_sessions=advance,
        )
    if as_json:
        print_json(report)
    else:
        print(*format_report(report), sep="\n")
    if not report["passed"]:
        raise typer.Exit(CHECK_FAILED)


@rom_app.command("verify")
def rom_verify_command(
    rom: Annotated[Path, typer.Argument(help="An iNES file, or the name of a game.")],
    rounds: Annotated[int, typer.Option(min=1, help="Rounds to play.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Draws the rounds.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Play a ROM beside the simulator and say how far they agree; exit 1 if not in all."""
    from league.verify.rom import format_rom_report, verify_rom

    with show_progress("rounds", rounds) as advance:
        report = verify_rom(rom, rounds, seed=seed, on_round=advance)
    if as_json:
        print_json(report)
    else:
        print(*format_rom_report(report), sep="\n")
    if not report["agrees"]:
        raise typer.Exit(CHECK_FAILED)


def main() -> None:
    """Run the command line; the entry point of `league`."""
    try:
        app()
    except Exception as error:
        if not isinstance(error, _own_errors()):
            raise
        print(f"error: {error}", file=sys.stderr)
        sys.exit(BAD_USAGE)


def _own_errors() -> tuple[type[Exception], ...]:
    """Return the errors whose message tells the user what to do; a traceback would hide it."""
    from envs.backends.base import BackendError
    from league.errors import LeagueError

    return LeagueError, BackendError


@contextmanager
def _open_backend(name: BackendName, game: str, *, rendering: bool) -> Iterator[Backend]:
    """Open the backend `name`; without rendering where nobody looks, which is faster."""
    from envs.backends.integrations import PILL_DUEL
    from envs.backends.registry import check_game, open_backend

    try:
        check_game(name, game)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    backend = open_backend(name, game, rendering=rendering or game != PILL_DUEL)
    try:
        yield backend
    finally:
        backend.close()


@contextmanager
def _record_first_pair(video: Path | None) -> Iterator[Callable[[int, Backend], None] | None]:
    """Yield what writes every frame of the first two games to `video`."""
    if video is None:
        yield None
        return
    from envs.video import VideoWriter

    with VideoWriter(video) as writer:
        yield lambda index, backend: writer.add(backend.screen()) if index < 2 else None


if __name__ == "__main__":
    main()
