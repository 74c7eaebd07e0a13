"""One SQL database, opened the way that this project needs it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import URL, Connection
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from serinus.errors import InvalidInput, Problem, StoreUnavailable, Unreadable
from serinus.storage.sqlite import NoTurn, Turns, Workers, open_sqlite

POOL_TIMEOUT_SECONDS = 5.0


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
        self._workers = Workers()
        self._turns = Turns(self.url.database if self.url.get_backend_name() == "sqlite" else None)
        if self.url.get_backend_name() == "sqlite":
            self.engine = open_sqlite(self.url, self._workers, POOL_TIMEOUT_SECONDS)
        else:
            self.engine = _open(self.url)

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
            async with self._turns.next(), self.engine.connect() as connection:
                await connection.execution_options(serinus_writes=True)
                async with connection.begin():
                    yield connection

    async def migrate(self, package: str) -> None:
        """Bring the tables of `package`, which holds Alembic's `versions/`, up to date.

        Each package keeps its own version table. Raises `Unreadable` when a later version has made the tables.
        """
        async with (
            self.write() as connection
        ):  # SQLite's write lock also keeps two migrations apart in Alembic's globals
            try:
                await connection.run_sync(_upgrade, package)
            except CommandError as error:
                raise Unreadable(f"the tables of {package} are a later version's: {error}") from error

    async def close(self) -> None:
        await self.engine.dispose()
        await self._workers.end()


def _open(url: URL) -> AsyncEngine:
    """Raises `InvalidInput` when the driver that `url` names is not installed."""
    try:
        return create_async_engine(url, pool_timeout=POOL_TIMEOUT_SECONDS)
    except ModuleNotFoundError as error:
        raise InvalidInput(Problem("database_url", f"needs the package {error.name}: pip install it")) from error


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except (DBAPIError, PoolTimeout, NoTurn) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise StoreUnavailable(f"the store does not answer: {cause}") from error


def _upgrade(connection: Connection, package: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(files(package)))
    config.attributes["connection"] = connection
    config.attributes["version_table"] = package.replace(".", "_") + "_version"
    command.upgrade(config, "head")
