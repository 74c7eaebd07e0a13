"""Trying out the channels through the admin API and the command line."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest

from admin_desk import ADMIN
from receiver import receiving
from serinus import subject
from serinus.bootstrap import Service, application
from serinus.settings import load


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def service(path: Path, **settings: Any) -> Service:
    chosen = load(database_url=f"sqlite+aiosqlite:///{path}/serinus.db", admin_token=ADMIN, **settings)
    return application(legacy=nothing, canary=nothing, subject=subject.header("x-user-id"), settings=chosen)


async def ask(app: Service, body: Any = None, token: str = ADMIN) -> httpx2.Response:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://service") as client:
        headers = {"Authorization": f"Bearer {token}"}
        return await client.post("/admin/canary/alerts/test", json=body or {}, headers=headers)


def test_every_configured_channel_is_told_and_each_says_what_came_of_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with receiving() as slack, receiving(500) as webhook:
            app = service(tmp_path, slack_webhook_url=slack.url, webhook_url=webhook.url, language="ko")
            await app.start()
            try:
                answer = await ask(app)
            finally:
                await app.stop()
            results = {each["channel"]: (each["delivered"], each["error"]) for each in answer.json()["results"]}
            assert results == {"log": (True, None), "slack": (True, None), "webhook": (False, "answered 500")}
            assert "실제 상황이 아닙니다" in slack.bodies[0]["text"]
            assert "very-secret" not in answer.text

    asyncio.run(story())


def test_one_channel_can_be_tried_alone_and_one_that_is_not_there_is_refused(tmp_path: Path) -> None:
    async def story() -> None:
        async with receiving() as slack:
            app = service(tmp_path, slack_webhook_url=slack.url)
            await app.start()
            try:
                alone = await ask(app, {"channel": "slack"})
                missing = await ask(app, {"channel": "pagerduty"})
            finally:
                await app.stop()
            assert [each["channel"] for each in alone.json()["results"]] == ["slack"]
            assert missing.status_code == 422
            assert "'pagerduty' is not configured; there are: log, slack" in missing.text
            assert len(slack.bodies) == 1

    asyncio.run(story())


def test_who_may_only_look_sends_no_alerts(tmp_path: Path) -> None:
    async def story() -> None:
        app = service(tmp_path)
        await app.start()
        try:
            viewer = await app.machinery.store.create_token("eve", "viewer", 0.0)
            assert (await ask(app, token=viewer)).status_code == 403
        finally:
            await app.stop()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"slack_webhook_url": "hooks.slack.com/x"}, "SERINUS_SLACK_WEBHOOK_URL"),
        ({"apprise_url": "nonsense://x"}, "SERINUS_APPRISE_URL: is no URL that apprise knows"),
        ({"pagerduty_routing_key": "short"}, "SERINUS_PAGERDUTY_ROUTING_KEY"),
        ({"smtp_url": "mail.example.org"}, "SERINUS_SMTP_URL"),
        ({"smtp_url": "smtp://mail.example.org", "email_to": "ann@example.org"}, "SERINUS_EMAIL_FROM"),
        (
            {"smtp_url": "smtp://m", "email_from": "serinus@example.org", "email_to": "ann@example.org, nobody"},
            "'nobody' is no e-mail address",
        ),
        ({"webhook_secret": "whsec_c2hvcnQ="}, "SERINUS_WEBHOOK_SECRET"),
    ],
)
def test_an_address_that_cannot_be_used_is_found_before_anybody_needs_it(
    settings: dict[str, Any], problem: str
) -> None:
    with pytest.raises(Exception, match=problem):
        load(**settings)
