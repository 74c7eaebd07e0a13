"""A statement is one trip to the thread of its connection, and its rows are all there, however they are fetched."""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from itertools import chain
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from serinus.storage.database import Database
from serinus.storage.sqlite_trips import ROWS_AT_ONCE

COUNTED = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT i FROM n"
NUMBERS = [1, 2, ROWS_AT_ONCE - 1, ROWS_AT_ONCE, ROWS_AT_ONCE + 1, 3 * ROWS_AT_ONCE + 5]


def connected(story: Callable[[AsyncConnection], Awaitable[None]], url: str = "sqlite+aiosqlite://") -> None:
    async def run() -> None:
        database = Database(url)
        try:
            async with database.write() as connection:
                await story(connection)
        finally:
            await database.close()

    asyncio.run(run())


def trips(caplog: pytest.LogCaptureFixture) -> int:
    """Since the last time; aiosqlite notes each in its log."""
    found = sum("executing" in record.message for record in caplog.records)
    caplog.clear()
    return found


@pytest.mark.parametrize("rows", NUMBERS)
def test_all_rows_come_whatever_their_number(rows: int) -> None:
    async def story(connection: AsyncConnection) -> None:
        assert (await connection.scalars(text(COUNTED.format(rows)))).all() == list(range(1, rows + 1))

    connected(story)


@pytest.mark.parametrize("part", [1, 7, ROWS_AT_ONCE, 1_000])
@pytest.mark.parametrize("rows", NUMBERS)
def test_all_rows_come_once_and_in_order_in_parts_of_any_size(rows: int, part: int) -> None:
    async def story(connection: AsyncConnection) -> None:
        streamed = await connection.stream_scalars(text(COUNTED.format(rows)))
        parts = [each async for each in streamed.partitions(part)]
        assert list(chain.from_iterable(parts)) == list(range(1, rows + 1))
        assert {len(each) for each in parts[:-1]} <= {part}

    connected(story)


def test_a_statement_is_one_trip_whether_it_reads_writes_or_fails(caplog: pytest.LogCaptureFixture) -> None:
    async def story(connection: AsyncConnection) -> None:
        await connection.execute(text("CREATE TABLE t (x INTEGER UNIQUE)"))
        caplog.set_level(logging.DEBUG, "aiosqlite")
        await connection.execute(text("INSERT INTO t VALUES (:x)"), [{"x": number} for number in range(9)])
        assert trips(caplog) == 1
        assert (await connection.execute(text("SELECT x FROM t"))).all() == [(number,) for number in range(9)]
        assert trips(caplog) == 1
        changed = await connection.execute(text("UPDATE t SET x = x + 100 WHERE x < 4 RETURNING x"))
        assert sorted(changed.scalars()) == [100, 101, 102, 103]
        assert (await connection.execute(text("DELETE FROM t WHERE x > 100"))).rowcount == 3
        assert trips(caplog) == 2
        with pytest.raises(IntegrityError):
            await connection.execute(text("INSERT INTO t VALUES (100)"))
        assert trips(caplog) == 1

    connected(story)


def test_a_stream_that_is_left_early_holds_nothing_up(tmp_path: Path) -> None:
    async def story(connection: AsyncConnection) -> None:
        await connection.execute(text("CREATE TABLE t (x INTEGER)"))
        await connection.execute(text(f"INSERT INTO t {COUNTED.format(5 * ROWS_AT_ONCE)}"))
        streamed = await connection.stream_scalars(text("SELECT x FROM t"))
        assert await anext(streamed.partitions(3)) == [1, 2, 3]
        await streamed.close()
        await connection.execute(text("DROP TABLE t"))  # SQLite refuses while somebody reads it

    connected(story, f"sqlite+aiosqlite:///{tmp_path / 'some.db'}")


def test_a_transaction_begins_with_its_first_statement_and_where_nothing_began_nothing_is_undone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def run() -> None:
        database = Database("sqlite+aiosqlite://")
        async with database.write() as connection:
            await connection.execute(text("CREATE TABLE t (x INTEGER UNIQUE)"))
        caplog.set_level(logging.DEBUG, "aiosqlite")
        async with database.write() as connection:
            await connection.execute(text("INSERT INTO t VALUES (1)"))
        assert trips(caplog) == len(["BEGIN IMMEDIATE; INSERT", "COMMIT"])
        async with database.read() as connection:
            assert await connection.scalar(text("SELECT x FROM t")) == 1
        assert trips(caplog) == len(["BEGIN; SELECT", "ROLLBACK"])
        async with database.glance() as connection:
            assert await connection.scalar(text("SELECT x FROM t")) == 1
        assert trips(caplog) == len(["SELECT"])
        async with database.write_once() as connection:
            await connection.execute(text("INSERT INTO t VALUES (2)"))
        assert trips(caplog) == len(["INSERT"])
        async with database.write():
            pass
        assert trips(caplog) == 0
        await database.close()

    asyncio.run(run())


def test_what_is_written_at_once_is_there_for_others_before_the_connection_is_given_back(tmp_path: Path) -> None:
    async def run() -> None:
        database = Database(f"sqlite+aiosqlite:///{tmp_path / 'some.db'}")
        async with database.write() as connection:
            await connection.execute(text("CREATE TABLE t (x INTEGER)"))
        async with database.write_once() as connection:
            await connection.execute(text("INSERT INTO t VALUES (1)"))
            with closing(sqlite3.connect(tmp_path / "some.db")) as other:
                assert other.execute("SELECT x FROM t").fetchall() == [(1,)]
        await database.close()

    asyncio.run(run())


def test_a_write_whose_only_statement_fails_leaves_no_transaction_open(tmp_path: Path) -> None:
    async def run() -> None:
        database = Database(f"sqlite+aiosqlite:///{tmp_path / 'some.db'}?timeout=0.1")
        async with database.write() as connection:
            await connection.execute(text("CREATE TABLE t (x INTEGER UNIQUE)"))
            await connection.execute(text("INSERT INTO t VALUES (1)"))
        with pytest.raises(IntegrityError):
            async with database.write() as connection:
                await connection.execute(text("INSERT INTO t VALUES (1)"))
        with sqlite3.connect(tmp_path / "some.db", timeout=0) as other:
            other.execute("INSERT INTO t VALUES (2)")
        await database.close()

    asyncio.run(run())


def test_who_gives_up_while_a_write_is_under_way_leaves_no_lock_behind(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "some.db"

    async def run() -> None:
        database = Database(f"sqlite+aiosqlite:///{path}?timeout=30")
        async with database.write() as connection:
            await connection.execute(text("CREATE TABLE t (x INTEGER)"))
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            caplog.set_level(logging.DEBUG, "aiosqlite")
            impatient = asyncio.ensure_future(_insert(database))
            while not trips(caplog):  # noqa: ASYNC110 - a line of a log sets no event
                await asyncio.sleep(0)
            impatient.cancel()
            other.execute("COMMIT")
            with pytest.raises(asyncio.CancelledError):
                await impatient
        await database.close()
        with closing(sqlite3.connect(path, timeout=0)) as other:
            other.execute("BEGIN IMMEDIATE")

    asyncio.run(run())


async def _insert(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(text("INSERT INTO t VALUES (1)"))
