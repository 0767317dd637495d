"""Champions: policies shipped with the project, one folder each under `policies/champions`.

A folder is a snapshot (`manifest.json`, `weights.safetensors`) with a `card.md` beside it: how it
was made, how strong it is, and what it is bad at.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import policies
from league.checks import suggest
from league.errors import LeagueError
from league.snapshots import MANIFEST_FILE

FOLDER: Final = Path(policies.__file__).parent / "champions"
CARD_FILE: Final = "card.md"
DEFAULT: Final = "pill-4"
"""Whom `champion` without a name means."""


class ChampionError(LeagueError):
    """There is no such champion."""


def list_champions() -> list[str]:
    """Return the names of all champions, in the order of their names."""
    return sorted(path.parent.name for path in FOLDER.glob(f"*/{MANIFEST_FILE}"))


def find_champion(name: str = "") -> Path:
    """Return the folder of a champion.

    Args:
        name: Its name; empty for `DEFAULT`.

    Raises:
        ChampionError: There is none of that name.
    """
    known = list_champions()
    chosen = name or DEFAULT
    if chosen not in known:
        raise ChampionError(
            f"expected a champion ({', '.join(known) or 'none is shipped yet'}), got {name!r}"
            f"{suggest(name, known)}"
        )
    return FOLDER / chosen
