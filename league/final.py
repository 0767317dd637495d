"""The last measurement of a run: how strong `main` became, on the simulator, with 95 % intervals.

Games against given opponents, against its own first third, and solo rounds; then some of them are
played again on Stable-Retro, where every frame must be the same. Nothing of it enters a rating.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from envs.game.layout import COMPARED_ADDRESSES, NUM_SEATS, Speed
from envs.game.setup import NUM_SEEDS, RoundSetup, seed_to_word
from league.durable import replace_file
from league.errors import LeagueError
from league.players import load_policy
from league.rng import make_rng
from league.rundir import RunDir
from league.settings import RunConfig
from league.snapshots import load_snapshot
from league.statistics.head_to_head import elo_difference
from league.statistics.proportion import estimate_proportion
from league.store import Store
from policies.base import Policy
from policies.decision_games import PlayedGame, play_decision_games
from policies.rollout import Game

if TYPE_CHECKING:
    from rich.table import Table

FILE: Final = "final.json"
"""The result in the folder of the run."""
_FIRST_PART: Final = 1 / 3


class FinalError(LeagueError):
    """The last measurement found what must not be."""


@dataclass(frozen=True, slots=True)
class Task:
    """One measurement to be made."""

    opponent: Policy | None
    """None for solo rounds."""
    name: str
    """Of the opponent; `solo` without."""
    level: int


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measurement that was made."""

    opponent: str
    level: int
    speed: str
    games: int
    share: float
    """Score, (W + D/2) / games; of solo rounds those that were cleared. A stopped game is none."""
    lower: float
    upper: float
    """95 % interval; of games with the pair as unit, of solo rounds Wilson's."""
    clear_share: float
    """Share of wins that came by clearing the bottle."""


@dataclass(frozen=True, slots=True)
class FinalReport:
    """All that the last measurement found."""

    player: str
    measurements: tuple[Measurement, ...]
    replayed: int
    """Games that were played again on Stable-Retro, every frame of them the same."""


def measure_final(
    config: RunConfig, run_dir: RunDir, store: Store, report: Callable[[str], None]
) -> FinalReport:
    """Measure the newest snapshot of a run as `config.final` says.

    The games are the same whenever and wherever this is called.

    Args:
        config: Of the run.
        run_dir: Its folder.
        store: Its database.
        report: Called with a line before each part.

    Raises:
        FinalError: A game went differently on Stable-Retro.
        BackendError: A backend cannot be opened.
    """
    rows = [row for row in store.snapshots() if row.role == "main"]
    main = load_snapshot(run_dir.snapshot(rows[-1].id))
    early = [row for row in rows if row.env_steps <= _FIRST_PART * rows[-1].env_steps][-1]
    tasks = list(_list_tasks(config, load_snapshot(run_dir.snapshot(early.id)), early.id))
    played = []
    for number, task in enumerate(tasks):
        report(f"measuring, {number + 1} of {len(tasks)}: {task.name}, level {task.level}")
        played.append(_play(config, main, task, number))
    measurements = tuple(
        _measure(task, games, config.evaluation.speed)
        for task, games in zip(tasks, played, strict=True)
    )
    replayed = _choose_replays(played, config.final.replays)
    if replayed:
        report(f"playing {len(replayed)} of these games again on Stable-Retro")
    _replay(replayed)
    return FinalReport(rows[-1].id, measurements, len(replayed))


def write_final(path: Path, report: FinalReport) -> None:
    """Write a report as JSON, all at once."""
    replace_file(path, (json.dumps(asdict(report), indent=1) + "\n").encode())


def read_final(path: Path) -> FinalReport:
    """Read a report back."""
    values = json.loads(path.read_text(encoding="utf-8"))
    measurements = tuple(Measurement(**one) for one in values.pop("measurements"))
    return FinalReport(measurements=measurements, **values)


