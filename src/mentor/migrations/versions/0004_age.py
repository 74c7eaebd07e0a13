"""Recommendations by their age, so that old ones are found to be deleted."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_index("mentor_recommendations_by_age", "mentor_recommendations", ["made_at"])
