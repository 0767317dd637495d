"""Who sits at a game table besides `main`: frozen snapshots and scripted policies.

They live where games are played, and never in RLlib: a league of a hundred snapshots costs the
learner nothing. A snapshot's weights never change under its name, so each is built once; another
learner's do, so it is built anew for every roster.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from league.tracking.play_facts import Choices, count_choices
from league.training.roster import Roster, Weights
from league.training.tables import GameTable, Inputs
from policies.base import Policy
from policies.network import MASKED, Network

MakeNetwork = Callable[[], Network]
"""Builds a network of the run's kind, with any weights."""

_HALF_MASKED = MASKED / 2


@dataclass(frozen=True, slots=True)
class Draw:
    """What a network chose for some seats."""

    choices: np.ndarray
    """int64 (n,)."""
    log_probabilities: np.ndarray
    """float32 (n,), of the choices."""
    values: np.ndarray
    """float32 (n,)."""
    entropies: np.ndarray
    """float32 (n,), nats."""
    legal: np.ndarray
    """int64 (n,): how many choices there were."""

    def describe(self, *, has_masks: bool) -> Choices:
        """Return the facts about the draws, for curves and warnings."""
        alike = has_masks and bool((self.legal == self.legal[0]).all())
        return count_choices(self.entropies, self.legal, equal_masks=alike)


class OpponentBank:
    """The players of a roster, by name."""

    def __init__(self, make_network: MakeNetwork, scripted: Mapping[str, Policy]) -> None:
        self._make_network = make_network
        self._scripted = scripted
        self._networks: dict[str, Network] = {}

    def load(self, roster: Roster, still_playing: Collection[str]) -> None:
        """Take the snapshots of a roster; keep those of running games, drop the rest.

        Raises:
            KeyError: The roster names a scripted policy that this bank does not have.
        """
        keep = set(still_playing)
        # A player may hold several slots, always with the same weights.
        for opponent in {one.player: one for one in roster.opponents}.values():
            keep.add(opponent.player)
            if opponent.weights is None:
                self._scripted[opponent.player]
            elif opponent.is_live or opponent.player not in self._networks:
                self._networks[opponent.player] = self._build(opponent.weights)
        self._networks = {name: one for name, one in self._networks.items() if name in keep}

    def choose(
        self, player: str, table: GameTable, seats: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Return the actions of a player for due seats, int64 (n,); snapshots play their best."""
        network = self._networks.get(player)
        if network is None:
            return table.ask_policy(self._scripted[player], seats, rng)
        logits, _ = evaluate(network, table.observe(seats))
        return table.find_actions(seats, logits.argmax(1))

    def _build(self, weights: Weights) -> Network:
        network = self._make_network().eval()
        # Copies: what comes out of Ray's object store is read-only.
        state = {name: torch.from_numpy(np.array(value)) for name, value in weights.items()}
        network.load_state_dict(state)
        return network


def draw_choices(network: Any, inputs: Mapping[str, np.ndarray], rng: np.random.Generator) -> Draw:
    """Draw a choice for each row from the distribution that a network gives.

    Args:
        network: Maps inputs to logits and values.
        inputs: Columns of n rows.
        rng: One number is drawn per row.
    """
    logits, values = evaluate(network, inputs)
    shifted = logits - logits.max(1, keepdims=True)
    likely = np.exp(shifted)
    sums = likely.cumsum(1)
    total = sums[:, -1]
    # A little below 1, or rounding could draw what lies behind the last possible choice.
    drawn = rng.random(len(logits), np.float32) * np.float32(1 - 1e-6) * total
    choices = (sums <= drawn[:, None]).sum(1)
    rows = np.arange(len(logits))
    log_total = np.log(total)
    return Draw(
        choices=choices,
        log_probabilities=shifted[rows, choices] - log_total,
        values=values,
        entropies=log_total - (likely * shifted).sum(1) / total,
        legal=(logits > _HALF_MASKED).sum(1),
    )


def evaluate(network: Any, inputs: Inputs) -> tuple[np.ndarray, np.ndarray]:
    """Return logits, float32 (n, choices), and values, float32 (n,), of n rows."""
    with torch.inference_mode():
        outputs = network({name: torch.from_numpy(column) for name, column in inputs.items()})
    logits, values = (output.numpy() for output in outputs)
    return logits, values
