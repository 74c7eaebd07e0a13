"""SQLite as this project opens it: write-ahead log, `BEGIN IMMEDIATE`, and an eye on the file."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from threading import Thread
from types import MappingProxyType
from typing import Any, ClassVar, cast
from urllib.parse import quote
from weakref import WeakKeyDictionary, WeakSet

from sqlalchemy import URL, ColumnElement, Double, event, literal_column
from sqlalchemy import Connection as SyncConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from serinus.errors import StoreUnavailable
from serinus.storage.clock import elapsed
from serinus.storage.sqlite_trips import Connection

LOOK_SECONDS = 0.05
CHECK_SECONDS = 5.0
NOTHING: frozenset[str] = frozenset()
BUSY_TIMEOUT_SECONDS = "2"
JOIN_SECONDS = 2.0
TURN_SECONDS = 5.0
PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON")
ONE_CONNECTION: dict[str, Any] = {"poolclass": AsyncAdaptedQueuePool, "pool_size": 1, "max_overflow": 0}


class Workers:
    """The threads of the connections: aiosqlite has one for each."""

    def __init__(self) -> None:
        self._threads: WeakSet[Thread] = WeakSet()

    def connect(self, database: str, **options: Any) -> Connection:
        """What SQLAlchemy would do, and remember the thread."""
        connection = Connection(partial(sqlite3.connect, database, **options))
        thread = connection._thread  # noqa: SLF001 - SQLAlchemy sets its `daemon` just so; there is no public way
        thread.daemon = True
        self._threads.add(thread)
        return connection

    async def end(self) -> None:
        """A connection that failed or was cancelled ends in the background; its last word needs the event loop."""
        for thread in list(self._threads):
            await asyncio.to_thread(thread.join, JOIN_SECONDS)


class NoTurn(Exception):
    """The writers before took longer than anybody should wait."""


class Turns:
    """Lets the writers of this process to one file take turns, in the order in which they come.

    SQLite lets a writer that finds the file locked sleep and try again, which is unfair: among many, one that is
    unlucky gives up after the time-out although the file was free most of the time. Between processes that
    remains; within one, only one writer at a time asks SQLite. Without a `path` nobody waits.
    """

    _queues: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Lock]]] = WeakKeyDictionary()

    def __init__(self, path: str | None) -> None:
        self._path = path

    @asynccontextmanager
    async def next(self) -> AsyncIterator[None]:
        """One's turn; raises `NoTurn` when it does not come within `TURN_SECONDS`."""
        if self._path is None:
            yield
            return
        queue = self._queues.setdefault(asyncio.get_running_loop(), {}).setdefault(self._path, asyncio.Lock())
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await queue.acquire()
        except TimeoutError as error:
            raise NoTurn("database is locked: too many writers are waiting") from error
        try:
            yield
        finally:
            queue.release()


class SQLite:
    """Connections to a file, or to one database in memory.

    ``?timeout=0.5`` of the URL says how many seconds to wait for a lock (2). Migrations are kept apart by the write
    lock that every writer takes.
    """

    glance_options: Mapping[str, Any] = MappingProxyType({"serinus_begin": None})
    read_options: Mapping[str, Any] = MappingProxyType({"serinus_begin": "BEGIN"})
    write_options: Mapping[str, Any] = MappingProxyType({"serinus_begin": "BEGIN IMMEDIATE"})
    failures: tuple[type[Exception], ...] = (NoTurn,)
    now: ColumnElement[float] = literal_column("(julianday('now') - 2440587.5) * 86400.0", Double)

    def __init__(self, url: URL, pool_timeout: float) -> None:
        self._path = str(Path(url.database).absolute()) if url.database and url.database != ":memory:" else None
        self._workers = Workers()
        self._turns = Turns(self._path)
        self.engine = _open(url, self._workers, pool_timeout)

    def turn(self) -> AbstractAsyncContextManager[None]:
        """One writer of this process after the other; raises `NoTurn`."""
        return self._turns.next()

    def migrating(self) -> AsyncEngine:
        return self.engine

    async def lock_tables(self, connection: AsyncConnection) -> None:
        """`BEGIN IMMEDIATE` has done so."""

    async def heard(self) -> AsyncIterator[frozenset[str]]:
        """Nothing in particular: at the beginning, when another connection has changed the file, and in quiet times.

        Raises `StoreUnavailable` when the file is not there any more. A database in memory has one process only.
        """
        if self._path is None:
            while True:
                yield NOTHING
                await asyncio.sleep(CHECK_SECONDS)
        path, seen, quiet_until = self._path, -1, 0.0
        try:
            address = f"file:{quote(path)}?mode=rw"  # or a missing file would be made
            async with self._workers.connect(address, uri=True, isolation_level=None) as watching:
                identity = _identity(path)
                while _identity(path) == identity:
                    [(version,)] = await watching.execute_fetchall("PRAGMA data_version")
                    if version != seen or elapsed() >= quiet_until:
                        seen, quiet_until = version, elapsed() + CHECK_SECONDS
                        yield NOTHING
                    await asyncio.sleep(LOOK_SECONDS)
        except sqlite3.Error as error:
            raise StoreUnavailable(f"the store does not answer: {error}") from error
        raise StoreUnavailable(f"the store does not answer: {path} was replaced")

    async def close(self) -> None:
        await self.engine.dispose()
        await self._workers.end()


def _open(url: URL, workers: Workers, pool_timeout: float) -> AsyncEngine:
    """A database in memory has one connection: another would be another database."""
    options: dict[str, Any] = {"connect_args": {"async_creator_fn": workers.connect}, "pool_timeout": pool_timeout}
    if url.database in (None, "", ":memory:"):
        engine = create_async_engine(url, **options, **ONE_CONNECTION)
    else:
        engine = create_async_engine(
            url.update_query_dict({"timeout": BUSY_TIMEOUT_SECONDS} | dict(url.query)), **options
        )
        event.listen(engine.sync_engine, "checkout", _refuse_a_replaced_file)
    event.listen(engine.sync_engine, "connect", _configure)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _configure(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # the driver must not open transactions of its own
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.execute("PRAGMA database_list")
    path = cursor.fetchone()[2]
    record.info["file"] = (path, _identity(path))
    cursor.close()


def _refuse_a_replaced_file(_connection: Any, record: Any, _proxy: object) -> None:
    """SQLite goes on writing into a file that was deleted or replaced: such a connection must be opened anew."""
    path, identity = record.info["file"]
    if _identity(path) != identity:
        raise DisconnectionError(f"{path} is not the file any more that this connection opened")


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - on every checkout; a tenth of pathlib's time
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _begin(connection: SyncConnection) -> None:
    if begin := connection.get_execution_options().get("serinus_begin", "BEGIN"):
        cast("Connection", connection.connection.driver_connection).begin_with(begin)
