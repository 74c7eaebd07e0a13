"""Who does the work that one process at a time should do, and when it was last done."""

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from serinus.storage.tables import heartbeats, leases


async def take_lease(connection: AsyncConnection, name: str, holder: str, *, now: float, expires_at: float) -> bool:
    """True when `holder` has the lease now: it was free, had expired, or is renewed."""
    free = or_(leases.c.holder == holder, leases.c.expires_at <= now)
    row = update(leases).where(leases.c.name == name, free).values(holder=holder, expires_at=expires_at)
    if (await connection.execute(row)).rowcount:
        return True
    if (await connection.execute(select(leases.c.holder).filter_by(name=name))).first():
        return False
    await connection.execute(insert(leases).values(name=name, holder=holder, expires_at=expires_at))
    return True


async def drop_lease(connection: AsyncConnection, name: str, holder: str) -> None:
    await connection.execute(delete(leases).filter_by(name=name, holder=holder))


async def read_heartbeat(connection: AsyncConnection, name: str) -> float | None:
    return (await connection.execute(select(heartbeats.c.at).filter_by(name=name))).scalar()
