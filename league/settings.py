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
from league.checks import Check, OneOf, Problem, bounded, checked, find_problems, require
from league.learning_settings import (
    CurriculumSettings,
    NetworkSettings,
    PhaseSettings,
    ProcessSettings,
    TrainingSettings,
    make_solo_phase,
    make_versus_phase,
)
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
    init: str = ""
    """Policy text whose weights `main` starts from, e.g. `champion` or `snapshot:RUN/latest`;
    empty for fresh weights."""
    seed: int = bounded(0, at_least=0, at_most=MAX_SEED)
    """The one seed from which every random stream is derived."""

    def __post_init__(self) -> None:
        require(find_problems(self))


@dataclass(frozen=True, slots=True)
class EnvSettings:
    """The game that is trained; `curriculum` says how its rounds begin."""

    game: str = checked(PILL_DUEL, OneOf(GAMES))
    """Integration name: `PillDuel-Nes-v0`, or `DrMario-Nes-v0` with the user's own ROM."""
    backend: Literal["simulator", "retro"] = "simulator"
    """What plays the game: `simulator` is the native one, which gives placements only; `retro` is
    Stable-Retro with the FCEUmm core."""
    actions: Literal["placement", "buttons"] = "placement"
    """What `main` chooses: where each capsule goes, or 12 pad combinations."""
    action_repeat: int = bounded(4, at_least=1, at_most=255)
    """Frames that each button action is held; higher is faster and coarser."""
    max_frames: int = bounded(12_000, at_least=1)
    """Frames of play after which a training game ends without a winner."""
    stall: float = bounded(-1.0, at_least=-10, at_most=0)
    """Paid to both seats of a training game that meets `max_frames`: else stalling is learned."""
    reward: RewardConfig = field(default_factory=lambda: RewardConfig(virus=0.05))
    """Weights of the reward terms."""

    def __post_init__(self) -> None:
        require(find_problems(self))


@dataclass(frozen=True, slots=True)
class LeagueSettings:
    """Who is in the pool, who is drawn from it, and when `main` is frozen into it."""

    scripted: tuple[str, ...] = checked(("search:depth=1",), _POLICY_TEXT)
    """Policy texts that `main` may meet in training from the start, and that are never evicted."""
    anchor: str = "greedy"
    """Opponent in rated games whose rating is fixed; the zero of the scale hangs on it."""
    anchor_rating: float = bounded(1000.0)
    """Elo points of the anchor."""
    slots: int = bounded(8, at_least=1)
    """Opponents that are loaded at a time; drawn anew every iteration."""
    self_play: float = bounded(0.5, at_least=0, at_most=1)
    """Share of training games against somebody that `main` plays against itself as it is now."""
    scripted_share: float = bounded(0.5, at_least=0, at_most=1)
    """Share of `slots` that go to the policies of `scripted` in turn, whatever the sampler says."""
    matchmaking: str = checked("elo", _SAMPLER)
    """Name of the sampler that draws opponents."""
    sigma: float = bounded(DEFAULT_SIGMA, above=0)
    """Width of the `elo` sampler in win probability; larger draws less even games."""
    floor: float = bounded(DEFAULT_FLOOR, at_least=0, at_most=1)
    """Share of draws that ignores the sampler and is spread evenly over the pool."""
    snapshot_every: int = bounded(200_000, at_least=1)
    """Env steps between snapshots, at the least."""
    snapshot_gate: Literal["time", "gsprt"] = "time"
    """`gsprt` freezes main earlier as well, once it beats its newest snapshot beyond doubt."""
    gate_elo: float = bounded(50.0, above=0)
    """Elo points above its newest snapshot that the `gsprt` gate tests for, against none."""
    snapshot_min_games: int = bounded(0, at_least=0)
    """Training games since the last snapshot without which there is no new one, but at the end."""
    max_snapshots: int = bounded(32, at_least=1)
    """Snapshots that can be drawn at a time; older ones rest, but stay on disk and rated."""
    main_exploiters: int = bounded(0, at_least=0)
    """Learners besides `main` that look for weaknesses of `main` as it is now."""
    league_exploiters: int = bounded(0, at_least=0)
    """The same, of the whole pool."""
    exploiter_share: float = bounded(0.25, at_least=0, at_most=0.95)
    """Share of the turns after the solo phase that exploiters have, one after the other; all else
    being equal, the versus phase takes 1 / (1 - share) as long."""
    exploiter_turn: int = bounded(4, at_least=1)
    """Iterations in a row of each turn, main's too; with `processes.overlap` a batch is lost at
    each change of learner."""
    exploiter_env_steps: int = bounded(200_000, at_least=1)
    """Decisions of its own after which an exploiter is frozen into the pool, unless it wins clearly
    before; over them it goes through the settings of `versus` from start to end."""

    def __post_init__(self) -> None:
        require(find_problems(self))


