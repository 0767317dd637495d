"""The loop of a run: train, freeze, rate, save; every iteration is durable before the next one.

It drives a trainer and an evaluator through small protocols and knows neither Ray nor how a game
is played. Order within an iteration: snapshot folder, checkpoint folder, database transaction;
whatever a kill leaves of an unfinished one is deleted on resume.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final, Protocol

from league.checkpoint import CheckpointError, Progress
from league.durable import publish_folder
from league.learning_settings import TrainingSettings
from league.manager import LAST_GAP, LeagueManager, PlannedPair
from league.payoff import Payoff
from league.players import find_weights
from league.records import GameRow, IterationRow, RatingRow, SnapshotRow, utc_now
from league.rundir import RunDir
from league.schedule import Schedule
from league.settings import RunConfig
from league.snapshots import SnapshotError, choose_view, read_manifest, read_weights, save_snapshot
from league.standings import rate_players, rating_rows
from league.store import Store
from league.tracking import Tracker
from league.tracking.clear_watch import ClearWatch
from league.tracking.loop_metrics import list_metrics, make_training_row
from league.training.report import IterationReport
from league.training.roster import INERT, MAIN, Opponent, Roster, Weights
from league.training.state import TrainerState
from league.training.steering import Steering

FIRST_CLEARS: Final = "first_clears.json"
"""When training first cleared solo rounds, see `league.tracking.clear_watch`."""
LOGGED_GAMES: Final = 64
"""Training games of an iteration that enter the log; on the simulator there are hundreds."""
_POLL_SECONDS: Final = 0.25
"""How long the loop waits for an evaluation game before it looks for a stop request."""


class LoopTrainer(Protocol):
    """What the loop needs of `league.training.trainer.Trainer`."""

    def train(self, roster: Roster, steering: Steering) -> IterationReport:
        """Sample one batch against a roster and learn from it."""
        ...

    def weights(self) -> Weights:
        """Return a copy of `main`'s weights."""
        ...

    def state(self) -> TrainerState:
        """Return what `load_state` needs to go on from here."""
        ...

    def load_state(self, state: TrainerState) -> None:
        """Go on from `state`."""
        ...


