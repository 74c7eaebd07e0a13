"""Sessions of browsers that stand for a token."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "serinus_sessions",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("token_id", sa.String(32), sa.ForeignKey("serinus_tokens.id")),
        sa.Column("seal", sa.String(64)),
        sa.Column("expires_at", sa.Double, nullable=False),
    )
