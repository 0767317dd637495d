"""Tells that training is dead: choices that stay even, bottles never cleared, masks all alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

EVEN_RATIO: Final = 0.98
"""Entropy by that of an even choice above which a policy has learned nothing."""
PATIENCE: Final = 10
"""Iterations that an entropy this high, or no clear, must last: a fresh policy starts so."""


@dataclass(frozen=True, slots=True)
class Watch:
    """How long each sign of dead training has lasted, iteration by iteration."""

    even: int = 0
    """Iterations in a row with choices as good as even."""
    without_clear: int = 0
    """Iterations in a row in which games ended and `main` cleared no bottle."""
    equal_masks: bool = False
    """Whether all masks of the newest iteration were alike."""

    def add(self, metrics: Mapping[str, float]) -> Watch:
        """Return the watch after one more iteration.

        Args:
            metrics: Of the iteration, by name of `league.tracking.metrics`; what is missing changes
                nothing.
        """
        watch = self
        if "policy/entropy_ratio" in metrics:
            is_even = metrics["policy/entropy_ratio"] > EVEN_RATIO
            watch = replace(watch, even=watch.even + 1 if is_even else 0)
        if "policy/equal_masks" in metrics:
            watch = replace(watch, equal_masks=bool(metrics["policy/equal_masks"]))
        if "play/clears" in metrics:
            is_without = metrics["play/clears"] == 0
            watch = replace(watch, without_clear=watch.without_clear + 1 if is_without else 0)
        return watch

    def list_alarms(self) -> dict[str, str]:
        """Return a warning for each sign that is there, by the name of its metric."""
        alarms = {}
        if self.even >= PATIENCE:
            alarms["alarm/entropy"] = (
                f"entropy ratio above {EVEN_RATIO} for {self.even} iterations: main chooses nearly "
                "evenly; see the learning rate, the rewards and the entropy bonus"
            )
        if self.without_clear >= PATIENCE:
            alarms["alarm/no_clears"] = (
                f"main cleared no bottle for {self.without_clear} iterations; begin with lower "
                "levels or thinner bottles, or from trained weights"
            )
        if self.equal_masks:
            alarms["alarm/equal_masks"] = (
                "all action masks of an iteration are alike, which no game brings about; see what "
                "the environment hands over"
            )
        return alarms
