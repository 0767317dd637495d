"""`python -m league.run CONFIG [key=value ...]` and `python -m league.run --resume RUN`.

Puts a run together (folder, database, trainer, evaluator, trackers), runs the loop, and prints the
standings last. Repeating a command goes on with its run. Ctrl-C and SIGTERM end it after the
iteration in progress; a second one ends it at once, and costs that iteration.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, fields, is_dataclass, replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

from league.config import list_changes, load_config, render_config
from league.errors import ConfigError, LeagueError, RunDirError
from league.rundir import RunDir
from league.settings import EnvSettings, RunConfig
from policies.base import Policy

if TYPE_CHECKING:
    from rich.table import Table

    from league.store import Store
    from league.tracking import Tracker
    from league.training.algorithm import TrainerSetup

DONE, BAD_USAGE = 0, 2
_SIGNAL_EXIT: Final = 128
"""A run that a signal stopped exits with this plus the signal's number, as shells do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run or resume a run from the command line; return the exit code."""
    options = _make_parser().parse_intermixed_args(arguments)
    try:
        config, run_dir = _open_run(options)
        return run(config, run_dir)
    except LeagueError as error:
        _say(f"error: {error}")
        return BAD_USAGE
    except KeyboardInterrupt:
        _say("interrupted; what the last finished iteration saved is there")
        return _SIGNAL_EXIT + signal.SIGINT


def run(config: RunConfig, run_dir: RunDir) -> int:
    """Run `config` in its folder to the end, or until a signal; return the exit code.

    Raises:
        LeagueError: The run cannot go on; the message says why.
    """
    from rich.console import Console

    from league.commands.terminal import PLAY_WIDTH, print_table
    from league.evaluate.report import make_play_table
    from league.loop import FIRST_CLEARS, is_complete
    from league.standings import read_standings
    from league.standings_play import read_run_play
    from league.tables import make_standings_table
    from league.tracking.clear_watch import ClearWatch

    with run_dir.lock(), _open_store(run_dir) as store:
        finished = is_complete(config, run_dir, store)
        stopped_by = None if finished else _run_loop(config, run_dir, store)
        if stopped_by is None:
            _say(f"finished; everything is in {run_dir.path}")
        else:
            _say(f"stopped; go on with: python -m league.run --resume {run_dir.path}")
        print_table(make_standings_table(read_standings(store)), width=PLAY_WIDTH)
        print_table(make_play_table(read_run_play(store)), width=PLAY_WIDTH)
        clears = ClearWatch(run_dir.path / FIRST_CLEARS).found
        if clears is not None:
            Console().print(clears.describe())
        if stopped_by is None and config.final.games:
            print_table(_measure_once(config, run_dir, store), width=PLAY_WIDTH)
        if stopped_by is None and config.export.profile == "quick":
            _export_once(config, run_dir)
    return DONE if stopped_by is None else _SIGNAL_EXIT + stopped_by


def _measure_once(config: RunConfig, run_dir: RunDir, store: Store) -> Table:
    """Return the last measurement of a finished run; it is made once and kept."""
    from league.final import FILE, make_final_table, measure_final, read_final, write_final

    path = run_dir.path / FILE
    if not path.exists():
        write_final(path, measure_final(config, run_dir, store, _say))
    return make_final_table(read_final(path))


def _export_once(config: RunConfig, run_dir: RunDir) -> None:
    """Make a tree of a finished run's champion; it is made once, and its failing fails nothing."""
    from league.export.export import export_at_end
    from league.players import find_snapshot
    from league.snapshots import load_snapshot

    folder = run_dir.export
    if folder.exists():
        return
    snapshot = find_snapshot(str(run_dir.path), "best")
    text = f"snapshot:{config.run.name}/{snapshot.name}"
    started = time.monotonic()
    export = export_at_end(load_snapshot(snapshot), text, folder, config.run.seed, _say)
    if export is not None:
        passed = sum(gate.is_passed for gate in export.gates)
        seconds = time.monotonic() - started
        _say(f"{passed} of {len(export.gates)} gates passed after {seconds:.0f} s; {folder}")
        if config.tracking.wandb != "disabled":
            _track_export(config, run_dir)


def _track_export(config: RunConfig, run_dir: RunDir) -> None:
    from league.tracking.artifacts import track_export

    track_export(
        run_dir.export,
        run_dir.wandb,
        mode=config.tracking.wandb,
        project=config.tracking.project,
        name=config.run.name,
        config=asdict(config),
    )


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m league.run", description=__doc__)
    parser.add_argument("config", nargs="?", type=Path, help="YAML file, e.g. configs/smoke.yaml")
    parser.add_argument("overrides", nargs="*", help="e.g. training.gamma=0.99 run.name=mine")
    parser.add_argument("--resume", type=Path, metavar="RUN", help="folder of a run to go on with")
    return parser


