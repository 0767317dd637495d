"""The learners of a run: one trainer, which holds one of them at a time, and the state of the rest.

`main` and the exploiters learn in turn. Their weights and Adam's memory change places in the
trainer, which needs to know nothing of it; how far they are is the `LeagueManager`'s to know.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from league.training.report import IterationReport
from league.training.roster import MAIN, Roster, Weights
from league.training.state import TrainerState
from league.training.steering import Steering

FOLDER: Final = "exploiters"
"""Folder in a checkpoint that has a folder per exploiter; `main`'s state is beside it."""


class LoopTrainer(Protocol):
    """What the loop needs of `league.training.trainer.Trainer`."""

    def train(self, roster: Roster, steering: Steering) -> IterationReport:
        """Sample one batch against a roster and learn from it."""
        ...

    def weights(self) -> Weights:
        """Return a copy of the learner's weights."""
        ...

    def state(self) -> TrainerState:
        """Return what `load_state` needs to go on from here."""
        ...

    def load_state(self, state: TrainerState) -> None:
        """Go on from `state`."""
        ...


@dataclass(frozen=True, slots=True)
class Trained:
    """What an iteration trained."""

    learner: str
    """`main`, or the name of an exploiter."""
    report: IterationReport

    @property
    def is_main(self) -> bool:
        """Whether it was `main`: the steps of others do not count for the run."""
        return self.learner == MAIN


class Learners:
    """Who is in the trainer, and what the others will go on from."""

    def __init__(self, trainer: LoopTrainer) -> None:
        """Begin with `main` in the trainer, as it is."""
        self._trainer = trainer
        self._current = MAIN
        self._waiting: dict[str, TrainerState] = {}

    def take_turn(self, learner: str, start: Weights | None = None) -> None:
        """Put a learner into the trainer; the one before waits there as it is.

        Args:
            learner: Whose turn it is.
            start: Weights to begin anew from, without Adam's memory; None to go on with its own.

        Raises:
            KeyError: The learner has nothing to go on from.
            TrainerStateError: The weights belong to another network.
        """
        if learner == self._current and start is None:
            return
        fresh = TrainerState(dict(start), {}) if start is not None else None
        state = fresh or self._waiting[learner]
        if learner != self._current:
            self._waiting[self._current] = self._trainer.state()
            self._waiting.pop(learner, None)
        self._trainer.load_state(state)
        self._current = learner

    def weights(self, learner: str) -> Weights:
        """Return the weights that a learner has now.

        Raises:
            KeyError: It has none yet.
        """
        if learner == self._current:
            return self._trainer.weights()
        return self._waiting[learner].weights

    def save(self, folder: Path, exploiters: Iterable[str]) -> None:
        """Write the state of `main` and of some exploiters into the folder of a checkpoint.

        Args:
            folder: Exists.
            exploiters: Those that go on with what they are now; others begin anew.
        """
        self._state(MAIN).save(folder)
        for name in exploiters:
            place = folder / FOLDER / name
            place.mkdir(parents=True)
            self._state(name).save(place)

    def load(self, folder: Path, exploiters: Iterable[str]) -> None:
        """Read back what `save` wrote for the same exploiters, and put `main` into the trainer.

        Raises:
            TrainerStateError: A state is missing, broken, of another version or network.
        """
        self._waiting = {name: TrainerState.load(folder / FOLDER / name) for name in exploiters}
        self._trainer.load_state(TrainerState.load(folder))
        self._current = MAIN

    def _state(self, learner: str) -> TrainerState:
        return self._trainer.state() if learner == self._current else self._waiting[learner]
