"""The blocks of a run's configuration that say what `main` is, what it plays, and how it learns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from envs.game.layout import MAX_LEVEL, Speed
from league.checks import Problem, bounded, find_problems, require


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """Kind and size of the network, see `policies.network.NetworkConfig`."""

    kind: Literal["candidate", "spatial", "column"] = "candidate"
    """`candidate` scores each placement from its features, `spatial` reads the bottles as an image
    and gives placements, `column` presses buttons."""
    hidden: int = bounded(64, at_least=1)
    """Width of the layers from which policy and value are read."""
    column_features: int = bounded(48, at_least=1)
    """`column`: features that are computed for each column of a bottle."""
    channels: int = bounded(24, at_least=1)
    """`spatial`: channels of its convolutions."""

    def __post_init__(self) -> None:
        require(find_problems(self))


@dataclass(frozen=True, slots=True)
class CurriculumSettings:
    """How training games begin, and how that changes in the course of a run."""

    levels: tuple[int, ...] = bounded(tuple(range(11)), at_least=0, at_most=MAX_LEVEL)
    """Virus levels to draw from, the same for both seats; level n starts with 4 n + 4 viruses."""
    level_slope: float = bounded(0.0, at_least=0)
    """Level n is drawn with weight 1 + slope n; 0 draws all levels alike."""
    speeds: tuple[Speed, ...] = (Speed.MED,)
    """Speed settings to draw from, all alike, the same for both seats."""
    solo_share: float = bounded(0.1, at_least=0, at_most=1)
    """Share of solo games in the versus phase; keeps them in practice."""
    thinned: float = bounded(0.5, at_least=0, at_most=1)
    """Share of games that begin with 1..n viruses instead of the n of their level: near the end,
    where rewards are. Simulator only."""
    boards: str = ""
    """Text file with boards to begin from, see `envs.curriculum.read_boards`; empty for none."""
    board_share: float = bounded(0.0, at_least=0, at_most=1)
    """Share of games that begin from one of `boards`. Simulator only."""

    def __post_init__(self) -> None:
        require(find_problems(self))


@dataclass(frozen=True, slots=True)
class PhaseSettings:
    """How `main` learns in a part of the run; what changes does so evenly over the phase."""

    learning_rate: float = bounded(1e-3, above=0, at_most=1)
    """Step size of Adam at the start."""
    final_learning_rate: float = bounded(5e-5, at_least=0, at_most=1)
    """Step size of Adam at the end."""
    gamma: float = bounded(0.99, at_least=0, at_most=1)
    """Discount per 60 frames of play, however many decisions fall in them."""
    ent_coef: float = bounded(0.01, at_least=0)
    """Weight of the entropy bonus at the start; keeps the policy from settling too early."""
    final_ent_coef: float = bounded(0.002, at_least=0)
    """Weight of the entropy bonus at the end."""
    shaping: float = bounded(1.0, at_least=0, at_most=1)
    """What the terms of `env.reward` besides `win` and `loss` are multiplied by at the start."""
    final_shaping: float = bounded(1.0, at_least=0, at_most=1)
    """The same at the end; with 0 the result alone is left. Envs other than the simulator pay
    `env.reward` all the time."""

    def __post_init__(self) -> None:
        require(find_problems(self))


def make_solo_phase() -> PhaseSettings:
    """Return the first phase: without an opponent, clearing a bottle is learned fastest."""
    return PhaseSettings()


def make_versus_phase() -> PhaseSettings:
    """Return the second phase: smaller steps, a longer view, and in the end results alone."""
    return PhaseSettings(
        learning_rate=4e-4,
        final_learning_rate=2e-5,
        gamma=0.997,
        ent_coef=0.005,
        final_ent_coef=0.001,
        shaping=0.4,
        final_shaping=0.0,
    )


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How long `main` learns, and PPO, with the names and scales of CleanRL's implementation."""

    total_env_steps: int = bounded(2_000_000, at_least=1)
    """Decisions of `main` in the whole run; all other counts of env steps are the same."""
    max_minutes: float = bounded(0.0, at_least=0)
    """Wall minutes after which training ends even with steps left; 0 sets no limit."""
    solo: float = bounded(0.2, at_least=0, at_most=1)
    """Share of the run that is played solo, as the block `solo` says; the rest is `versus`."""
    train_batch_size: int = bounded(8_192, at_least=1)
    """Decisions collected per iteration, or a few more."""
    minibatch_size: int = bounded(1_024, at_least=1)
    """Decisions per gradient step."""
    num_epochs: int = bounded(2, at_least=1)
    """Passes over each batch; more learns faster from it and drifts further."""
    gae_lambda: float = bounded(0.95, at_least=0, at_most=1)
    """Horizon of the advantage estimate: 0 trusts the value function, 1 the returns."""
    clip_coef: float = bounded(0.2, above=0, at_most=1)
    """Largest change of an action's probability ratio that still earns gradient."""
    vf_coef: float = bounded(0.5, at_least=0)
    """Weight of the value loss."""
    max_grad_norm: float = bounded(0.5, above=0)
    """Gradients are scaled down to this global norm."""

    def __post_init__(self) -> None:
        require(find_problems(self))


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """Which processes play and learn."""

    num_env_runners: int = bounded(0, at_least=0)
    """Processes that play besides the one that learns; 0 plays in that one, between updates."""
    games: int = bounded(512, at_least=1)
    """Games that each of them plays side by side; `retro` allows one."""
    overlap: bool = False
    """Play the next batch while this one is learned from, with the weights of one update before:
    two processors are busy all the time, but decisions teach less than with two runners and two
    learners. Needs `num_env_runners`."""
    num_learners: int = bounded(0, at_least=0)
    """Processes that learn and share each batch; 0 learns in the process of the run."""
    gpus_per_learner: float = bounded(0.0, at_least=0)
    """GPUs of each of them; with 0 they learn on the CPU."""
    threads: int = bounded(1, at_least=1)
    """Threads of numerical libraries in each process; two on a shared machine can be far slower
    than one."""
    bfloat16: bool = True
    """Learn with matrix products in bfloat16 where the processor has them: two thirds of the time
    on those, and no difference in what is learned was seen. False learns in float32 everywhere."""
    sample_timeout_s: float = bounded(600.0, above=0)
    """Seconds after which runners that gave no samples are an error."""
    restart_failed_env_runners: bool = False
    """Replace a runner that dies; its error is then only a line in the log."""

    def __post_init__(self) -> None:
        require((*find_problems(self), *self._find_conflicts()))

    def _find_conflicts(self) -> Iterator[Problem]:
        if self.overlap and not self.num_env_runners:
            yield Problem(
                ("overlap", "num_env_runners"),
                "expected num_env_runners of 1 or more beside the learner, got 0",
            )
