"""The database file of a run: its tables, and how it is created, opened and checked.

A file that is damaged, foreign, of another version, or that holds a trigger or a view of somebody
else's, is refused by name before anything is read from it.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from league.durable import delete, explain_refusal, name_temporary, publish_file, sync_folder
from league.errors import StoreError

SCHEMA_VERSION: Final = 1
_APPLICATION_ID: Final = 0x50494C4C
"""Marks the file as ours ("PILL") in SQLite's own header."""
_BUSY_SECONDS: Final = 10.0
"""How long a reader waits for a writer to finish."""

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


def create_database(path: Path) -> None:
    """Create an empty database, which appears at `path` when it is complete.

    Raises:
        StoreError: The file exists already, or cannot be written.
    """
    if path.exists():
        raise StoreError(f"expected no file at {path}, found one; resume the run instead")
    # A journal that a kill left would be played into the new file of the same name.
    delete(name_temporary(path).with_name(f"{name_temporary(path).name}-journal"))
    with publish_file(path) as temporary:
        connection = _connect(temporary, "rwc")
        try:
            # WAL mode comes last: tables in it would be left out, without an error, if the disk
            # had no room for them when the file is closed.
            connection.executescript(
                f"BEGIN; PRAGMA application_id = {_APPLICATION_ID}; {_SCHEMA}"
                f"INSERT INTO meta VALUES ('schema_version', '{SCHEMA_VERSION}'); COMMIT;"
                "PRAGMA journal_mode = WAL;"
            )
        except sqlite3.Error as error:
            raise StoreError(f"expected to create a database at {path}: {error}") from error
        finally:
            connection.close()


def open_database(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Open an existing database after checking that it is one of ours, whole if it is to grow.

    Raises:
        StoreError: There is none, or it is damaged, foreign or of another version.
    """
    if not path.is_file():
        raise StoreError(f"expected a database at {path}, found none; is this a run folder?")
    connection = _connect(path, "ro" if read_only else "rw")
    try:
        _check_schema(connection, path)
        if not read_only:
            _check_pages(connection, path)
            # A kill may have come between the creation of the file and the syncing of its name.
            with explain_refusal(path):
                sync_folder(path.parent)
    except sqlite3.Error as error:
        connection.close()
        raise StoreError(f"expected a league database at {path}: {error}") from error
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
        )
        connection.execute("PRAGMA foreign_keys = ON")
        # Every commit waits until its pages are on the disk.
        connection.execute("PRAGMA synchronous = FULL")
    except sqlite3.Error as error:
        raise StoreError(f"expected a league database at {path}: {error}") from error
    return connection


def _check_schema(connection: sqlite3.Connection, path: Path) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    row = connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
    if application != _APPLICATION_ID or row is None:
        raise StoreError(f"expected a league database at {path}, got a foreign one")
    if row[0] != str(SCHEMA_VERSION):
        raise StoreError(
            f"expected schema version {SCHEMA_VERSION}, got {row[0]} in {path}; "
            "use the version of pill-league that wrote it"
        )
    with sqlite3.connect(":memory:") as ours:
        ours.executescript(_SCHEMA)
        expected = _list_schema(ours)
    ours.close()
    # A trigger would run at our next insert, so nothing but our own tables is accepted.
    wrong = sorted({name for name, _ in _list_schema(connection) ^ expected})
    if wrong:
        raise StoreError(
            f"expected the tables of schema version {SCHEMA_VERSION} and nothing else in {path}, "
            f"got a difference in {', '.join(wrong)}; the file was changed by another program"
        )


def _list_schema(connection: sqlite3.Connection) -> set[tuple[str, str | None]]:
    return set(connection.execute("SELECT name, sql FROM sqlite_schema"))


def _check_pages(connection: sqlite3.Connection, path: Path) -> None:
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise StoreError(
            f"expected an undamaged database at {path}, got: {' '.join(found.split())}; put back "
            "a copy of the run folder; its snapshots can still be played by their ids"
        )