def _open_run(options: argparse.Namespace) -> tuple[RunConfig, RunDir]:
    """Return configuration and folder of a new run or of one to go on with.

    Raises:
        LeagueError: The arguments or the configuration are wrong, or the folder is.
    """
    if options.resume is not None:
        if options.config is not None or options.overrides:
            raise ConfigError("--resume", ["expected a run folder alone: its config is fixed"])
        run_dir = RunDir.open(options.resume)
        return load_config(run_dir.config), run_dir
    if options.config is None:
        raise ConfigError("arguments", ["expected a config file, or --resume RUN"])
    config = load_config(options.config, options.overrides)
    path = Path(config.run.root) / config.run.name
    if not RunDir(path).exists():
        return config, RunDir.create(path, render_config(config))
    run_dir = RunDir.open(path)
    changes = list_changes(load_config(run_dir.config), config)
    if changes:
        lines = "\n  ".join(changes)
        raise RunDirError(
            f"expected the config of the run in {path}, got another; choose another run.name, or "
            f"delete the run. Changed:\n  {lines}"
        )
    return config, run_dir


def _run_loop(config: RunConfig, run_dir: RunDir, store: Store) -> int | None:
    """Run the loop; return the number of the signal that stopped it, or None at its end."""
    from league.evaluation import Evaluator, make_setup
    from league.loop import LeagueLoop, Workplace
    from league.progress import open_display
    from league.training.session import ray_session

    processes = config.processes
    with ExitStack() as stack:
        evaluator = stack.enter_context(Evaluator(make_setup(config, run_dir)))
        workers = processes.num_env_runners + processes.num_learners
        stack.enter_context(ray_session(workers + 1, processes.threads))
        from league.training.trainer import Trainer

        trainer = stack.enter_context(Trainer(_trainer_setup(config)))
        tracker = stack.enter_context(_open_tracker(config, run_dir))
        display = stack.enter_context(open_display(config.run.name))
        # Ray replaces signal handlers when it starts, so ours come last.
        stop = stack.enter_context(_catch_signals())
        loop = LeagueLoop(
            Workplace(config, run_dir, store, trainer, evaluator, tracker, display.show)
        )
        if loop.run(lambda: bool(stop)):
            _log_final_tables(tracker, store)
            return None
        return int(stop[0])


@contextmanager
def _open_store(run_dir: RunDir) -> Iterator[Store]:
    from league.store import Store

    path = run_dir.database
    with Store(path) if path.is_file() else Store.create(path) as store:
        yield store


@contextmanager
def _catch_signals() -> Iterator[list[signal.Signals]]:
    """Yield a list that the first SIGINT or SIGTERM enters; the second one acts as usual."""
    caught: list[signal.Signals] = []
    numbers = (signal.SIGINT, signal.SIGTERM)

    def catch(number: int, frame: FrameType | None) -> None:
        caught.append(signal.Signals(number))
        _say("finishing the iteration; once more to stop at once")
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    before = {number: signal.signal(number, catch) for number in numbers}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _trainer_setup(config: RunConfig) -> TrainerSetup:
    from league.players import load_policy
    from league.training.algorithm import TrainerSetup
    from league.training.curriculum import GameDraw
    from league.training.make_table import make_table
    from policies.network import NetworkConfig, build_network

    env = config.env
    network = NetworkConfig(**asdict(config.network))
    return TrainerSetup(
        training=config.training,
        processes=config.processes,
        make_network=partial(build_network, network),
        seed=config.run.seed,
        scripted={
            name: _adapt_to_training(load_policy(name), env) for name in config.league.scripted
        },
        make_table=partial(make_table, env, network, config.processes.games),
        draw_game=GameDraw(config.curriculum),
        stall=env.stall,
    )


def _adapt_to_training(policy: Policy, env: EnvSettings) -> Policy:
    """Return a scripted policy that knows how long the training env holds its buttons."""
    has_repeat = is_dataclass(policy) and "action_repeat" in {item.name for item in fields(policy)}
    if env.actions == "placement" or not has_repeat:
        return policy
    adapted: Policy = replace(policy, action_repeat=env.action_repeat)  # type: ignore[type-var]
    return adapted


@contextmanager
def _open_tracker(config: RunConfig, run_dir: RunDir) -> Iterator[Tracker]:
    from league.tracking import CompositeTracker, JsonlTracker, WatchfulTracker
    from league.tracking.weights_and_biases import WandbTracker

    trackers: list[Tracker] = [JsonlTracker(run_dir.metrics)]
    settings = config.tracking
    if settings.wandb != "disabled":
        trackers.append(
            WandbTracker(
                run_dir.wandb,
                mode=settings.wandb,
                project=settings.project,
                name=config.run.name,
                config=asdict(config),
            )
        )
    tracker = WatchfulTracker(CompositeTracker(trackers), _say)
    try:
        yield tracker
    finally:
        tracker.close()


def _log_final_tables(tracker: Tracker, store: Store) -> None:
    from league.payoff import Payoff
    from league.standings import read_standings
    from league.tracking import log_final_tables

    payoff = Payoff.from_counts(store.count_results("evaluation"))
    log_final_tables(tracker, read_standings(store), payoff)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
