"""Snapshots, kept one by one for the judgement, and the agents that send them."""

from collections.abc import Sequence

from sqlalchemy import Row, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from serinus.analysis.slices import StoredSnapshot
from serinus.metrics.snapshot import Snapshot
from serinus.rollout.state import AgentStatus
from serinus.storage.cells import pack, unpack
from serinus.storage.codec import dump, load
from serinus.storage.tables import agents, count_up, put, rollouts, snapshots


async def insert_snapshots(
    connection: AsyncConnection, agent: str, batch: Sequence[Snapshot], stored_at: float
) -> None:
    """Store what is not stored yet: an agent sends its snapshots in order, and again when it did not hear back."""
    if batch:
        await count_up(connection, "snapshots", 0)  # waits for the agent's own last try, of which it did not hear
    last = await _last_sequence(connection, agent)
    fresh = [snapshot for snapshot in batch if snapshot.sequence > last]
    if not fresh:
        return
    first = await count_up(connection, "snapshots", len(fresh)) + 1
    rows = [_row(snapshot, sequence, stored_at) for sequence, snapshot in enumerate(fresh, first)]
    await connection.execute(insert(snapshots), rows)


async def read_snapshots(connection: AsyncConnection, after: int, limit: int) -> list[StoredSnapshot]:
    """The oldest `limit` snapshots with a greater number than `after`."""
    query = select(snapshots).where(snapshots.c.sequence > after).order_by(snapshots.c.sequence).limit(limit)
    return [_stored(row) for row in await connection.execute(query)]


async def put_agent(connection: AsyncConnection, status: AgentStatus) -> None:
    await put(connection, agents, {"agent": status.agent}, {"heard_at": status.heard_at, "body": dump(status)})


async def drop_agent(connection: AsyncConnection, agent: str) -> None:
    await connection.execute(delete(agents).filter_by(agent=agent))


async def read_fleet(connection: AsyncConnection, heard_since: float) -> tuple[AgentStatus, ...]:
    query = select(agents.c.body).where(agents.c.heard_at >= heard_since).order_by(agents.c.agent)
    return tuple(load(AgentStatus, body) for body in (await connection.execute(query)).scalars())


async def prune_snapshots(connection: AsyncConnection, before_at: float, limit: int) -> int:
    """Delete at most `limit` snapshots that ended before `before_at` and that no running rollout is judged by."""
    needed_from = select(func.min(rollouts.c.snapshots_from)).where(rollouts.c.active).scalar_subquery()
    old = (
        select(snapshots.c.sequence)
        .where(snapshots.c.ended_at < before_at, snapshots.c.sequence <= func.coalesce(needed_from, 2**62))
        .limit(limit)
    )
    return (await connection.execute(delete(snapshots).where(snapshots.c.sequence.in_(old)))).rowcount


async def prune_agents(connection: AsyncConnection, before_at: float) -> None:
    await connection.execute(delete(agents).where(agents.c.heard_at < before_at))


async def _last_sequence(connection: AsyncConnection, agent: str) -> int:
    latest = select(func.max(snapshots.c.agent_sequence)).where(snapshots.c.agent == agent)
    return (await connection.execute(latest)).scalar() or 0


def _row(snapshot: Snapshot, sequence: int, stored_at: float) -> dict[str, object]:
    return {
        "sequence": sequence,
        "agent": snapshot.agent,
        "agent_sequence": snapshot.sequence,
        "stored_at": stored_at,
        "started_at": snapshot.started_at,
        "ended_at": snapshot.ended_at,
        "split_revision": snapshot.split_revision,
        "dropped": snapshot.dropped,
        "cells": pack(snapshot.cells),
    }


def _stored(row: Row[tuple[object, ...]]) -> StoredSnapshot:
    snapshot = Snapshot(
        agent=row.agent,
        sequence=row.agent_sequence,
        started_at=row.started_at,
        ended_at=row.ended_at,
        split_revision=row.split_revision,
        cells=unpack(row.cells, f"snapshot {row.sequence}"),
        dropped=row.dropped,
    )
    return StoredSnapshot(sequence=row.sequence, stored_at=row.stored_at, snapshot=snapshot)
