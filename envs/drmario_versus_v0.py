"""Dr. Mario versus as a PettingZoo environment.

Two players clear viruses side by side; two or more lines by one capsule drop garbage on the other.

| Import | `from envs import drmario_versus_v0` |
|---|---|
| Create | `pettingzoo.make("parallel", "drmario/versus-v0")`, or the class `parallel_env` |
| Actions | discrete |
| Parallel API | yes |
| Manual control | no |
| Agents | `["player_0", "player_1"]`: the left bottle with pad 1, the right one with pad 2 |
| Action shape, values | `()`, `Discrete(12)`, or `Discrete(513)` with `actions="placement"` |
| Observation shape, values | `(314,)` uint8 by default, see below |
| State shape, values | as `compact` of `player_0` |

The game runs on an emulator (the shipped cartridge Pill Duel, or the user's own Dr. Mario ROM), on
the native simulator, or on the reference rules in Python; all play the same game, frame by frame.
A frame is 1/60.0988 s. Both players' pads go in with the same frame.

## Actions

`actions="buttons"`:

| | | | | | |
|---|---|---|---|---|---|
| 0 none | 1 LEFT | 2 RIGHT | 3 DOWN | 4 A | 5 B |
| 6 LEFT+A | 7 RIGHT+A | 8 LEFT+B | 9 RIGHT+B | 10 LEFT+DOWN | 11 RIGHT+DOWN |

Each is held for `action_repeat` frames. A turns clockwise, B the other way; both act on a new press
only, so holding A through two steps turns once. LEFT and RIGHT repeat after 16 frames, then every
6. DOWN alone moves one row every second frame. START and SELECT cannot be pressed. Every action
is always legal.

`actions="placement"`: the pose in which the falling capsule is to lock, rotation * 128 + row * 8 +
column of the pivot (the left or lower half), row 0 on top; 512 is WAIT. Rotation 0 has the first
colour left, 1 below, 2 right, 3 above. A planner turns a pose into pad bytes, frame by frame, the
shortest way there is. A step lasts until a seat has a new falling capsule. That seat must give a
pose; any other seat may only WAIT. `action_mask` says what can be reached; for capsules of one
colour rotations 2 and 3 are illegal. An illegal pose, or WAIT where a pose is due, plays as no
input until the capsule locks; what a waiting seat gives is ignored.

## Observations

From the acting seat's view, own bottle first.

| `observation` | shape, uint8 | what |
|---|---|---|
| `compact` | (314,) | the public position: cells, capsules, counters; `envs.compact.COMPACT_SPEC` |
| `planes` | (16, 8, 24), (16, 8, 32) | 0/1 planes, channels last; `bitplane`, `extended` |
| `candidates` | (192, 80) | a row per pose that can be reached: two bytes of pose, high byte |
| | | first, 512 in rows that only pad, then `envs.candidates.FEATURES`; for seats that are due |
| `ram` | (2048,) | CPU RAM, privileged; the players' blocks are exchanged for `player_1` |
| `pixels` | (224, 240, 3) | the picture, RGB; the two bottles are exchanged for `player_1` |

## Rewards

The sum of these terms over the step's frames; weights are in `RewardConfig`, each term in
`infos[agent]["reward_terms"]`.

| Term | Default | Paid |
|---|---|---|
| `win`, `loss` | +1, -1 | at the end of a round that has a winner |
| `clear_win` | 0 | to the winner, on top, if by clearing the bottle |
| `top_out` | 0 | to a seat that tops out |
| `virus` | 0.01 | per virus cleared |
| `line` | 0 | per line cleared |
| `garbage_sent` | 0 | per piece of garbage queued for the opponent |
| `height` | 0 | per row by which the own stack sinks, paid back when it rises |
| `per_frame` | 0 | every frame |

## End of an episode

Both seats end in the same step with the same kind; `infos[agent]["end_reason"]` says why.

| End reason | Kind | Winner |
|---|---|---|
| `clear` | termination | who cleared the last virus |
| `top_out` | termination | the opponent of who could not bring in a capsule |
| `both_clear`, `both_top_out` | termination | none: a draw |
| `frame_limit` | truncation | none, counted apart from draws |

With `episode="set"` rounds follow each other until a seat has three crowns: START is pressed on the
first frame that accepts it, outside any step. The reasons are those of the last round.

## Infos

`frames` of the episode so far (set-up and intro do not count), `reward_terms` of the step, `lines`,
`garbage_sent` and `capsules` (locked) of the seat so far, its `viruses` left, `action_mask` (int8,
1 = legal); with placements also `illegal_actions` and `ignored_actions`. In the last step also
`end_reason`, `winner` (an agent or None) and `position`, one line.

## Arguments

| Argument | Default | Meaning |
|---|---|---|
| `backend` | `"retro"` | `retro`, `simulator`, `reference`, an open one (stays so), an opener |
| `game` | `"PillDuel-Nes-v0"` | for `retro`: this, `DrMario-Nes-v0`, or the path of a build |
| `observation` | `"compact"` | see above |
| `planes` | `"bitplane"` | `bitplane` or `extended`, for `planes` |
| `actions` | `"buttons"` | or `placement` |
| `action_repeat` | 1 | frames that buttons are held, 1..255 |
| `level` | 0 | virus level 0..20, one or a pair |
| `speed` | `"MED"` | `LOW`, `MED` or `HI`, one or a pair |
| `episode` | `"round"` | `round` or `set` |
| `max_frames` | 36000 | frames of play after which an episode is truncated, about ten minutes |
| `reward` | `RewardConfig()` | weights of the terms |
| `render_mode` | None | `rgb_array`; `human` draws in the terminal (24-bit colour, 80 x 37) |
| `rendering` | None | whether Pill Duel draws; None: only where a picture is asked for |
| `solo` | False | `player_1`'s bottle is inert (Pill Duel only) |

## Reset

`reset` returns at the first frame on which both seats can act. `options`, all optional; an unknown
key is an error:

| Option | Meaning |
|---|---|
| `levels`, `speeds`, `solo` | as the arguments, for this episode |
| `rng_word` | RNG word 2..65535 on entering set-up |
| `randomize_rng` | True: draw the word from the env's stream even when there is a seed |
| | False: without a seed, take the word that the console has at power-on |
| `frame_offset` | option frames waited: N more RNG steps, frame counter N modulo 256 |
| `savestate` | bytes or a path; continues exactly there and excludes every other option |

A seed 0..32766 names one set-up: the RNG word is `envs.game.setup.seed_to_word(seed)`. A larger
seed starts the env's stream, `numpy.random.default_rng(seed)`, and the word is
`seed_to_word(stream.integers(32767))`. Every seed starts the stream anew; a reset without a seed
draws the next word from it in the same way. The same seed and actions give the same RAM at every
frame.

## Limits

On `retro`, Stable-Retro runs one emulator per process. It is opened at the first `reset` and
released by `close` or when the env is collected; a second live one is an error. PettingZoo's
`seed_test` and SuperSuit's vector makers need two at once: use the other backends.

## Version history

* v0: first version.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from operator import index
from typing import Any, Final

import numpy as np
from gymnasium.spaces import Box, Discrete
from gymnasium.utils.ezpickle import EzPickle
from pettingzoo import AECEnv, ParallelEnv
from pettingzoo.utils.conversions import parallel_to_aec
from pettingzoo.utils.wrappers import AssertOutOfBoundsWrapper, OrderEnforcingWrapper

from envs.backends.base import Backend
from envs.backends.registry import open_backend
from envs.episode import Episode, make_control, start_game
from envs.game.layout import FRAME_RATE
from envs.game.outcome import Outcome
from envs.game.position import format_position
from envs.game.state import GameState
from envs.observation import COMPACT_SIZE, encode_compact_ram
from envs.reset_options import ResetOptions
from envs.reward import RewardTerms
from envs.versus_config import RenderMode, VersusConfig
from envs.video import draw_in_text
from envs.views import make_observe, observation_shape

AGENTS: Final = ("player_0", "player_1")
_CURSOR_HOME: Final = "\x1b[H"

Action = int | np.integer[Any]
Observations = dict[str, np.ndarray]
Infos = dict[str, dict[str, Any]]


class parallel_env(ParallelEnv[str, np.ndarray, Action], EzPickle):  # noqa: N801 - PettingZoo's name
    """Dr. Mario versus as a PettingZoo `ParallelEnv`; the module's text is its page."""

    metadata: dict[str, Any] = {  # noqa: RUF012 - PettingZoo declares it an instance attribute
        "name": "drmario_versus_v0",
        "render_modes": ["human", "rgb_array"],
        "render_fps": FRAME_RATE,
        "is_parallelizable": True,
        "has_manual_policy": False,
    }

    def __init__(self, **arguments: Any) -> None:
        """Check the arguments; the game itself is opened by the first `reset`.

        Args:
            **arguments: The fields of `VersusConfig`.

        Raises:
            TypeError: There is no such argument.
            ValueError: An argument is impossible.
        """
        EzPickle.__init__(self, **arguments)
        self._config = config = VersusConfig.from_arguments(arguments)
        self.render_mode: RenderMode | None = config.render_mode
        self.metadata = {**self.metadata, "render_fps": FRAME_RATE / config.action_repeat}
        self.possible_agents = list(AGENTS)
        self.agents: list[str] = []
        self.state_space = make_box((COMPACT_SIZE,))
        shape = observation_shape(config.observation, config.planes)
        self._observation_spaces = {agent: make_box(shape) for agent in AGENTS}
        self._num_actions = make_control(config).num_actions
        self._action_spaces: dict[str, Discrete[np.int64]] = {
            agent: Discrete(self._num_actions) for agent in AGENTS
        }
        self._observe = make_observe(config.observation, config.planes)
        self._stream = np.random.default_rng()
        self._backend: Backend | None = None
        self._episode: Episode | None = None

    def observation_space(self, agent: str) -> Box:
        """Return the observation space of `agent`, the same object every time."""
        return self._observation_spaces[agent]

    def action_space(self, agent: str) -> Discrete[np.int64]:
        """Return the action space of `agent`, the same object every time."""
        return self._action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Observations, Infos]:
        """Start an episode; see the page for seeds and options.

        Raises:
            ValueError: A seed or option is impossible.
            BackendError: The game cannot be opened or started.
        """
        parsed = ResetOptions.parse(options)
        if seed is not None:
            self._stream = np.random.default_rng(seed)
        backend = self._open_backend()
        solo = start_game(self._config, backend, parsed, seed, self._stream)
        self._episode = episode = Episode(self._config, backend, solo)
        self.agents = self.possible_agents[:]
        if self.render_mode == "human":
            self.render()
        return self._list_observations(episode), self._list_infos(episode, episode.take_earned())

    def step(
        self, actions: Mapping[str, Action]
    ) -> tuple[Observations, dict[str, float], dict[str, bool], dict[str, bool], Infos]:
        """Play both seats' actions, at most until the episode ends.

        Raises:
            ValueError: An agent's action is missing or outside the space.
            RuntimeError: No episode is running.
        """
        chosen, episode = self._read_actions(actions), self._require_episode()
        outcome = episode.step(chosen)
        earned = episode.take_earned()
        observations, infos = self._list_observations(episode), self._list_infos(episode, earned)
        rewards = {agent: sum(terms.values()) for agent, terms in zip(AGENTS, earned, strict=True)}
        truncated = outcome is not None and outcome.reason == "frame_limit"
        terminated = outcome is not None and not truncated
        if outcome is not None:
            self.agents = []
            describe_end(infos, outcome, episode.ram)
        if self.render_mode == "human":
            self.render()
        return (
            observations,
            rewards,
            dict.fromkeys(AGENTS, terminated),
            dict.fromkeys(AGENTS, truncated),
            infos,
        )

    def state(self) -> np.ndarray:
        """Return the public position, `compact` as `player_0` sees it."""
        return encode_compact_ram(self._require_episode().ram, 0)

    def render(self) -> np.ndarray | None:
        """Return the picture, uint8 (224, 240, 3), or draw it in the terminal."""
        if self.render_mode is None:
            warnings.warn(
                "render() does nothing without a render_mode; make the env with "
                'render_mode="rgb_array"',
                stacklevel=2,
            )
            return None
        return show_screen(self._require_backend(), self.render_mode)

    def close(self) -> None:
        """Release the game; safe to call twice. A backend that was passed in stays open."""
        if self._backend is not None and self._backend is not self._config.backend:
            self._backend.close()
        self._backend = None
        self.agents = []

    @property
    def backend(self) -> Backend | None:
        """The open game, for savestates and tests; None before the first `reset`."""
        return self._backend

    def _open_backend(self) -> Backend:
        if self._backend is None:
            self._backend = make_backend(self._config)
        return self._backend

    def _require_episode(self) -> Episode:
        if self._episode is None:
            raise RuntimeError("expected a running episode, got an env that was not reset")
        return self._episode

    def _require_backend(self) -> Backend:
        if self._backend is None:
            raise RuntimeError("expected a running episode, got an env that was not reset")
        return self._backend

    def _read_actions(self, actions: Mapping[str, Action]) -> tuple[int, int]:
        if not self.agents:
            raise RuntimeError("expected a running episode, got none; call reset first")
        try:
            first, second = (index(actions[agent]) for agent in AGENTS)
        except KeyError as error:
            raise ValueError(f"expected actions for {AGENTS}, got none for {error}") from error
        high = self._num_actions - 1
        if not (0 <= first <= high and 0 <= second <= high):
            raise ValueError(f"expected actions in 0..{high}, got {dict(actions)!r}")
        return first, second

    def _list_observations(self, episode: Episode) -> Observations:
        views = self._observe(self._require_backend(), episode.ram, episode.control.due)
        return dict(zip(AGENTS, views, strict=True))

    def _list_infos(self, episode: Episode, earned: tuple[RewardTerms, RewardTerms]) -> Infos:
        return {
            agent: {**info, "reward_terms": terms}
            for agent, info, terms in zip(AGENTS, episode.describe(), earned, strict=True)
        }


