"""Conversations by expiry, so that old ones are found to be deleted."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_index("mentor_sessions_by_expiry", "mentor_sessions", ["expires_at"])
