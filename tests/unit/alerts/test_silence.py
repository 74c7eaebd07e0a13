"""A controller that is heard no more is told of, once, and again when it is back."""

import asyncio
from collections.abc import Awaitable, Callable

from control_room import MEMORY, Clock
from serinus.alerts.alert import LEVELS, Level, alert_of, channels_for
from serinus.alerts.silence import LOOK_SECONDS, SILENT_SECONDS, Silence
from serinus.rollout.events import Event, EventKind
from serinus.storage.database import Database
from serinus.storage.store import Store


def told(story: Callable[[Store, Clock], Awaitable[None]]) -> list[Event]:
    """What stands in the store after the story."""

    async def run() -> list[Event]:
        database, clock = Database(MEMORY), Clock()
        store = Store(database)
        try:
            await store.prepare()
            await store.record_tick(clock())
            await story(store, clock)
            return await store.events()
        finally:
            await database.close()

    return asyncio.run(run())


async def watch(silences: list[Silence], clock: Clock, seconds: float) -> None:
    for _ in range(int(seconds)):
        clock.forward(1)
        for silence in silences:
            await silence.look()


def test_silence_is_told_once_by_many_processes_and_so_is_its_end() -> None:
    async def story(store: Store, clock: Clock) -> None:
        silences = [Silence(store, clock) for _ in range(3)]
        await watch(silences, clock, SILENT_SECONDS - 1)
        assert await store.events() == []
        await watch(silences, clock, 60)
        await store.record_tick(clock())
        await watch(silences, clock, LOOK_SECONDS + 1)

    silent, heard = told(story)
    assert (silent.kind, heard.kind) == (EventKind.CONTROLLER_SILENT, EventKind.CONTROLLER_HEARD)
    assert silent.incident == heard.incident
    assert silent.details["seconds"] >= SILENT_SECONDS  # type: ignore[operator]


def test_what_was_silent_before_anybody_looked_is_no_news() -> None:
    async def story(store: Store, clock: Clock) -> None:
        clock.forward(86_400)
        silence = Silence(store, clock)
        await watch([silence], clock, 10)
        await store.record_tick(clock())
        await watch([silence], clock, 10)

    assert told(story) == []


def test_of_two_that_tell_at_the_same_instant_one_is_stored() -> None:
    async def story(store: Store, clock: Clock) -> None:
        kinds, event = (EventKind.CONTROLLER_SILENT,), Event(EventKind.CONTROLLER_SILENT, clock(), "serinus")
        stored = await asyncio.gather(*(store.record_after(event, kinds, last=None) for _ in range(5)))
        assert sorted(stored) == [False] * 4 + [True]

    assert len(told(story)) == 1


def test_silence_pages_and_its_end_resolves_the_page() -> None:
    silent = Event(EventKind.CONTROLLER_SILENT, 1.0, "serinus", incident="controller@0", sequence=1)
    heard = Event(EventKind.CONTROLLER_HEARD, 2.0, "serinus", incident="controller@0", sequence=2)
    assert "pagerduty" in channels_for(silent)
    assert channels_for(silent) == channels_for(heard)
    assert LEVELS[EventKind.CONTROLLER_SILENT] is Level.CRITICAL
    assert alert_of(heard).resolved
    assert alert_of(heard).dedup_key == alert_of(silent).dedup_key
