"""Every setting, once: read from the environment under the prefix ``SERINUS_``, or given to `load` by name."""

import re
from base64 import b64decode
from difflib import get_close_matches
from email.errors import HeaderParseError
from email.headerregistry import Address
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AnyHttpUrl,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from serinus.errors import InvalidInput, Problem

PREFIX = "SERINUS_"
SELECTOR = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*(\{[^{}]*\})?")
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
MAY_BE_EMPTY = {"prometheus_latency", "prometheus_endpoint_label"}
HTTP, SMTP = {"http", "https"}, {"smtp", "smtps"}
EXAMPLE_URL = "write it like sqlite+aiosqlite:///serinus.db or postgresql+asyncpg://user:password@host/name"
CLIENT_VARIABLES = {"SERINUS_URL", "SERINUS_TOKEN", "SERINUS_REQUIRE_TOOLS"}
WORDS = {  # pydantic's own are for programmers, and some mislead
    "value_error": "{error}",
    "too_short": "must have at least {min_length} characters",
    "string_too_short": "must have at least {min_length} characters",
    "int_parsing": "must be a whole number",
    "float_parsing": "must be a number",
    "bool_parsing": "must be true or false",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "literal_error": "must be one of {expected}",
    "enum": "must be one of {expected}",
    "url_parsing": "is no URL; write it like http://10.0.0.1:8000",
    "url_scheme": "is no URL; write it like http://10.0.0.1:8000",
}

Secret = Annotated[SecretStr, Field(min_length=16)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]


