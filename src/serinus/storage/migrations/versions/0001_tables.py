"""The first tables."""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

Sequence = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _create_state()
    _create_history()
    _create_fleet()
    _fill()


def _create_state() -> None:
    op.create_table(
        "serinus_split",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("store_id", sa.String(32), nullable=False),
        sa.Column("revision", Sequence, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "serinus_rollouts",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("revision", Sequence, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("snapshots_from", Sequence, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    active = sa.column("active", sa.Boolean)
    op.create_index(
        "serinus_rollouts_one_active",
        "serinus_rollouts",
        ["active"],
        unique=True,
        sqlite_where=active,
        postgresql_where=active,
    )
    op.create_table(
        "serinus_judgements",
        sa.Column("rollout_id", sa.String(64), sa.ForeignKey("serinus_rollouts.id"), primary_key=True),
        sa.Column("cursor", Sequence, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
    )
    op.create_table(
        "serinus_reports",
        sa.Column("rollout_id", sa.String(64), sa.ForeignKey("serinus_rollouts.id"), primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )


def _create_history() -> None:
    op.create_table(
        "serinus_counters",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("value", Sequence, nullable=False),
    )
    op.create_table(
        "serinus_events",
        sa.Column("sequence", Sequence, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("rollout_id", sa.String(64), index=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "serinus_deliveries",
        sa.Column("event_sequence", Sequence, sa.ForeignKey("serinus_events.sequence"), primary_key=True),
        sa.Column("channel", sa.String(64), primary_key=True),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", sa.Double, nullable=False),
        sa.Column("settled_at", sa.Double),
        sa.Column("error", sa.Text),
    )
    op.create_index("serinus_deliveries_unsettled", "serinus_deliveries", ["settled_at", "channel"])
    op.create_table(
        "serinus_snapshots",
        sa.Column("sequence", Sequence, primary_key=True, autoincrement=False),
        sa.Column("agent", sa.String(128), nullable=False),
        sa.Column("agent_sequence", Sequence, nullable=False),
        sa.Column("stored_at", sa.Double, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double, nullable=False, index=True),
        sa.Column("split_revision", Sequence, nullable=False),
        sa.Column("dropped", Sequence, nullable=False),
        sa.Column("cells", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("agent", "agent_sequence"),
    )


def _create_fleet() -> None:
    op.create_table(
        "serinus_agents",
        sa.Column("agent", sa.String(128), primary_key=True),
        sa.Column("heard_at", sa.Double, nullable=False, index=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "serinus_leases",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("holder", sa.String(128), nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
    )
    op.create_table(
        "serinus_heartbeats",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("at", sa.Double, nullable=False),
    )
    op.create_table(
        "serinus_tokens",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("created_by", sa.String(128), nullable=False),
        sa.Column("expires_at", sa.Double),
        sa.Column("revoked_at", sa.Double),
    )


def _fill() -> None:
    counters = sa.table("serinus_counters", sa.column("name"), sa.column("value"))
    op.bulk_insert(counters, [{"name": name, "value": 0} for name in ("events", "snapshots")])
    split = sa.table("serinus_split", *(sa.column(name) for name in ("id", "store_id", "revision", "body")))
    op.bulk_insert(split, [{"id": 1, "store_id": uuid4().hex, "revision": 0, "body": '{"split":{}}'}])
