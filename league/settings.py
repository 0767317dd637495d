"""Everything that can be set in a run: one frozen dataclass per block, with ranges and units.

`league.config` fills these from YAML. Nothing below the command line sees anything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from envs.backends.integrations import GAMES, PILL_DUEL
from envs.game.layout import MAX_LEVEL, Speed
from envs.reward import RewardConfig
from league.checks import Check, OneOf, Problem, bounded, checked, find_problems, require, suggest
from league.matchmaking import DEFAULT_FLOOR, DEFAULT_SIGMA, SAMPLERS, describe_unknown_sampler
from league.players import PlayerError, load_policy

MAX_SEED: Final = 2**32 - 1
_NAME_PATTERN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class _RunName:
    """A name that is safe as a folder and in a policy text."""

    def describe_fault(self, value: str) -> str | None:
        if _NAME_PATTERN.fullmatch(value):
            return None
        return f"expected 1..64 letters, digits, '.', '_' or '-', got {value!r}"


@dataclass(frozen=True, slots=True)
class _Sampler:
    """A registered way to draw opponents."""

    def describe_fault(self, value: str) -> str | None:
        return None if value in SAMPLERS else describe_unknown_sampler(value)


@dataclass(frozen=True, slots=True)
class _PolicyText:
    """A policy text that can be loaded, as far as that is known without the files of a run."""

    def describe_fault(self, value: str) -> str | None:
        if value.partition(":")[0] == "snapshot":
            return None
        try:
            load_policy(value)
        except PlayerError as error:
            return str(error)
        return None


_RUN_NAME: Final[Check] = _RunName()
_POLICY_TEXT: Final[Check] = _PolicyText()
_SAMPLER: Final[Check] = _Sampler()


@dataclass(frozen=True, slots=True)
class RunSettings:
    """Which run this is."""

    name: str = checked("selfplay", _RUN_NAME)
    """Folder under `root`, and the name that `snapshot:NAME/ID` uses."""
    root: str = "runs"
    """Folder that holds the runs."""
    seed: int = bounded(0, at_least=0, at_most=MAX_SEED)
    """The one seed from which every random stream is derived."""

    def __post_init__(self) -> None:
        require(find_problems(self))


@dataclass(frozen=True, slots=True)
class EnvSettings:
    """The game that is trained and rated."""

    game: str = checked(PILL_DUEL, OneOf(GAMES))
    """Integration name: `PillDuel-Nes-v0`, or `DrMario-Nes-v0` with the user's own ROM."""
    backend: Literal["retro"] = "retro"
    """What plays the game: `retro` is Stable-Retro with the FCEUmm core."""
    levels: tuple[int, int] = bounded((0, 0), at_least=0, at_most=MAX_LEVEL)
    """Virus level of each seat; level n starts with 4 n + 4 viruses."""
    speeds: tuple[Speed, Speed] = (Speed.MED, Speed.MED)
    """Falling speed of each seat."""
    observation: Literal["compact"] = "compact"
    """What `main` sees; the network takes compact observations only."""
    actions: Literal["buttons"] = "buttons"
    """What `main` chooses among: 12 pad combinations."""
    action_repeat: int = bounded(4, at_least=1, at_most=255)
    """Frames that each action is held; higher is faster and coarser."""
    max_frames: int = bounded(36_000, at_least=1)
    """Frames of play after which a game ends without a winner."""
    reward: RewardConfig = field(default_factory=RewardConfig)
    """Weights of the reward terms."""

    def __post_init__(self) -> None:
        require(find_problems(self))


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """Size of the network, see `policies.network.NetworkConfig`."""

    column_features: int = bounded(48, at_least=1)
    """Features that are computed for each column of a bottle."""
    hidden: int = bounded(128, at_least=1)
    """Width of the layer from which policy and value are read."""

    def __post_init__(self) -> None:
        require(find_problems(self))


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """PPO, with the names and scales of CleanRL's implementation."""

    total_env_steps: int = bounded(200_000, at_least=1)
    """Env steps of the whole run; one step is one choice of both seats."""
    max_minutes: float = bounded(0.0, at_least=0)
    """Wall minutes after which training ends even with steps left; 0 sets no limit."""
    train_batch_size: int = bounded(4_096, at_least=1)
    """Env steps collected per iteration."""
    minibatch_size: int = bounded(512, at_least=1)
    """Steps of `main` per gradient step."""
    num_epochs: int = bounded(4, at_least=1)
    """Passes over each batch; more learns faster from it and drifts further."""
    learning_rate: float = bounded(3e-4, above=0, at_most=1)
    """Step size of Adam at the start."""
    final_learning_rate: float = bounded(3e-4, at_least=0, at_most=1)
    """Step size of Adam at the end; in between it changes evenly."""
    gamma: float = bounded(0.995, at_least=0, at_most=1)
    """Discount per env step."""
    gae_lambda: float = bounded(0.95, at_least=0, at_most=1)
    """Horizon of the advantage estimate: 0 trusts the value function, 1 the returns."""
    clip_coef: float = bounded(0.2, above=0, at_most=1)
    """Largest change of an action's probability ratio that still earns gradient."""
    ent_coef: float = bounded(0.01, at_least=0)
    """Weight of the entropy bonus; keeps the policy from settling too early."""
    vf_coef: float = bounded(0.5, at_least=0)
    """Weight of the value loss."""
    max_grad_norm: float = bounded(0.5, above=0)
    """Gradients are scaled down to this global norm."""
    num_env_runners: int = bounded(1, at_least=1)
    """Processes that play; each owns one emulator."""
    threads: int = bounded(1, at_least=1)
    """Threads of numerical libraries in each process."""
    sample_timeout_s: float = bounded(600.0, above=0)
    """Seconds after which runners that gave no samples are an error."""
    restart_failed_env_runners: bool = False
    """Replace a runner that dies; its error is then only a line in the log."""

    def __post_init__(self) -> None:
        require(find_problems(self))


