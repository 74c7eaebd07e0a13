"""Whether the events are as they were stored: the store's part for auditors."""

from collections.abc import AsyncGenerator

from serinus.storage import chain
from serinus.storage.chain import Broken, Head, Walk
from serinus.storage.database import Database


class Audit:
    """The methods of `Store` for the chain of events; each reads one consistent state."""

    database: Database

    async def head(self) -> Head:
        """The last event's number and digest, to be kept where nobody who may write the store can change it."""
        async with self.database.read() as connection:
            return await chain.read_head(connection)

    async def walk(self, kept: str | None = None) -> AsyncGenerator[tuple[Walk, Broken | None], None]:
        """Go along the chain: how far it is whole, batch by batch, and in the last step what is broken, if anything.

        With `kept`, a digest that was the head once, it must be part of the chain.
        """
        async with self.database.read() as connection:
            async for step in chain.walk(connection, kept):
                yield step
