"""From the names that the league manager draws to a roster: opponents with their weights."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from league.learners import Learners
from league.roles import MAIN, Turn
from league.rundir import RunDir
from league.settings import LeagueSettings
from league.snapshots import read_weights
from league.training.roster import Opponent, Roster, Weights


class Rosters:
    """Makes the roster of each turn; a snapshot is read once."""

    def __init__(self, league: LeagueSettings, run_dir: RunDir, learners: Learners) -> None:
        """Make rosters for a run.

        Args:
            league: Who is scripted, and main's shares of self-play and of scripted opponents.
            run_dir: Where its snapshots are.
            learners: Have main's weights as they are now, which exploiters meet.
        """
        self._league = league
        self._run_dir = run_dir
        self._learners = learners
        self._weights: dict[str, Weights] = {}

    def make(self, turn: Turn, iteration: int) -> Roster:
        """Return whom the learner meets; an exploiter meets those alone that its role asks for.

        Args:
            turn: Who learns, and whom it was given.
            iteration: Number of the iteration, part of the names of its random streams.

        Raises:
            SnapshotError: A snapshot is missing or broken.
        """
        is_main = turn.learner == MAIN
        names = self._add_scripted(turn.opponents) if is_main else turn.opponents
        return Roster(
            iteration,
            tuple(self._find_opponent(name) for name in names),
            self._league.self_play if is_main else 0.0,
            turn.learner,
            is_anew=turn.start_from is not None,
        )

    def read_weights(self, snapshot: str) -> Weights:
        """Return the weights of a snapshot of this run.

        Raises:
            SnapshotError: It is missing or broken.
        """
        if snapshot not in self._weights:
            self._weights[snapshot] = read_weights(self._run_dir.snapshot(snapshot))
        return self._weights[snapshot]

    def _add_scripted(self, names: Sequence[str]) -> list[str]:
        """Return the opponents by slot, with the scripted ones in their share of the slots."""
        scripted = self._league.scripted
        count = round(self._league.scripted_share * len(names)) if scripted else 0
        return [*itertools.islice(itertools.cycle(scripted), count), *names[count:]]

    def _find_opponent(self, name: str) -> Opponent:
        if name == MAIN:
            return Opponent(MAIN, self._learners.weights(MAIN), is_live=True)
        if name in self._league.scripted:
            return Opponent(name)
        return Opponent(name, self.read_weights(name))