class LoopEvaluator(Protocol):
    """What the loop needs of `league.evaluation.Evaluator`."""

    @property
    def waiting(self) -> tuple[PlannedPair, ...]:
        """Pairs that were submitted and not collected yet, in order."""
        ...

    def submit(self, pairs: Iterable[PlannedPair]) -> None:
        """Queue pairs to be played."""
        ...

    def collect(self, seconds: float = 0.0) -> list[tuple[GameRow, GameRow]]:
        """Return the pairs that have been played since the last call, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Workplace:
    """Everything that a loop works with."""

    config: RunConfig
    run_dir: RunDir
    store: Store
    trainer: LoopTrainer
    evaluator: LoopEvaluator
    tracker: Tracker
    on_commit: Callable[[LoopStatus], None]
    """Told after every iteration."""


@dataclass(frozen=True, slots=True)
class LoopStatus:
    """Where a run stands, for people."""

    iteration: int
    env_steps: int
    share: float
    """Share of the training that is done, 0..1."""
    waiting_pairs: int
    """Evaluation pairs still to be played."""
    steps_per_second: float
    """Env steps per second of the last training iteration; 0 if it did not train."""


def is_complete(config: RunConfig, run_dir: RunDir, store: Store) -> bool:
    """Whether a run has nothing left to train or to rate.

    Raises:
        CheckpointError: The newest checkpoint is missing or broken.
    """
    newest = store.newest_iteration()
    if newest is None:
        return False
    progress = Progress.load(run_dir.checkpoint(newest.iteration))
    return trained_share(config.training, progress) >= 1.0 and not progress.waiting


def trained_share(training: TrainingSettings, progress: Progress) -> float:
    """Return the share of training that is done, 0..1: by steps, or by minutes if limited."""
    share = progress.env_steps / training.total_env_steps
    if training.max_minutes:
        share = max(share, progress.seconds / 60 / training.max_minutes)
    return min(share, 1.0)


class LeagueLoop:
    """Runs or resumes one run to its end, or until it is asked to stop."""

    def __init__(self, workplace: Workplace) -> None:
        self._work = workplace
        config = workplace.config
        self._manager = LeagueManager(
            config.league,
            config.evaluation,
            total_env_steps=config.training.total_env_steps,
            seed=config.run.seed,
            role=MAIN,
        )
        self._schedule = Schedule.from_config(config)
        self._clears = ClearWatch(workplace.run_dir.path / FIRST_CLEARS)
        self._progress = Progress()
        self._ratings: dict[str, float] = {}
        self._payoff: Payoff | None = None
        self._weights: dict[str, Weights] = {}
        self._clock = time.monotonic()
        """When the wall time in `Progress.seconds` was last brought up to date."""

    def run(self, should_stop: Callable[[], bool]) -> bool:
        """Go on from the newest finished iteration, or start.

        Args:
            should_stop: Asked between iterations, and while nothing but evaluation is left.

        Returns:
            True if the run is complete, False if it was stopped.
        """
        self._restore()
        if self._progress.iteration < 0:
            self._commit_iteration(None, [])
        waits = self._work.config.evaluation.wait
        while not should_stop():
            trained = self._share() >= 1.0
            if self._work.evaluator.waiting and (trained or waits):
                self._evaluate(should_stop)
            elif trained:
                return True
            else:
                self._train()
        return False

    def _restore(self) -> None:
        work = self._work
        newest = work.store.newest_iteration()
        recorded = work.store.snapshots()
        work.run_dir.discard_unfinished(
            -1 if newest is None else newest.iteration, [row.id for row in recorded]
        )
        if newest is None:
            self._take_first_weights()
            return
        folder = work.run_dir.checkpoint(newest.iteration)
        self._progress = Progress.load(folder)
        if self._progress.iteration != newest.iteration:
            raise CheckpointError(
                f"expected iteration {newest.iteration} in {folder}, got {self._progress.iteration}"
            )
        work.trainer.load_state(TrainerState.load(folder))
        try:
            self._manager.load_state_dict(self._progress.manager)
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"expected the league's state as this version keeps it in {folder}, got another "
                f"({error!r}); use the version of pill-league that wrote it"
            ) from error
        self._read_ratings()
        for row in recorded:
            self._check_snapshot(row)
        work.evaluator.submit(self._progress.waiting)

    def _take_first_weights(self) -> None:
        """Begin with the weights that `run.init` names, and with a fresh optimizer."""
        if self._work.config.run.init:
            weights = read_weights(find_weights(self._work.config.run.init))
            self._work.trainer.load_state(TrainerState(weights, {}))

    def _check_snapshot(self, row: SnapshotRow) -> None:
        folder = self._work.run_dir.snapshot(row.id)
        found = read_manifest(folder).weights_sha256
        if found != row.sha256:
            raise SnapshotError(
                f"expected the snapshot with sha256 {row.sha256} in {folder}, got {found}; "
                "the folder was replaced"
            )
        # Checks the weights against that digest: now, not in the iteration that draws them.
        read_weights(folder)

    def _train(self) -> None:
        config = self._work.config
        names = self._manager.choose_opponents(self._ratings, self._payoff)
        roster = Roster(
            self._progress.iteration + 1,
            tuple(self._load_opponent(name) for name in self._add_scripted(names)),
            config.league.self_play,
        )
        report = self._work.trainer.train(roster, self._schedule.steer(self._share()))
        self._manager.record_games(
            (game.opponent, game.score) for game in report.games if game.opponent != INERT
        )
        self._commit_iteration(report, self._work.evaluator.collect())

    def _add_scripted(self, names: Sequence[str]) -> list[str]:
        """Return the opponents by slot, with the scripted ones in their share of the slots."""
        league = self._work.config.league
        count = round(league.scripted_share * len(names)) if league.scripted else 0
        scripted = itertools.islice(itertools.cycle(league.scripted), count)
        return [*scripted, *names[count:]]

    def _evaluate(self, should_stop: Callable[[], bool]) -> None:
        """Play what is left of the evaluation games; record what was played when asked to stop."""
        evaluator = self._work.evaluator
        played: list[tuple[GameRow, GameRow]] = []
        while evaluator.waiting and not should_stop():
            played += evaluator.collect(_POLL_SECONDS)
        if played:
            self._commit_iteration(None, played)

    def _commit_iteration(
        self,
        report: IterationReport | None,
        played: Sequence[tuple[GameRow, GameRow]],
    ) -> None:
        """Make an iteration durable: what it trained, froze and played."""
        before, now = self._progress, time.monotonic()
        self._progress = replace(
            before,
            iteration=before.iteration + 1,
            env_steps=before.env_steps + (report.env_steps if report is not None else 0),
            seconds=before.seconds + now - self._clock,
        )
        self._clock = now
        snapshot, planned = self._freeze_if_due()
        self._save_checkpoint(planned)
        rated = self._record(report, played, snapshot)
        self._work.evaluator.submit(planned)
        self._work.run_dir.prune_checkpoints()
        if report is not None:
            self._clears.add(report.games, self._progress.env_steps, self._progress.seconds)
        self._show(report, rated)

    def _has_moved_on(self) -> bool:
        """Whether enough env steps lie behind the newest snapshot; time alone may have passed."""
        snapshots = self._work.store.snapshots()
        if not snapshots:
            return True
        env_steps = self._progress.env_steps
        return env_steps - snapshots[-1].env_steps >= LAST_GAP * env_steps

    def _freeze_if_due(self) -> tuple[SnapshotRow | None, list[PlannedPair]]:
        """Freeze `main` if it is time, and plan the games that rate it."""
        position, last = self._position(), self._share() >= 1.0
        if not self._manager.is_snapshot_due(position, last=last) or not self._has_moved_on():
            return None, []
        parents = self._manager.pool.snapshots
        name = self._manager.add_snapshot(position, self._ratings, self._payoff)
        config = self._work.config
        view = choose_view(config.network.kind, config.env.action_repeat)
        with publish_folder(self._work.run_dir.snapshot(name)) as folder:
            manifest = save_snapshot(
                folder,
                run=config.run.name,
                snapshot_id=name,
                env_steps=self._progress.env_steps,
                network=asdict(config.network),
                weights=self._work.trainer.weights(),
                view=view,
            )
        row = SnapshotRow(
            id=name,
            role=MAIN,
            parent=parents[-1] if parents else None,
            env_steps=self._progress.env_steps,
            iteration=self._progress.iteration,
            sha256=manifest.weights_sha256,
            view=asdict(view),
            created=utc_now(),
        )
        return row, self._manager.plan_evaluation(name)

    def _save_checkpoint(self, planned: Sequence[PlannedPair]) -> None:
        waiting = (*self._work.evaluator.waiting, *planned)
        self._progress = replace(
            self._progress, manager=self._manager.state_dict(), waiting=waiting
        )
        path = self._work.run_dir.checkpoint(self._progress.iteration)
        with publish_folder(path) as folder:
            self._work.trainer.state().save(folder)
            self._progress.save(folder)

    def _record(
        self,
        report: IterationReport | None,
        played: Sequence[tuple[GameRow, GameRow]],
        snapshot: SnapshotRow | None,
    ) -> list[RatingRow]:
        """Commit the iteration to the database; return the new ratings, if there are any."""
        store, config = self._work.store, self._work.config
        pair = store.next_pair()
        games = [
            replace(row, pair=pair + index) for index, rows in enumerate(played) for row in rows
        ]
        if report is not None:
            games += [make_training_row(config, game) for game in report.games[:LOGGED_GAMES]]
        rated: list[RatingRow] = []

        def rate(store: Store) -> list[RatingRow]:
            ratings = rate_players(store, config.league.anchor, config.league.anchor_rating)
            rated.extend(rating_rows(self._progress.iteration, ratings))
            return rated

        progress = self._progress
        store.commit_iteration(
            IterationRow(progress.iteration, progress.env_steps, utc_now()),
            snapshots=[snapshot] if snapshot is not None else [],
            games=games,
            rate=rate if played else None,
        )
        if rated:
            self._read_ratings()
        return rated

    def _show(self, report: IterationReport | None, rated: Sequence[RatingRow]) -> None:
        work, progress = self._work, self._progress
        metrics = list_metrics(
            iteration=progress.iteration,
            snapshots=self._manager.pool.snapshots,
            rated_games=work.store.count_games("evaluation"),
            learning_rate=self._schedule.steer(self._share()).learning_rate,
            report=report,
            rated=rated,
        )
        work.tracker.log(progress.env_steps, metrics)
        work.on_commit(
            LoopStatus(
                iteration=progress.iteration,
                env_steps=progress.env_steps,
                share=self._share(),
                waiting_pairs=len(work.evaluator.waiting),
                steps_per_second=report.steps_per_second if report is not None else 0.0,
            )
        )

    def _read_ratings(self) -> None:
        """Take what matchmaking goes by from the database: ratings, and who beat whom."""
        store = self._work.store
        self._ratings = {row.player: row.elo for row in store.ratings()}
        self._payoff = Payoff.from_counts(store.count_results("evaluation"))

    def _load_opponent(self, name: str) -> Opponent:
        if not self._manager.pool.is_snapshot(name):
            return Opponent(name)
        if name not in self._weights:
            self._weights[name] = read_weights(self._work.run_dir.snapshot(name))
        return Opponent(name, self._weights[name])

    def _share(self) -> float:
        return trained_share(self._work.config.training, self._progress)

    def _position(self) -> int:
        """Return how far the run is, in env steps of a run that is limited by steps alone."""
        return round(self._share() * self._work.config.training.total_env_steps)
