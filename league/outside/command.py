"""Players that are programs of any language: `exec:COMMAND`, JSON lines over stdin and stdout.

The program says in its first answer what it wants to see and how it plays, and is then asked for
one action at a time. `docs/league.md` describes the protocol, `examples/exec_player.py` is a
client. A program that dies, is slow or answers nonsense forfeits the game that it is in, and starts
afresh for the next one.
"""

from __future__ import annotations

import itertools
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from envs.actions import BUTTON_ACTIONS
from envs.game.placement import NUM_PLACEMENTS
from envs.game.position import format_position
from league.outside.forfeits import ForfeitError
from league.outside.line_process import LineProcess, LineProcessError
from policies.base import View

PROTOCOL: Final = 1
START_SECONDS: Final = 30.0
"""Time from the start of a program to its first answer."""
_OBSERVATIONS: Final = ("position", "compact")
_ACTIONS: Final = ("buttons", "placement")


@dataclass(frozen=True, slots=True)
class _GameState:
    """What a game carries from one decision to the next."""

    number: int
    decisions: int = 0


class CommandPolicy:
    """A program that is asked for every action; games are told apart by a number."""

    def __init__(self, command: str, decision_seconds: float) -> None:
        """Start the program and hear how it plays.

        Args:
            command: Program and arguments, split as a shell would, but run without one.
            decision_seconds: Most time for an action.

        Raises:
            LineProcessError: It cannot be started, or does not introduce itself.
        """
        self._command = command
        self._seconds = decision_seconds
        self._numbers = itertools.count()
        self._process: LineProcess | None = None
        self._view = self._start()

    @property
    def name(self) -> str:
        """The text that names this policy."""
        return f"exec:{self._command}"

    @property
    def view(self) -> View:
        """What the program asked for."""
        return self._view

    @property
    def deterministic(self) -> bool:
        """Nothing is known of it, so every game is asked for by itself."""
        return False

    def initial_state(self, batch: int) -> _GameState:
        """Return the state of a new game.

        Raises:
            ValueError: `batch` is not 1.
        """
        if batch != 1:
            raise ValueError(f"expected one game at a time for {self.name!r}, got {batch}")
        return _GameState(next(self._numbers))

    def act(
        self,
        observations: Any,
        masks: np.ndarray | None,
        state: _GameState,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, _GameState]:
        """Ask for one action; the arguments are as in `Policy.act`, for a batch of one.

        Raises:
            ForfeitError: The program is dead or slow, or its answer is no action.
        """
        message: dict[str, Any] = {"type": "act", "game": state.number, "turn": state.decisions}
        if state.decisions == 0:
            message["seed"] = int(rng.integers(2**31))
        if self._view.observation == "position":
            message["position"] = format_position(observations[0])
        else:
            message["compact"] = observations[0].tolist()
        if masks is not None:
            message["legal"] = np.flatnonzero(masks[0]).tolist()
        try:
            action = self._ask_action(message)
        except LineProcessError as error:
            self.close()
            raise ForfeitError(self, str(error)) from error
        return np.array([action], np.int64), _GameState(state.number, state.decisions + 1)

    def close(self) -> None:
        """End the program; the next game starts it again."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def _ask_action(self, message: Mapping[str, Any]) -> int:
        if self._process is None and self._start() != self._view:
            raise LineProcessError("asked for another view when it was started again")
        answer = self._ask(message, self._seconds)
        if (answer.get("game"), answer.get("turn")) != (message["game"], message["turn"]):
            raise LineProcessError(
                f"answered {_shorten(answer)}, "
                f"expected game {message['game']} and turn {message['turn']}"
            )
        action = answer.get("action")
        size = NUM_PLACEMENTS if self._view.actions == "placement" else len(BUTTON_ACTIONS)
        if not isinstance(action, int) or isinstance(action, bool) or not 0 <= action < size:
            raise LineProcessError(f"answered {_shorten(answer)}, expected an action 0..{size - 1}")
        return action

    def _start(self) -> View:
        """Start the program and return the view that it asks for."""
        try:
            words = shlex.split(self._command)
        except ValueError as error:
            raise LineProcessError(f"cannot be told from {self._command!r}: {error}") from error
        if not words:
            raise LineProcessError("is missing; expected a command after 'exec:'")
        self._process = LineProcess(words)
        try:
            return _read_view(self._ask({"type": "hello", "protocol": PROTOCOL}, START_SECONDS))
        except LineProcessError:
            self.close()
            raise

    def _ask(self, message: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        assert self._process is not None
        line = self._process.ask(json.dumps(message, separators=(",", ":")).encode(), seconds)
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise LineProcessError(f"answered {_shorten(line)}, expected a JSON object in a line")
        return answer


def _read_view(hello: Mapping[str, Any]) -> View:
    """Return the view that a program introduces itself with.

    Raises:
        LineProcessError: There is no such view.
    """
    observation, actions = hello.get("observation"), hello.get("actions")
    repeat = hello.get("action_repeat", 1)
    if observation not in _OBSERVATIONS or actions not in _ACTIONS:
        raise LineProcessError(
            f"answered {_shorten(hello)}, expected an observation of {', '.join(_OBSERVATIONS)} "
            f"and actions of {', '.join(_ACTIONS)}"
        )
    if not isinstance(repeat, int) or isinstance(repeat, bool) or not 1 <= repeat <= 255:
        raise LineProcessError(f"answered {_shorten(hello)}, expected action_repeat in 1..255")
    return View(observation, actions, action_repeat=repeat, greedy=False)


def _shorten(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
