"""One episode of the versus environment: frames, what they earned, and how it ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from envs.backends.base import Backend
from envs.backends.boot import final_crowns
from envs.controls import ButtonControl, Control
from envs.game.layout import CROWNS_TO_WIN, NUM_SEATS
from envs.game.outcome import Outcome
from envs.game.state import GameState
from envs.ledger import Ledger
from envs.placement import PlacementControl
from envs.reset_options import ResetOptions
from envs.reward import RewardTerms
from envs.versus_config import VersusConfig

NOT_STARTED: Final = np.zeros(0, np.uint8)


class Episode:
    """Plays the steps of an episode on a backend that is at the first frame of a round."""

    def __init__(
        self, config: VersusConfig, backend: Backend, solo: bool, control: Control | None = None
    ) -> None:
        """Take the episode from the frame that the backend shows.

        Args:
            config: The environment.
            backend: The running game.
            solo: Player 2's bottle is inert.
            control: What plays the actions; None: both seats by the config.
        """
        self._config = config
        self._backend = backend
        self._ledger = Ledger(config.reward, solo)
        active = (0,) if solo else (0, 1)
        self.control = make_control(config, active) if control is None else control
        self.frames = 0
        """Frames played."""
        self.ram = NOT_STARTED
        """RAM of the last frame, uint8 (2048,)."""
        self._start_round()

    def step(self, actions: tuple[int, int]) -> Outcome | None:
        """Play both seats' actions; return how the episode ended, if it did.

        Args:
            actions: Of both seats, within the action space.
        """
        self.control.choose(actions)
        while True:
            self._backend.step(self.control.next_pads())
            self.ram = ram = self._backend.ram()
            self.frames += 1
            outcome = self._ledger.add_frame(ram)
            if outcome is not None:
                return self._end_round(outcome)
            if self.frames >= self._config.max_frames:
                return Outcome("frame_limit", None)
            self.control.see(ram)
            if self.control.is_over:
                return None

    def take_earned(self) -> tuple[RewardTerms, RewardTerms]:
        """Return each seat's reward terms since the last call."""
        return self._ledger.take_earned()

    def describe(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return each seat's info, without the step's reward terms."""
        infos = []
        for seat in range(NUM_SEATS):
            totals = self._ledger.totals[seat]
            infos.append(
                {
                    "frames": self.frames,
                    "lines": totals.lines,
                    "garbage_sent": totals.garbage_sent,
                    "capsules": totals.capsules,
                    "viruses": self._ledger.viruses[seat],
                    "action_mask": self.control.masks[seat],
                    **self.control.describe(seat),
                }
            )
        return infos[0], infos[1]

    def _start_round(self) -> None:
        self.ram = self._backend.ram()
        self._ledger.start_round(self.ram)
        self.control.start_round(self.ram)

    def _end_round(self, outcome: Outcome) -> Outcome | None:
        """Return the end of the episode, or None where a set goes on with its next round."""
        if self._config.episode == "round":
            return outcome
        crowns = final_crowns(GameState.from_ram(self.ram))
        if max(crowns) >= CROWNS_TO_WIN:
            # With both at three the console gives the set to player 1, whom it tests first.
            return Outcome(outcome.reason, 0 if crowns[0] >= CROWNS_TO_WIN else 1)
        if self.frames >= self._config.max_frames:
            return Outcome("frame_limit", None)
        self._backend.next_round()
        self._start_round()
        return None


def make_control(config: VersusConfig, active: Sequence[int] = (0, 1)) -> Control:
    """Return what plays the config's action space for the seats that are `active`."""
    if config.actions == "placement":
        return PlacementControl(active)
    return ButtonControl(config.action_repeat)


def start_game(
    config: VersusConfig,
    backend: Backend,
    options: ResetOptions,
    seed: int | None,
    stream: np.random.Generator,
) -> bool:
    """Bring a backend to the first frame of an episode; return whether player 2 is inert in it.

    Args:
        config: The environment.
        backend: An open game.
        options: Of `reset`.
        seed: Seed given to `reset`.
        stream: The environment's own stream; drawn from only where it must be.

    Raises:
        ValueError: An option is impossible.
        BackendError: The game cannot be started.
    """
    if options.savestate is not None:
        backend.load(options.savestate)
        return config.solo
    setup = options.make_setup(config.make_setup(), seed, stream)
    backend.start_round(setup)
    return setup.solo
