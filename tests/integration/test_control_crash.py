"""A process that dies at every single moment of its work, one rollout after the other: nothing lost, nothing undone.

The processes of `test_control_kill.py` are killed by the operating system, wherever that hits them. Here a death falls
on every moment in turn at which something may be half done: before a transaction, before and after its commit, and
before and after a channel is told.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from backends import BACKENDS, params
from control_room import PLAN, Room
from histories import replayed
from serinus.alerts.alert import Alert, channels_for
from serinus.alerts.notifier import CLAIM_SECONDS, Notifier
from serinus.rollout.events import Event
from serinus.rollout.state import Phase, Rollout
from serinus.storage.database import Database
from serinus.storage.store import Store

SHORT = replace(PLAN, steps=(replace(PLAN.steps[0], bake_seconds=1),), watch_seconds=1)
CHANNELS = ("log", "slack", "pagerduty")
LIVES = {"sqlite in memory": 1, "postgresql": 7}  # dies at every moment, or at every seventh


class Killed(BaseException):
    """Nobody can catch it, as nobody can catch SIGKILL."""


@dataclass
class Fate:
    """Counts the moments of a life and ends it at the one that is given; 0 spares it."""

    dies_at: int = 0
    moments: int = 0
    sent_and_not_marked: bool = False
    repeats_expected: int = 0

    def moment(self) -> None:
        self.moments += 1
        if self.moments == self.dies_at:
            self.repeats_expected += self.sent_and_not_marked
            raise Killed


@dataclass
class Told:
    """What the channels were told: how often each alert, and by which keys."""

    times: Counter[tuple[str, int]] = field(default_factory=Counter)
    keys: dict[tuple[str, int], set[str]] = field(default_factory=dict)


class Frail(Database):
    fate = Fate()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        self.fate.moment()
        async with super().write() as connection:
            yield connection
            self.fate.moment()
        self.fate.sent_and_not_marked = False  # what is stored after an alert was sent is its mark
        self.fate.moment()


class Frailty:
    """A store, a room and a notifier that die and are born again; the store remains."""

    def __init__(self, database: Frail) -> None:
        self.database = database
        self.told = Told()
        self.room = Room(Store(database, channels=channels), stale_after_seconds=5.0)
        self.born()

    def born(self) -> None:
        self.room.store = Store(self.database, channels=channels)
        self.room.enter()
        told = {name: self._channel(name) for name in CHANNELS}
        self.notifier = Notifier(self.room.store, told, self.room.clock, elapsed=self.room.clock)

    def _channel(self, name: str) -> Callable[[Alert], Awaitable[None]]:
        async def tell(alert: Alert) -> None:
            self.database.fate.moment()
            self.told.times[name, alert.event] += 1
            self.told.keys.setdefault((name, alert.event), set()).add(alert.dedup_key)
            self.database.fate.sent_and_not_marked = True
            self.database.fate.moment()

        return tell

    async def second(self) -> None:
        await self.room.second(requests=25)
        await self.deliver()

    async def deliver(self) -> None:
        for channel in sorted(await self.room.store.due_channels(self.room.clock())):
            while await self.notifier.deliver(channel):
                pass

    async def rollout(self, dies_at: int, *, goes_well: bool) -> Fate:
        """One whole rollout, with a death at that moment of it."""
        fate = self.database.fate = Fate(dies_at)
        self.room.new.status = 200 if goes_well else 500
        before = await self.room.store.latest_rollout()
        while True:
            try:
                latest = await self.room.store.latest_rollout()
                if latest is None or (before is not None and latest.id == before.id):
                    await self.room.commands.start(SHORT, self.room.order())
                elif not latest.is_active:
                    return fate
                await self.second()
            except Killed:
                fate.sent_and_not_marked = False
                self.born()


def channels(event: Event) -> tuple[str, ...]:
    return tuple(name for name in channels_for(event) if name in CHANNELS)


async def check(frail: Frailty, expected_repeats: int) -> tuple[list[Rollout], int]:
    store = frail.room.store
    frail.database.fate = Fate()
    for _ in range(200):
        frail.room.clock.forward(CLAIM_SECONDS + 1)
        await frail.deliver()
        if not await store.due_channels(1e12):
            break
    rollouts, events = list(await store.rollouts(10_000)), await store.events(limit=1_000_000)
    assert [event.sequence for event in events] == list(range(1, len(events) + 1)), "an event was lost"
    for rollout in rollouts:
        assert rollout.phase in replayed([event for event in events if event.rollout_id == rollout.id])
        assert rollout.phase in {Phase.SUCCEEDED, Phase.ROLLED_BACK}
    wanted = {(channel, event.sequence) for event in events for channel in channels(event)}
    assert set(frail.told.times) == wanted, "an alert was lost, or one that nobody asked for was sent"
    assert sum(times - 1 for times in frail.told.times.values()) == expected_repeats
    assert all(len(keys) == 1 for keys in frail.told.keys.values()), "a repetition is known by its key"
    return rollouts, len(events)


@pytest.mark.slow
@pytest.mark.parametrize("backend", params(LIVES))
def test_a_death_at_any_moment_loses_no_event_and_repeats_only_what_was_sent_and_not_marked(
    backend: str, request: pytest.FixtureRequest, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)  # else a death would be told at length

    url = BACKENDS[backend](request, tmp_path)

    async def story() -> None:
        database = Frail(url)
        frail = Frailty(database)
        await frail.room.store.prepare()
        deaths = repeats = 0
        for goes_well in (True, False):
            moments = (await frail.rollout(0, goes_well=goes_well)).moments
            for dies_at in range(1, moments + 1, LIVES[backend]):
                fate = await frail.rollout(dies_at, goes_well=goes_well)
                deaths += fate.moments >= dies_at
                repeats += fate.repeats_expected
        rollouts, events = await check(frail, repeats)
        assert deaths > 200 / LIVES[backend]
        assert repeats > 0
        print(f"{deaths} deaths, {len(rollouts)} rollouts, {events} events, {repeats} alerts told twice")
        await database.close()

    asyncio.run(story())
