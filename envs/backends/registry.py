"""Backends by name: what the env's argument and the command line's options accept."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, get_args

from envs.backends.base import Backend
from envs.backends.integrations import PILL_DUEL

BackendName = Literal["retro", "simulator", "reference"]
BACKEND_NAMES: Final[tuple[BackendName, ...]] = get_args(BackendName)


def check_game(name: BackendName, game: str | Path) -> None:
    """Refuse a game that the backend does not run.

    Raises:
        ValueError: Only `retro` runs a ROM; the others have the rules of Pill Duel built in.
    """
    if name != "retro" and game != PILL_DUEL:
        raise ValueError(
            f"expected game={PILL_DUEL!r} on backend={name!r}, which has its rules built in, got "
            f"{str(game)!r}; use backend='retro'"
        )


def open_backend(
    name: BackendName, game: str | Path = PILL_DUEL, *, rendering: bool = True
) -> Backend:
    """Open a backend.

    Args:
        name: `retro` runs the ROM on an emulator, one per process; `simulator` is compiled and
            fast; `reference` is plain Python and slow.
        game: For `retro`: an integration's name or the path of a ROM; else Pill Duel.
        rendering: False where no picture is needed.

    Raises:
        ValueError: The backend does not run this game.
        BackendError: It cannot be opened.
    """
    check_game(name, game)
    if name == "retro":
        from envs.backends.retro import RetroBackend

        return RetroBackend(game, rendering=rendering)
    if name == "simulator":
        from envs.backends.simulator import SimulatorBackend

        return SimulatorBackend(rendering=rendering)
    from envs.backends.reference import ReferenceBackend

    return ReferenceBackend(rendering=rendering)
