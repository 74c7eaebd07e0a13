"""Every alert on every channel once, however the channels and the processes fare."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

import ready_tables
from control_room import Clock
from serinus.alerts.alert import Alert, channels_for
from serinus.alerts.delivery import NotDelivered
from serinus.alerts.notifier import (
    ALERTS_A_MINUTE,
    CLAIM_SECONDS,
    DEFECT_TRIES,
    GIVE_UP_SECONDS,
    LONGEST_RETRY_SECONDS,
    Notifier,
    retry_after_seconds,
)
from serinus.rollout.events import Event, EventKind
from serinus.storage.database import Database
from serinus.storage.store import Store


class Channel:
    """Remembers what it was told; fails as often as it is told to."""

    def __init__(self, failures: int = 0, *, final: bool = False) -> None:
        self.told: list[int] = []
        self.tries = 0
        self.failures = failures
        self.final = final
        self.heard = asyncio.Event()

    async def __call__(self, alert: Alert) -> None:
        self.tries += 1
        if self.tries <= self.failures:
            raise NotDelivered("answered 503", final=self.final)
        self.told.append(alert.event)
        self.heard.set()


class Defective(Channel):
    async def __call__(self, alert: Alert) -> None:
        self.tries += 1
        raise RuntimeError(f"a defect in the channel at {alert.event}")


class Dead(Channel):
    async def __call__(self, alert: Alert) -> None:
        self.tries += 1
        await asyncio.Event().wait()


def tell(story: Callable[[Store, Clock], Awaitable[None]]) -> None:
    async def run() -> None:
        database, clock = Database("sqlite+aiosqlite://"), Clock()
        store = Store(database, channels=channels_for)
        try:
            await ready_tables.prepare(store)
            await story(store, clock)
        finally:
            await database.close()

    asyncio.run(run())


def promoted(at: float) -> Event:
    return Event(EventKind.PROMOTED, at, "serinus", "r1", details={"watch_seconds": 60.0})


def test_an_alert_is_told_once_and_in_order_on_every_channel() -> None:
    async def story(store: Store, clock: Clock) -> None:
        log, slack = Channel(), Channel()
        notifier = Notifier(store, {"log": log, "slack": slack}, clock)
        await store.record_events([promoted(clock()), promoted(clock())])
        while await notifier.deliver("log") or await notifier.deliver("slack"):
            pass
        assert log.told == slack.told == [1, 2]

    tell(story)


def test_a_channel_that_fails_is_tried_again_later_and_not_before() -> None:
    async def story(store: Store, clock: Clock) -> None:
        slack = Channel(failures=3)
        notifier = Notifier(store, {"slack": slack}, clock)
        await store.record_events([promoted(clock())])
        tried_at = []
        while not slack.told:
            if await notifier.deliver("slack"):
                tried_at.append(clock())
            clock.forward(0.25)
        waits = [after - before for before, after in pairwise(tried_at)]
        assert len(waits) == 3
        assert 1.0 <= waits[0] <= 2.25
        assert 2.0 <= waits[1] <= 4.25
        assert 4.0 <= waits[2] <= 8.25

    tell(story)


def test_an_alert_that_cannot_arrive_makes_room_for_the_next_one(caplog: pytest.LogCaptureFixture) -> None:
    async def story(store: Store, clock: Clock) -> None:
        slack = Channel(failures=1, final=True)
        notifier = Notifier(store, {"slack": slack}, clock)
        await store.record_events([promoted(clock()), promoted(clock())])
        while await notifier.deliver("slack"):
            pass
        assert slack.told == [2]
        assert "event 1 on slack is given up" in caplog.text

    tell(story)


def test_an_alert_that_meets_a_defect_does_not_hold_up_the_next_ones_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    async def story(store: Store, clock: Clock) -> None:
        bad = Defective()
        notifier = Notifier(store, {"slack": bad}, clock)
        await store.record_events([promoted(clock()), promoted(clock())])
        for _ in range(20):
            await notifier.deliver("slack")
            clock.forward(5)
        assert bad.tries == 2 * DEFECT_TRIES
        assert "a defect in the channel at 2" in caplog.text

    tell(story)


def test_an_event_that_cannot_be_read_does_not_hold_up_the_next_ones_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    async def story(store: Store, clock: Clock) -> None:
        slack = Channel()
        notifier = Notifier(store, {"slack": slack}, clock)
        await store.record_events([promoted(clock()), promoted(clock())])
        async with store.database.write() as connection:
            later = 'UPDATE serinus_events SET body = \'{"kind":"of a later version"}\' WHERE sequence = 1'
            await connection.execute(text(later))
        for _ in range(10):
            await notifier.deliver("slack")
            clock.forward(5)
        assert slack.told == [2]
        assert "event 1 on slack is given up: the stored event cannot be read" in caplog.text

    tell(story)


def test_an_alert_is_given_up_after_a_day() -> None:
    async def story(store: Store, clock: Clock) -> None:
        slack = Channel(failures=1_000_000)
        notifier = Notifier(store, {"slack": slack}, clock)
        await store.record_events([promoted(clock())])
        clock.forward(GIVE_UP_SECONDS + 1)
        assert await notifier.deliver("slack")
        clock.forward(GIVE_UP_SECONDS)
        assert not await notifier.deliver("slack")

    tell(story)


def test_a_process_that_died_while_sending_leaves_the_alert_to_the_next_one() -> None:
    async def story(store: Store, clock: Clock) -> None:
        await store.record_events([promoted(clock())])
        dying = asyncio.create_task(Notifier(store, {"slack": (dead := Dead())}, clock).deliver("slack"))
        while not dead.tries:
            await asyncio.wait([dying], timeout=0.001)
        dying.cancel()
        await asyncio.wait([dying])
        slack = Channel()
        successor = Notifier(store, {"slack": slack}, clock)
        assert not await successor.deliver("slack")
        clock.forward(CLAIM_SECONDS)
        assert await successor.deliver("slack")
        assert slack.told == [1]

    tell(story)


def test_two_processes_never_send_the_same_alert() -> None:
    async def story(store: Store, clock: Clock) -> None:
        slack = Channel()
        notifiers = [Notifier(store, {"slack": slack}, clock) for _ in range(4)]
        await store.record_events([promoted(clock()) for _ in range(10)])
        while any(await asyncio.gather(*(notifier.deliver("slack") for notifier in notifiers))):
            pass
        assert sorted(slack.told) == list(range(1, 11))

    tell(story)


def test_a_channel_that_nobody_configured_is_said_once_and_holds_up_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def story(store: Store, clock: Clock) -> None:
        notifier = Notifier(store, {}, clock)
        await store.record_events([promoted(clock()), promoted(clock())])
        while await notifier.deliver("slack"):
            pass
        assert await store.due_channels(clock()) == {"log", "webhook"}
        assert caplog.text.count("no channel named 'slack' is configured") == 1

    tell(story)


@pytest.mark.parametrize("broken", [Dead, Defective])
def test_a_broken_channel_holds_up_no_other(broken: type[Channel], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)

    async def story(store: Store, clock: Clock) -> None:
        slack, bad = Channel(), broken()
        running = asyncio.create_task(Notifier(store, {"webhook": bad, "slack": slack}, clock).run())
        await store.record_events([promoted(clock())])
        await asyncio.wait_for(slack.heard.wait(), 5)
        slack.heard.clear()
        await store.record_events([promoted(clock())])
        await asyncio.wait_for(slack.heard.wait(), 5)
        assert slack.told == [1, 2]
        assert bad.tries >= 1
        running.cancel()
        await asyncio.wait([running])

    tell(story)


@pytest.mark.slow
def test_an_outage_of_the_store_is_outlived_however_often_it_was_asked_in_vain(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    async def story() -> None:
        database = Database(f"sqlite+aiosqlite:///{tmp_path / 'no-such-folder' / 'serinus.db'}")
        store = Store(database)
        running = asyncio.create_task(Notifier(store, {}, Clock()).run())
        while len(caplog.records) < 1_030 and not running.done():  # 2.0 ** 1024 is no float
            store.events_saved.ring()
            await asyncio.wait([running], timeout=0)
        assert not running.done()
        running.cancel()
        await asyncio.wait([running])
        await database.close()

    asyncio.run(story())


def test_nothing_is_left_running_when_the_notifier_is_cancelled() -> None:
    async def story(store: Store, clock: Clock) -> None:
        dead = Dead()
        running = asyncio.create_task(Notifier(store, {"slack": dead}, clock).run())
        await store.record_events([promoted(clock())])
        while not dead.tries:
            await asyncio.wait([running], timeout=0.001)
        running.cancel()
        await asyncio.wait([running])
        assert asyncio.all_tasks() == {asyncio.current_task()}

    tell(story)


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_retries_grow_apart_up_to_a_bound(attempts: int, chance: float) -> None:
    seconds = retry_after_seconds(attempts, chance)
    assert min(2.0 ** min(attempts, 30), LONGEST_RETRY_SECONDS) / 2 <= seconds <= LONGEST_RETRY_SECONDS


def test_a_channel_gets_so_many_alerts_a_minute_and_the_others_later() -> None:
    async def story(store: Store, clock: Clock) -> None:
        slack = Channel()
        notifier = Notifier(store, {"slack": slack}, clock)
        await store.record_events([promoted(clock()) for _ in range(ALERTS_A_MINUTE + 5)])
        while await notifier.deliver("slack"):
            pass
        assert len(slack.told) == ALERTS_A_MINUTE
        clock.forward(61)
        while await notifier.deliver("slack"):
            pass
        assert slack.told == list(range(1, ALERTS_A_MINUTE + 6))

    tell(story)


def test_a_receiver_that_asks_for_a_pause_is_left_in_peace_for_so_long() -> None:
    class Busy(Channel):
        async def __call__(self, alert: Alert) -> None:
            if not self.told:
                self.told.append(0)
                raise NotDelivered("answered 429", retry_after_seconds=90)
            await super().__call__(alert)

    async def story(store: Store, clock: Clock) -> None:
        slack = Busy()
        notifier = Notifier(store, {"slack": slack}, clock)
        await store.record_events([promoted(clock())])
        assert await notifier.deliver("slack")
        clock.forward(89)
        assert not await notifier.deliver("slack")
        clock.forward(2)
        assert await notifier.deliver("slack")
        assert slack.told == [0, 1]

    tell(story)
