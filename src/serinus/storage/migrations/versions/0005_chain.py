"""Events are chained: each has a digest of itself and of the one before. Those that are there already get theirs."""

import sqlalchemy as sa
from alembic import op

from serinus.storage.chain import BEGINNING, EVENTS, link

revision = "0005"
down_revision = "0004"

READ_AT_ONCE = 500


def upgrade() -> None:
    for table in ("serinus_events", "serinus_counters"):
        op.add_column(table, sa.Column("digest", sa.String(64)))
    connection, digest, last = op.get_bind(), BEGINNING, 0
    names = ("sequence", "at", "kind", "rollout_id", "body", "digest")
    events = sa.table("serinus_events", *map(sa.column, names))
    counters = sa.table("serinus_counters", sa.column("name"), sa.column("digest"))
    while rows := connection.execute(_after(events, last)).all():
        for row in rows:
            digest, last = link(digest, row), row.sequence
            connection.execute(sa.update(events).where(events.c.sequence == last).values(digest=digest))
    connection.execute(sa.update(counters).where(counters.c.name == EVENTS).values(digest=digest))


def _after(events: sa.TableClause, last: int) -> sa.Select[tuple[object, ...]]:
    return sa.select(events).where(events.c.sequence > last).order_by(events.c.sequence).limit(READ_AT_ONCE)
