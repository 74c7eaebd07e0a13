"""What holds of a file that goes wrong holds of a PostgreSQL too: stopped, silent, refusing, or full."""

import asyncio
from collections.abc import Iterator
from itertools import count

import pytest

import postgresql
from control_room import PLAN, Room, limp, live, stored_requests
from line import Line
from serinus.control.commands import Configuration
from serinus.errors import StoreUnavailable
from serinus.rollout.state import Phase
from server_faults import FAULTS, Fault, Place, disk_full, frozen

pytestmark = [pytest.mark.slow, pytest.mark.tool("postgresql")]

EVERYBODY = Configuration(percentage=100.0)
USER = "shop"
LONG_SECONDS, SHORT_SECONDS = 20.0, 1.5
SILENT = {frozen}  # nothing but the time-out ends the waiting
NUMBERS = count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[postgresql.Server]:
    for server in postgresql.running(autovacuum="off", synchronous_commit="on"):  # or a crash would lose commits
        server.execute(f"CREATE ROLE {USER} LOGIN")
        yield server


@pytest.fixture
def place(server: postgresql.Server) -> Iterator[Place]:
    database = f"shop{next(NUMBERS)}"
    server.execute(f"CREATE DATABASE {database} OWNER {USER} TEMPLATE template0")
    line = Line(server.port)
    try:
        yield Place(server, line, database, USER)
    finally:
        line.close()


@pytest.mark.parametrize("fault", [pytest.param(FAULTS[name], id=name) for name in FAULTS])
def test_the_last_split_stays_in_force_without_a_server_until_it_is_stale_and_no_count_is_lost(
    fault: Fault, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(room: Room) -> None:
        await room.commands.configure(room.order(), EVERYBODY)
        await limp(room, 3, requests=5)
        with fault(place):
            await limp(room, 1, requests=5)
            assert set(await room.serve(20)) == {"canary"}
            health = room.agent.health()
            assert health.store_error
            assert not health.unwatched
            assert "serves on without" in caplog.text
            with pytest.raises(StoreUnavailable, match="the store does not answer"):
                await room.commands.configure(room.order(), Configuration(percentage=5.0))
            room.clock.forward(60)
            room.agent.pulse()
            assert set(await room.serve(20)) == {"legacy"}
            assert room.agent.health().unwatched
        await until_well(room)
        assert set(await room.serve(20)) == {"canary"}
        room.clock.forward(2)
        await limp(room, 2, requests=0)
        assert await stored_requests(room) == room.served
        assert room.agent.health().dropped == 0
        assert (await room.store.split()).split.revision == 1, "the command that failed has changed nothing"

    live(story, place.url(SHORT_SECONDS if fault in SILENT else LONG_SECONDS))


def test_a_rollout_goes_on_where_it_stood_when_the_server_has_crashed_and_is_back(place: Place) -> None:
    async def story(room: Room) -> None:
        await room.commands.start(PLAN, room.order())
        await room.until(Phase.PROGRESSING)
        await room.second()
        with FAULTS["stopped"](place):
            await limp(room, 5, requests=60)
        await until_well(room)
        await room.until(Phase.SUCCEEDED)
        assert len(await room.kinds()) == 6

    live(story, place.url(LONG_SECONDS))


def test_a_full_disk_is_told_and_what_was_counted_meanwhile_is_delivered_once_there_is_room(place: Place) -> None:
    async def story(room: Room) -> None:
        await room.commands.configure(room.order(), EVERYBODY)
        await limp(room, 3, requests=5)
        kept = await stored_requests(room)
        with disk_full(place, room.clock()):
            await limp(room, 4, requests=5)
            assert "could not extend file" in (room.agent.health().store_error or "")
            assert set(await room.serve(20)) == {"canary"}
            assert room.agent.health().backlog > 0
        await until_well(room)
        room.clock.forward(2)
        await limp(room, 2, requests=0)
        assert kept < room.served
        assert await stored_requests(room) == room.served

    live(story, place.url(LONG_SECONDS))


def test_requests_are_answered_while_the_store_takes_its_time(place: Place) -> None:
    async def story(room: Room) -> None:
        await room.commands.configure(room.order(), EVERYBODY)
        await limp(room, 3)
        with place.line.slow(0.2):
            beat = asyncio.create_task(room.agent.beat())
            answered = []
            while not beat.done():
                answered.append(await room.ask(f"user-{room.served}"))
                await asyncio.sleep(0)
        assert len(answered) > 100
        assert set(answered) == {"canary"}
        assert room.agent.health().store_error is None

    live(story, place.url(LONG_SECONDS))


def test_a_line_that_was_cut_without_a_word_is_given_up_and_the_next_one_used(place: Place) -> None:
    async def story(room: Room) -> None:
        await room.commands.configure(room.order(), EVERYBODY)
        await limp(room, 2)
        with place.line.silent():
            await limp(room, 1)
            assert room.agent.health().store_error
            with pytest.raises(StoreUnavailable, match="TimeoutError"):
                await room.store.prepare()
        await until_well(room)
        room.clock.forward(2)
        await limp(room, 2, requests=0)
        assert await stored_requests(room) == room.served

    live(story, place.url(SHORT_SECONDS))


async def until_well(room: Room, seconds: int = 30) -> None:
    """As many beats as it takes; those of a busy machine may still be too slow for a short time-out."""
    for _ in range(seconds):
        await limp(room, 1, requests=0)
        health = room.agent.health()
        if not health.store_error and not health.unwatched:
            return
    raise AssertionError(f"not well after {seconds} s: {health}")
