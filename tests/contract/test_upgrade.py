"""What an earlier version stored, a rollout in the middle included, is brought up to date and goes on."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, MetaData, delete, insert

from control_room import Clock, Room, stored_requests
from serinus.rollout.events import EventKind
from serinus.rollout.state import Phase
from serinus.storage.database import Database
from serinus.storage.store import Store

STORED = Path(__file__).parents[1] / "vectors" / "store_0004.json"
"""All rows of a store at migration 0004, as the version of that time wrote them in the second step of a rollout."""
ENDED_AT = 1_750_000_011.0


def test_a_rollout_that_an_earlier_version_began_is_finished_by_this_one(shared_url: str) -> None:
    async def story(store: Store) -> None:
        async with store.database.write() as connection:
            await connection.run_sync(restore, json.loads(STORED.read_text(encoding="ascii")))
        await asyncio.gather(store.prepare(), store.prepare())
        room = Room(store, Clock(ENDED_AT))
        begun, counted, events = await room.rollout(), await stored_requests(room), await store.events()
        assert (begun.phase, begun.step, counted > 500) == (Phase.PROGRESSING, 1, True)
        done = await room.until(Phase.SUCCEEDED)
        assert done.id == begun.id
        assert (await store.events())[: len(events)] == events
        assert (await room.kinds())[len(events) :] == [EventKind.PROMOTED, EventKind.SUCCEEDED]
        assert [event.sequence for event in await store.events()] == list(range(1, len(events) + 3))
        assert [broken async for _, broken in store.walk(None)][-1] is None, "the chain of events is whole"
        assert await stored_requests(room) > counted
        assert [token.name for token in await store.tokens()] == ["ann"]

    async def run() -> None:
        store = Store(Database(shared_url))
        try:
            await story(store)
        finally:
            await store.database.close()

    asyncio.run(run())


def restore(connection: Connection, tables: dict[str, list[dict[str, Any]]]) -> None:
    """Make the tables of that time, and put the rows into them."""
    config = Config()
    config.set_main_option("script_location", "serinus:storage/migrations")
    config.attributes.update(connection=connection, version_table="serinus_storage_migrations_version")
    command.upgrade(config, "0004")
    there = MetaData()
    there.reflect(connection)
    for table in reversed(there.sorted_tables):
        if table.name in tables:
            connection.execute(delete(table))
    for table in there.sorted_tables:
        for row in tables.get(table.name, ()):
            connection.execute(insert(table).values(**{name: value_of(stored) for name, stored in row.items()}))


def value_of(stored: Any) -> Any:
    return base64.b64decode(stored["base64"]) if isinstance(stored, dict) else stored
