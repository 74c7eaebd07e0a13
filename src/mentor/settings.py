"""mentor's settings, from environment variables."""

from typing import Final, Self

from pydantic import AliasChoices, Field, HttpUrl, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from mentor.canary.language_model import Model

_SECRET_CHARACTERS: Final = 32


class MentorSettings(BaseSettings):
    """Under the prefix ``MENTOR_``. The database is the rollout's own, unless another is named."""

    model_config = SettingsConfigDict(env_prefix="MENTOR_", populate_by_name=True, hide_input_in_errors=True)

    simulation: bool = Field(default=False, description="answers are made from the input alone and nothing is stored")
    exploration: float = Field(
        default=0.02, ge=0, le=0.5, description="the share of recommendations that show a persona at random, to learn"
    )
    auth: bool = Field(default=False, description="every caller must say who they are, and gets their own data alone")
    auth_secret: SecretStr = Field(SecretStr(""), description="proves who calls; needed with `MENTOR_AUTH`")
    rate_per_minute: int | None = Field(default=None, gt=0, description="the most requests of each caller in a minute")
    retention_days: float = Field(
        default=30.0,
        gt=0,
        description="for how long recommendations, their ratings, and expired conversations are kept",
    )
    llm_base_url: HttpUrl | None = Field(
        None,
        repr=False,  # as the database's, it may hold a password
        description="a language model's OpenAI-compatible API, such as http://127.0.0.1:11434/v1; without one "
        "answers are made offline",
    )
    llm_model: str = Field("", description="the model's name there")
    llm_api_key: SecretStr = Field(SecretStr(""), description="the key that it asks for")
    llm_timeout_seconds: float = Field(
        default=20.0, gt=0, le=120, description="how long it may take before the offline answer is given"
    )
    database_url: str = Field(
        default="sqlite+aiosqlite:///serinus.db",
        repr=False,
        validation_alias=AliasChoices("MENTOR_DATABASE_URL", "SERINUS_DATABASE_URL"),
        description="where sessions, feedback and what is learnt are; by default the rollout's store",
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
