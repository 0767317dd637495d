"""Evaluation games: same-seed pairs with swapped seats, in a process that owns its own emulator.

The process is a spawned child of the driver and not a Ray actor: the league core then needs no
Ray, `spawn` hands over no locks or threads of the driver, and the child ends when its pipe does,
however the driver dies. Training goes on while it plays.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from envs.backends.base import Backend
from envs.backends.registry import open_backend
from envs.backends.simulator import SimulatorBackend
from envs.game.layout import NUM_SEATS, Speed
from envs.game.setup import RoundSetup, canonical_word, seed_to_word
from league import __version__
from league.errors import LeagueError
from league.game_facts import read_facts
from league.manager import PlannedPair
from league.players import load_policy
from league.records import Condition, GameRow, Result
from league.rng import make_rng
from league.rundir import RunDir
from league.settings import RunConfig
from league.simulator_games import play_on
from league.snapshots import load_snapshot
from league.standings_play import FACTS_KEY, describe_facts
from policies.base import Policy
from policies.rollout import Game, GameRecord

_STOP_SECONDS: Final = 10.0
"""How long a closing evaluator waits for its process before it kills it."""

_NICENESS: Final = 10

_IN_FLIGHT: Final = 32
"""Plans that the process may hold: minutes of work, and far less than its pipe takes."""

OpenBackend = Callable[[], Backend]
"""Opens a backend in the evaluation process; it must survive pickling."""


class EvaluationError(LeagueError):
    """The evaluation process failed; the message holds its traceback."""


@dataclass(frozen=True, slots=True)
class EvaluationSetup:
    """What all evaluation games have in common."""

    open_backend: OpenBackend
    levels: tuple[int, int]
    speeds: tuple[Speed, Speed]
    max_frames: int
    """Frames of play after which a game ends without a winner."""
    snapshots: Path
    """Folder with one folder per snapshot; other players are policy texts."""
    threads: int = 1
    """Threads of numerical libraries."""


def make_setup(config: RunConfig, run_dir: RunDir) -> EvaluationSetup:
    """Return what the evaluation games of a run have in common."""
    env, rated = config.env, config.evaluation
    return EvaluationSetup(
        open_backend=open_simulator() if env.backend == "simulator" else open_retro(env.game),
        levels=(rated.level, rated.level),
        speeds=(rated.speed, rated.speed),
        max_frames=rated.max_frames,
        snapshots=run_dir.snapshots,
        threads=config.processes.threads,
    )


class Evaluator:
    """Plays planned pairs in a process of its own, one after the other, in order.

    Use it as a context manager. The games of a pair depend on its plan alone.
    """

    def __init__(self, setup: EvaluationSetup) -> None:
        """Start the process; the emulator is opened with the first pair."""
        context = multiprocessing.get_context("spawn")
        self._connection, child = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(child, setup), name="evaluation", daemon=True
        )
        self._process.start()
        # Only the child may hold its end, or its death would go unnoticed.
        child.close()
        self._waiting: deque[PlannedPair] = deque()
        self._sent = 0
        """How many of those in `_waiting`, from the left, the process has."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def waiting(self) -> tuple[PlannedPair, ...]:
        """Pairs that were submitted and not collected yet, in order."""
        return tuple(self._waiting)

    def submit(self, pairs: Iterable[PlannedPair]) -> None:
        """Queue pairs to be played.

        Raises:
            EvaluationError: The process died.
        """
        self._waiting.extend(pairs)
        self._send_more()

    def collect(self, seconds: float = 0.0) -> list[tuple[GameRow, GameRow]]:
        """Return the pairs that have been played since the last call, in order.

        Args:
            seconds: How long to wait for the first of them.

        Raises:
            EvaluationError: The process failed or died.
        """
        played: list[tuple[GameRow, GameRow]] = []
        while self._waiting and self._poll(0.0 if played else seconds):
            played.append(self._receive())
            self._waiting.popleft()
            self._sent -= 1
            self._send_more()
        return played

    def close(self) -> None:
        """End the process, also in the middle of a game; safe to call twice."""
        self._connection.close()
        self._process.terminate()
        self._process.join(_STOP_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _send_more(self) -> None:
        try:
            while self._sent < min(_IN_FLIGHT, len(self._waiting)):
                self._connection.send(self._waiting[self._sent])
                self._sent += 1
        except OSError as error:
            raise self._describe_death() from error

    def _poll(self, seconds: float) -> bool:
        try:
            return self._connection.poll(seconds)
        except (EOFError, OSError) as error:
            raise self._describe_death() from error

    def _receive(self) -> tuple[GameRow, GameRow]:
        try:
            answer = self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._describe_death() from error
        if isinstance(answer, str):
            raise EvaluationError(f"an evaluation game failed:\n{answer}")
        rows: tuple[GameRow, GameRow] = answer
        return rows

    def _describe_death(self) -> EvaluationError:
        self._process.join(_STOP_SECONDS)
        return EvaluationError(
            f"the evaluation process ended with exit code {self._process.exitcode}; "
            "resume the run to play its games again"
        )


def play_pair(setup: EvaluationSetup, pair: PlannedPair, backend: Backend) -> list[GameRow]:
    """Play both games of a pair; see `play_pairs`."""
    return play_pairs(setup, [pair], backend)[0]


def play_pairs(
    setup: EvaluationSetup, pairs: Sequence[PlannedPair], backend: Backend
) -> list[list[GameRow]]:
    """Play both games of each pair.

    Args:
        setup: Conditions.
        pairs: The plans; the second game of a pair swaps the players.
        backend: Opened backend.

    Returns:
        The two games of each pair, as rows without a pair number.

    Raises:
        LeagueError: A player cannot be loaded.
        BackendError: The backend failed.
    """
    names = dict.fromkeys(name for pair in pairs for name in pair.players)
    policies = {name: _load_player(name, setup.snapshots) for name in names}
    games = [game for pair in pairs for game in _make_games(setup, pair, policies)]
    records = play_on(backend, games, setup.max_frames)
    rows = []
    for number, pair in enumerate(pairs):
        # Two deterministic policies play the same game whatever the seed; the log must know that.
        draws = not all(policies[name].deterministic for name in pair.players)
        policy_seed = pair.policy_seed if draws else 0
        both = records[NUM_SEATS * number : NUM_SEATS * (number + 1)]
        rows.append(
            [
                _make_row(setup, record, _seated(pair.players, first), policy_seed, backend)
                for first, record in enumerate(both)
            ]
        )
    return rows


def _make_games(
    setup: EvaluationSetup, pair: PlannedPair, policies: Mapping[str, Policy]
) -> list[Game]:
    """Return the two games of a pair, the players swapped in the second."""
    round_setup = RoundSetup(
        levels=setup.levels, speeds=setup.speeds, rng_word=seed_to_word(pair.round_seed)
    )
    games = []
    for first in range(NUM_SEATS):
        order = (first, 1 - first)
        seated = [policies[pair.players[player]] for player in order]
        rngs = [make_rng(pair.policy_seed, f"pair/{first}/{player}") for player in order]
        games.append(Game(round_setup, (seated[0], seated[1]), (rngs[0], rngs[1])))
    return games


def _seated(players: tuple[str, str], first: int) -> tuple[str, str]:
    return (players[first], players[1 - first])


def _make_row(
    setup: EvaluationSetup,
    record: GameRecord,
    players: tuple[str, str],
    policy_seed: int,
    backend: Backend,
) -> GameRow:
    return GameRow(
        purpose="evaluation",
        condition=Condition(
            levels=setup.levels,
            speeds=(int(setup.speeds[0]), int(setup.speeds[1])),
            backend=backend.name,
            max_frames=setup.max_frames,
        ),
        seed=canonical_word(record.setup.rng_word),
        players=players,
        result=result_of(record.winner, stopped=record.reason == "frame_limit"),
        reason=record.reason,
        frames=record.frames,
        policy_seed=policy_seed,
        stats=_list_stats(record, backend),
        versions={"pill-league": __version__, "game": backend.digest},
        replay=record.replay,
    )


def _list_stats(record: GameRecord, backend: Backend) -> dict[str, Any]:
    stats: dict[str, Any] = {"seats": [asdict(seat) for seat in record.stats]}
    if isinstance(backend, SimulatorBackend):
        facts = read_facts(record.setup, record.replay, backend)
        stats[FACTS_KEY] = describe_facts(facts)
    return stats


def result_of(winner: int | None, *, stopped: bool) -> Result:
    """Return a game's result for the player in seat 0."""
    if winner is None:
        return "stopped" if stopped else "draw"
    return "win" if winner == 0 else "loss"


def _load_player(name: str, snapshots: Path) -> Policy:
    folder = snapshots / name
    return _load_frozen(folder) if folder.is_dir() else load_policy(name)


@lru_cache(maxsize=16)
def _load_frozen(folder: Path) -> Policy:
    return load_snapshot(folder)


def _serve(connection: Connection, setup: EvaluationSetup) -> None:
    """Body of the evaluation process: answer every plan with its games, or with a traceback."""
    # Ctrl-C goes to the whole process group; when to stop is the driver's decision.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Ratings can wait; whoever trains cannot.
    os.nice(_NICENESS)
    _limit_threads(setup.threads)
    backend: Backend | None = None
    try:
        while True:
            pairs = [connection.recv()]
            backend = backend or setup.open_backend()
            # The simulator plays many games in little more time than one.
            while backend.name == SimulatorBackend.name and connection.poll():
                pairs.append(connection.recv())
            for rows in play_pairs(setup, pairs, backend):
                connection.send(tuple(rows))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except Exception:
        connection.send(traceback.format_exc())
    finally:
        if backend is not None:
            backend.close()


def _limit_threads(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)


def open_retro(game: str) -> OpenBackend:
    """Return what opens `game` on Stable-Retro, without a picture where it can do without."""
    return partial(_open_retro, game)


def open_simulator() -> OpenBackend:
    """Return what opens the native simulator."""
    return partial(open_backend, "simulator")


def _open_retro(game: str) -> Backend:
    from envs.backends.integrations import PILL_DUEL
    from envs.backends.retro import RetroBackend

    return RetroBackend(game, rendering=game != PILL_DUEL)
