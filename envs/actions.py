"""The action spaces: what a number that a policy chooses means on the pad."""

from __future__ import annotations

from typing import Final

from envs.game.layout import NO_BUTTONS, Button

BUTTON_ACTIONS: Final[tuple[Button, ...]] = (
    NO_BUTTONS,
    Button.LEFT,
    Button.RIGHT,
    Button.DOWN,
    Button.A,
    Button.B,
    Button.LEFT | Button.A,
    Button.RIGHT | Button.A,
    Button.LEFT | Button.B,
    Button.RIGHT | Button.B,
    Button.DOWN | Button.LEFT,
    Button.DOWN | Button.RIGHT,
)
"""Pad byte of each action of `actions="buttons"`; START and SELECT are in none of them."""

BUTTON_ACTION_NAMES: Final[tuple[str, ...]] = tuple(
    "+".join(button.name or "" for button in Button if action & button) or "NOOP"
    for action in BUTTON_ACTIONS
)
"""Name of each button action, buttons in the order of their bits: `NOOP`, `LEFT`, ..."""
