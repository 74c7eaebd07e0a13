"""PostgreSQL as this project opens it: impatient connections, consistent reads, and an ear for other processes."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from types import MappingProxyType
from typing import Any

from sqlalchemy import URL, ColumnElement, Double, cast, event, func, text
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from serinus.errors import InvalidInput, Problem, StoreUnavailable

CHANNEL = "serinus"
"""The tables' triggers notify on it (migration 0004)."""
TIMEOUT_SECONDS = 10.0
PATIENCE = 1.5
"""How many times the server's own limit the client waits: the server's refusal says more than our silence."""
CHECK_SECONDS = 5.0
NOTHING: frozenset[str] = frozenset()
POOL_SIZE = 5
MIGRATION_LOCK = 0x5E71_4135


class PostgreSQL:
    """Connections to a server, each of which gives a statement up after ``?timeout=`` seconds of the URL (10).

    The server ends transactions that a process leaves open, so that one that is stopped in the middle of a transaction
    does not keep its locks.
    """

    glance_options: Mapping[str, Any] = MappingProxyType({"isolation_level": "AUTOCOMMIT"})
    read_options: Mapping[str, Any] = MappingProxyType(
        {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    )
    write_options: Mapping[str, Any] = MappingProxyType({})
    failures: tuple[type[Exception], ...] = (OSError, TimeoutError)
    now: ColumnElement[float] = cast(func.extract("epoch", func.clock_timestamp()), Double)

    def __init__(self, url: URL, pool_timeout: float) -> None:
        try:
            import asyncpg  # type: ignore[import-untyped]  # an extra: who stays on SQLite does not need it
        except ModuleNotFoundError as error:
            raise InvalidInput(Problem("database_url", f"needs the package {error.name}: pip install it")) from error
        self._errors = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
        self._seconds = _seconds(url)
        self._url = url.difference_update_query(["timeout"])
        self.engine = self._open(self._limits(), pool_size=POOL_SIZE, max_overflow=POOL_SIZE, pool_timeout=pool_timeout)

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Writers need not take turns here."""
        return nullcontext()

    def migrating(self) -> AsyncEngine:
        """Connections without limits: to rewrite a large table takes what it takes."""
        return self._open({"timeout": self._seconds}, poolclass=NullPool)

    async def lock_tables(self, connection: AsyncConnection) -> None:
        """Keep other migrations of this database waiting until the transaction ends."""
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})

    async def heard(self) -> AsyncIterator[frozenset[str]]:
        """What any process has just stored, as the triggers name it; nothing at the beginning and in quiet times.

        Raises `StoreUnavailable` when the connection is lost, after which things may have been missed.
        """
        import asyncpg

        _, arguments = self.engine.dialect.create_connect_args(self._url)
        arguments = {name: value for name, value in arguments.items() if not name.startswith("prepared_statement")}
        try:
            connection = await asyncpg.connect(**arguments | self._limits())
            try:
                async with aclosing(_told(connection)) as told:
                    async for topics in told:
                        yield topics
            finally:
                connection.terminate()
        except self._errors as error:
            raise StoreUnavailable(f"the store does not answer: {str(error) or type(error).__name__}") from error
        raise StoreUnavailable("the store does not answer: the connection was closed")

    async def close(self) -> None:
        await self.engine.dispose()

    def _limits(self) -> dict[str, Any]:
        milliseconds = f"{self._seconds * 1_000:.0f}"
        limited = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        return {
            "timeout": self._seconds,
            "command_timeout": self._seconds * PATIENCE,
            "server_settings": {"application_name": "serinus"} | dict.fromkeys(limited, milliseconds),
        }

    def _open(self, arguments: dict[str, Any], **options: Any) -> AsyncEngine:
        engine = create_async_engine(self._url, connect_args=arguments, **options)
        event.listen(engine.sync_engine, "checkout", _refuse_a_closed_connection)
        event.listen(engine.sync_engine, "handle_error", _give_up_what_is_silent)
        return engine


def _seconds(url: URL) -> float:
    try:
        seconds = float(str(url.query.get("timeout", TIMEOUT_SECONDS)))
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise InvalidInput(Problem("database_url", "has a timeout that is no number of seconds; write ?timeout=10"))
    return seconds


async def _told(connection: Any) -> AsyncGenerator[frozenset[str], None]:
    """The payloads that arrive, and nothing when none did for a while; until the connection is closed."""
    arrived: asyncio.Queue[str] = asyncio.Queue()
    connection.add_termination_listener(lambda _: arrived.put_nowait(""))
    await connection.add_listener(CHANNEL, lambda *notice: arrived.put_nowait(notice[-1]))
    yield NOTHING
    while not connection.is_closed():
        try:
            async with asyncio.timeout(CHECK_SECONDS):  # `wait_for` of Python 3.11 may swallow a cancellation
                topics = {await arrived.get()}
            while not arrived.empty():
                topics.add(arrived.get_nowait())
            yield frozenset(topics)
        except TimeoutError:
            await connection.fetchval("SELECT 1")  # a line that was cut in the middle says nothing by itself
            yield NOTHING


def _refuse_a_closed_connection(connection: Any, _record: object, _proxy: object) -> None:
    """So that a server that was away costs nobody a failed transaction; to ask it first would cost each one a trip."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError("the server has closed this connection")


def _give_up_what_is_silent(context: ExceptionContext) -> None:
    """A statement without an answer may still be running: nothing else can be asked on its connection."""
    if isinstance(context.original_exception, TimeoutError | OSError):
        context.is_disconnect = True
