"""What feedback taught about everybody, tastes by content cell, propensities and hints, who generated an answer."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("mentor_turns", sa.Column("generated_by", sa.String(64)))
    op.add_column("mentor_recommendations", sa.Column("hints", sa.JSON))
    op.add_column("mentor_recommendations", sa.Column("propensities", sa.JSON))
    op.create_table(
        "mentor_tastes",
        sa.Column("user_id", sa.String(128), primary_key=True),
        sa.Column("persona", sa.String(8), primary_key=True),
        sa.Column("cell", sa.String(16), primary_key=True),
        sa.Column("residual_sum", sa.Double, nullable=False),
        sa.Column("ratings", sa.Double, nullable=False),
    )
    population = op.create_table(
        "mentor_population",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("state", sa.JSON, nullable=False),
    )
    op.bulk_insert(population, [{"name": "ensemble", "revision": 0, "state": {}}])
