"""Positions for policy tests, made from a real round with a few fields changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from envs.game.position import parse_bottle
from envs.game.rules import ReferenceGame
from envs.game.setup import RoundSetup
from envs.game.state import GameState

_START = GameState.from_ram(ReferenceGame.from_setup(RoundSetup()).ram())


def make_position(bottle: str | None = None, **fields: Any) -> GameState:
    """The first frame of a round; `bottle` and the other fields replace those of seat 0."""
    if bottle is not None:
        fields["cells"] = parse_bottle(bottle)
    own, opponent = _START.players
    return replace(_START, players=(replace(own, **fields), opponent))
