"""What the agents counted, and the agents: the store's part that is read and written most."""

from collections.abc import Mapping, Sequence

from serinus.analysis.slices import StoredSnapshot
from serinus.aside import aside
from serinus.metrics.snapshot import Cell, CellKey, Snapshot
from serinus.rollout.state import AgentStatus
from serinus.storage import deliveries, rollups, snapshots
from serinus.storage.database import Database
from serinus.storage.rollups import TimelinePoint

PRUNED_AT_ONCE = 5_000
ROLLED_UP_AT_ONCE = 500


class Counts:
    """The methods of `Store` for snapshots, their roll-ups and agents; every one is one transaction."""

    database: Database

    async def append_snapshots(self, batch: Sequence[Snapshot], status: AgentStatus) -> None:
        """Store an agent's snapshots, each once however often it is sent, and what it says of itself."""
        rows = await aside(snapshots.rows_of, batch, status.heard_at)
        async with self.database.write() as connection:
            await snapshots.insert_snapshots(connection, status.agent, rows)
            await snapshots.put_agent(connection, status)

    async def snapshots_after(self, sequence: int, limit: int = 1_000) -> list[StoredSnapshot]:
        """The oldest `limit` with a greater number, in the order in which they were stored."""
        async with self.database.read() as connection:
            return await snapshots.read_snapshots(connection, sequence, limit)

    async def roll_up(self, limit: int = ROLLED_UP_AT_ONCE) -> int:
        """Add the oldest snapshots that are not rolled up yet to the roll-ups, each once; returns how many."""
        async with self.database.write() as connection:
            return await rollups.roll_up(connection, limit)

    async def window(self, since_at: float, endpoint: str | None = None) -> Mapping[CellKey, Cell]:
        """All agents' counts since then, added up."""
        async with self.database.read() as connection:
            return await rollups.read_window(connection, since_at, endpoint)

    async def timeline(
        self, since_at: float, until_at: float, resolution_seconds: int, endpoint: str | None = None
    ) -> tuple[TimelinePoint, ...]:
        """All agents' counts point by point, those without traffic too.

        Points begin at multiples of `resolution_seconds` and are whole, the first and the last as well. Multiples of 60
        are read from roll-ups; any other resolution from the snapshots, which takes long for more than minutes.
        """
        async with self.database.read() as connection:
            return await rollups.read_timeline(connection, since_at, until_at, resolution_seconds, endpoint)

    async def fleet(self, heard_since: float) -> tuple[AgentStatus, ...]:
        async with self.database.read() as connection:
            return await snapshots.read_fleet(connection, heard_since)

    async def forget_agent(self, agent: str) -> None:
        """An agent that ends in good order is not waited for."""
        async with self.database.write() as connection:
            await snapshots.drop_agent(connection, agent)

    async def prune(self, before_at: float) -> int:
        """Delete some old snapshots, agents and settled deliveries; returns how many snapshots. Events are kept."""
        async with self.database.write() as connection:
            await snapshots.prune_agents(connection, before_at)
            await deliveries.prune_deliveries(connection, before_at)
            return await snapshots.prune_snapshots(connection, before_at, PRUNED_AT_ONCE)

    async def prune_rollups(self, before_at: float) -> None:
        async with self.database.write() as connection:
            await rollups.prune_rollups(connection, before_at)