class Settings(BaseSettings):
    """What an installation chooses. Secrets never show in `repr`, logs or errors."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True)

    database_url: str = Field(
        "sqlite+aiosqlite:///serinus.db",
        repr=False,  # it may hold a password
        description="where the store is (an SQLAlchemy async URL)",
    )
    host: str = Field("127.0.0.1", description="the address that `serve` listens on")
    port: int = Field(8000, ge=0, le=65_535, description="the port that `serve` listens on; 0 takes a free one")
    admin_token: Secret | None = Field(None, description="a bearer token with the role admin, beside the stored ones")
    admin_name: Name = Field("admin", description="whose name stands in the events of `admin_token`")
    public_metrics: bool = Field(default=False, description="the metrics may be read without a token")
    agent_name: Annotated[Name, Field(max_length=100)] | None = Field(
        None, description="this process's name in the store; by default the host's"
    )
    stale_after_seconds: float = Field(
        60.0, gt=0, allow_inf_nan=False, description="after how long without a controller everybody gets LEGACY"
    )
    state_dir: Path | None = Field(
        None,
        description="where the split of a rollout that succeeded is kept for a start without the store; by default "
        "beside SQLite's file, else in the working directory",
    )
    max_body_bytes: int = Field(65_536, ge=1_024, description="the largest body that the admin API accepts")
    legacy_url: AnyHttpUrl | None = Field(None, description="where LEGACY is deployed, for `serve` without an APP")
    canary_url: AnyHttpUrl | None = Field(None, description="where CANARY is deployed, for `serve` without an APP")
    subject: str | None = Field(
        None,
        description="who a request is from, for `serve` without an APP: header:NAME, cookie:NAME, query:NAME or "
        "json:FIELD, several with commas in between",
    )
    endpoints: str = Field(
        "", description="the route templates of `serve` without an APP, with commas in between; else all paths are one"
    )
    timeout_seconds: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="until an answer begins, for `serve` without an APP; none: no limit",
    )
    language: Literal["en", "ko"] = Field("en", description="the language of alerts, and of answers to who names none")
    slack_webhook_url: SecretStr | None = Field(None, description="an incoming webhook of Slack for alerts")
    pagerduty_routing_key: Annotated[SecretStr, Field(min_length=32, max_length=32)] | None = Field(
        None, description="the integration key of a PagerDuty service (Events API v2)"
    )
    pagerduty_url: AnyHttpUrl = Field(
        AnyHttpUrl("https://events.pagerduty.com/v2/enqueue"),
        description="where PagerDuty takes events; https://events.eu.pagerduty.com/v2/enqueue in the EU",
    )
    webhook_url: SecretStr | None = Field(None, description="a URL that gets every alert as JSON")
    webhook_secret: SecretStr | None = Field(
        None, description="signs what `webhook_url` gets (Standard Webhooks): whsec_ and 24 to 64 bytes in base64"
    )
    smtp_url: SecretStr | None = Field(
        None, description="the mail server: smtp://user:password@host:587, or smtps:// for TLS from the beginning"
    )
    email_from: str | None = Field(None, description="the sender of e-mails")
    email_to: str | None = Field(None, description="the recipients of e-mails, with commas in between")
    apprise_url: SecretStr | None = Field(None, description="any other service, by its apprise URL (extra `apprise`)")
    sentry_dsn: SecretStr | None = Field(
        None, description="Sentry's DSN: errors are tagged by version (extra `sentry`), rollbacks are events there"
    )
    release: Name | None = Field(None, description="the service's release, as Sentry is to call it")
    environment: Name | None = Field(None, description="where this runs, such as production, as Sentry is to call it")
    prometheus_url: AnyHttpUrl | None = Field(
        None,
        repr=False,  # it may hold a password
        description="a Prometheus that measures both versions, instead of what passes through this process",
    )
    prometheus_token: SecretStr | None = Field(None, description="a bearer token for its API")
    prometheus_requests: str = Field(
        "http_requests_total", description="the counter of its requests: a name, and {matchers} if you like"
    )
    prometheus_latency: str = Field(
        "http_request_duration_seconds_bucket",
        description="the buckets of its latency histogram, written alike; empty where there is none",
    )
    prometheus_latency_unit: Literal["s", "ms"] = Field("s", description="what `le` counts in these buckets")
    prometheus_version_label: str = Field("version", description="the label that tells the versions apart")
    prometheus_legacy: Name = Field("legacy", description="its value for LEGACY")
    prometheus_canary: Name = Field("canary", description="its value for CANARY")
    prometheus_endpoint_label: str = Field("handler", description="the label with the route; empty where there is none")
    prometheus_status_label: str = Field("status", description="the label with the status, such as 503 or 5xx")
    console_url: AnyHttpUrl | None = Field(None, description="the address that alerts point people to")
    log_level: Literal["critical", "error", "warning", "info", "debug"] = Field(
        "info", description="what is logged; debug adds requests"
    )

    @field_validator("database_url")
    @classmethod
    def _names_an_asynchronous_driver(cls, url: str) -> str:
        try:
            dialect = make_url(url).get_dialect()
        except ArgumentError:
            raise ValueError(f"is no address of a database; {EXAMPLE_URL}") from None
        if not dialect.is_async:
            raise ValueError(f"needs an asynchronous driver; {EXAMPLE_URL}")
        return url

    @field_validator("prometheus_requests", "prometheus_latency")
    @classmethod
    def _is_a_selector(cls, selector: str, field: ValidationInfo) -> str:
        selector = selector.strip()
        if not SELECTOR.fullmatch(selector) and (selector or field.field_name not in MAY_BE_EMPTY):
            raise ValueError(
                'is no name of a metric; write it like http_requests_total or http_requests_total{job="x"}'
            )
        return selector

    @field_validator("prometheus_version_label", "prometheus_endpoint_label", "prometheus_status_label")
    @classmethod
    def _is_a_label(cls, label: str, field: ValidationInfo) -> str:
        label = label.strip()
        if not LABEL.fullmatch(label) and (label or field.field_name not in MAY_BE_EMPTY):
            raise ValueError("is no name of a label; write it like version")
        return label

    @field_validator("slack_webhook_url", "webhook_url")
    @classmethod
    def _is_an_address(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and (urlsplit(url.get_secret_value()).scheme not in HTTP or not _host(url)):
            raise ValueError("is no address that can be posted to; it begins with https://")
        return url

    @field_validator("smtp_url")
    @classmethod
    def _is_a_mail_server(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and (urlsplit(url.get_secret_value()).scheme not in SMTP or not _host(url)):
            raise ValueError("is no mail server; write it like smtp://user:password@mail.example.org:587")
        return url

    @field_validator("sentry_dsn")
    @classmethod
    def _is_a_dsn(cls, dsn: SecretStr | None) -> SecretStr | None:
        parts = urlsplit(dsn.get_secret_value() if dsn else "https://key@host/1")
        if parts.scheme not in HTTP or not (parts.hostname and parts.username and parts.path.strip("/")):
            raise ValueError("is no DSN; Sentry shows it among a project's client keys: https://KEY@HOST/PROJECT")
        return dsn

    @field_validator("apprise_url")
    @classmethod
    def _is_known_to_apprise(cls, url: SecretStr | None) -> SecretStr | None:
        if url is None:
            return None
        try:
            import apprise  # an extra that takes long to load: for who asks for it alone
        except ModuleNotFoundError:
            raise ValueError("needs the package apprise: pip install it") from None
        if apprise.Apprise.instantiate(url.get_secret_value()) is None:
            raise ValueError("is no URL that apprise knows; see https://github.com/caronc/apprise/wiki")
        return url

    @field_validator("webhook_secret")
    @classmethod
    def _is_a_signing_secret(cls, secret: SecretStr | None) -> SecretStr | None:
        try:
            key = b64decode(secret.get_secret_value().removeprefix("whsec_"), validate=True) if secret else bytes(24)
        except ValueError:
            key = b""
        if not 24 <= len(key) <= 64:
            raise ValueError('must be whsec_ and 24 to 64 bytes in base64: echo "whsec_$(openssl rand -base64 32)"')
        return secret

    @model_validator(mode="after")
    def _mail_is_whole(self) -> "Settings":
        parts = {"smtp_url": self.smtp_url, "email_from": self.email_from, "email_to": self.email_to}
        if missing := [name for name, value in parts.items() if not value]:
            if len(missing) < len(parts):
                raise ValueError(f"e-mail needs {PREFIX}{missing[0].upper()} as well")
            return self
        for address in (str(self.email_from), *self.recipients):
            _parse_address(address)
        return self

    @property
    def recipients(self) -> tuple[str, ...]:
        return tuple(address.strip() for address in (self.email_to or "").split(",") if address.strip())

    @property
    def kept_split_path(self) -> Path | None:
        """One file for each store; None for a store in memory, which no start can miss."""
        url = make_url(self.database_url)
        is_file = url.get_backend_name() == "sqlite"
        if is_file and url.database in {None, "", ":memory:"}:
            return None
        address = url.set(username=None, password=None).render_as_string()
        name = f"serinus-split-{sha256(address.encode()).hexdigest()[:12]}.json"
        return (self.state_dir or (Path(url.database or "").parent if is_file else Path())) / name


def load(**chosen: Any) -> Settings:
    """The environment's settings with those `chosen` over them; `InvalidInput` names every wrong one."""
    try:
        return Settings(**chosen)
    except ValidationError as error:
        raise InvalidInput(*(_problem(line) for line in error.errors(include_input=False, include_url=False))) from None


def unknown_variables(environment: dict[str, str]) -> dict[str, str | None]:
    """Variables under our prefix that nothing reads, each with the name that was probably meant."""
    known = {PREFIX + name.upper() for name in Settings.model_fields} | CLIENT_VARIABLES
    unknown = (name for name in environment if name.startswith(PREFIX) and name not in known)
    return {name: next(iter(get_close_matches(name, known, n=1)), None) for name in unknown}


def _host(url: SecretStr) -> str | None:
    return urlsplit(url.get_secret_value()).hostname


def _parse_address(address: str) -> None:
    try:
        Address(addr_spec=address)
    except (ValueError, IndexError, HeaderParseError):
        raise ValueError(f"{address!r} is no e-mail address") from None


def _problem(line: Any) -> Problem:
    name = ".".join(str(part) for part in line["loc"]) or "email_to"  # what concerns several settings is about mail
    words = WORDS.get(line["type"])
    message = words.format(**line.get("ctx", {})) if words else line["msg"]
    return Problem(PREFIX + name.upper(), message)
