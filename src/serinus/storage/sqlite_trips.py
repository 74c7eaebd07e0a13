"""A connection to SQLite lives in a thread of its own, and every trip there costs.

One for a statement, where aiosqlite takes four; the statement that begins a transaction goes along with the first one
in it, and where nothing was begun nothing is undone.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any, Self, TypeVar

import aiosqlite

ROWS_AT_ONCE = 256
T = TypeVar("T")


class Connection(aiosqlite.Connection):
    """As SQLAlchemy uses it: every statement has a cursor of its own.

    One that is given up while `connect` is under way is closed none the less.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(self._open, ROWS_AT_ONCE)
        self._connect_there = connect
        self._opened: sqlite3.Connection | None = None
        self._beginning: str | None = None

    def begin_with(self, statement: str) -> None:
        """`statement` goes ahead of the next one; what it raises is raised there."""
        self._beginning = statement

    async def commit(self) -> None:
        if self._beginning is None:
            await super().commit()
        self._beginning = None

    async def rollback(self) -> None:
        """The thread is at rest: a connection whose statement was given up on the way is closed by SQLAlchemy."""
        self._beginning = None
        if self.in_transaction:
            await super().rollback()

    def stop(self) -> asyncio.Future[Any] | None:
        self._tx.put_nowait((None, self._close))
        return super().stop()

    def _open(self) -> sqlite3.Connection:
        self._opened = self._connect_there()
        return self._opened

    def _close(self) -> None:
        if self._opened is not None:
            self._opened.close()

    def cursor(self) -> "Cursor":  # type: ignore[override]  # made without a trip, there is nothing to wait for
        return Cursor(self)

    async def run(self, method: str, sql: str, parameters: Any) -> tuple[sqlite3.Cursor, list[Any], bool]:
        beginning, self._beginning = self._beginning, None
        return await self.there(_run, self._conn, beginning, method, sql, parameters)

    async def there(self, work: Callable[..., T], *arguments: Any) -> T:
        """What `work` returns in the connection's thread."""
        result: T = await self._execute(work, *arguments)  # type: ignore[no-untyped-call]  # aiosqlite names no types
        return result


class Cursor:
    """Brings the first rows along when it executes, and is closed there and then if those are all.

    To close it where the thread is not would wait, and everybody with it, for what the thread is at.
    """

    def __init__(self, connection: Connection) -> None:
        self.arraysize = 1
        self._connection = connection
        self._cursor: sqlite3.Cursor
        self._rows: list[Any] = []
        self._is_over = True

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Any = ()) -> None:
        self._cursor, self._rows, self._is_over = await self._connection.run("execute", sql, parameters)

    async def executemany(self, sql: str, parameters: Any) -> None:
        self._cursor, self._rows, self._is_over = await self._connection.run("executemany", sql, parameters)

    async def fetchone(self) -> Any:
        return next(iter(await self.fetchmany(1)), None)

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        wanted = size or self.arraysize
        if len(self._rows) < wanted and not self._is_over:
            missing = max(ROWS_AT_ONCE, wanted - len(self._rows))
            more, self._is_over = await self._connection.there(_go_on, self._cursor, missing)
            self._rows += more
        taken, self._rows = self._rows[:wanted], self._rows[wanted:]
        return taken

    async def fetchall(self) -> list[Any]:
        if not self._is_over:
            self._rows += await self._connection.there(_end, self._cursor)
            self._is_over = True
        taken, self._rows = self._rows, []
        return taken

    async def close(self) -> None:
        if not self._is_over:
            await self._connection.there(self._cursor.close)
            self._is_over = True

    @property
    def description(self) -> Any:
        return self._cursor.description

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._cursor.lastrowid


def _run(
    connection: sqlite3.Connection, beginning: str | None, method: str, sql: str, parameters: Any
) -> tuple[sqlite3.Cursor, list[Any], bool]:
    cursor = connection.cursor()
    if beginning is not None:
        cursor.execute(beginning)
    getattr(cursor, method)(sql, parameters)
    return cursor, *_go_on(cursor, ROWS_AT_ONCE)


def _go_on(cursor: sqlite3.Cursor, size: int) -> tuple[list[Any], bool]:
    """The next rows, and whether there are no more."""
    rows = cursor.fetchmany(size) if cursor.description else []
    if is_over := len(rows) < size:
        cursor.close()
    return rows, is_over


def _end(cursor: sqlite3.Cursor) -> list[Any]:
    """All rows that are left."""
    rows = cursor.fetchall()
    cursor.close()
    return rows
