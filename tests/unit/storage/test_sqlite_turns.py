import asyncio
from pathlib import Path

from sqlalchemy import text

from serinus.storage.database import Database


def test_writers_of_one_process_take_turns_even_when_sqlite_would_not_wait_for_a_lock(tmp_path: Path) -> None:
    async def write_at_once() -> int:
        databases = [Database(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}?timeout=0") for _ in range(2)]
        async with databases[0].write() as connection:
            await connection.execute(text("CREATE TABLE t (n INTEGER)"))
        await asyncio.gather(*(add(databases[n % 2]) for n in range(60)))
        async with databases[0].read() as connection:
            rows = (await connection.execute(text("SELECT count(*) FROM t"))).scalar_one()
        for database in databases:
            await database.close()
        return int(rows)

    async def add(database: Database) -> None:
        async with database.write() as connection:
            await connection.execute(text("INSERT INTO t VALUES (1)"))

    assert asyncio.run(write_at_once()) == 60
