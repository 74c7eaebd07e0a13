"""The service goes on whatever happens to its store, stops a canary that nobody watches, and recovers by itself."""

import asyncio
import logging
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from control_room import PLAN, Room, limp, live, stored_requests
from serinus.control import loop
from serinus.control.agent import SENT_AT_ONCE
from serinus.control.backlog import LIMIT
from serinus.control.commands import Configuration
from serinus.control.controller import RETENTION_SECONDS
from serinus.errors import StoreUnavailable, Unreadable
from serinus.metrics.snapshot import SLICE_SECONDS
from serinus.rollout.state import Phase
from store_faults import FAULTS, Fault, delete, locked, moved_away

TWO_FAULTS = {name: FAULTS[name] for name in ("locked", "moved away")}  # one that lets read, one that does not
EVERYBODY = Configuration(percentage=100.0)
UNDELETABLE = (
    "CREATE TRIGGER damaged BEFORE DELETE ON serinus_snapshots BEGIN SELECT RAISE(ABORT, 'a damaged page'); END"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    folder.mkdir()
    return folder / "serinus.db"


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}?timeout=0.01"


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_the_last_split_stays_in_force_without_a_store_until_it_is_stale(
    fault: Fault, path: Path, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(room: Room) -> None:
        await room.commands.configure(room.order(), EVERYBODY)
        await limp(room, 3)
        with fault(path):
            await limp(room, 5)
            assert set(await room.serve(20)) == {"canary"}
            health = room.agent.health()
            assert health.store_error
            assert not health.unwatched
            assert "serves on without" in caplog.text
            room.clock.forward(55)
            await limp(room, 3)
            assert set(await room.serve(20)) == {"legacy"}
            assert room.agent.health().unwatched

    live(story, url)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_store_that_comes_back_is_taken_up_again_and_no_count_is_lost(fault: Fault, path: Path, url: str) -> None:
    async def story(room: Room) -> None:
        await room.commands.configure(room.order(), EVERYBODY)
        await limp(room, 3)
        with fault(path):
            await limp(room, 5)
            room.clock.forward(60)
            await limp(room, 1)
        await limp(room, 3)
        assert room.agent.health().store_error is None
        assert not room.agent.health().unwatched
        assert set(await room.serve(20)) == {"canary"}
        room.clock.forward(2)
        await room.agent.beat()
        assert await stored_requests(room) == room.served
        assert room.agent.health().dropped == 0

    live(story, url)


@pytest.mark.parametrize("fault", TWO_FAULTS.values(), ids=TWO_FAULTS)
def test_after_success_everybody_stays_on_the_canary_without_a_store(fault: Fault, path: Path, url: str) -> None:
    async def story(room: Room) -> None:
        await room.commands.start(PLAN, room.order())
        await room.until(Phase.SUCCEEDED)
        await room.second()
        with fault(path):
            await limp(room, 1)
            room.clock.forward(90)
            await limp(room, 1)
            assert set(await room.serve(20)) == {"canary"}
            assert not room.agent.health().unwatched

    live(story, url)


@pytest.mark.parametrize("fault", TWO_FAULTS.values(), ids=TWO_FAULTS)
def test_a_rollout_goes_on_where_it_stood_when_the_store_comes_back(fault: Fault, path: Path, url: str) -> None:
    async def story(room: Room) -> None:
        await room.commands.start(PLAN, room.order())
        await room.until(Phase.PROGRESSING)
        await room.second()
        with fault(path):
            await limp(room, 10, requests=60)
        await limp(room, 1)
        await room.until(Phase.SUCCEEDED)
        assert len(await room.kinds()) == 6

    live(story, url)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_command_without_a_store_fails_clearly_and_changes_nothing(fault: Fault, path: Path, url: str) -> None:
    async def story(room: Room) -> None:
        await room.commands.configure(room.order(), EVERYBODY)
        with fault(path), pytest.raises(StoreUnavailable, match="the store does not answer"):
            await room.commands.configure(room.order(), Configuration(percentage=5.0))
        assert (await room.store.split()).split.percentage == 100.0
        assert len(await room.kinds()) == 1

    live(story, url)


def test_an_outage_longer_than_the_backlog_costs_the_oldest_counts_and_says_how_many(path: Path, url: str) -> None:
    async def story(room: Room) -> None:
        await room.commands.configure(room.order(), EVERYBODY)
        await limp(room, 3)
        with moved_away(path):
            for _ in range(LIMIT + 20):
                await room.serve(3)
                room.clock.forward(SLICE_SECONDS)
                room.agent.pulse()
            assert room.agent.health().backlog == LIMIT
        room.clock.forward(SLICE_SECONDS)
        await limp(room, LIMIT // SENT_AT_ONCE + 2, requests=0)
        health = room.agent.health()
        assert health.backlog == 0
        assert health.dropped >= 3 * 20
        assert await stored_requests(room) + health.dropped == room.served
        assert [agent.dropped for agent in await room.store.fleet(0.0)] == [health.dropped]
        told = await room.store.snapshots_after(0, limit=10_000)
        assert sum(row.snapshot.dropped for row in told) == health.dropped

    live(story, url)


def test_a_lock_does_not_keep_a_new_split_from_the_requests(path: Path, url: str) -> None:
    async def story(room: Room) -> None:
        await room.commands.configure(room.order(), EVERYBODY)
        with locked(path):
            await room.agent.beat()
            assert room.agent.health().split_revision == 1

    live(story, url)


def test_after_a_failure_a_store_that_can_only_be_read_is_obeyed_all_the_same(path: Path, url: str) -> None:
    async def story(room: Room) -> None:
        await room.commands.configure(room.order(), EVERYBODY)
        await limp(room, 2)
        with moved_away(path):
            await room.agent.beat()
        assert set(await room.serve(20)) == {"canary"}
        await room.commands.configure(room.order(), Configuration(percentage=0.0))
        with locked(path):
            await room.agent.beat()
            assert set(await room.serve(20)) == {"legacy"}

    live(story, url)


def test_a_full_database_is_told_and_forgotten_once_there_is_room(url: str) -> None:
    """SQLite itself refuses to grow (SQLITE_FULL), while what needs no new page still goes through."""

    async def story(room: Room) -> None:
        await room.commands.configure(room.order(), EVERYBODY)
        await limp(room, 3)
        engine = room.store.database.engine.sync_engine

        def fill(connection: object, *_: object) -> None:
            cursor = connection.cursor()  # type: ignore[attr-defined]
            cursor.execute("PRAGMA max_page_count = 1")
            cursor.close()

        event.listen(engine, "checkout", fill)
        await limp(room, 40, requests=5)
        assert "full" in (room.agent.health().store_error or "")
        event.remove(engine, "checkout", fill)
        async with room.store.database.read() as connection:
            await connection.execute(text("PRAGMA max_page_count = 100000"))
        room.clock.forward(2)
        await limp(room, 2, requests=0)
        assert room.agent.health().store_error is None
        assert await stored_requests(room) == room.served

    live(story, url)


def test_a_deleted_database_is_made_anew_and_takes_orders_at_once(
    path: Path, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(room: Room) -> None:
        await room.commands.configure(room.order(), EVERYBODY)
        await limp(room, 3)
        delete(path)
        await limp(room, 5)
        assert set(await room.serve(20)) == {"canary"}
        assert "made anew" in (room.agent.health().store_error or "")
        assert [record.levelno for record in caplog.records if "made anew" in record.message] == [logging.ERROR]
        await room.commands.configure(room.order(), Configuration(percentage=0.0))
        await limp(room, 1)
        assert set(await room.serve(20)) == {"legacy"}
        assert room.agent.health().store_error is None

    live(story, url)


def test_after_a_deleted_database_nobody_stays_on_the_canary_for_longer_than_a_stale_split_may(
    path: Path, url: str
) -> None:
    async def story(room: Room) -> None:
        await room.commands.configure(room.order(), EVERYBODY)
        await limp(room, 3)
        delete(path)
        await limp(room, 3)
        room.clock.forward(58)
        await limp(room, 2)
        assert set(await room.serve(20)) == {"legacy"}

    live(story, url)


def test_a_deleted_database_does_not_take_a_succeeded_canary_away(path: Path, url: str) -> None:
    async def story(room: Room) -> None:
        await room.commands.start(PLAN, room.order())
        await room.until(Phase.SUCCEEDED)
        await room.second()
        delete(path)
        await limp(room, 3)
        room.clock.forward(90)
        await limp(room, 2)
        assert set(await room.serve(20)) == {"canary"}

    live(story, url)


def test_a_service_that_starts_without_a_store_serves_legacy_and_takes_the_store_up_when_it_comes(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "not yet"

    async def story(room: Room) -> None:
        nowhere = room.elsewhere(f"sqlite+aiosqlite:///{folder / 'serinus.db'}")
        await limp(nowhere, 5)
        assert set(await nowhere.serve(20)) == {"legacy"}
        assert nowhere.agent.health().store_error
        folder.mkdir()
        await limp(nowhere, 2)
        await nowhere.commands.configure(room.order(), EVERYBODY)
        await limp(nowhere, 2)
        assert set(await nowhere.serve(20)) == {"canary"}
        await nowhere.store.database.close()

    live(story)


def test_a_canary_without_a_controller_stops_by_itself_and_starts_again_with_one() -> None:
    async def story(room: Room) -> None:
        await room.commands.configure(room.order(), EVERYBODY)
        await room.agent.beat()
        assert set(await room.serve(20)) == {"legacy"}, "nobody has ever watched"
        await room.second()
        await room.agent.beat()
        assert set(await room.serve(20)) == {"canary"}
        room.clock.forward(60)
        await room.agent.beat()
        assert set(await room.serve(20)) == {"canary"}
        room.clock.forward(1)
        await room.agent.beat()
        assert set(await room.serve(20)) == {"legacy"}
        assert room.agent.health().store_error is None
        await room.second()
        await room.agent.beat()
        assert set(await room.serve(20)) == {"canary"}

    live(story)


def test_a_hold_at_the_last_share_needs_a_watcher_too() -> None:
    async def story(room: Room) -> None:
        await room.commands.start(PLAN, room.order())
        await room.until(Phase.PROGRESSING, step=1)
        await room.commands.hold(room.order())
        await room.agent.beat()
        assert "canary" in await room.serve(50)
        room.clock.forward(61)
        await room.agent.beat()
        assert set(await room.serve(50)) == {"legacy"}

    live(story)


def test_a_damaged_split_is_no_word_and_leaves_the_last_one_in_force(caplog: pytest.LogCaptureFixture) -> None:
    async def story(room: Room) -> None:
        await room.commands.configure(room.order(), EVERYBODY)
        await limp(room, 2)
        async with room.store.database.write() as connection:
            await connection.execute(text('UPDATE serinus_split SET body = \'{"split": {"future": 1}}\''))
        await limp(room, 2)
        assert set(await room.serve(20)) == {"canary"}
        assert "future" in (room.agent.health().store_error or "")
        assert "Traceback" not in caplog.text

    live(story)


def test_damaged_evidence_is_folded_anew_from_the_snapshots(caplog: pytest.LogCaptureFixture) -> None:
    async def story(room: Room) -> None:
        await room.commands.start(PLAN, room.order())
        await room.until(Phase.PROGRESSING, step=1)
        await room.second()
        rollout = await room.rollout()
        before = await room.store.latest_report(rollout.id)
        async with room.store.database.write() as connection:
            await connection.execute(text("UPDATE serinus_judgements SET evidence = '{\"broken\": '"))
        room.enter()
        await room.controller.tick()
        assert await room.store.latest_report(rollout.id) == before
        assert "folded anew" in caplog.text

    live(story)


def test_a_damaged_snapshot_costs_its_own_seconds_and_not_the_rollout(caplog: pytest.LogCaptureFixture) -> None:
    async def story(room: Room) -> None:
        await room.commands.start(PLAN, room.order())
        await room.until(Phase.PROGRESSING)
        await room.second()
        await room.second()
        async with room.store.database.write() as connection:
            await connection.execute(text("UPDATE serinus_snapshots SET cells = x'00' WHERE sequence = 2"))
        room.enter()
        await room.until(Phase.SUCCEEDED)
        assert "snapshot 2 is left out" in caplog.text

    live(story)


def test_snapshots_that_cannot_be_deleted_do_not_make_every_tick_a_failure() -> None:
    async def story(room: Room) -> None:
        await limp(room, 3)
        async with room.store.database.write() as connection:
            await connection.execute(text(UNDELETABLE))
        room.clock.forward(RETENTION_SECONDS + 60)
        with pytest.raises(IntegrityError):
            await room.controller.tick()
        await room.controller.tick()
        assert await room.store.controller_heard_at() == room.clock()

    live(story)


def test_a_store_of_a_later_version_is_unreadable_and_no_crash() -> None:
    async def story(room: Room) -> None:
        async with room.store.database.write() as connection:
            await connection.execute(text("UPDATE serinus_storage_migrations_version SET version_num = '9999'"))
        with pytest.raises(Unreadable, match="later version"):
            await room.store.prepare()

    live(story)


def test_a_damaged_rollout_stops_the_heartbeat_so_that_nobody_stays_on_its_canary() -> None:
    async def story(room: Room) -> None:
        await room.commands.start(PLAN, room.order())
        await room.until(Phase.PROGRESSING)
        await room.second()
        async with room.store.database.write() as connection:
            await connection.execute(text("UPDATE serinus_rollouts SET body = '{}'"))
        await limp(room, 2)
        room.clock.forward(58)
        await limp(room, 2)
        assert set(await room.serve(50)) == {"legacy"}

    live(story)


def test_a_controller_says_once_that_it_waits_for_the_store_and_once_that_it_goes_on(
    path: Path, url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "serinus.control.loop")

    async def story(room: Room) -> None:
        tired, back = asyncio.Event(), asyncio.Event()

        def pause(_seconds: float, failures: int, *, longest: float) -> float:
            if failures >= 5:
                tired.set()
            elif failures == 0:
                back.set()
            return longest / 10_000

        monkeypatch.setattr(loop, "lengthened", pause)
        with FAULTS["moved away"](path):
            running = asyncio.create_task(loop.run(room.controller, room.store, room.clock, holder="a"))
            await asyncio.wait_for(tired.wait(), 30)
        await asyncio.wait_for(back.wait(), 30)
        running.cancel()
        await asyncio.wait([running])
        said = [record.message for record in caplog.records if record.name == loop.logger.name]
        assert [line.split(":")[0] for line in said] == [
            "the controller waits for the store",
            "the controller ticks again",
        ]

    live(story, url)
