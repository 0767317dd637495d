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

from league.errors import StoreError
from league.records import (
    Condition,
    GameRow,
    IterationRow,
    PairRow,
    Purpose,
    RatingRow,
    Result,
    ResultCount,
    SnapshotRow,
)
from league.rundir import TEMPORARY_PREFIX

SCHEMA_VERSION: Final = 1
_APPLICATION_ID: Final = 0x50494C4C
"""Marks the file as ours ("PILL") in SQLite's own header."""
_BUSY_SECONDS: Final = 10.0
"""How long a reader waits for a writer to finish."""
_RESULT_OF_OTHER: Final[dict[Result, Result]] = {
    "win": "loss",
    "loss": "win",
    "draw": "draw",
    "stopped": "stopped",
}

_SCHEMA: Final = """
CREATE TABLE iterations (
    iteration INTEGER PRIMARY KEY,
    env_steps INTEGER NOT NULL,
    created TEXT NOT NULL
) STRICT;
CREATE TABLE snapshots (
    id TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    parent TEXT REFERENCES snapshots (id),
    env_steps INTEGER NOT NULL,
    iteration INTEGER NOT NULL REFERENCES iterations (iteration),
    sha256 TEXT NOT NULL,
    created TEXT NOT NULL,
    view TEXT NOT NULL
) STRICT;
CREATE TABLE games (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    iteration INTEGER NOT NULL REFERENCES iterations (iteration),
    pair INTEGER,
    purpose TEXT NOT NULL CHECK (purpose IN ('train', 'evaluation', 'match')),
    level_0 INTEGER NOT NULL,
    level_1 INTEGER NOT NULL,
    speed_0 INTEGER NOT NULL,
    speed_1 INTEGER NOT NULL,
    backend TEXT NOT NULL,
    max_frames INTEGER NOT NULL,
    episode TEXT NOT NULL,
    seed INTEGER NOT NULL,
    policy_seed INTEGER,
    player_0 TEXT NOT NULL,
    player_1 TEXT NOT NULL,
    result TEXT NOT NULL CHECK (result IN ('win', 'draw', 'loss', 'stopped')),
    reason TEXT NOT NULL,
    frames INTEGER NOT NULL,
    stats TEXT NOT NULL,
    versions TEXT NOT NULL,
    replay BLOB
) STRICT;
-- The same policies on the same round and with the same draws play the same game: counting it
-- twice would be false evidence. A NULL policy_seed never equals another.
CREATE UNIQUE INDEX distinct_games ON games (
    player_0, player_1, seed, level_0, level_1, speed_0, speed_1, backend, max_frames, episode,
    policy_seed
);
CREATE INDEX games_by_pair ON games (pair);
CREATE TABLE ratings (
    iteration INTEGER NOT NULL REFERENCES iterations (iteration),
    player TEXT NOT NULL,
    elo REAL NOT NULL,
    lower REAL NOT NULL,
    upper REAL NOT NULL,
    kind TEXT NOT NULL,
    games INTEGER NOT NULL,
    PRIMARY KEY (iteration, player)
) STRICT;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""

_GAME_COLUMNS: Final = (
    "purpose, level_0, level_1, speed_0, speed_1, backend, max_frames, episode, seed, player_0, "
    "player_1, result, reason, frames, pair, policy_seed, stats, versions, replay"
)


class Store:
    """An open database; use it as a context manager. One process writes, any number read."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open an existing database.

        Raises:
            StoreError: There is none, it is no database of ours, or of another schema version.
        """
        if not path.is_file():
            raise StoreError(f"expected a database at {path}, found none; is this a run folder?")
        self._path = path
        self._connection = _connect(path, read_only)
        try:
            self._check_schema()
        except BaseException:
            self._connection.close()
            raise

    @classmethod
    def create(cls, path: Path) -> Self:
        """Create an empty database and open it.

        Raises:
            StoreError: The file exists already.
        """
        if path.exists():
            raise StoreError(f"expected no file at {path}, found one; resume the run instead")
        # A kill must not leave a file without tables, so the finished one is renamed into place.
        temporary = path.with_name(f"{TEMPORARY_PREFIX}{path.name}")
        temporary.unlink(missing_ok=True)
        connection = _connect(temporary, read_only=False)
        try:
            connection.executescript(
                f"PRAGMA journal_mode = WAL; PRAGMA application_id = {_APPLICATION_ID};"
                f"BEGIN; {_SCHEMA}"
                f"INSERT INTO meta VALUES ('schema_version', '{SCHEMA_VERSION}'); COMMIT;"
            )
        finally:
            connection.close()
        temporary.rename(path)
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

    def newest_iteration(self) -> IterationRow | None:
        """Return the last finished iteration, or None before the first."""
        row = self._connection.execute(
            "SELECT iteration, env_steps, created FROM iterations ORDER BY iteration DESC LIMIT 1"
        ).fetchone()
        return None if row is None else IterationRow(*row)

    def snapshots(self) -> list[SnapshotRow]:
        """Return all snapshots in the order of their birth."""
        rows = self._connection.execute(
            "SELECT id, role, parent, env_steps, iteration, sha256, created, view "
            "FROM snapshots ORDER BY env_steps, id"
        )
        return [
            SnapshotRow(name, role, parent, steps, iteration, sha256, created, json.loads(view))
            for name, role, parent, steps, iteration, sha256, created, view in rows
        ]

    def ratings(self) -> list[RatingRow]:
        """Return the newest ratings, the highest first."""
        rows = self._connection.execute(
            "SELECT iteration, player, elo, lower, upper, kind, games FROM ratings "
            "WHERE iteration = (SELECT MAX(iteration) FROM ratings) ORDER BY elo DESC, player"
        )
        return [RatingRow(*row) for row in rows]

    def rating_history(self) -> list[tuple[int, RatingRow]]:
        """Return all ratings ever recorded with the env steps of their iteration, oldest first."""
        rows = self._connection.execute(
            "SELECT env_steps, iteration, player, elo, lower, upper, kind, games "
            "FROM ratings JOIN iterations USING (iteration) ORDER BY iteration, player"
        )
        return [(row[0], RatingRow(*row[1:])) for row in rows]

    def next_pair(self) -> int:
        """Return a pair number that no recorded game has; higher ones are free as well."""
        (newest,) = self._connection.execute("SELECT MAX(pair) FROM games").fetchone()
        return 0 if newest is None else int(newest) + 1

    def count_games(self, purpose: Purpose | None = None) -> int:
        """Return the number of recorded games, of one purpose or of all."""
        (count,) = self._connection.execute(
            "SELECT COUNT(*) FROM games WHERE ?1 IS NULL OR purpose = ?1", (purpose,)
        ).fetchone()
        return int(count)

    def games(self, purpose: Purpose) -> Iterator[tuple[int, GameRow]]:
        """Yield the games of one purpose with their ids, oldest first."""
        rows = self._connection.execute(
            f"SELECT id, {_GAME_COLUMNS} FROM games WHERE purpose = ? ORDER BY id", (purpose,)
        )
        for game_id, *values in rows:
            yield game_id, _read_game(values)

    def count_results(self, purpose: Purpose) -> list[ResultCount]:
        """Return the number of games by seating and result."""
        rows = self._connection.execute(
            "SELECT player_0, player_1, result, COUNT(*) FROM games WHERE purpose = ? "
            "GROUP BY player_0, player_1, result ORDER BY player_0, player_1, result",
            (purpose,),
        )
        return [ResultCount((a, b), result, games) for a, b, result, games in rows]

    def pairs(self, purpose: Purpose) -> list[PairRow]:
        """Return all complete pairs, in the order of their numbers."""
        rows = self._connection.execute(
            "SELECT one.pair, one.player_0, one.player_1, one.result, two.result "
            "FROM games AS one JOIN games AS two ON two.pair = one.pair AND two.id > one.id "
            "WHERE one.purpose = ? AND two.player_0 = one.player_1 ORDER BY one.pair",
            (purpose,),
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

    def _check_schema(self) -> None:
        try:
            (application,) = self._connection.execute("PRAGMA application_id").fetchone()
            row = self._connection.execute(
                "SELECT value FROM meta WHERE key = 'schema_version'"
            ).fetchone()
        except sqlite3.Error as error:
            raise StoreError(f"expected a league database at {self._path}: {error}") from error
        if application != _APPLICATION_ID or row is None:
            raise StoreError(f"expected a league database at {self._path}, got a foreign one")
        if row[0] != str(SCHEMA_VERSION):
            raise StoreError(
                f"expected schema version {SCHEMA_VERSION}, got {row[0]} in {self._path}; "
                "use the version of pill-league that wrote it"
            )


def _connect(path: Path, read_only: bool) -> sqlite3.Connection:
    mode = "ro" if read_only else "rwc"
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
        )
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
    except sqlite3.Error as error:
        raise StoreError(f"expected a league database at {path}: {error}") from error
    return connection


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


def _read_game(values: Sequence[Any]) -> GameRow:
    """Return the record of a row in the order of `_GAME_COLUMNS`."""
    purpose, level_0, level_1, speed_0, speed_1, backend, max_frames, episode, *rest = values
    seed, player_0, player_1, result, reason, frames, pair, policy_seed, *tail = rest
    stats, versions, replay = tail
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
        stats=json.loads(stats),
        versions=json.loads(versions),
        replay=replay,
    )
