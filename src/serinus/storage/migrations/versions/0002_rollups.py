"""Snapshots added up, for display."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "serinus_rollups",
        sa.Column("span_seconds", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("started_at", sa.Double, primary_key=True),
        sa.Column("endpoint", sa.Text, primary_key=True),
        sa.Column("cells", sa.LargeBinary, nullable=False),
    )
    counters = sa.table("serinus_counters", sa.column("name"), sa.column("value"))
    op.bulk_insert(counters, [{"name": "rollups", "value": 0}])
