"""The arguments of the versus environment: types, defaults, units and checks."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal, get_args

from envs.backends.base import Backend
from envs.backends.registry import BACKEND_NAMES, BackendName, check_game
from envs.game.setup import RoundSetup
from envs.observation import PLANE_KINDS, PlaneKind
from envs.reset_options import parse_levels, parse_speeds
from envs.reward import RewardConfig
from envs.views import OBSERVATION_KINDS, ObservationKind

ActionKind = Literal["buttons", "placement"]
EpisodeKind = Literal["round", "set"]
RenderMode = Literal["human", "rgb_array"]

DEFAULT_MAX_FRAMES: Final = 36_000
"""About ten minutes of play."""
MAX_ACTION_REPEAT: Final = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class VersusConfig:
    """One versus environment.

    Raises:
        ValueError: A field is impossible; names the nearest possible value.
    """

    backend: BackendName | Backend | Callable[[], Backend] = "retro"
    """What runs the game: a name, an open backend (stays open), or a function that opens one."""
    game: str = "PillDuel-Nes-v0"
    """Game of `retro`: an integration's name or the path of a build of Pill Duel."""
    observation: ObservationKind = "compact"
    planes: PlaneKind = "bitplane"
    """Kind of `observation="planes"`."""
    actions: ActionKind = "buttons"
    """What a step's action is: buttons, or where the capsule is to lock."""
    action_repeat: int = 1
    """Frames that buttons are held, 1..255."""
    level: int | Sequence[int] = 0
    """Virus level 0..20, for both seats or one each."""
    speed: str | int | Sequence[str | int] = "MED"
    """LOW, MED or HI, for both seats or one each."""
    episode: EpisodeKind = "round"
    """An episode is one round, or a set to three crowns."""
    max_frames: int = DEFAULT_MAX_FRAMES
    """Frames of play after which an episode is truncated."""
    reward: RewardConfig = field(default_factory=RewardConfig)
    render_mode: RenderMode | None = None
    rendering: bool | None = None
    """Whether the machine draws; None: only where a picture is asked for."""
    solo: bool = False
    """Player 2's bottle is inert."""

    def __post_init__(self) -> None:
        if not callable(self.backend) and not isinstance(self.backend, Backend):
            check_choice("backend", self.backend, BACKEND_NAMES)
            check_game(self.backend, self.game)
        check_choice("observation", self.observation, OBSERVATION_KINDS)
        check_choice("planes", self.planes, PLANE_KINDS)
        check_choice("actions", self.actions, get_args(ActionKind))
        check_choice("episode", self.episode, get_args(EpisodeKind))
        check_choice("render_mode", self.render_mode, (None, *get_args(RenderMode)))
        _check_int("action_repeat", self.action_repeat, MAX_ACTION_REPEAT)
        _check_int("max_frames", self.max_frames, None)
        self._check_repeat()
        if not isinstance(self.reward, RewardConfig):
            raise ValueError(f"expected reward to be a RewardConfig, got {self.reward!r}")
        if self.needs_picture and self.rendering is False:
            raise ValueError(
                f"expected rendering=True for observation={self.observation!r} and "
                f"render_mode={self.render_mode!r}, got False; leave it at None"
            )
        self.make_setup()

    def _check_repeat(self) -> None:
        """Check that buttons alone are held for several frames."""
        if self.actions == "placement" and self.action_repeat != 1:
            raise ValueError(
                f"expected action_repeat 1 for actions='placement', got {self.action_repeat}: a "
                "placement lasts until the capsule locks"
            )

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Any]) -> VersusConfig:
        """Make a config from keyword arguments.

        Raises:
            TypeError: There is no such argument; names the nearest one.
            ValueError: A value is impossible.
        """
        known = [entry.name for entry in fields(cls)]
        for name in arguments:
            if name not in known:
                raise TypeError(
                    f"expected arguments out of {', '.join(known)}, got {name!r}"
                    f"{_suggest(name, known)}"
                )
        return cls(**arguments)

    @property
    def needs_picture(self) -> bool:
        """Whether a picture is asked for."""
        return self.observation == "pixels" or self.render_mode is not None

    @property
    def draws(self) -> bool:
        """Whether the machine is to draw."""
        return self.needs_picture if self.rendering is None else self.rendering

    def make_setup(self) -> RoundSetup:
        """Return the set-up that `reset` starts from when it is given nothing else."""
        return RoundSetup(
            levels=parse_levels(self.level), speeds=parse_speeds(self.speed), solo=self.solo
        )


def check_choice(name: str, value: object, choices: Sequence[object]) -> None:
    """Refuse a value that is not one of `choices`.

    Raises:
        ValueError: Lists the choices and names the nearest one.
    """
    if any(value == choice for choice in choices):
        return
    names = [str(choice) for choice in choices]
    raise ValueError(
        f"expected {name} out of {', '.join(names)}, got {value!r}{_suggest(str(value), names)}"
    )


def _suggest(name: str, known: Sequence[str]) -> str:
    nearest = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {nearest[0]!r}?" if nearest else ""


def _check_int(name: str, value: object, high: int | None) -> None:
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    if is_integer and value >= 1 and (high is None or value <= high):  # type: ignore[operator]
        return
    expected = f"1..{high}" if high is not None else "1 or more"
    raise ValueError(f"expected {name} to be an integer {expected}, got {value!r}")
