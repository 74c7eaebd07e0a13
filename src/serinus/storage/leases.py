"""Who does the work that one process at a time should do, and when it was last done."""

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from serinus.errors import Deposed
from serinus.storage.tables import heartbeats, leases


async def take_lease(connection: AsyncConnection, name: str, holder: str, *, now: float, expires_at: float) -> bool:
    """True when `holder` has the lease now: it was free, had expired, or is renewed.

    One that runs for far longer than anybody asks for was taken before the clock was set back, and is free too.
    """
    latest = now + 2 * (expires_at - now)
    free = or_(leases.c.holder == holder, leases.c.expires_at <= now, leases.c.expires_at > latest)
    row = update(leases).where(leases.c.name == name, free).values(holder=holder, expires_at=expires_at)
    if (await connection.execute(row)).rowcount:
        return True
    if (await connection.execute(select(leases.c.holder).filter_by(name=name))).first():
        return False
    await connection.execute(insert(leases).values(name=name, holder=holder, expires_at=expires_at))
    return True


async def check_lease(connection: AsyncConnection, name: str, holder: str) -> None:
    """Raise `Deposed` unless `holder` has the lease; nobody else can take it until the transaction ends."""
    held = select(leases.c.holder).filter_by(name=name, holder=holder).with_for_update(read=True)
    if (await connection.execute(held)).first() is None:
        raise Deposed(f"{holder} has lost the lease of the {name}")


async def drop_lease(connection: AsyncConnection, name: str, holder: str) -> None:
    await connection.execute(delete(leases).filter_by(name=name, holder=holder))


async def read_heartbeat(connection: AsyncConnection, name: str) -> float | None:
    return (await connection.execute(select(heartbeats.c.at).filter_by(name=name))).scalar()
