"""mentor's tables. Times are epoch seconds; columns in JSON hold what is only ever read whole."""

from sqlalchemy import JSON, Boolean, Column, Double, ForeignKey, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

sessions = Table(
    "mentor_sessions",
    metadata,
    Column("session_id", String(64), primary_key=True),
    Column("user_id", String(128), nullable=False),
    Column("persona", String(8), nullable=False),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("last_activity_at", Double, nullable=False),
    Column("closed_at", Double),
    Column("turn_count", Integer, nullable=False),
    Column("uses_memory", Boolean, nullable=False),
    Column("memory", JSON, nullable=False),
    Index("mentor_sessions_of_user", "user_id", "created_at"),
    Index("mentor_sessions_by_expiry", "expires_at"),
)

turns = Table(
    "mentor_turns",
    metadata,
    Column("session_id", ForeignKey("mentor_sessions.session_id", ondelete="CASCADE"), primary_key=True),
    Column("turn_number", Integer, primary_key=True),
    Column("user_message", Text, nullable=False),
    Column("ai_response", Text, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("answered_at", Double, nullable=False),
    Column("generated_by", String(64)),
)

recommendations = Table(
    "mentor_recommendations",
    metadata,
    Column("recommendation_id", String(64), primary_key=True),
    Column("user_id", String(128), nullable=False),
    Column("query", Text, nullable=False),
    Column("version", String(16), nullable=False),
    Column("persona", String(8), nullable=False),
    Column("confidence", Double, nullable=False),
    Column("expected", JSON, nullable=False),
    Column("made_at", Double, nullable=False),
    Column("hints", JSON(none_as_null=True)),
    Column("propensities", JSON(none_as_null=True)),
    Index("mentor_recommendations_of_user", "user_id", "made_at"),
    Index("mentor_recommendations_by_age", "made_at"),
)

feedback = Table(
    "mentor_feedback",
    metadata,
    Column("recommendation_id", ForeignKey("mentor_recommendations.recommendation_id"), primary_key=True),
    Column("user_id", String(128), nullable=False),
    Column("rating", Double, nullable=False),
    Column("chosen_persona", String(8)),
    Column("comment", Text),
    Column("recorded_at", Double, nullable=False),
    Index("mentor_feedback_of_user", "user_id", "recorded_at"),
)

affinities = Table(
    "mentor_affinities",
    metadata,
    Column("user_id", String(128), primary_key=True),
    Column("persona", String(8), primary_key=True),
    Column("residual_sum", Double, nullable=False),
    Column("ratings", Double, nullable=False),
)

tastes = Table(
    "mentor_tastes",
    metadata,
    Column("user_id", String(128), primary_key=True),
    Column("persona", String(8), primary_key=True),
    Column("cell", String(16), primary_key=True),
    Column("residual_sum", Double, nullable=False),
    Column("ratings", Double, nullable=False),
)

population = Table(  # one row for each model that learns; its revision counts what it was taught
    "mentor_population",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("state", JSON, nullable=False),
)
