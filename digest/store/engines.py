"""The engines under a `Database`, and what their errors mean for people."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from digest.model import DigestError, NotReady

BUSY_SECONDS = 5.0
NAPS = 3  # milliseconds: SQLite naps for one, then for two
# What the writer keeps at hand, and how often it moves what it wrote from the log into the file. A round of
# new feeds writes pages all over six indexes: with SQLite's own 2 MB and 4 MB it wrote most of them twice.
_ROOM = ("cache_size=-16000", "wal_autocheckpoint=4000")  # kilobytes; pages of 4 KB


def read_url(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise DigestError(
            f"database: {url.split(':')[0]!r} … is no URL we know: sqlite:///file.db or postgresql://…"
        ) from None
    if parsed.drivername in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername != "sqlite":
        raise DigestError(
            f"database: {parsed.drivername}: is not supported; use sqlite:///file.db or postgresql://…"
        )
    if not parsed.database or parsed.database == ":memory:":
        raise DigestError("database: SQLite needs a file, like sqlite:///subscribers.db")
    return parsed.set(drivername="sqlite+aiosqlite")


def _patience(url: URL) -> dict[str, Any]:
    """Driver-level autocommit: we begin transactions ourselves. `?timeout=1` in the URL: seconds to wait."""
    return {"isolation_level": None, "timeout": float(str(url.query.get("timeout", BUSY_SECONDS)))}


def take_turn(connection: sqlite3.Connection) -> None:
    """BEGIN IMMEDIATE, as soon as nobody else writes. Blocking; raises sqlite3.Error after the busy timeout.

    SQLite's own waiting looks ever less often, at last every 100 ms, and so hardly ever sees the short rest
    that a process with much to write makes between two transactions (an import has hundreds). We begin anew
    with its first two naps: then one rest is mostly enough. They are its own and no `time.sleep`, after which
    this thread would wait for Python's lock, up to five milliseconds in a busy process.
    """
    patience = connection.execute("PRAGMA busy_timeout").fetchone()[0]
    deadline = time.monotonic() + patience / 1000
    connection.execute(f"PRAGMA busy_timeout={NAPS}")
    try:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
    finally:
        connection.execute(f"PRAGMA busy_timeout={patience}")


def sqlite_writer(url: URL) -> AsyncEngine:
    # One for the queue, and one that the hot paths keep; they never write at the same time.
    engine = create_async_engine(url, pool_size=2, max_overflow=0, connect_args=_patience(url))
    _set_up(engine, writes=True, pragmas=("foreign_keys=ON", "synchronous=FULL", *_ROOM))
    return engine


def sqlite_readers(url: URL, path: Path) -> AsyncEngine:
    # mode=rw: a file that was taken away is an error, not a new empty database.
    url = url.set(database=f"file:{quote(str(path))}", query={**url.query, "mode": "rw", "uri": "true"})
    engine = create_async_engine(url, pool_size=4, max_overflow=4, connect_args=_patience(url))
    _set_up(engine, writes=False, pragmas=("query_only=ON",))
    return engine


def _set_up(engine: AsyncEngine, *, writes: bool, pragmas: Sequence[str]) -> None:
    @event.listens_for(engine.sync_engine, "do_connect")
    def _try_first(_dialect: object, _record: object, arguments: Any, options: Any) -> None:
        # aiosqlite starts a thread for each connection; that of one which cannot be opened outlives the event
        # loop and complains there. So it is found out here.
        sqlite3.connect(arguments[0], uri=options.get("uri", False)).close()

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        try:
            for pragma in pragmas:
                connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error:
            connection.close()  # nobody else would
            raise

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        if not writes:
            connection.exec_driver_sql("BEGIN")
            return
        adapted: Any = connection.connection.dbapi_connection
        adapted.run_async(lambda driver: driver._execute(take_turn, driver._conn))


def postgresql_engine(url: URL) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=5,
        max_overflow=10,
        pool_timeout=30,
        pool_pre_ping=True,  # the server may have been restarted since
        connect_args={
            key: value
            for key, value in {"connect_timeout": 5, "application_name": "digest"}.items()
            if key not in url.query
        },
    )


# ---------------------------------------------------------------- errors in words

_SQLITE_WORDS = (
    (
        "locked",
        "another process is writing to it and does not end; try again in a moment (database is locked)",
    ),
    ("unable to open", "it cannot be opened: does its folder exist, and may we write there?"),
    ("readonly", "it may only be read: look at the owner and the rights of the file and of its folder"),
    ("disk is full", "the disk is full"),
    ("disk I/O error", "the disk under it is full or failing (disk I/O error)"),
    ("not a database", "the file is not a SQLite database"),
    ("malformed", "the file is damaged (database disk image is malformed); bring back a backup"),
)


def in_words(dialect: str, error: BaseException) -> str:
    """What a driver's error means for whoever runs the service."""
    said = str(error).strip() or type(error).__name__
    if dialect == "sqlite":
        found = (words for fragment, words in _SQLITE_WORDS if fragment in said)
        return next(found, said)
    return f"the server cannot do this now: {' '.join(said.split())}"


def touch_file(path: Path) -> None:
    """Open the database file once, and let go of it. Blocking; raises sqlite3.Error.

    What cannot be opened must fail here: aiosqlite would leave a thread behind that answers to an event loop
    which may be closed by then, and say so in a traceback. A new file is for its owner alone: it will hold
    addresses (SQLite gives its -wal and -shm files the same rights).
    """
    with contextlib.suppress(OSError):  # SQLite says better than we what is wrong with the folder
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS)
    try:
        connection.execute("PRAGMA schema_version").fetchone()
    finally:
        connection.close()


def copy_file(source: Path, target: Path) -> None:
    """A complete copy of a SQLite database in use, in one new file. Blocking; raises NotReady."""
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError as error:
        raise NotReady(f"{target} is there already; a backup never overwrites") from error
    except OSError as error:
        raise NotReady(f"{source} could not be copied to {target}: {error.strerror}") from error
    try:
        connection = sqlite3.connect(f"file:{quote(str(source))}?mode=rw", uri=True, timeout=BUSY_SECONDS)
        try:
            connection.execute("VACUUM INTO ?", (str(target),))
        finally:
            connection.close()
    except sqlite3.Error as error:
        target.unlink(missing_ok=True)
        raise NotReady(f"{source} could not be copied to {target}: {error}") from error
