"""No secret is told: not in logs, errors, answers, events or the store, whatever fails."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from mentor.settings import MentorSettings
from serinus.access import ORDER_HEADER
from serinus.cli.main import main
from serinus.errors import InvalidInput
from serinus.settings import Settings, load
from served import Serving

NOBODY = "127.0.0.1:9"
"""Where nobody listens."""
SECRETS = {
    "admin_token": "hush-admin-token-0001",
    "slack_webhook_url": f"http://{NOBODY}/services/T0/hush-slack-0002",
    "pagerduty_routing_key": "hush0003hush0003hush0003hush0003",
    "webhook_url": f"http://user:hush-webhook-0004@{NOBODY}/hook/hush-hook-0005?key=hush-query-0006",
    "webhook_secret": "whsec_aHVzaC13ZWJob29rLXNlY3JldC0wMDA3LWh1c2g=",
    "smtp_url": f"smtp://mailer:hush-smtp-0008@{NOBODY}",
    "apprise_url": f"json://user:hush-apprise-0009@{NOBODY}/hush-path-0010",
    "prometheus_token": "hush-prometheus-0012",
    "sentry_dsn": f"http://hush5e117200110011@{NOBODY}/7",
}
OTHERS = {
    "pagerduty_url": f"http://{NOBODY}/v2/enqueue",
    "email_from": "serinus@example.org",
    "email_to": "oncall@example.org",
}
TELLING = ("hush", "aHVzaC13ZWJob29r")
"""No word of ours has these in it."""
DEAD_DATABASE = f"postgresql+asyncpg://serinus:hush-database-0012@{NOBODY}/serinus"


BEARER = {"Authorization": f"Bearer {SECRETS['admin_token']}"}
READ = ("/status", "/config", "/events", "/rollout", "/history", "/tokens", "/reports/incident", "/openapi.json")
MENTOR = {
    "MENTOR_LLM_API_KEY": "hush-model-0019",
    "MENTOR_AUTH_SECRET": "hush-0020-and-this-is-long-enough-for-it",
    "MENTOR_LLM_BASE_URL": f"http://user:hush-model-0021@{NOBODY}/v1",
    "MENTOR_LLM_MODEL": "small",
}


def silent(*texts: str) -> None:
    for text in texts:
        for secret in TELLING:
            place = text.find(secret)
            assert place < 0, text[max(0, place - 300) : place + 100]


def environment(secrets: Mapping[str, str]) -> dict[str, str]:
    return {f"SERINUS_{name.upper()}": value for name, value in {**OTHERS, **secrets}.items()}


def test_every_secret_setting_is_tried_here() -> None:
    secret = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    assert secret == set(SECRETS)


def test_the_settings_show_none() -> None:
    settings = load(**OTHERS, **SECRETS, database_url=DEAD_DATABASE)
    silent(repr(settings), str(settings), settings.model_dump_json(exclude={"database_url"}))


@pytest.mark.parametrize("name", [*SECRETS, "database_url", "email_from"])
@pytest.mark.parametrize("value", ["hush", "ftp://user:hush@host/hush", "postgresql://user:hush@host/name", "hush://"])
def test_a_setting_that_cannot_be_used_is_named_without_its_value(name: str, value: str) -> None:
    try:
        load(**{**OTHERS, **SECRETS, name: value})
    except InvalidInput as error:
        if name != "email_from":  # no secret
            silent(str(error), repr(error.__cause__), repr(error.__context__))


@pytest.mark.parametrize(
    "arguments",
    [["doctor"], ["audit", "verify"], ["plan", "estimate", "phase4"], ["token", "create", "x", "--role", "viewer"]],
)
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_commands_that_fail_tell_none(arguments: list[str], form: list[str]) -> None:
    surroundings = {**environment(SECRETS), "SERINUS_DATABASE_URL": DEAD_DATABASE, "SERINUS_URL": f"http://{NOBODY}"}
    result = CliRunner().invoke(main, [*arguments, *form], env=surroundings)
    assert result.exit_code != 0
    silent(result.output, result.stderr)


class Running(Serving):
    """With all secrets, and all that it says; the store is a file unless it is another one."""

    def __init__(self, folder: Path, app: str = "shop:app", **others: str) -> None:
        super().__init__(folder, app, **environment(SECRETS), SERINUS_LOG_LEVEL="debug", **others)

    def until_failed(self, *channels: str) -> None:
        """Until each of them has tried to tell something, and could not."""
        for channel in channels:
            self.until_told(rf"(event \d+ on {channel} [^:]+: )")


@pytest.mark.slow
def test_a_service_whose_channels_all_fail_tells_none(tmp_path: Path) -> None:
    running = Running(tmp_path)
    with running as client:
        own_page = {ORDER_HEADER: "1", "Origin": str(client.base_url).rstrip("/")}
        told = [
            client.post("/admin/canary/alerts/test", headers=BEARER),
            client.post("/admin/canary/rollout/start", headers=BEARER, json={"plan": "phase4"}),
            client.post("/admin/canary/rollout/rollback", headers=BEARER, json={"reason": "a try"}),
            client.get("/fails", headers={"Connection": "close"}),
            client.get("/admin/canary/config", headers={"Authorization": "Bearer hush-wrong-0013"}),
            client.post("/console/session", json={"token": "hush-wrong-0014"}, headers=own_page),
            client.post("/console/session", json={"token": SECRETS["admin_token"]}, headers=own_page),
            client.post("/admin/canary/config", headers=BEARER, json={"reason": ["hush-0016"], "enabled": "hush-0017"}),
            client.post("/admin/canary/config", headers=BEARER, content=b"hush-0018"),
        ]
        running.until_failed("slack", "webhook", "email", "sentry")
        told += [client.get(f"/admin/canary{path}", headers=BEARER) for path in READ]
        told += [client.get("/metrics", headers=BEARER), client.get("/ready")]
    assert {200, 201, 401, 422, 500} <= {answer.status_code for answer in told}
    silent(*(f"{answer.headers.multi_items()} {answer.text}" for answer in told), running.log.read_text())
    with sqlite3.connect(running.store) as connection:
        stored = "\n".join(connection.iterdump())
    connection.close()
    assert "rollback_started" in stored
    silent(stored)


@pytest.mark.slow
def test_a_service_without_its_database_tells_none(tmp_path: Path) -> None:
    running = Running(tmp_path, SERINUS_DATABASE_URL=DEAD_DATABASE)
    with running as client:
        told = [client.get(f"/admin/canary{path}", headers=BEARER) for path in READ]
        told += [client.get("/metrics", headers=BEARER), client.get("/ready"), client.get("/works")]
    assert (told[-1].text, told[0].status_code) == ("works", 503)
    silent(*(f"{answer.headers.multi_items()} {answer.text}" for answer in told), running.log.read_text())


@pytest.mark.slow
def test_mentor_whose_model_fails_tells_none(tmp_path: Path) -> None:
    running = Running(tmp_path, "mentor.main:app", **MENTOR)
    with running as client:
        started = client.post("/api/v2/conversations/start", json={"user_id": "ada", "persona_id": "Lua"})
        session = started.json()["session_id"]
        said = client.post(f"/api/v2/conversations/{session}/turn", json={"user_message": "hello"})
        told = [started, said, client.get("/api/v2/phase4/health"), client.get("/ready")]
    assert said.status_code == 200
    assert "the language model small failed" in running.log.read_text()
    silent(*(f"{answer.headers.multi_items()} {answer.text}" for answer in told), running.log.read_text())


def test_mentors_settings_show_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in MENTOR.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MENTOR_DATABASE_URL", DEAD_DATABASE)
    silent(repr(MentorSettings()))
    monkeypatch.setenv("MENTOR_LLM_MODEL", "")
    with pytest.raises(ValidationError) as refused:
        MentorSettings()
    silent(str(refused.value), repr(refused.value))
