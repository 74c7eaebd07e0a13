"""One SQL database, opened the way that this project needs it."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from functools import cache
from importlib.resources import files
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import ColumnElement, Connection
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from serinus.errors import StoreUnavailable, Unreadable
from serinus.storage.postgresql import PostgreSQL
from serinus.storage.sqlite import SQLite

POOL_TIMEOUT_SECONDS = 5.0
_alembic: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
"""Alembic works by way of globals: one migration at a time, whatever the database."""


class Backend(Protocol):
    """What is different between databases."""

    engine: AsyncEngine
    glance_options: Mapping[str, Any]
    read_options: Mapping[str, Any]
    write_options: Mapping[str, Any]
    failures: tuple[type[Exception], ...]
    now: ColumnElement[float]

    def turn(self) -> AbstractAsyncContextManager[None]: ...
    def migrating(self) -> AsyncEngine: ...
    async def lock_tables(self, connection: AsyncConnection) -> None: ...
    def heard(self) -> AsyncIterator[frozenset[str]]: ...
    async def close(self) -> None: ...


class Database:
    """Connections to `url`: ``sqlite+aiosqlite:///file.db``, or ``postgresql+asyncpg://user:password@host/name``.

    Reads and writes are told apart: all that one `read` asks for is of one instant, and in SQLite a write begins with
    ``BEGIN IMMEDIATE``, so that two writers queue instead of failing half-way (https://sqlite.org/lang_transaction.html).
    SQLite's ``synchronous=NORMAL`` in WAL mode survives the death of the process at any instant; a power failure may
    cost the last transactions, and leaves what came before them.
    Every driver error leaves as `StoreUnavailable`, except a broken constraint, which is the caller's to understand.
    """

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        kind: type[SQLite | PostgreSQL] = SQLite if self.url.get_backend_name() == "sqlite" else PostgreSQL
        self._backend: Backend = kind(self.url, POOL_TIMEOUT_SECONDS)
        self._glancing = self.engine.execution_options(**self._backend.glance_options)
        self._reading = self.engine.execution_options(**self._backend.read_options)
        self._writing = self.engine.execution_options(**self._backend.write_options)
        self._failures: tuple[type[Exception], ...] = (DBAPIError, PoolTimeout, *self._backend.failures)

    @property
    def engine(self) -> AsyncEngine:
        return self._backend.engine

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[AsyncConnection]:
        """A connection for one query: without a transaction around it there is one trip in the place of two."""
        with self._translated_errors():
            async with self._glancing.connect() as connection:
                yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection whose reads see one consistent state."""
        with self._translated_errors():
            async with self._reading.connect() as connection:
                yield connection

    @asynccontextmanager
    async def write_once(self) -> AsyncIterator[AsyncConnection]:
        """A connection for one statement, which is committed as soon as it has run: one trip in the place of two."""
        with self._translated_errors():
            async with self._backend.turn(), self._glancing.connect() as connection:
                yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: committed at the end of the block, undone when the block raises."""
        async with self._writing_with(self._writing) as connection:
            yield connection

    async def migrate(self, package: str) -> None:
        """Bring the tables of `package`, which holds Alembic's `versions/`, up to date.

        Each package keeps its own version table. Raises `Unreadable` when a later version has made the tables.
        """
        lock = _alembic.setdefault(asyncio.get_running_loop(), asyncio.Lock())
        async with lock:
            async with self.read() as connection:  # which waits for nobody, and for no silent server without end
                if await connection.run_sync(_is_up_to_date, package):
                    return
            engine = self._backend.migrating().execution_options(**self._backend.write_options)
            async with self._writing_with(engine) as connection:
                await self._backend.lock_tables(connection)
                try:
                    await connection.run_sync(_upgrade, package)
                except CommandError as error:
                    raise Unreadable(f"the tables of {package} are a later version's: {error}") from error

    @property
    def now(self) -> ColumnElement[float]:
        """The database's own clock, in epoch seconds."""
        return self._backend.now

    def heard(self) -> AsyncIterator[frozenset[str]]:
        """Come by when another process may have stored something, at the beginning and every few seconds.

        Says in which tables, as far as the database tells; an empty set means that one has to look.

        Raises `StoreUnavailable`, after which things may have been missed.
        """
        return self._backend.heard()

    async def close(self) -> None:
        await self._backend.close()

    @asynccontextmanager
    async def _writing_with(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        with self._translated_errors():
            async with self._backend.turn(), engine.begin() as connection:
                yield connection

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except self._failures as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            raise StoreUnavailable(f"the store does not answer: {str(cause) or type(cause).__name__}") from error


def _is_up_to_date(connection: Connection, package: str) -> bool:
    context = MigrationContext.configure(connection, opts={"version_table": _version_table(package)})
    return set(context.get_current_heads()) == _heads(package)


@cache
def _heads(package: str) -> frozenset[str]:
    return frozenset(ScriptDirectory(str(files(package))).get_heads())


def _upgrade(connection: Connection, package: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(files(package)))
    config.attributes["connection"] = connection
    config.attributes["version_table"] = _version_table(package)
    command.upgrade(config, "head")


def _version_table(package: str) -> str:
    return package.replace(".", "_") + "_version"
