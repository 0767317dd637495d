"""Dr. Mario for one learner, as a Gymnasium environment.

The other bottle is inert, or a policy plays it: any object that keeps the protocol of
`policies.base.Policy`.

| Import | `from envs import drmario_solo_v0` |
|---|---|
| Create | `gymnasium.make("drmario/solo-v0")` after `import envs`, or the class `SoloEnv` |
| Actions | discrete |
| Action shape, values | `()`, `Discrete(12)`, or `Discrete(513)` with `actions="placement"` |
| Observation shape, values | `(314,)` uint8 by default |

Game, actions, observations, rewards, end reasons, infos and reset options are those of
`envs.drmario_versus_v0`, seen from the learner's seat; `infos["action_mask"]` says which actions
are legal. What differs:

| Argument | Default | Meaning |
|---|---|---|
| `opponent` | None | policy of the other seat; None: its bottle is inert (Pill Duel only) |
| `seat` | 0 | the learner's seat; 1 needs an opponent |
| `solo` | | not taken: it follows from `opponent`; the same goes for the reset option |

The opponent sees the game as its own `view` asks and decides at its own pace, so one that presses
buttons every frame meets a learner that gives placements. It draws from a stream of the env's
seed, a new one in every episode. A step lasts until the learner has to choose again.

## Version history

* v0: first version.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import index
from typing import Any, Final

import gymnasium
import numpy as np
from gymnasium.spaces import Discrete
from gymnasium.utils.ezpickle import EzPickle

from envs.backends.base import Backend
from envs.controls import Control
from envs.drmario_versus_v0 import AGENTS, describe_end, make_backend, make_box, show_screen
from envs.episode import Episode, make_control, start_game
from envs.game.layout import FRAME_RATE, NUM_SEATS
from envs.opposed import OpposedControl
from envs.reset_options import ResetOptions
from envs.seat import Seat, SeatPolicy
from envs.versus_config import RenderMode, VersusConfig
from envs.views import make_observe, observation_shape

_NO_ACTION: Final = 0


class SoloEnv(gymnasium.Env[np.ndarray, np.int64], EzPickle):
    """Dr. Mario for one learner; the module's text is its page."""

    metadata: dict[str, Any] = {  # noqa: RUF012 - Gymnasium declares it so
        "render_modes": ["human", "rgb_array"],
        "render_fps": FRAME_RATE,
    }

    def __init__(
        self, *, opponent: SeatPolicy | None = None, seat: int = 0, **arguments: Any
    ) -> None:
        """Check the arguments; the game itself is opened by the first `reset`.

        Args:
            opponent: Policy of the other seat; None: its bottle is inert.
            seat: The learner's seat, 0 or 1.
            **arguments: The fields of `VersusConfig` but `solo`.

        Raises:
            TypeError: There is no such argument.
            ValueError: An argument is impossible.
        """
        EzPickle.__init__(self, opponent=opponent, seat=seat, **arguments)
        _check_seat(seat, opponent)
        if "solo" in arguments:
            raise TypeError("expected no argument solo: opponent=None makes the other bottle inert")
        self._config = config = VersusConfig.from_arguments({**arguments, "solo": opponent is None})
        self._opponent = opponent
        self._seat = seat
        self.render_mode: RenderMode | None = config.render_mode
        self.metadata = {**self.metadata, "render_fps": FRAME_RATE / config.action_repeat}
        self.observation_space = make_box(observation_shape(config.observation, config.planes))
        self._num_actions = make_control(config).num_actions
        self.action_space = Discrete(self._num_actions)
        self._observe = make_observe(config.observation, config.planes)
        self._backend: Backend | None = None
        self._episode: Episode | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start an episode; seeds and options as in `envs.drmario_versus_v0`.

        Raises:
            ValueError: A seed or option is impossible.
            BackendError: The game cannot be opened or started.
        """
        parsed = _parse_options(options)
        super().reset(seed=seed)
        if self._backend is None:
            self._backend = make_backend(self._config)
        solo = start_game(self._config, self._backend, parsed, seed, self.np_random)
        control = self._make_control(self._backend)
        self._episode = Episode(self._config, self._backend, solo, control)
        if self.render_mode == "human":
            self.render()
        return self._show(self._episode), self._describe(self._episode)[0]

    def step(self, action: np.int64 | int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Play the learner's action until it has to choose again, or the episode ends.

        Raises:
            ValueError: The action is outside the space.
            RuntimeError: No episode is running.
        """
        episode = self._require_episode()
        chosen = index(action)
        if not 0 <= chosen < self._num_actions:
            raise ValueError(f"expected an action 0..{self._num_actions - 1}, got {action!r}")
        actions = (chosen, _NO_ACTION) if self._seat == 0 else (_NO_ACTION, chosen)
        outcome = episode.step(actions)
        info, reward = self._describe(episode)
        truncated = outcome is not None and outcome.reason == "frame_limit"
        observation = self._show(episode)
        if outcome is not None:
            describe_end({AGENTS[self._seat]: info}, outcome, episode.ram)
            self._episode = None
        if self.render_mode == "human":
            self.render()
        return observation, reward, outcome is not None and not truncated, truncated, info

    def render(self) -> np.ndarray | None:  # type: ignore[override]
        """Return the picture, uint8 (224, 240, 3), or draw it in the terminal.

        Raises:
            RuntimeError: The env has no `render_mode`, or was not reset.
        """
        if self._backend is None or self.render_mode is None:
            raise RuntimeError("expected a render_mode and an env that was reset")
        return show_screen(self._backend, self.render_mode)

    def close(self) -> None:
        """Release the game; safe to call twice. A backend that was passed in stays open."""
        if self._backend is not None and self._backend is not self._config.backend:
            self._backend.close()
        self._backend = self._episode = None

    @property
    def backend(self) -> Backend | None:
        """The open game, for savestates and tests; None before the first `reset`."""
        return self._backend

    def _make_control(self, backend: Backend) -> Control:
        control = make_control(self._config, (self._seat,))
        if self._opponent is None:
            return control
        (stream,) = self.np_random.spawn(1)
        opponent = Seat(NUM_SEATS - 1 - self._seat, self._opponent, stream)
        return OpposedControl(control, opponent, backend)

    def _require_episode(self) -> Episode:
        if self._episode is None:
            raise RuntimeError("expected a running episode, got none; call reset first")
        return self._episode

    def _show(self, episode: Episode) -> np.ndarray:
        assert self._backend is not None
        return self._observe(self._backend, episode.ram, episode.control.due)[self._seat]

    def _describe(self, episode: Episode) -> tuple[dict[str, Any], float]:
        """Return the learner's info, and the sum of its reward terms."""
        terms = episode.take_earned()[self._seat]
        return {**episode.describe()[self._seat], "reward_terms": terms}, sum(terms.values())


def _check_seat(seat: int, opponent: SeatPolicy | None) -> None:
    if seat not in range(NUM_SEATS):
        raise ValueError(f"expected seat 0 or 1, got {seat!r}")
    if seat == 1 and opponent is None:
        raise ValueError("expected seat 0 without an opponent, got 1: the inert bottle is seat 1's")


def _parse_options(options: Mapping[str, Any] | None) -> ResetOptions:
    parsed = ResetOptions.parse(options)
    if parsed.solo is not None:
        raise ValueError("expected no reset option solo: it follows from the argument opponent")
    return parsed
