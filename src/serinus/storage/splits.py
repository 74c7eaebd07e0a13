"""The split that every agent reads."""

from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from serinus.errors import StaleRevision, Unreadable
from serinus.routing.split import Split
from serinus.storage.codec import dump, load
from serinus.storage.tables import heartbeats, split

CONTROLLER = "controller"


class SplitSource(StrEnum):
    """Who decides the share: a rollout's state, or a person through the configuration."""

    ROLLOUT = "rollout"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class StoredSplit:
    """The split in force, by whom, for which rollout, and what an agent must know to trust it.

    `store_id` names the database's own life: one that was deleted and made anew has another. `settled` splits stay
    in force without a living controller (a rollout that SUCCEEDED). `changed_at` is None in a store that never had a
    split; `controller_heard_at` is the last completed tick (epoch seconds by the controller's clock).
    """

    split: Split
    source: SplitSource = SplitSource.MANUAL
    changed_at: float | None = None
    changed_by: str = ""
    rollout_id: str | None = None
    settled: bool = False
    store_id: str = ""
    controller_heard_at: float | None = None


async def read_split(connection: AsyncConnection) -> StoredSplit:
    heard = select(heartbeats.c.at).where(heartbeats.c.name == CONTROLLER).scalar_subquery()
    row = (await connection.execute(select(split, heard.label("heard_at")))).first()
    if row is None:
        raise Unreadable("the store has lost its split; restore the database, or delete it to begin anew")
    stored = load(StoredSplit, row.body)
    current = replace(stored.split, revision=row.revision)
    return replace(stored, split=current, store_id=row.store_id, controller_heard_at=row.heard_at)


async def write_split(connection: AsyncConnection, stored: StoredSplit, *, expected_revision: int) -> None:
    """Replace the split; raises `StaleRevision` when another one was stored since `expected_revision`."""
    body = dump(replace(stored, store_id="", controller_heard_at=None))
    row = update(split).where(split.c.revision == expected_revision)
    if not (await connection.execute(row.values(revision=stored.split.revision, body=body))).rowcount:
        raise StaleRevision(
            f"the split has changed since revision {expected_revision}; read it again and repeat the change"
        )