def make_final_table(report: FinalReport) -> Table:
    """Return a report as a table for the terminal."""
    from rich.table import Table

    caption = f"{report.replayed} of the games replayed on Stable-Retro, every frame the same"
    table = Table(title=f"{report.player} at the end", caption=caption if report.replayed else None)
    table.add_column("against")
    for heading in ("level", "speed", "games", "score", "95 % interval", "wins by clearing"):
        table.add_column(heading, justify="right")
    for one in report.measurements:
        table.add_row(
            one.opponent,
            str(one.level),
            one.speed,
            str(one.games),
            f"{one.share:.3f}",
            f"{one.lower:.3f} .. {one.upper:.3f}",
            f"{one.clear_share:.2f}",
        )
    return table


def _list_tasks(config: RunConfig, early: Policy, early_name: str) -> Iterator[Task]:
    final = config.final
    for name in final.opponents:
        for level in final.levels:
            yield Task(load_policy(name), name, level)
    yield Task(early, f"{early_name} (its first third)", config.evaluation.level)
    for level in final.solo_levels:
        yield Task(None, "solo", level)


def _play(config: RunConfig, main: Policy, task: Task, number: int) -> list[PlayedGame]:
    """Play a task's games: same-seed pairs with the seats swapped, or solo rounds."""
    rng = make_rng(config.run.seed, f"final/{number}")
    solo = task.opponent is None
    opponent = main if task.opponent is None else task.opponent
    per_seed = 1 if solo else NUM_SEATS
    seeds = rng.choice(NUM_SEEDS, -(-config.final.games // per_seed), replace=False)
    games = []
    for seed in seeds.tolist():
        setup = RoundSetup(
            levels=(task.level, task.level),
            speeds=(config.evaluation.speed, config.evaluation.speed),
            rng_word=seed_to_word(seed),
            solo=solo,
        )
        for main_seat in range(per_seed):
            policies = (main, opponent) if main_seat == 0 else (opponent, main)
            rngs = [make_rng(seed, f"final/{number}/{main_seat}/{seat}") for seat in (0, 1)]
            games.append(Game(setup, policies, (rngs[0], rngs[1])))
    return play_decision_games(games, max_frames=config.evaluation.max_frames)


def _measure(task: Task, games: Sequence[PlayedGame], speed: Speed) -> Measurement:
    per_seed = 1 if task.opponent is None else NUM_SEATS
    points = np.zeros(len(games))
    wins = clears = 0
    for index, game in enumerate(games):
        main_seat, record = index % per_seed, game.record
        won = record.winner == main_seat
        drawn = record.winner is None and record.reason != "frame_limit"
        points[index] = won + drawn / 2
        wins += won
        clears += won and record.reason == "clear"
    lower, upper = _find_interval(points, is_paired=per_seed == NUM_SEATS)
    return Measurement(
        opponent=task.name,
        level=task.level,
        speed=speed.name,
        games=len(games),
        share=float(points.mean()),
        lower=lower,
        upper=upper,
        clear_share=clears / wins if wins else 0.0,
    )


def _find_interval(points: np.ndarray, *, is_paired: bool) -> tuple[float, float]:
    """Return the 95 % interval of the mean of what games scored, float64 (games,)."""
    if is_paired:
        found = elo_difference(points.reshape(-1, NUM_SEATS).mean(1))
        return found.score_lower, found.score_upper
    share = estimate_proportion(float(points.sum()), len(points))
    return share.lower, share.upper


def _choose_replays(played: Sequence[Sequence[PlayedGame]], count: int) -> list[PlayedGame]:
    """Return the first games of every measurement in turn, `count` together."""
    longest = max(map(len, played))
    turns = [games[index] for index in range(longest) for games in played if index < len(games)]
    return turns[:count]


def _replay(games: Sequence[PlayedGame]) -> None:
    """Play games again on Stable-Retro.

    Raises:
        FinalError: One of them goes differently.
    """
    if not games:
        return
    from envs.backends.retro import RetroBackend
    from envs.backends.simulator import SimulatorBackend
    from policies.decision_replay import find_difference

    with ExitStack() as stack:
        simulator, retro = SimulatorBackend(rendering=False), RetroBackend(rendering=False)
        stack.callback(retro.close)
        compare = partial(
            find_difference, first=simulator, second=retro, addresses=COMPARED_ADDRESSES
        )
        for number, game in enumerate(games):
            wrong = compare(game)
            if wrong is not None:
                raise FinalError(f"expected game {number} the same on Stable-Retro, got {wrong}")