@dataclass(frozen=True, slots=True)
class EvaluationSettings:
    """The games that ratings rest on: same-seed pairs with the seats swapped."""

    opponents: tuple[str, ...] = checked(("greedy",), _POLICY_TEXT)
    """Policy texts that every new snapshot meets."""
    level: int = bounded(10, at_least=0, at_most=MAX_LEVEL)
    """Virus level of rated games."""
    speed: Speed = Speed.MED
    """Speed setting of rated games."""
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
class FinalSettings:
    """The measurement at the end of a run, on the simulator; for placements only."""

    games: int = bounded(0, at_least=0)
    """Games or solo rounds of each measurement; 0 measures nothing."""
    opponents: tuple[str, ...] = checked(("greedy", "search:depth=1"), _POLICY_TEXT)
    """Policy texts that `main` plays, besides its own first third."""
    levels: tuple[int, ...] = bounded((0, 5, 10), at_least=0, at_most=MAX_LEVEL)
    """Virus levels of the games against them."""
    solo_levels: tuple[int, ...] = bounded((5, 10), at_least=0, at_most=MAX_LEVEL)
    """Virus levels of solo rounds."""
    replays: int = bounded(40, at_least=0)
    """Games that are played again on Stable-Retro, where every frame must be the same."""

    def __post_init__(self) -> None:
        require(find_problems(self))


@dataclass(frozen=True, slots=True)
class ExportSettings:
    """The decision tree that a run ends with; for placements only."""

    profile: Literal["none", "quick"] = "none"
    """`quick` distils the leading snapshot into 64 untuned leaves, with 50 games a gate."""

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
    curriculum: CurriculumSettings = field(default_factory=CurriculumSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    solo: PhaseSettings = field(default_factory=make_solo_phase)
    versus: PhaseSettings = field(default_factory=make_versus_phase)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    processes: ProcessSettings = field(default_factory=ProcessSettings)
    league: LeagueSettings = field(default_factory=LeagueSettings)
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)
    final: FinalSettings = field(default_factory=FinalSettings)
    export: ExportSettings = field(default_factory=ExportSettings)
    tracking: TrackingSettings = field(default_factory=TrackingSettings)

    def __post_init__(self) -> None:
        require(
            (
                *_training_problems(self),
                *_game_problems(self),
                *_member_problems(self),
                *_final_problems(self),
                *_exploiter_problems(self),
            )
        )


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


def _game_problems(config: RunConfig) -> Iterator[Problem]:
    env, kind, games = config.env, config.network.kind, config.processes.games
    expected = "buttons" if kind == "column" else "placement"
    if env.actions != expected:
        yield Problem(
            ("env.actions", "network.kind"),
            f"expected {expected!r} for a network of the kind {kind!r}, got {env.actions!r}",
        )
    if env.backend == "simulator" and env.actions != "placement":
        yield Problem(
            ("env.backend", "env.actions"),
            "expected 'retro' for buttons, got 'simulator', which trains placements only",
        )
    if env.backend == "simulator" and env.game != PILL_DUEL:
        yield Problem(
            ("env.game", "env.backend"),
            f"expected {PILL_DUEL!r} with env.backend 'simulator', got {env.game!r}; use 'retro'",
        )
    if env.backend == "retro" and games > 1:
        yield Problem(
            ("processes.games", "env.backend"),
            f"expected 1 with env.backend 'retro', which has one game a process, got {games}",
        )


def _final_problems(config: RunConfig) -> Iterator[Problem]:
    if config.final.games and config.env.actions != "placement":
        yield Problem(
            ("final.games", "env.actions"),
            f"expected 0 for a run that trains buttons, got {config.final.games}",
        )
    if config.export.profile != "none" and config.env.actions != "placement":
        yield Problem(
            ("export.profile", "env.actions"),
            f"expected 'none' for a run that trains buttons, got {config.export.profile!r}",
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
    for name in members:
        if not _can_train(name, config.env):
            yield Problem(
                ("league.scripted", "env.actions"),
                f"expected policies that can play where main gives {config.env.actions} on "
                f"{config.env.backend!r}, got {name!r}",
            )


def _exploiter_problems(config: RunConfig) -> Iterator[Problem]:
    league = config.league
    if not league.main_exploiters + league.league_exploiters:
        return
    keys = ("league.main_exploiters", "league.league_exploiters")
    if config.env.backend == "retro":
        yield Problem(
            (*keys, "env.backend"),
            "expected none with env.backend 'retro', which has one game a process, and exploiters "
            "play games of their own; use 'simulator'",
        )
    if config.training.solo == 1.0:
        yield Problem(
            (*keys, "training.solo"),
            "expected none with training.solo 1.0, as exploiters begin after the solo phase",
        )
    if not league.exploiter_share:
        yield Problem(
            (*keys, "league.exploiter_share"),
            "expected none with league.exploiter_share 0, with which they never learn",
        )


def _can_train(text: str, env: EnvSettings) -> bool:
    """Whether a policy can be met in training; True where that is not known yet."""
    if _POLICY_TEXT.describe_fault(text) is not None or text.partition(":")[0] == "snapshot":
        return True
    policy = load_policy(text)
    if env.backend == "retro":
        return policy.view.actions == env.actions
    from policies.decision_choices import plays_decisions

    return plays_decisions(policy)
