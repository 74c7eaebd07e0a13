"""Hears what other processes store."""

import asyncio
import logging
from contextlib import aclosing

from sqlalchemy import select

from serinus.errors import StoreUnavailable
from serinus.pauses import lengthened
from serinus.storage.bell import Bell
from serinus.storage.clock import StoreClock, elapsed
from serinus.storage.database import Database
from serinus.storage.splits import CONTROLLER
from serinus.storage.tables import counters, events, heartbeats, split

logger = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 5.0


class Watch:
    """Rings `split_saved` and `events_saved` when any process on any machine has stored one, and sets the `clock`.

    Those who wait for a bell look by themselves now and then, so that a watch that fails costs time and nothing else.
    """

    def __init__(
        self, database: Database, split_saved: Bell, events_saved: Bell, clock: StoreClock | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._split_saved, self._events_saved = split_saved, events_saved
        self._split_revision = self._last_event = -1

    async def run(self) -> None:
        """Watch until cancelled."""
        failures = 0
        while True:
            try:
                async with aclosing(self._database.heard()) as changes:  # type: ignore[type-var]  # a generator
                    async for topics in changes:
                        if not self._ring(topics):
                            await self._look()
                        failures = 0
            except StoreUnavailable as error:
                failures += 1
                logger.debug("what other processes store is not heard: %s", error)
            await asyncio.sleep(lengthened(RETRY_SECONDS, failures, longest=LONGEST_PAUSE_SECONDS))

    def _ring(self, topics: frozenset[str]) -> bool:
        """Ring for the tables that are named; says whether these are all that is to be known."""
        if split.name in topics:
            self._split_saved.ring()
        if events.name in topics:
            self._events_saved.ring()
        return bool(topics & {split.name, events.name})

    async def _look(self) -> None:
        last_event = select(counters.c.value).where(counters.c.name == "events").scalar_subquery()
        ticked_at = select(heartbeats.c.at).where(heartbeats.c.name == CONTROLLER).scalar_subquery()
        now, asked = self._database.now, elapsed()
        query = select(split.c.revision, last_event.label("event"), ticked_at.label("ticked_at"), now.label("now"))
        async with self._database.glance() as connection:
            row = (await connection.execute(query)).one()
        if self._clock is not None:
            self._clock.hear(row.now, asked=asked, ticked_at=row.ticked_at)
        if row.revision != self._split_revision:
            self._split_revision = row.revision
            self._split_saved.ring()
        if row.event != self._last_event:
            self._last_event = row.event
            self._events_saved.ring()
