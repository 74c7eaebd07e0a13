"""What a source measured elsewhere: the store's part that lets one process at a time count it, each figure once."""

from collections.abc import Sequence

from serinus.aside import aside
from serinus.metrics.snapshot import Snapshot
from serinus.rollout.state import AgentStatus
from serinus.storage import snapshots
from serinus.storage.leadership import Leadership

SOURCE = "prometheus"
"""The lease's name, and the agent's as which the source is one of the fleet."""


class Measurements(Leadership):
    """The methods of `Store` for a source; every one is one transaction."""

    async def counted_through_ms(self) -> int | None:
        """The number of the source's last snapshot, which is how far it has counted (epoch ms by its own clock)."""
        async with self.database.read() as connection:
            return await snapshots.last_sequence(connection, SOURCE) or None

    async def append_measured(self, batch: Sequence[Snapshot], status: AgentStatus, *, holder: str) -> None:
        """Store the snapshots, each once by its agent and number; raises `Deposed` when the lease is another's."""
        rows = await aside(snapshots.rows_of, batch, status.heard_at)
        async with self.tick_of(holder, SOURCE) as connection:
            for row in rows:
                await snapshots.insert_snapshots(connection, row["agent"], [row])
            await snapshots.put_agent(connection, status)
