"""Plays games on the simulator by the fastest loop that suits their players."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from envs.backends.base import Backend
from envs.backends.simulator import SimulatorBackend
from league.outside.command import CommandPolicy
from league.outside.forfeits import play_with_forfeits
from policies.base import Policy
from policies.decision_choices import plays_decisions
from policies.decision_games import PlayedGame, play_decision_games
from policies.rollout import Game, GameRecord, play_games

_BACKENDS: Final = 32
"""Games at a time in the frame-by-frame loop, so that policies are asked for many at once."""

_Tell = Callable[[int, GameRecord], None]
_Play = Callable[[Sequence[Game], int, _Tell], dict[int, str]]
"""Plays games, tells of each, and returns by index why games were forfeited."""


def play_on(backend: Backend, games: Sequence[Game], max_frames: int) -> list[GameRecord]:
    """Play games on an opened backend, or beside it where it is the simulator and that is faster.

    Raises:
        ForfeitError: A player from outside cannot go on.
        BackendError: The backend failed.
    """
    if backend.name != SimulatorBackend.name:
        return play_games(games, [backend], max_frames=max_frames)
    return play_on_simulator(games, max_frames=max_frames)[0]


def play_on_simulator(
    games: Sequence[Game],
    *,
    max_frames: int,
    on_game: Callable[[int, GameRecord], None] | None = None,
) -> tuple[list[GameRecord], dict[int, str]]:
    """Play games, each by the loop that suits its players.

    Args:
        games: What to play.
        max_frames: Frames after which a game ends as `frame_limit`.
        on_game: Called with index and record whenever a game has ended.

    Returns:
        One record per game, and by index why games were forfeited (`league.outside.forfeits`).

    Raises:
        BackendError: The simulator was not built.
    """
    records: dict[int, GameRecord] = {}
    forfeits: dict[int, str] = {}
    groups: dict[_Play, list[int]] = {}
    for index, game in enumerate(games):
        groups.setdefault(_find_loop(game), []).append(index)
    for play, indices in groups.items():

        def tell(place: int, record: GameRecord, indices: list[int] = indices) -> None:
            records[indices[place]] = record
            if on_game is not None:
                on_game(indices[place], record)

        lost = play([games[index] for index in indices], max_frames, tell)
        forfeits.update({indices[place]: reason for place, reason in lost.items()})
    return [records[index] for index in range(len(games))], forfeits


def list_players(game: Game) -> tuple[Policy, ...]:
    """Return the policies that decide anything; that of an inert seat does not."""
    return game.policies[:1] if game.setup.solo else game.policies


def _find_loop(game: Game) -> _Play:
    players = list_players(game)
    if any(isinstance(one, CommandPolicy) for one in players):
        return _play_with_forfeits
    return _play_decisions if all(plays_decisions(one) for one in players) else _play_frames


def _play_with_forfeits(games: Sequence[Game], max_frames: int, tell: _Tell) -> dict[int, str]:
    backend = SimulatorBackend(rendering=False)
    return play_with_forfeits(games, backend, max_frames=max_frames, on_game=tell)[1]


def _play_decisions(games: Sequence[Game], max_frames: int, tell: _Tell) -> dict[int, str]:
    def tell_record(index: int, played: PlayedGame) -> None:
        tell(index, played.record)

    play_decision_games(games, max_frames=max_frames, on_game=tell_record)
    return {}


def _play_frames(games: Sequence[Game], max_frames: int, tell: _Tell) -> dict[int, str]:
    views = [one.view.observation for game in games for one in list_players(game)]
    backends: list[Backend] = [
        SimulatorBackend(rendering="pixels" in views) for _ in range(min(_BACKENDS, len(games)))
    ]
    play_games(games, backends, max_frames=max_frames, on_game=tell)
    return {}