def raw_env(**arguments: Any) -> AECEnv[str, np.ndarray, Action | None]:
    """Return the turn-based (AEC) form of `parallel_env`."""
    return parallel_to_aec(parallel_env(**arguments))


def env(**arguments: Any) -> AECEnv[str, np.ndarray, Action | None]:
    """Return the AEC form that also checks the order of calls and the range of actions."""
    return OrderEnforcingWrapper(AssertOutOfBoundsWrapper(raw_env(**arguments)))


def make_backend(config: VersusConfig) -> Backend:
    """Return the game that a config asks for, opened unless it is already."""
    if isinstance(config.backend, str):
        return open_backend(config.backend, config.game, rendering=config.draws)
    return config.backend() if callable(config.backend) else config.backend


def show_screen(backend: Backend, render_mode: RenderMode) -> np.ndarray | None:
    """Return the picture, uint8 (224, 240, 3), or draw it in the terminal."""
    screen = backend.screen()
    if render_mode == "rgb_array":
        return screen
    sys.stdout.write(_CURSOR_HOME + draw_in_text(screen))
    sys.stdout.flush()
    return None


def describe_end(infos: Infos, outcome: Outcome, ram: np.ndarray) -> None:
    """Add to every agent's info how the episode ended."""
    position = format_position(GameState.from_ram(ram))
    winner = None if outcome.winner is None else AGENTS[outcome.winner]
    for info in infos.values():
        info.update(end_reason=outcome.reason, winner=winner, position=position)


def make_box(shape: tuple[int, ...]) -> Box:
    """Return the space of observations of a shape, uint8."""
    return Box(0, 255, shape, np.uint8)
