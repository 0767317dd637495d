"""The database of a run (SQLite, WAL): the only truth about games, snapshots and ratings.

The log of games is append-only and an iteration is one transaction, so a kill at any instant
leaves whole iterations only. Knows nothing of training or of how ratings are made.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from league.database import create_database, open_database
from league.errors import StoreError
from league.records import (
    Condition,
    ConditionCount,
    GameRow,
    IterationRow,
    PairRow,
    Purpose,
    RatingRow,
    Result,
    ResultCount,
    SnapshotRow,
)

_RESULT_OF_OTHER: Final[dict[Result, Result]] = {
    "win": "loss",
    "loss": "win",
    "draw": "draw",
    "stopped": "stopped",
}

_GAMES_AT_ONCE: Final = 256
"""Games that are read with one query: they may hold replays."""
_GAME_COLUMNS: Final = (
    "purpose, level_0, level_1, speed_0, speed_1, backend, max_frames, episode, seed, player_0, "
    "player_1, result, reason, frames, pair, policy_seed, stats, versions, replay"
)


class Store:
    """An open database; use it as a context manager. One process writes, any number read."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open an existing database.

        Raises:
            StoreError: There is none, or it is damaged, foreign or of another version.
        """
        self._path = path
        self._connection = open_database(path, read_only=read_only)

    @classmethod
    def create(cls, path: Path) -> Self:
        """Create an empty database and open it.

        Raises:
            StoreError: The file exists already, or cannot be written.
        """
        create_database(path)
        return cls(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; safe to call twice."""
        self._connection.close()

    def commit_iteration(
        self,
        iteration: IterationRow,
        *,
        snapshots: Iterable[SnapshotRow] = (),
        games: Iterable[GameRow] = (),
        rate: Callable[[Self], Iterable[RatingRow]] | None = None,
    ) -> list[int]:
        """Record a finished iteration, all of it or nothing.

        Args:
            iteration: The iteration.
            snapshots: Snapshots that it made.
            games: Games that ended in it.
            rate: Called inside the transaction, with the new games in the log, for the ratings
                to record; None leaves the ratings as they are.

        Returns:
            The ids of the games, in their order; no id is ever given twice.

        Raises:
            StoreError: The iteration, a snapshot or a game is there already; nothing is written.
        """
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO iterations VALUES (?, ?, ?)",
                (iteration.iteration, iteration.env_steps, iteration.created),
            )
            for snapshot in snapshots:
                connection.execute(
                    "INSERT INTO snapshots VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    _snapshot_values(snapshot),
                )
            ids = [self._insert_game(iteration.iteration, game) for game in games]
            connection.executemany(
                "INSERT INTO ratings VALUES (?, ?, ?, ?, ?, ?, ?)",
                (astuple(row) for row in (rate(self) if rate is not None else ())),
            )
        return ids

    def add_games(
        self, games: Iterable[GameRow], rate: Callable[[Self], Iterable[RatingRow]]
    ) -> list[int]:
        """Record games that were played after the newest iteration, all of them or nothing.

        They belong to that iteration, whose ratings are replaced.

        Args:
            games: The games.
            rate: Called inside the transaction, with the new games in the log, for the ratings.

        Returns:
            The ids of the games, in their order.

        Raises:
            StoreError: There is no iteration yet, or a game is there already; nothing is written.
        """
        newest = self.newest_iteration()
        if newest is None:
            raise StoreError(f"expected an iteration in {self._path}, found none; train first")
        with self._transaction() as connection:
            ids = [self._insert_game(newest.iteration, game) for game in games]
            rows = list(rate(self))
            connection.execute("DELETE FROM ratings WHERE iteration = ?", (newest.iteration,))
            connection.executemany(
                "INSERT INTO ratings VALUES (?, ?, ?, ?, ?, ?, ?)", (astuple(row) for row in rows)
            )
        return ids

    def newest_iteration(self) -> IterationRow | None:
        """Return the last finished iteration, or None before the first."""
        rows = self._read(
            "SELECT iteration, env_steps, created FROM iterations ORDER BY iteration DESC LIMIT 1"
        )
        return IterationRow(*rows[0]) if rows else None

    def iterations(self) -> list[IterationRow]:
        """Return all finished iterations, oldest first."""
        rows = self._read("SELECT iteration, env_steps, created FROM iterations ORDER BY iteration")
        return [IterationRow(*row) for row in rows]

    def snapshots(self) -> list[SnapshotRow]:
        """Return all snapshots in the order of their birth."""
        rows = self._read(
            "SELECT id, role, parent, env_steps, iteration, sha256, created, view "
            "FROM snapshots ORDER BY iteration, rowid"
        )
        return [
            SnapshotRow(name, role, parent, steps, iteration, sha256, created, self._parse(view))
            for name, role, parent, steps, iteration, sha256, created, view in rows
        ]

    def ratings(self) -> list[RatingRow]:
        """Return the newest ratings, the highest first."""
        rows = self._read(
            "SELECT iteration, player, elo, lower, upper, kind, games FROM ratings "
            "WHERE iteration = (SELECT MAX(iteration) FROM ratings) ORDER BY elo DESC, player"
        )
        return [RatingRow(*row) for row in rows]

    def rating_history(self) -> list[tuple[int, RatingRow]]:
        """Return all ratings ever recorded with the env steps of their iteration, oldest first."""
        rows = self._read(
            "SELECT env_steps, iteration, player, elo, lower, upper, kind, games "
            "FROM ratings JOIN iterations USING (iteration) ORDER BY iteration, player"
        )
        return [(row[0], RatingRow(*row[1:])) for row in rows]

    def next_pair(self) -> int:
        """Return a pair number that no recorded game has; higher ones are free as well."""
        ((newest,),) = self._read("SELECT MAX(pair) FROM games")
        return 0 if newest is None else int(newest) + 1

    def count_games(self, purpose: Purpose | None = None) -> int:
        """Return the number of recorded games, of one purpose or of all."""
        ((count,),) = self._read(
            "SELECT COUNT(*) FROM games WHERE ?1 IS NULL OR purpose = ?1", purpose
        )
        return int(count)

    def games(self, purpose: Purpose) -> Iterator[tuple[int, GameRow]]:
        """Yield the games of one purpose with their ids, oldest first."""
        query = (
            f"SELECT id, {_GAME_COLUMNS} FROM games WHERE purpose = ? AND id > ? "
            f"ORDER BY id LIMIT {_GAMES_AT_ONCE}"
        )
        game_id = -1
        while rows := self._read(query, purpose, game_id):
            for game_id, *values in rows:
                *head, stats, versions, replay = values
                yield game_id, _read_game(head, self._parse(stats), self._parse(versions), replay)

    def count_results(self, purpose: Purpose) -> list[ResultCount]:
        """Return the number of games by seating and result."""
        rows = self._read(
            "SELECT player_0, player_1, result, COUNT(*) FROM games WHERE purpose = ? "
            "GROUP BY player_0, player_1, result ORDER BY player_0, player_1, result",
            purpose,
        )
        return [ResultCount((a, b), result, games) for a, b, result, games in rows]

    def count_conditions(self, purpose: Purpose) -> list[ConditionCount]:
        """Return the number of games by condition, seating and result."""
        columns = "level_0, level_1, speed_0, speed_1, backend, max_frames, episode"
        group = f"{columns}, player_0, player_1, result"
        rows = self._read(
            f"SELECT {group}, COUNT(*) FROM games WHERE purpose = ? GROUP BY {group} "
            f"ORDER BY {group}",
            purpose,
        )
        return [
            ConditionCount(
                Condition((level_0, level_1), (speed_0, speed_1), *rest[:3]),
                ResultCount((rest[3], rest[4]), rest[5], rest[6]),
            )
            for level_0, level_1, speed_0, speed_1, *rest in rows
        ]

    def pairs(self, purpose: Purpose) -> list[PairRow]:
        """Return all complete pairs, in the order of their numbers."""
        rows = self._read(
            "SELECT one.pair, one.player_0, one.player_1, one.result, two.result "
            "FROM games AS one JOIN games AS two ON two.pair = one.pair AND two.id > one.id "
            "WHERE one.purpose = ? AND two.player_0 = one.player_1 ORDER BY one.pair",
            purpose,
        )
        return [
            PairRow(pair, (first, second), (result, _RESULT_OF_OTHER[other]))
            for pair, first, second, result, other in rows
        ]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise StoreError(f"{self._path}: nothing was written: {error}") from error
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        # SQLite ends the transaction by itself after some errors, a full disk for one.
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _insert_game(self, iteration: int, game: GameRow) -> int:
        values = (iteration, *_game_values(game))
        marks = ", ".join("?" * len(values))
        try:
            cursor = self._connection.execute(
                f"INSERT INTO games (iteration, {_GAME_COLUMNS}) VALUES ({marks})", values
            )
        except sqlite3.IntegrityError as error:
            raise StoreError(
                f"{self._path}: expected a game that is not recorded yet, got {game.players[0]!r} "
                f"against {game.players[1]!r} on seed {game.seed:#06x} with policy seed "
                f"{game.policy_seed!r} ({error}); draw another seed"
            ) from error
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def _read(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query; damage that only reading finds is named too."""
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"expected an undamaged database at {self._path}: {error}") from error

    def _parse(self, text: str) -> Any:
        try:
            return json.loads(text)
        except ValueError as error:
            raise StoreError(f"expected JSON in {self._path}, got {text[:40]!r}") from error


def _snapshot_values(row: SnapshotRow) -> Sequence[object]:
    head = (row.id, row.role, row.parent, row.env_steps, row.iteration, row.sha256, row.created)
    return (*head, json.dumps(dict(row.view), sort_keys=True))


def _game_values(game: GameRow) -> Sequence[object]:
    condition = game.condition
    return (
        game.purpose,
        *map(int, (*condition.levels, *condition.speeds)),
        condition.backend,
        condition.max_frames,
        condition.episode,
        game.seed,
        *game.players,
        game.result,
        game.reason,
        game.frames,
        game.pair,
        game.policy_seed,
        json.dumps(dict(game.stats), sort_keys=True),
        json.dumps(dict(game.versions), sort_keys=True),
        game.replay,
    )


def _read_game(
    values: Sequence[Any], stats: dict[str, Any], versions: dict[str, str], replay: bytes | None
) -> GameRow:
    """Return the record of a row whose first columns are in the order of `_GAME_COLUMNS`."""
    purpose, level_0, level_1, speed_0, speed_1, backend, max_frames, episode, *rest = values
    seed, player_0, player_1, result, reason, frames, pair, policy_seed = rest
    return GameRow(
        purpose=purpose,
        condition=Condition((level_0, level_1), (speed_0, speed_1), backend, max_frames, episode),
        seed=seed,
        players=(player_0, player_1),
        result=result,
        reason=reason,
        frames=frames,
        pair=pair,
        policy_seed=policy_seed,
        stats=stats,
        versions=versions,
        replay=replay,
    )
