"""The loop of a run: train, freeze, rate, save; every iteration is durable before the next one.

It drives a trainer and an evaluator through small protocols and knows neither Ray nor how a game
is played. `main` and the exploiters learn in turn; the run's steps, schedule and curves are
`main`'s. Order within an iteration: snapshot folder, checkpoint folder, database transaction;
whatever a kill leaves of an unfinished one is deleted on resume.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from league.checkpoint import CheckpointError, Progress
from league.durable import publish_folder
from league.freezing import freeze
from league.learners import Learners, LoopTrainer, Trained
from league.learning_settings import TrainingSettings
from league.manager import LAST_GAP, LeagueManager, PlannedPair, make_exploiters
from league.payoff import Payoff
from league.players import find_weights
from league.records import GameRow, IterationRow, RatingRow, SnapshotRow, utc_now
from league.roles import MAIN
from league.rosters import Rosters
from league.rundir import RunDir
from league.schedule import Schedule
from league.settings import RunConfig
from league.snapshots import SnapshotError, read_manifest, read_weights
from league.standings import rate_players, rating_rows
from league.store import Store
from league.tracking import Tracker
from league.tracking.clear_watch import ClearWatch
from league.tracking.loop_metrics import list_metrics, make_training_row
from league.training.roster import INERT
from league.training.steering import Steering

FIRST_CLEARS: Final = "first_clears.json"
"""When training first cleared solo rounds, see `league.tracking.clear_watch`."""
LOGGED_GAMES: Final = 64
"""Training games of an iteration that enter the log; on the simulator there are hundreds."""
_POLL_SECONDS: Final = 0.25
"""How long the loop waits for an evaluation game before it looks for a stop request."""


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
        config, training = workplace.config, workplace.config.training
        league = config.league
        self._manager = LeagueManager(
            league,
            config.evaluation,
            total_env_steps=training.total_env_steps,
            seed=config.run.seed,
            role=MAIN,
            exploiters=make_exploiters(league),
            solo_env_steps=round(training.solo * training.total_env_steps),
        )
        self._learners = Learners(workplace.trainer)
        self._rosters = Rosters(league, workplace.run_dir, self._learners)
        self._schedule = Schedule.from_config(config)
        self._clears = ClearWatch(workplace.run_dir.path / FIRST_CLEARS)
        self._progress = Progress()
        self._ratings: dict[str, float] = {}
        self._payoff: Payoff | None = None
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
        try:
            self._manager.load_state_dict(self._progress.manager)
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"expected the league's state as this version keeps it in {folder}, got another "
                f"({error!r}); use the version of pill-league that wrote it"
            ) from error
        self._learners.load(folder, self._manager.list_going_on())
        self._read_ratings()
        for row in recorded:
            self._check_snapshot(row)
        work.evaluator.submit(self._progress.waiting)

    def _take_first_weights(self) -> None:
        """Begin with the weights that `run.init` names, and with a fresh optimizer."""
        if self._work.config.run.init:
            weights = read_weights(find_weights(self._work.config.run.init))
            self._learners.take_turn(MAIN, weights)

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
        """Let the next learner train for an iteration."""
        turn = self._manager.next_turn(self._ratings, self._payoff)
        start = None if turn.start_from is None else self._rosters.read_weights(turn.start_from)
        self._learners.take_turn(turn.learner, start)
        roster = self._rosters.make(turn, self._progress.iteration + 1)
        report = self._work.trainer.train(roster, self._steer(turn.learner))
        self._manager.record_games(
            ((game.opponent, game.score) for game in report.games if game.opponent != INERT),
            learner=turn.learner,
            env_steps=report.env_steps,
        )
        self._commit_iteration(Trained(turn.learner, report), self._work.evaluator.collect())

    def _steer(self, learner: str) -> Steering:
        if learner == MAIN:
            return self._schedule.steer(self._share())
        return self._schedule.steer_versus(self._manager.exploiter_share(learner))

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
        trained: Trained | None,
        played: Sequence[tuple[GameRow, GameRow]],
    ) -> None:
        """Make an iteration durable: what it trained, froze and played."""
        before, now = self._progress, time.monotonic()
        report = trained.report if trained is not None and trained.is_main else None
        self._progress = replace(
            before,
            iteration=before.iteration + 1,
            env_steps=before.env_steps + (report.env_steps if report is not None else 0),
            seconds=before.seconds + now - self._clock,
        )
        self._clock = now
        snapshots, planned = self._freeze_due(trained)
        self._save_checkpoint(planned)
        rated = self._record(trained, played, snapshots)
        self._work.evaluator.submit(planned)
        self._work.run_dir.prune_checkpoints()
        if report is not None:
            self._clears.add(report.games, self._progress.env_steps, self._progress.seconds)
        self._show(trained, rated)

    def _has_moved_on(self) -> bool:
        """Whether main has trained since its newest snapshot; time alone may have passed."""
        snapshots = [row for row in self._work.store.snapshots() if row.role == MAIN]
        if not snapshots:
            return True
        env_steps = self._progress.env_steps
        return env_steps - snapshots[-1].env_steps >= LAST_GAP * env_steps

    def _freeze_due(self, trained: Trained | None) -> tuple[list[SnapshotRow], list[PlannedPair]]:
        """Freeze who should be frozen now, and plan the games that rate what was frozen."""
        manager, rows = self._manager, []
        position, last = self._position(), self._share() >= 1.0
        if manager.is_snapshot_due(position, last=last) and self._has_moved_on():
            parents = manager.pool.snapshots_of_main()
            name = manager.add_snapshot(position, self._ratings, self._payoff)
            rows.append(self._freeze(MAIN, name, parents[-1] if parents else None))
        if trained is not None and manager.is_exploiter_due(trained.learner):
            name, parent = manager.add_exploiter(trained.learner, self._ratings, self._payoff)
            rows.append(self._freeze(trained.learner, name, parent))
        return rows, [pair for row in rows for pair in manager.plan_evaluation(row.id)]

    def _freeze(self, learner: str, name: str, parent: str | None) -> SnapshotRow:
        return freeze(
            self._work.config,
            self._work.run_dir,
            self._progress,
            name=name,
            role=learner,
            parent=parent,
            weights=self._learners.weights(learner),
        )

    def _save_checkpoint(self, planned: Sequence[PlannedPair]) -> None:
        waiting = (*self._work.evaluator.waiting, *planned)
        self._progress = replace(
            self._progress, manager=self._manager.state_dict(), waiting=waiting
        )
        path = self._work.run_dir.checkpoint(self._progress.iteration)
        with publish_folder(path) as folder:
            self._learners.save(folder, self._manager.list_going_on())
            self._progress.save(folder)

    def _record(
        self,
        trained: Trained | None,
        played: Sequence[tuple[GameRow, GameRow]],
        snapshots: Sequence[SnapshotRow],
    ) -> list[RatingRow]:
        """Commit the iteration to the database; return the new ratings, if there are any."""
        store, config = self._work.store, self._work.config
        pair = store.next_pair()
        games = [
            replace(row, pair=pair + index) for index, rows in enumerate(played) for row in rows
        ]
        if trained is not None:
            logged = trained.report.games[:LOGGED_GAMES]
            games += [make_training_row(config, trained.learner, game) for game in logged]
        rated: list[RatingRow] = []

        def rate(store: Store) -> list[RatingRow]:
            ratings = rate_players(store, config.league.anchor, config.league.anchor_rating)
            rated.extend(rating_rows(self._progress.iteration, ratings))
            return rated

        progress = self._progress
        store.commit_iteration(
            IterationRow(progress.iteration, progress.env_steps, utc_now()),
            snapshots=snapshots,
            games=games,
            rate=rate if played else None,
        )
        if rated:
            self._read_ratings()
        return rated

    def _show(self, trained: Trained | None, rated: Sequence[RatingRow]) -> None:
        work, progress = self._work, self._progress
        metrics = list_metrics(
            iteration=progress.iteration,
            snapshots=work.store.snapshots(),
            rated_games=work.store.count_games("evaluation"),
            learning_rate=self._schedule.steer(self._share()).learning_rate,
            trained=trained,
            rated=rated,
            pairs=work.store.pairs("evaluation") if rated else (),
            league=work.config.league,
        )
        work.tracker.log(progress.env_steps, metrics)
        work.on_commit(
            LoopStatus(
                iteration=progress.iteration,
                env_steps=progress.env_steps,
                share=self._share(),
                waiting_pairs=len(work.evaluator.waiting),
                steps_per_second=trained.report.steps_per_second if trained is not None else 0.0,
            )
        )

    def _read_ratings(self) -> None:
        """Take what matchmaking goes by from the database: ratings, and who beat whom."""
        store = self._work.store
        self._ratings = {row.player: row.elo for row in store.ratings()}
        self._payoff = Payoff.from_counts(store.count_results("evaluation"))

    def _share(self) -> float:
        return trained_share(self._work.config.training, self._progress)

    def _position(self) -> int:
        """Return how far the run is, in env steps of a run that is limited by steps alone."""
        return round(self._share() * self._work.config.training.total_env_steps)
