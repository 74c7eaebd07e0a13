"""No event is changed, removed or added unseen, whatever the database."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, column, delete, insert, select, table, update
from sqlalchemy.ext.asyncio import AsyncConnection

from serinus.rollout.events import Event, EventKind
from serinus.storage import chain
from serinus.storage.chain import BEGINNING, Broken, Fault, Row, Walk, link
from serinus.storage.database import Database
from serinus.storage.events import insert_events
from serinus.storage.store import Store
from serinus.storage.tables import counters, events

Tell = Callable[[Callable[[Store], Awaitable[None]]], None]
Tamper = Callable[[AsyncConnection], Awaitable[object]]

EVENTS = 6


def happening(number: int) -> Event:
    details = {"canary_percentage": number + 0.1, "from": "203.0.113.7"}
    return Event(EventKind.CONFIG_CHANGED, 1_000.25 + number, "앤", reason=f"reason {number}", details=details)


async def filled(store: Store) -> None:
    await store.record_events([happening(0), happening(1)])
    for number in range(2, EVENTS):
        await store.record_events([happening(number)])


async def verified(store: Store, kept: str | None = None) -> tuple[Walk, Broken | None]:
    return [step async for step in store.walk(kept)][-1]


async def row(connection: AsyncConnection, sequence: int) -> Row:
    found = (await connection.execute(select(events).filter_by(sequence=sequence))).one()
    return Row(found.sequence, found.at, found.kind, found.rollout_id, found.body)


def change(sequence: int, /, **values: object) -> Tamper:
    return lambda connection: connection.execute(update(events).where(events.c.sequence == sequence).values(**values))


def remove(*sequences: int) -> Tamper:
    return lambda connection: connection.execute(delete(events).where(events.c.sequence.in_(sequences)))


def move(old: int, new: int) -> Tamper:
    return change(old, sequence=new)


def both(*tampers: Tamper) -> Tamper:
    async def one_after_the_other(connection: AsyncConnection) -> None:
        for tamper in tampers:
            await tamper(connection)

    return one_after_the_other


def add(sequence: int, before: str = BEGINNING) -> Tamper:
    async def added(connection: AsyncConnection) -> None:
        fresh = Row(sequence, 9.0, "paused", None, '{"kind":"paused","at":9.0,"actor":"mallory"}')
        await connection.execute(insert(events).values(**fresh._asdict(), digest=link(before, fresh)))

    return added


async def with_a_link_of_its_own(connection: AsyncConnection) -> None:
    """Who changes a row may also give it the digest that fits."""
    before = (await connection.execute(select(events.c.digest).filter_by(sequence=2))).scalar_one()
    altered = (await row(connection, 3))._replace(body="{}")
    await change(3, body="{}", digest=link(before, altered))(connection)


TAMPERINGS: dict[str, tuple[Tamper, Broken]] = {
    "another reason": (change(3, body="{}"), Broken(3, Fault.ALTERED)),
    "another time": (change(3, at=1.0), Broken(3, Fault.ALTERED)),
    "another kind": (change(3, kind="resumed"), Broken(3, Fault.ALTERED)),
    "another rollout": (change(3, rollout_id="x"), Broken(3, Fault.ALTERED)),
    "another digest": (change(3, digest=BEGINNING), Broken(3, Fault.ALTERED)),
    "no digest": (change(3, digest=None), Broken(3, Fault.UNLINKED)),
    "another body and the digest for it": (with_a_link_of_its_own, Broken(4, Fault.ALTERED)),
    "the first removed": (remove(1), Broken(1, Fault.MISSING)),
    "one removed": (remove(4), Broken(4, Fault.MISSING)),
    "two removed": (remove(3, 4), Broken(3, Fault.MISSING)),
    "one removed and the gap closed": (
        both(remove(4), move(5, 4), move(6, 5)),
        Broken(4, Fault.ALTERED),
    ),
    "two swapped": (both(move(2, 99), move(4, 2), move(99, 4)), Broken(2, Fault.ALTERED)),
    "one put in the place of another": (both(remove(4), add(4)), Broken(4, Fault.ALTERED)),
    "one before the first": (add(0), Broken(0, Fault.INSERTED)),
    "one after the last": (add(EVENTS + 1), Broken(EVENTS + 1, Fault.INSERTED)),
    "one far after the last": (add(EVENTS + 10), Broken(EVENTS + 10, Fault.INSERTED)),
    "the end cut off": (remove(5, 6), Broken(5, Fault.CUT)),
    "everything removed": (remove(*range(1, EVENTS + 1)), Broken(1, Fault.CUT)),
}


def test_the_chain_of_untouched_events_is_whole(tell: Tell) -> None:
    async def story(store: Store) -> None:
        walk, broken = await verified(store)
        assert (walk.sequence, walk.digest, broken) == (0, BEGINNING, None)
        await filled(store)
        head = await store.head()
        for kept in (None, head.digest, BEGINNING):
            walk, broken = await verified(store, kept)
            assert (walk.sequence, walk.digest, broken) == (EVENTS, head.digest, None)
        await store.record_events([happening(7)])
        assert (await verified(store, head.digest))[1] is None
        assert (await store.head()).digest != head.digest

    tell(story)


def test_what_is_done_to_the_events_is_found_and_named(tell: Tell) -> None:
    async def story(store: Store) -> None:
        await filled(store)
        found = {name: await found_after(tamper, store) for name, (tamper, _) in TAMPERINGS.items()}
        assert found == {name: expected for name, (_, expected) in TAMPERINGS.items()}
        assert (await verified(store))[1] is None

    tell(story)


async def found_after(tamper: Tamper, store: Store) -> Broken | None:
    """What the walk finds once that is done; it is undone again."""
    found = None
    with suppress(Undone):
        async with store.database.write() as connection:
            await tamper(connection)
            async for walk, broken in chain.walk(connection, None):
                found = broken
                assert broken is None or walk.sequence == max(0, min(broken.sequence, EVENTS + 1) - 1)
            raise Undone
    return found


class Undone(Exception):
    pass


def test_an_end_that_was_cut_off_is_still_missing_when_the_chain_goes_on(tell: Tell) -> None:
    async def story(store: Store) -> None:
        await filled(store)
        async with store.database.write() as connection:
            await remove(5, 6)(connection)
        await store.record_events([happening(7)])
        assert (await verified(store))[1] == Broken(5, Fault.MISSING)

    tell(story)


def test_a_history_that_was_written_anew_is_found_by_a_head_that_was_kept(tell: Tell) -> None:
    async def story(store: Store) -> None:
        await filled(store)
        kept = (await store.head()).digest
        async with store.database.write() as connection:
            digest = BEGINNING
            await remove(5, 6)(connection)
            for sequence in range(1, 5):
                told = (await row(connection, sequence))._replace(at=sequence * 2.0)
                digest = link(digest, told)
                await change(sequence, at=told.at, digest=digest)(connection)
            counter = update(counters).where(counters.c.name == "events")
            await connection.execute(counter.values(value=4, digest=digest))
        assert (await verified(store))[1] is None
        assert (await verified(store, kept))[1] == Broken(4, Fault.UNKNOWN_HEAD)

    tell(story)


def test_an_event_that_was_not_stored_leaves_no_gap(tell: Tell) -> None:
    async def story(store: Store) -> None:
        await filled(store)
        with suppress(Undone):
            async with store.database.write() as connection:
                await insert_events(connection, [happening(6)], channels=lambda _: ())
                raise Undone
        await store.record_events([happening(7)])
        assert (await verified(store))[1] is None

    tell(story)


def test_writers_at_the_same_time_make_one_chain(shared_url: str) -> None:
    async def writer(number: int) -> None:
        database = Database(shared_url)
        try:
            for each in range(10):
                await Store(database).record_events([happening(number * 100 + each)] * 2)
        finally:
            await database.close()

    async def story() -> None:
        database = Database(shared_url)
        try:
            store = Store(database)
            await store.prepare()
            await asyncio.gather(*map(writer, range(4)))
            walk, broken = await verified(store)
            assert (walk.sequence, broken) == (80, None)
        finally:
            await database.close()

    asyncio.run(story())


def test_the_events_of_an_older_store_are_chained_when_it_is_brought_up_to_date(shared_url: str) -> None:
    async def story() -> None:
        database = Database(shared_url)
        try:
            async with database.write() as connection:
                await connection.run_sync(as_of_revision, "0004")
                await connection.execute(insert(events_of_then), OLD_EVENTS)
                await connection.execute(update(counters_of_then).values(value=2))
            store = Store(database)
            await store.prepare()
            await store.record_events([happening(3)])
            walk, broken = await verified(store)
            assert (walk.sequence, broken) == (3, None)
            assert [event.actor for event in await store.events()] == ["ann", "bob", "앤"]
        finally:
            await database.close()

    asyncio.run(story())


columns = ("sequence", "at", "kind", "body")
events_of_then = table("serinus_events", *map(column, columns))
counters_of_then = table("serinus_counters", column("value"), column("name"))
OLD_EVENTS = [
    dict(zip(columns, (1, 5.5, "paused", '{"kind":"paused","at":5.5,"actor":"ann"}'), strict=True)),
    dict(zip(columns, (2, 6.0, "resumed", '{"kind":"resumed","at":6.0,"actor":"bob"}'), strict=True)),
]


def as_of_revision(connection: Connection, revision: str) -> None:
    """The tables as an earlier version made them."""
    config = Config()
    config.set_main_option("script_location", "serinus.storage:migrations")
    config.attributes["connection"] = connection
    config.attributes["version_table"] = "serinus_storage_migrations_version"
    command.upgrade(config, revision)
