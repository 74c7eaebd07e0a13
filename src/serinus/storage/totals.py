"""Sums over everything there ever was: the store's part that a scrape reads."""

from collections.abc import Mapping

from serinus.metrics.snapshot import Cell, CellKey
from serinus.storage import deliveries, events, rollups
from serinus.storage.database import Database
from serinus.storage.deliveries import Queue


class Totals:
    """The methods of `Store` for sums that only grow, and for what waits; every one is one transaction."""

    database: Database

    async def totals(self) -> Mapping[CellKey, Cell]:
        """All agents' counts since the store began; no later answer is ever less in any number."""
        async with self.database.read() as connection:
            return await rollups.read_totals(connection)

    async def event_counts(self) -> Mapping[str, int]:
        """How many events of each kind were ever stored."""
        async with self.database.read() as connection:
            return await events.count_by_kind(connection)

    async def outbox(self) -> Mapping[str, Queue]:
        """What each channel has still to be told, and what was given up."""
        async with self.database.read() as connection:
            return await deliveries.read_queues(connection)
