"""mentor's settings, from environment variables."""

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class MentorSettings(BaseSettings):
    """`MENTOR_SIMULATION=1` answers from the input alone and stores nothing.

    `MENTOR_EXPLORATION` is the share of recommendations (0..0.5) that show a persona picked at random, to learn.
    The database is the rollout's own (`SERINUS_DATABASE_URL`), unless `MENTOR_DATABASE_URL` names another.
    """

    model_config = SettingsConfigDict(env_prefix="MENTOR_", populate_by_name=True)

    simulation: bool = False
    exploration: float = Field(default=0.02, ge=0, le=0.5)
    database_url: str = Field(
        default="sqlite+aiosqlite:///serinus.db",
        validation_alias=AliasChoices("MENTOR_DATABASE_URL", "SERINUS_DATABASE_URL"),
    )