@dataclass(frozen=True, slots=True)
class LeagueSettings:
    """Who is in the pool, who is drawn from it, and when `main` is frozen into it."""

    scripted: tuple[str, ...] = checked(("random", "noop", "greedy"), _POLICY_TEXT)
    """Policy texts that are in the pool from the start and are never evicted."""
    anchor: str = "greedy"
    """Member whose rating is fixed; the zero of the scale hangs on it."""
    anchor_rating: float = bounded(1000.0)
    """Elo points of the anchor."""
    slots: int = bounded(2, at_least=1)
    """Opponents that are loaded at a time; drawn anew every iteration."""
    self_play: float = bounded(0.0, at_least=0, at_most=1)
    """Share of training games that `main` plays against itself as it is now."""
    matchmaking: str = checked("elo", _SAMPLER)
    """Name of the sampler that draws opponents."""
    sigma: float = bounded(DEFAULT_SIGMA, above=0)
    """Width of the `elo` sampler in win probability; larger draws less even games."""
    floor: float = bounded(DEFAULT_FLOOR, at_least=0, at_most=1)
    """Share of draws that ignores the sampler and is spread evenly over the pool."""
    snapshot_every: int = bounded(50_000, at_least=1)
    """Env steps between snapshots, at the least."""
    max_snapshots: int = bounded(32, at_least=1)
    """Snapshots that can be drawn at a time; older ones rest, but stay on disk and rated."""

    def __post_init__(self) -> None:
        require(find_problems(self))


@dataclass(frozen=True, slots=True)
class EvaluationSettings:
    """The games that ratings rest on: same-seed pairs with the seats swapped."""

    opponents: tuple[str, ...] = ("random", "greedy")
    """Scripted members that every new snapshot meets."""
    past_snapshots: int = bounded(2, at_least=0)
    """Earlier snapshots that it meets besides, spread over the run, the first one included."""
    pairs: int = bounded(8, at_least=1)
    """Pairs against each opponent; all are played, whatever the score."""
    max_frames: int = bounded(18_000, at_least=1)
    """Frames of play after which a rated game ends without a winner."""
    wait: bool = False
    """Play a snapshot's games before training goes on; False plays them while it does."""

    def __post_init__(self) -> None:
        require(find_problems(self))


@dataclass(frozen=True, slots=True)
class TrackingSettings:
    """Where curves are sent besides the run folder."""

    wandb: Literal["offline", "online", "disabled"] = "offline"
    """`offline` writes a W&B run into the run folder and sends nothing."""
    project: str = "pill-league"
    """W&B project."""

    def __post_init__(self) -> None:
        require(find_problems(self))


@dataclass(frozen=True, slots=True)
class RunConfig:
    """Everything that a run depends on; written to its folder before the first step."""

    run: RunSettings = field(default_factory=RunSettings)
    env: EnvSettings = field(default_factory=EnvSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    league: LeagueSettings = field(default_factory=LeagueSettings)
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)
    tracking: TrackingSettings = field(default_factory=TrackingSettings)

    def __post_init__(self) -> None:
        require((*_training_problems(self), *_member_problems(self)))


def _training_problems(config: RunConfig) -> Iterator[Problem]:
    training = config.training
    if training.minibatch_size > training.train_batch_size:
        yield Problem(
            ("training.minibatch_size", "training.train_batch_size"),
            f"expected at most train_batch_size = {training.train_batch_size}, "
            f"got {training.minibatch_size}",
        )
    if config.league.snapshot_every > training.total_env_steps:
        yield Problem(
            ("league.snapshot_every", "training.total_env_steps"),
            f"expected at most training.total_env_steps = {training.total_env_steps}, "
            f"got {config.league.snapshot_every}",
        )


def _member_problems(config: RunConfig) -> Iterator[Problem]:
    members = config.league.scripted
    if len(set(members)) < len(members):
        yield Problem(("league.scripted",), f"expected each policy once, got {list(members)!r}")
    if config.league.anchor not in config.evaluation.opponents:
        yield Problem(
            ("evaluation.opponents", "league.anchor"),
            f"expected the anchor {config.league.anchor!r} among them, or ratings have no zero",
        )
    asked = [("league.anchor", config.league.anchor)]
    asked += [("evaluation.opponents", name) for name in config.evaluation.opponents]
    for key, name in asked:
        if name not in members:
            hint = suggest(name, members)
            yield Problem(
                (key, "league.scripted"),
                f"expected a member of league.scripted {list(members)!r}, got {name!r}{hint}",
            )
