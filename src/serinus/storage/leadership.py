"""Who leads: the store's part that keeps all controllers but one from acting."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from serinus.storage import leases
from serinus.storage.database import Database
from serinus.storage.splits import CONTROLLER

LEASE = "controller"


class Leadership:
    """The methods of `Store` for leases, the controller's unless named, and its heartbeat; each is one transaction."""

    database: Database

    @asynccontextmanager
    async def tick_of(self, holder: str | None, lease: str = LEASE) -> AsyncIterator[AsyncConnection]:
        """A write transaction of who holds the lease as `holder`; raises `Deposed` when it does not.

        So a process that was stopped in the middle of a tick, and wakes up when another leads, changes nothing. Without
        a `holder` there is no lease to hold, as in a process that is the only one.
        """
        async with self.database.write() as connection:
            if holder is not None:
                await leases.check_lease(connection, lease, holder)
            yield connection

    async def acquire_lease(self, holder: str, now: float, ttl: float, lease: str = LEASE) -> bool:
        """Take or renew the lease; two that try at the same instant cannot both succeed."""
        try:
            async with self.database.write() as connection:
                return await leases.take_lease(connection, lease, holder, now=now, expires_at=now + ttl)
        except IntegrityError:
            return False

    async def release_lease(self, holder: str, lease: str = LEASE) -> None:
        async with self.database.write() as connection:
            await leases.drop_lease(connection, lease, holder)

    async def controller_heard_at(self) -> float | None:
        """When a controller last completed a tick (epoch seconds, its clock)."""
        async with self.database.read() as connection:
            return await leases.read_heartbeat(connection, CONTROLLER)
