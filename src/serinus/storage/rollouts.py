"""Rollouts as rows: the whole state as one value, beside the columns that queries need."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from serinus.errors import NotFound, Refused, StaleRevision
from serinus.rollout.state import Phase, Rollout
from serinus.storage.codec import dump, load
from serinus.storage.tables import counters, rollouts

ENDED = frozenset({Phase.ROLLED_BACK, Phase.SUCCEEDED})


async def insert_rollout(connection: AsyncConnection, rollout: Rollout) -> Rollout:
    """Store a first state; it will be judged by the snapshots stored from now on."""
    stored = replace(rollout, revision=rollout.revision + 1)
    latest_snapshot = select(counters.c.value).where(counters.c.name == "snapshots").scalar_subquery()
    await connection.execute(
        insert(rollouts).values(id=stored.id, snapshots_from=latest_snapshot, **_columns(stored)),
    )
    return stored


async def update_rollout(connection: AsyncConnection, rollout: Rollout, *, expected_revision: int) -> Rollout:
    """Store the next state; raises `StaleRevision` when the stored one is not at `expected_revision`."""
    stored = replace(rollout, revision=expected_revision + 1)
    row = update(rollouts).where(rollouts.c.id == rollout.id, rollouts.c.revision == expected_revision)
    if not (await connection.execute(row.values(**_columns(stored)))).rowcount:
        raise _stale(rollout.id, expected_revision)
    return stored


async def check_revision(connection: AsyncConnection, rollout_id: str, expected_revision: int) -> None:
    """Raise `StaleRevision` unless the rollout is at `expected_revision`; holds its row until the transaction ends."""
    row = update(rollouts).where(rollouts.c.id == rollout_id, rollouts.c.revision == expected_revision)
    if not (await connection.execute(row.values(revision=expected_revision))).rowcount:
        raise _stale(rollout_id, expected_revision)


async def refuse_beside_active(connection: AsyncConnection) -> None:
    if (await connection.execute(select(rollouts.c.id).where(rollouts.c.active))).first():
        raise Refused("a rollout decides the share now; steer it with its own commands (pause, advance, roll back)")


async def read_active(connection: AsyncConnection) -> Rollout | None:
    body = (await connection.execute(select(rollouts.c.body).where(rollouts.c.active))).scalar()
    return None if body is None else load(Rollout, body)


async def read_rollout(connection: AsyncConnection, rollout_id: str) -> Rollout:
    """Raises `NotFound`."""
    body = (await connection.execute(select(rollouts.c.body).filter_by(id=rollout_id))).scalar()
    if body is None:
        raise NotFound(f"there is no rollout {rollout_id!r}; `serinus history` lists them")
    return load(Rollout, body)


async def read_rollouts(connection: AsyncConnection, limit: int) -> Sequence[Rollout]:
    """The latest first."""
    bodies = select(rollouts.c.body).order_by(rollouts.c.started_at.desc(), rollouts.c.id).limit(limit)
    return [load(Rollout, body) for body in (await connection.execute(bodies)).scalars()]


async def read_snapshots_from(connection: AsyncConnection, rollout_id: str) -> int:
    """The number of the last snapshot that was stored before the rollout."""
    return int((await connection.execute(select(rollouts.c.snapshots_from).filter_by(id=rollout_id))).scalar_one())


def _columns(rollout: Rollout) -> dict[str, object]:
    return {
        "revision": rollout.revision,
        "active": rollout.phase not in ENDED,
        "started_at": rollout.started_at,
        "body": dump(rollout),
    }


def _stale(rollout_id: str, expected_revision: int) -> StaleRevision:
    return StaleRevision(
        f"rollout {rollout_id} has moved on since revision {expected_revision}; read it again and repeat the command"
    )
