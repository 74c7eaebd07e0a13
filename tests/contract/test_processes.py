"""Several processes on one store: each hears what the others store, and migrations keep out of each other's way."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from postgresql import Server
from serinus.errors import StoreUnavailable
from serinus.metrics.snapshot import Snapshot
from serinus.rollout.events import Event, EventKind
from serinus.rollout.state import AgentStatus
from serinus.routing.split import Split
from serinus.storage import postgresql, sqlite
from serinus.storage.bell import Bell
from serinus.storage.clock import StoreClock
from serinus.storage.database import Database
from serinus.storage.store import Store

HALF = Split(enabled=True, percentage=50.0)
LONG_SECONDS = 20.0


def changed(at: float = 5.0) -> Event:
    return Event(EventKind.CONFIG_CHANGED, at, "ann")


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    store = Store(Database(url))
    try:
        yield store
    finally:
        await store.database.close()


@asynccontextmanager
async def watching(store: Store) -> AsyncIterator[None]:
    """Until the watch has said its first word, which it says to everybody."""
    heard = store.split_saved.rings
    task = asyncio.create_task(store.watch())
    assert await store.split_saved.wait(heard, LONG_SECONDS) > heard
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def rung(bell: Bell, rings: int) -> bool:
    async with asyncio.timeout(LONG_SECONDS):
        while bell.rings == rings:
            await bell.wait(rings, LONG_SECONDS)
    return True


def test_a_split_that_another_process_stores_rings_here(shared_url: str) -> None:
    async def story() -> None:
        async with opened(shared_url) as here, opened(shared_url) as there:
            await there.prepare()
            async with watching(here):
                for revision in range(3):
                    before = here.split_saved.rings, here.events_saved.rings
                    await there.save_manual_split(HALF, expected_revision=revision, event=changed())
                    assert await rung(here.split_saved, before[0])
                    assert await rung(here.events_saved, before[1])
                    assert (await here.split()).split.revision == revision + 1

    asyncio.run(story())


@pytest.mark.slow
@pytest.mark.tool("postgresql")
def test_a_server_is_reached_by_a_socket_that_is_named_as_cloud_runs_are(postgresql_server: Server) -> None:
    """Such a name has colons in it, which elsewhere part a host from its port."""
    name = urlsplit(postgresql_server.url()).path.lstrip("/")
    folder = postgresql_server.folder / "project:region:serinus"
    folder.mkdir()
    (folder / ".s.PGSQL.5432").symlink_to(postgresql_server.folder / f".s.PGSQL.{postgresql_server.port}")

    async def story() -> None:
        url = f"postgresql+asyncpg://test:secret@/{name}?host={folder}"
        async with opened(url) as here, opened(url) as there:
            await here.prepare()
            async with watching(here):
                rings = here.split_saved.rings
                await there.save_manual_split(HALF, expected_revision=0, event=changed())
                assert await rung(here.split_saved, rings)

    asyncio.run(story())


def test_events_alone_ring_for_those_who_wait_for_events_alone(shared_url: str) -> None:
    async def story() -> None:
        async with opened(shared_url) as here, opened(shared_url) as there:
            await there.prepare()
            async with watching(here):
                split, events = here.split_saved.rings, here.events_saved.rings
                await there.append_snapshots([Snapshot("a", 1, 10.0, 12.0, 1, {})], AgentStatus("a", 12.0, 1))
                await there.record_tick(12.0)
                await there.record_events([changed()])
                assert await rung(here.events_saved, events)
                assert (here.split_saved.rings, here.events_saved.rings) == (split, events + 1)

    asyncio.run(story())


@pytest.mark.slow
def test_a_watch_that_begins_before_there_are_tables_rings_when_they_come(shared_url: str) -> None:
    async def story() -> None:
        async with opened(shared_url) as here, opened(shared_url) as there:
            task = asyncio.create_task(here.watch())
            await asyncio.wait([task], timeout=0)
            await there.prepare()
            assert await rung(here.split_saved, 0)
            task.cancel()
            await asyncio.wait([task])

    asyncio.run(story())


def test_many_processes_that_start_at_once_make_the_tables_once(shared_url: str) -> None:
    async def start() -> float:
        async with opened(shared_url) as store:
            await store.prepare()
            return (await store.split()).split.percentage

    async def story() -> list[float]:
        return await asyncio.gather(*(start() for _ in range(6)))

    assert asyncio.run(story()) == [0.0] * 6


def test_migrations_go_forwards_on_what_is_stored(shared_url: str) -> None:
    async def story() -> None:
        async with opened(shared_url) as store:
            async with store.database.write() as connection:
                await connection.run_sync(upgrade_to, "0001")
                await connection.execute(text("UPDATE serinus_counters SET value = 7 WHERE name = 'events'"))
            await asyncio.gather(store.prepare(), store.prepare())
            await store.save_manual_split(HALF, expected_revision=0, event=changed())
            assert [event.sequence for event in await store.events()] == [8]
            assert await store.roll_up() == 0

    asyncio.run(story())


def upgrade_to(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", "serinus:storage/migrations")
    config.attributes.update(connection=connection, version_table="serinus_storage_migrations_version")
    command.upgrade(config, revision)


def test_readers_go_on_while_a_migration_is_under_way(shared_url: str) -> None:
    async def story() -> None:
        async with opened(shared_url) as store:
            await store.prepare()
            async with store.database.write() as connection:
                await connection.execute(text("CREATE TABLE later (n INTEGER)"))
                assert (await store.split()).split.revision == 0

    asyncio.run(story())


def test_all_that_one_reader_asks_for_is_of_one_instant(shared_url: str) -> None:
    async def story() -> None:
        query = text("SELECT revision FROM serinus_split")
        async with opened(shared_url) as here, opened(shared_url) as there:
            await there.prepare()
            async with here.database.read() as connection:
                before = (await connection.execute(query)).scalar_one()
                await there.save_manual_split(HALF, expected_revision=0, event=changed())
                assert (await connection.execute(query)).scalar_one() == before == 0
            assert (await here.split()).split.revision == 1

    asyncio.run(story())


UNREACHABLE: dict[str, Callable[[int], str]] = {
    "nobody listens": lambda port: f"postgresql+asyncpg://test@127.0.0.1:{port}/test",
    "no such socket": lambda _port: "postgresql+asyncpg://test@/test?host=/nowhere",
}


@pytest.mark.parametrize("address", UNREACHABLE.values(), ids=UNREACHABLE)
def test_a_server_that_is_not_there_is_a_store_that_does_not_answer(address: Callable[[int], str]) -> None:
    async def story() -> None:
        async with opened(address(9)) as store:
            with pytest.raises(StoreUnavailable, match="does not answer"):
                await store.split()
            with pytest.raises(StoreUnavailable, match="does not answer"):
                await anext(aiter(store.database.heard()))

    asyncio.run(story())


def test_a_quiet_store_is_watched_on_and_tells_the_time(shared_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for backend in (postgresql, sqlite):
        monkeypatch.setattr(backend, "CHECK_SECONDS", 0.05)

    async def story() -> None:
        clock = StoreClock(own=lambda: 5.0)
        async with opened(shared_url) as here, opened(shared_url) as there:
            await there.prepare()
            task = asyncio.create_task(here.watch(clock))
            async with asyncio.timeout(LONG_SECONDS):
                while clock() < 1e9:
                    await asyncio.wait([task], timeout=0.1)
            await asyncio.wait([task], timeout=0.5)
            before = here.split_saved.rings
            await there.save_manual_split(HALF, expected_revision=0, event=changed())
            assert await rung(here.split_saved, before)
            assert not task.done()
            task.cancel()
            done, _ = await asyncio.wait([task], timeout=LONG_SECONDS)
            assert done

    asyncio.run(story())
