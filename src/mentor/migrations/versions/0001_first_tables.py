"""Sessions, turns, recommendations, feedback, affinities."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _create_conversations()
    _create_recommendations()


def _create_conversations() -> None:
    op.create_table(
        "mentor_sessions",
        sa.Column("session_id", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.String(128), nullable=False),
        sa.Column("persona", sa.String(8), nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.Column("last_activity_at", sa.Double, nullable=False),
        sa.Column("closed_at", sa.Double),
        sa.Column("turn_count", sa.Integer, nullable=False),
        sa.Column("uses_memory", sa.Boolean, nullable=False),
        sa.Column("memory", sa.JSON, nullable=False),
    )
    op.create_index("mentor_sessions_of_user", "mentor_sessions", ["user_id", "created_at"])
    op.create_table(
        "mentor_turns",
        sa.Column(
            "session_id",
            sa.String(64),
            sa.ForeignKey("mentor_sessions.session_id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("turn_number", sa.Integer, primary_key=True),
        sa.Column("user_message", sa.Text, nullable=False),
        sa.Column("ai_response", sa.Text, nullable=False),
        sa.Column("labels", sa.JSON, nullable=False),
        sa.Column("answered_at", sa.Double, nullable=False),
    )


def _create_recommendations() -> None:
    op.create_table(
        "mentor_recommendations",
        sa.Column("recommendation_id", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.String(128), nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("version", sa.String(16), nullable=False),
        sa.Column("persona", sa.String(8), nullable=False),
        sa.Column("confidence", sa.Double, nullable=False),
        sa.Column("expected", sa.JSON, nullable=False),
        sa.Column("made_at", sa.Double, nullable=False),
    )
    op.create_index("mentor_recommendations_of_user", "mentor_recommendations", ["user_id", "made_at"])
    op.create_table(
        "mentor_feedback",
        sa.Column(
            "recommendation_id",
            sa.String(64),
            sa.ForeignKey("mentor_recommendations.recommendation_id"),
            primary_key=True,
        ),
        sa.Column("user_id", sa.String(128), nullable=False),
        sa.Column("rating", sa.Double, nullable=False),
        sa.Column("chosen_persona", sa.String(8)),
        sa.Column("comment", sa.Text),
        sa.Column("recorded_at", sa.Double, nullable=False),
    )
    op.create_index("mentor_feedback_of_user", "mentor_feedback", ["user_id", "recorded_at"])
    op.create_table(
        "mentor_affinities",
        sa.Column("user_id", sa.String(128), primary_key=True),
        sa.Column("persona", sa.String(8), primary_key=True),
        sa.Column("residual_sum", sa.Double, nullable=False),
        sa.Column("ratings", sa.Double, nullable=False),
    )
