"""Snapshots, kept one by one for the judgement, and the agents that send them."""

import json
import logging
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeAlias

from sqlalchemy import Row, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from serinus.analysis.slices import StoredSnapshot
from serinus.aside import aside
from serinus.errors import Unreadable
from serinus.metrics.snapshot import Snapshot
from serinus.rollout.state import AgentStatus
from serinus.storage.cells import pack, unpack
from serinus.storage.codec import dump, load
from serinus.storage.tables import agents, count_up, put, rollouts, snapshots

logger = logging.getLogger(__name__)

Values: TypeAlias = dict[str, Any]

NOTHING_CONFIRMED = -1


def rows_of(batch: Sequence[Snapshot], stored_at: float) -> list[Values]:
    """As they are stored, but for the number that the store gives them."""
    return [_row(snapshot, stored_at) for snapshot in batch]


async def insert_snapshots(connection: AsyncConnection, agent: str, rows: Sequence[Values]) -> None:
    """Store what is not stored yet: an agent sends its snapshots in order, and again when it did not hear back."""
    if rows:
        await count_up(connection, "snapshots", 0)  # waits for the agent's own last try, of which it did not hear
    last = await last_sequence(connection, agent)
    fresh = [row for row in rows if row["agent_sequence"] > last]
    if not fresh:
        return
    first = await count_up(connection, "snapshots", len(fresh)) + 1
    await connection.execute(insert(snapshots), [row | {"sequence": number} for number, row in enumerate(fresh, first)])


async def read_snapshots(connection: AsyncConnection, after: int, limit: int) -> list[StoredSnapshot]:
    """The oldest `limit` snapshots with a greater number than `after`."""
    query = select(snapshots).where(snapshots.c.sequence > after).order_by(snapshots.c.sequence).limit(limit)
    rows = (await connection.execute(query)).all()
    return await aside(lambda: [_stored(row) for row in rows])


async def put_agent(connection: AsyncConnection, status: AgentStatus) -> None:
    await put(connection, agents, {"agent": status.agent}, {"heard_at": status.heard_at, "body": dump(status)})


async def drop_agent(connection: AsyncConnection, agent: str) -> None:
    await connection.execute(delete(agents).filter_by(agent=agent))


async def read_fleet(connection: AsyncConnection, heard_since: float) -> tuple[AgentStatus, ...]:
    query = select(agents).where(agents.c.heard_at >= heard_since).order_by(agents.c.agent)
    return tuple(map(_status, await connection.execute(query)))


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


async def last_sequence(connection: AsyncConnection, agent: str) -> int:
    """The number of the agent's last snapshot; 0 without any."""
    latest = select(func.max(snapshots.c.agent_sequence)).where(snapshots.c.agent == agent)
    return (await connection.execute(latest)).scalar() or 0


def _status(row: Row[tuple[object, ...]]) -> AgentStatus:
    """What another version of serinus says of itself, as far as this one understands it.

    An agent that cannot be understood at all is there all the same, and has confirmed nothing: a rollback waits for it
    until it is given up for dead.
    """
    try:
        return load(AgentStatus, _known(row.body))
    except Unreadable as error:
        logger.warning("what the agent %s says of itself is not understood: %s", row.agent, error)
        return AgentStatus(row.agent, heard_at=row.heard_at, split_revision=NOTHING_CONFIRMED)


def _known(body: str) -> str:
    """Without the fields that a later version has added."""
    names = {field.name for field in fields(AgentStatus)}
    try:
        return json.dumps({name: value for name, value in json.loads(body).items() if name in names})
    except (ValueError, AttributeError, RecursionError) as error:
        raise Unreadable(f"damaged: {error}") from error


def _row(snapshot: Snapshot, stored_at: float) -> Values:
    return {
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
