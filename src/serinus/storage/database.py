"""One SQL database, opened the way that this project needs it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from serinus.errors import StoreUnavailable

BUSY_TIMEOUT_MS = 2_000


class Database:
    """Connections to `url` (``sqlite+aiosqlite:///file.db``; ``sqlite+aiosqlite://`` lives in memory).

    Reads and writes are told apart because SQLite wants to know: a write transaction begins with
    ``BEGIN IMMEDIATE``, so that two writers queue instead of failing half-way (https://sqlite.org/lang_transaction.html).
    Every driver error leaves as `StoreUnavailable`, except a broken constraint, which is the caller's to understand.
    """

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.engine = _engine(url)

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
        """Bring the tables of `package` (which holds Alembic's `versions/`) up to date; each package keeps its own version table."""
        async with self.write() as connection:
            await connection.run_sync(_upgrade, package)

    async def close(self) -> None:
        await self.engine.dispose()


class _translated_errors:  # noqa: N801 - reads as a verb where it is used
    def __enter__(self) -> None: ...

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        from sqlalchemy.exc import IntegrityError

        if isinstance(error, PoolTimeout) or (isinstance(error, DBAPIError) and not isinstance(error, IntegrityError)):
            raise StoreUnavailable(
                f"the store does not answer: {error.orig if isinstance(error, DBAPIError) else error}"
            ) from error


def _engine(url: str) -> AsyncEngine:
    parsed = make_url(url)
    in_memory = parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:")
    options: dict[str, Any] = {"poolclass": StaticPool} if in_memory else {"pool_timeout": 5}
    engine = create_async_engine(parsed, **options)
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine.sync_engine, "connect", _configure_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not open transactions of its own
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("serinus_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _upgrade(connection: Connection, package: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(files(package)))
    config.attributes["connection"] = connection
    config.attributes["version_table"] = package.replace(".", "_") + "_version"
    command.upgrade(config, "head")
