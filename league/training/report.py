"""What training reports after an iteration; plain records, free of RLlib."""

from __future__ import annotations

from dataclasses import dataclass

from league.tracking.play_facts import Choices, SeatPlay


@dataclass(frozen=True, slots=True)
class TrainingGame:
    """A game that `main` played while learning; or an exploiter, which is called `main` here.

    Training games are for curves only. They never enter a rating: `main` changes while it plays,
    and opponents act at the training environment's `action_repeat` instead of their own.
    """

    opponent: str
    """Player that held the slot; `main` itself in self-play."""
    main_seat: int
    rng_word: int
    """RNG word of the round, 2..0xFFFF."""
    main_return: float
    """Sum of `main`'s rewards."""
    winner_seat: int | None
    """None on a draw and at the frame limit."""
    end_reason: str
    """See `envs.game.outcome.EndReason`."""
    frames: int
    """Frames of play, both seats together."""
    capsules: int
    """Capsules that `main` locked."""
    viruses: int
    """Viruses that `main` cleared."""
    lines: int
    """Lines that `main` cleared."""
    garbage_sent: int
    """Garbage that `main` queued for its opponent."""
    level: int = 0
    """Virus level of `main`'s bottle."""
    speed: int = 1
    """Speed setting of `main`'s bottle: 0 LOW, 1 MED, 2 HI."""
    thinned: bool = False
    """Whether the bottles began with other viruses than those of their level."""
    play: SeatPlay | None = None
    """What `main` did, phase by phase; None where the environment does not tell."""

    @property
    def score(self) -> float | None:
        """1 for a win of `main`, 0.5 for a draw, 0 for a loss, None at the frame limit."""
        if self.winner_seat is None:
            return None if self.end_reason == "frame_limit" else 0.5
        return float(self.winner_seat == self.main_seat)


@dataclass(frozen=True, slots=True)
class IterationReport:
    """What one iteration did."""

    env_steps: int
    """Decisions of `main` that were trained on."""
    games: tuple[TrainingGame, ...]
    """Games that ended in this iteration."""
    losses: dict[str, float]
    """Learner statistics of `main` by name: losses, entropy, KL, explained variance."""
    sampling_seconds: float
    """Wall time of sampling, and of everything else that is not learning."""
    learning_seconds: float
    """Wall time of the gradient steps and of what prepares their batches."""
    choices: Choices | None = None
    """The decisions of `main`; None where nothing was sampled."""

    @property
    def steps_per_second(self) -> float:
        """Trained decisions per second of wall time."""
        return self.env_steps / (self.sampling_seconds + self.learning_seconds)
