"""Games with players that may fail: whoever cannot go on loses the game that it is in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from envs.backends.base import Backend
from envs.game.layout import NUM_SEATS
from league.errors import LeagueError
from policies.base import Policy
from policies.rollout import Game, GameRecord, SeatStats, play_games

_UNKNOWN: Final = SeatStats(viruses=0, lines=0, garbage_sent=0, capsules=0)


class ForfeitError(LeagueError):
    """A player that cannot go on; it loses the game that it is in."""

    def __init__(self, policy: Policy, reason: str) -> None:
        super().__init__(f"{policy.name!r} forfeits: {reason}")
        self.policy = policy
        """The player."""
        self.reason = reason


def play_with_forfeits(
    games: Sequence[Game],
    backend: Backend,
    *,
    max_frames: int,
    on_game: Callable[[int, GameRecord], None] | None = None,
    on_frame: Callable[[int, Backend], None] | None = None,
) -> tuple[list[GameRecord], dict[int, str]]:
    """Play games one after the other.

    The record of a forfeited game has the frames that were played, no stats and no replay.

    Args:
        games: What to play.
        backend: Opened backend.
        max_frames: Frames after which a game ends as `frame_limit`.
        on_game: Called with index and record whenever a game has ended.
        on_frame: Called with the index of a game and the backend after each frame.

    Returns:
        One record per game, and by index why games were forfeited.

    Raises:
        BackendError: The backend failed.
    """
    records: list[GameRecord] = []
    reasons: dict[int, str] = {}
    for index, game in enumerate(games):
        frames = 0

        def count(_: int, shown: Backend, index: int = index) -> None:
            nonlocal frames
            frames += 1
            if on_frame is not None:
                on_frame(index, shown)

        try:
            (record,) = play_games([game], [backend], max_frames=max_frames, on_frame=count)
        except ForfeitError as error:
            reasons[index] = str(error)
            record = _make_record(game, error.policy, frames)
        records.append(record)
        if on_game is not None:
            on_game(index, record)
    return records, reasons


def _make_record(game: Game, loser: Policy, frames: int) -> GameRecord:
    seat = next(seat for seat in range(NUM_SEATS) if game.policies[seat] is loser)
    return GameRecord(
        setup=game.setup,
        policies=(game.policies[0].name, game.policies[1].name),
        reason="forfeit",
        winner=1 - seat,
        frames=frames,
        stats=(_UNKNOWN, _UNKNOWN),
        replay=b"",
    )
