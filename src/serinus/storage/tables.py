"""The tables, and the two statements that every noun's module needs."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    insert,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

metadata = MetaData()
Sequence = BigInteger().with_variant(Integer, "sqlite")

counters = Table(
    "serinus_counters",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Sequence, nullable=False),
    Column("digest", String(64)),
)
split = Table(
    "serinus_split",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("store_id", String(32), nullable=False),
    Column("revision", Sequence, nullable=False),
    Column("body", Text, nullable=False),
)
rollouts = Table(
    "serinus_rollouts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("revision", Sequence, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("snapshots_from", Sequence, nullable=False),
    Column("body", Text, nullable=False),
)
one_active = Index(
    "serinus_rollouts_one_active",
    rollouts.c.active,
    unique=True,
    sqlite_where=rollouts.c.active,
    postgresql_where=rollouts.c.active,
)
judgements = Table(
    "serinus_judgements",
    metadata,
    Column("rollout_id", ForeignKey(rollouts.c.id), primary_key=True),
    Column("cursor", Sequence, nullable=False),
    Column("evidence", Text, nullable=False),
)
reports = Table(
    "serinus_reports",
    metadata,
    Column("rollout_id", ForeignKey(rollouts.c.id), primary_key=True),
    Column("body", Text, nullable=False),
)
events = Table(
    "serinus_events",
    metadata,
    Column("sequence", Sequence, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("rollout_id", String(64), index=True),
    Column("body", Text, nullable=False),
    Column("digest", String(64)),
)
deliveries = Table(
    "serinus_deliveries",
    metadata,
    Column("event_sequence", ForeignKey(events.c.sequence), primary_key=True, autoincrement=False),
    Column("channel", String(64), primary_key=True),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Double, nullable=False),
    Column("settled_at", Double),
    Column("error", Text),
    Index("serinus_deliveries_unsettled", "settled_at", "channel"),
)
snapshots = Table(
    "serinus_snapshots",
    metadata,
    Column("sequence", Sequence, primary_key=True, autoincrement=False),
    Column("agent", String(128), nullable=False),
    Column("agent_sequence", Sequence, nullable=False),
    Column("stored_at", Double, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("ended_at", Double, nullable=False, index=True),
    Column("split_revision", Sequence, nullable=False),
    Column("dropped", Sequence, nullable=False),
    Column("cells", LargeBinary, nullable=False),
    UniqueConstraint("agent", "agent_sequence"),
)
rollups = Table(
    "serinus_rollups",
    metadata,
    Column("span_seconds", Integer, primary_key=True, autoincrement=False),
    Column("started_at", Double, primary_key=True),
    Column("endpoint", Text, primary_key=True),
    Column("cells", LargeBinary, nullable=False),
)
agents = Table(
    "serinus_agents",
    metadata,
    Column("agent", String(128), primary_key=True),
    Column("heard_at", Double, nullable=False, index=True),
    Column("body", Text, nullable=False),
)
leases = Table(
    "serinus_leases",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("holder", String(128), nullable=False),
    Column("expires_at", Double, nullable=False),
)
heartbeats = Table(
    "serinus_heartbeats",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("at", Double, nullable=False),
)
tokens = Table(
    "serinus_tokens",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(128), nullable=False),
    Column("role", String(16), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("created_at", Double, nullable=False),
    Column("created_by", String(128), nullable=False),
    Column("expires_at", Double),
    Column("revoked_at", Double),
)

sessions = Table(
    "serinus_sessions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("token_id", ForeignKey(tokens.c.id)),
    Column("seal", String(64)),
    Column("expires_at", Double, nullable=False),
)


async def put(connection: AsyncConnection, table: Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Update the row with this key, or insert it."""
    there = update(table).where(*(table.c[name] == value for name, value in key.items())).values(**values)
    if (await connection.execute(there)).rowcount:
        return
    try:
        async with connection.begin_nested():
            await connection.execute(insert(table).values(**key, **values))
    except IntegrityError:  # somebody else has inserted it in the meantime
        await connection.execute(there)


async def count_up(connection: AsyncConnection, name: str, by: int) -> int:
    """Add to a counter and return what it was before.

    Rows numbered by it become visible in the order of their numbers: the counter's row stays locked until the
    transaction ends, so a reader that has seen number n has seen all before it. A database's own sequence does not
    promise that.
    """
    row = counters.c.name == name
    statement = update(counters).where(row).values(value=counters.c.value + by).returning(counters.c.value)
    return int((await connection.execute(statement)).scalar_one()) - by
