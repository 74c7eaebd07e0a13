"""One SQL database, opened the way that this project needs it."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.resources import files
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from serinus.errors import StoreUnavailable

BUSY_TIMEOUT_SECONDS = "2"
ONE_CONNECTION: dict[str, Any] = {"poolclass": AsyncAdaptedQueuePool, "pool_size": 1, "max_overflow": 0}
POOL_TIMEOUT_SECONDS = 5


class Database:
    """Connections to `url` (``sqlite+aiosqlite:///file.db``; ``sqlite+aiosqlite://`` lives in memory).

    Reads and writes are told apart because SQLite wants to know: a write transaction begins with
    ``BEGIN IMMEDIATE``, so that two writers queue instead of failing half-way (https://sqlite.org/lang_transaction.html).
    SQLite's ``synchronous=NORMAL`` in WAL mode survives the death of the process at any instant; a power failure may
    cost the last transactions, and leaves what came before them.
    Every driver error leaves as `StoreUnavailable`, except a broken constraint, which is the caller's to understand.
    """

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.engine = _engine(self.url)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection whose reads see one consistent state."""
        with _translated_errors():
            async with self.engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: committed at the end of the block, undone when the block raises."""
        with _translated_errors():
            async with self.engine.connect() as connection:
                await connection.execution_options(serinus_writes=True)
                async with connection.begin():
                    yield connection

    async def migrate(self, package: str) -> None:
        """Bring the tables of `package`, which holds Alembic's `versions/`, up to date.

        Each package keeps its own version table.
        """
        async with (
            self.write() as connection
        ):  # SQLite's write lock also keeps two migrations apart in Alembic's globals
            await connection.run_sync(_upgrade, package)

    async def close(self) -> None:
        await self.engine.dispose()


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except (DBAPIError, PoolTimeout) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise StoreUnavailable(f"the store does not answer: {cause}") from error


def _engine(url: URL) -> AsyncEngine:
    if url.get_backend_name() != "sqlite":
        return create_async_engine(url, pool_timeout=POOL_TIMEOUT_SECONDS)
    if url.database in (None, "", ":memory:"):
        # another connection would be another database
        engine = create_async_engine(url, pool_timeout=POOL_TIMEOUT_SECONDS, **ONE_CONNECTION)
    else:
        engine = create_async_engine(_with_busy_timeout(url), pool_timeout=POOL_TIMEOUT_SECONDS)
        event.listen(engine.sync_engine, "checkout", _refuse_a_replaced_file)
    event.listen(engine.sync_engine, "connect", _configure_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _with_busy_timeout(url: URL) -> URL:
    return url.update_query_dict({"timeout": BUSY_TIMEOUT_SECONDS} | dict(url.query))


def _configure_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # the driver must not open transactions of its own
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
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


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("serinus_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _upgrade(connection: Connection, package: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(files(package)))
    config.attributes["connection"] = connection
    config.attributes["version_table"] = package.replace(".", "_") + "_version"
    command.upgrade(config, "head")
