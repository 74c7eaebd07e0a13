"""mentor's settings, from environment variables."""

from typing import Final, Self

from pydantic import AliasChoices, Field, HttpUrl, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from mentor.canary.language_model import Model

_SECRET_CHARACTERS: Final = 32


class MentorSettings(BaseSettings):
    """`MENTOR_SIMULATION=1` answers from the input alone and stores nothing.

    `MENTOR_EXPLORATION` is the share of recommendations (0..0.5) that show a persona picked at random, to learn.
    `MENTOR_LLM_BASE_URL` (such as `http://127.0.0.1:11434/v1`) and `MENTOR_LLM_MODEL` name a language model behind an
    OpenAI-compatible API, `MENTOR_LLM_API_KEY` its key; without them answers are made offline.
    `MENTOR_AUTH=1` asks every caller who they are (`mentor.callers`), by `MENTOR_AUTH_SECRET`, and gives them their own
    user's data alone. `MENTOR_RATE_PER_MINUTE` bounds the requests of each caller; without it there is no bound.
    `MENTOR_RETENTION_DAYS` is for how long an expired conversation is kept before it is deleted.
    The database is the rollout's own (`SERINUS_DATABASE_URL`), unless `MENTOR_DATABASE_URL` names another.
    """

    model_config = SettingsConfigDict(env_prefix="MENTOR_", populate_by_name=True)

    simulation: bool = False
    exploration: float = Field(default=0.02, ge=0, le=0.5)
    auth: bool = False
    auth_secret: SecretStr = SecretStr("")
    rate_per_minute: int | None = Field(default=None, gt=0)
    retention_days: float = Field(default=30.0, gt=0)
    llm_base_url: HttpUrl | None = None
    llm_model: str = ""
    llm_api_key: SecretStr = SecretStr("")
    llm_timeout_seconds: float = Field(default=20.0, gt=0, le=120)
    database_url: str = Field(
        default="sqlite+aiosqlite:///serinus.db",
        validation_alias=AliasChoices("MENTOR_DATABASE_URL", "SERINUS_DATABASE_URL"),
    )

    @model_validator(mode="after")
    def _model_has_a_name(self) -> Self:
        if bool(self.llm_base_url) != bool(self.llm_model):
            raise ValueError("MENTOR_LLM_BASE_URL and MENTOR_LLM_MODEL belong together: set both or neither")
        return self

    @model_validator(mode="after")
    def _secret_is_long(self) -> Self:
        if self.auth and len(self.auth_secret.get_secret_value()) < _SECRET_CHARACTERS:
            raise ValueError(f"MENTOR_AUTH needs a MENTOR_AUTH_SECRET of at least {_SECRET_CHARACTERS} characters")
        return self

    @property
    def model(self) -> Model | None:
        """The language model that answers; None where the offline responder does."""
        if self.llm_base_url is None:
            return None
        key = self.llm_api_key.get_secret_value()
        return Model(str(self.llm_base_url), self.llm_model, key, self.llm_timeout_seconds)
