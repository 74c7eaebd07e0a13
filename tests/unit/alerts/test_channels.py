"""Channels against a real HTTP server."""

import asyncio
import base64
import logging
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from receiver import receiving
from serinus.alerts import channels
from serinus.alerts.addresses import Addresses
from serinus.alerts.alert import Alert, Level, alert_of
from serinus.alerts.channels import configured
from serinus.alerts.delivery import NotDelivered
from serinus.rollout.events import Detail, Event, EventKind
from serinus.storage.codec import dump, load

ALERT = Alert(
    event=12,
    at=1_750_000_000.25,
    level=Level.CRITICAL,
    title="The canary <b>fails</b> & burns",
    text="37 errors, 1.9 were expected",
    dedup_key="error_rate@5",
    resolved=False,
    rollout_id="r1",
    details={"value": 0.07},
)


def send(name: str, alert: Alert, *statuses: int) -> list[Any]:
    """Send through the channel `name` to a server that answers with `statuses`; returns the bodies that it got."""

    return deliver(alert, lambda url: Addresses(**{name: url}), *statuses)


def deliver(alert: Alert, addresses: Callable[[str], Addresses], *statuses: int) -> list[Any]:
    """Send through the one channel that has an address, given the server's."""

    async def story() -> list[Any]:
        async with receiving(*statuses) as receiver, httpx2.AsyncClient() as client:
            there = addresses(receiver.url)
            [name] = there.names
            await configured(client, there)[name](alert)
            return receiver.bodies

    return asyncio.run(story())


@pytest.mark.parametrize("name", ["webhook", "slack"])
def test_what_comes_out_of_the_store_can_be_sent(name: str) -> None:
    """The codec reads mappings as what nobody can change, and nothing can copy."""
    numbers: dict[str, Detail] = {"requests": 48.0}
    event = Event(EventKind.BREACH_OPENED, 1.0, "serinus", "r1", "error-rate", {"numbers": numbers}, "error-rate@5")
    stored = load(Event, dump(replace(event, sequence=7)))
    [body] = send(name, alert_of(stored))
    if name == "webhook":
        assert (body["event"], body["details"]) == (7, {"numbers": {"requests": 48.0}})


def test_the_webhook_gets_the_whole_alert_as_json() -> None:
    assert send("webhook", ALERT) == [
        {
            "event": 12,
            "at": "2025-06-15T15:06:40.250Z",
            "level": "critical",
            "title": "The canary <b>fails</b> & burns",
            "text": "37 errors, 1.9 were expected",
            "dedup_key": "error_rate@5",
            "resolved": False,
            "rollout_id": "r1",
            "details": {"value": 0.07},
            "acknowledged": False,
            "link": None,
        }
    ]


def test_slack_gets_blocks_in_which_nothing_of_the_text_is_markup() -> None:
    [body] = send("slack", ALERT)
    section = body["blocks"][0]["text"]["text"]
    assert section == (
        ":rotating_light: *The canary &lt;b&gt;fails&lt;/b&gt; &amp; burns*\n37 errors, 1.9 were expected"
    )
    assert body["blocks"][1]["elements"][0]["text"] == "critical · r1 · 2025-06-15T15:06:40.250Z"
    assert body["text"] == "The canary &lt;b&gt;fails&lt;/b&gt; &amp; burns: 37 errors, 1.9 were expected"


def test_slack_shows_that_an_incident_is_over() -> None:
    [body] = send("slack", replace(ALERT, resolved=True))
    assert body["blocks"][0]["text"]["text"].startswith(":white_check_mark:")


def test_a_text_that_is_too_long_for_slack_is_cut() -> None:
    [body] = send("slack", replace(ALERT, text="x" * 10_000))
    assert len(body["blocks"][0]["text"]["text"]) < 3_000


@pytest.mark.parametrize(("status", "final"), [(500, False), (503, False), (429, False), (404, True), (400, True)])
def test_an_answer_that_is_no_success_says_whether_another_try_makes_sense(status: int, final: bool) -> None:
    with pytest.raises(NotDelivered, match=str(status)) as caught:
        send("webhook", ALERT, status)
    assert caught.value.final is final


def test_nobody_listening_is_not_delivered_and_may_be_tried_again() -> None:
    async def story() -> None:
        async with receiving() as receiver:
            url = receiver.url
        async with httpx2.AsyncClient() as client:
            await configured(client, Addresses(webhook=url))["webhook"](ALERT)

    with pytest.raises(NotDelivered, match="ConnectError") as caught:
        asyncio.run(story())
    assert not caught.value.final


def test_an_address_never_shows_in_the_log_or_in_an_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    send("slack", ALERT, 200)
    with pytest.raises(NotDelivered) as caught:
        send("slack", ALERT, 500)
    assert "very-secret" not in str(caught.value)
    assert "very-secret" not in caplog.text


def test_a_receiver_that_asks_for_a_pause_is_given_it() -> None:
    with pytest.raises(NotDelivered, match="429") as caught:
        send("slack", ALERT, 429)
    assert caught.value.retry_after_seconds == 90


@pytest.mark.parametrize(
    ("alert", "action"),
    [
        (ALERT, "trigger"),
        (replace(ALERT, acknowledged=True), "acknowledge"),
        (replace(ALERT, resolved=True), "resolve"),
        (replace(ALERT, text="x" * 5_000, dedup_key="k" * 500), "trigger"),
    ],
)
def test_pagerduty_gets_an_event_that_keeps_its_rules(alert: Alert, action: str) -> None:
    """https://developer.pagerduty.com/docs/send-alert-event."""
    [event] = deliver(alert, lambda url: Addresses(pagerduty_key="k" * 32, pagerduty_url=url))
    payload = event["payload"]
    assert (event["routing_key"], event["event_action"]) == ("k" * 32, action)
    assert 0 < len(event["dedup_key"]) <= 255
    assert 0 < len(payload["summary"]) <= 1_024
    assert payload["severity"] in {"critical", "error", "warning", "info"}
    assert payload["source"] == "r1"
    assert datetime.fromisoformat(payload["timestamp"]).timestamp() == ALERT.at
    assert payload["custom_details"] == {"event": 12, "value": 0.07}


def test_events_of_one_incident_have_one_key_at_pagerduty() -> None:
    over = replace(ALERT, event=13, resolved=True)
    keys = [deliver(each, lambda url: Addresses(pagerduty_key="k" * 32, pagerduty_url=url)) for each in (ALERT, over)]
    assert keys[0][0]["dedup_key"] == keys[1][0]["dedup_key"]


def test_a_signed_webhook_can_be_verified_as_the_document_says() -> None:
    """The verification of docs/howto/alerts.md, run as it stands there."""
    page = (Path(__file__).parents[3] / "docs/howto/alerts.md").read_text(encoding="utf-8")
    [snippet] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    exec(snippet, names)  # the document is ours
    secret = "whsec_" + base64.b64encode(b"a secret of twenty-four!").decode()

    async def story() -> None:
        async with receiving() as receiver, httpx2.AsyncClient() as client:
            await configured(client, Addresses(webhook=receiver.url, webhook_secret=secret))["webhook"](ALERT)
            [raw], [head] = receiver.raw, receiver.heads
        assert head["webhook-id"] == "event-12"
        now = float(head["webhook-timestamp"])
        assert names["is_genuine"](head, raw, secret, now)
        assert not names["is_genuine"](head, raw + b" ", secret, now)
        assert not names["is_genuine"](head, raw, "whsec_" + base64.b64encode(bytes(24)).decode(), now)
        assert not names["is_genuine"](head, raw, secret, now + 301)

    asyncio.run(story())


def test_any_service_that_apprise_knows_can_be_told() -> None:
    [body] = deliver(ALERT, lambda url: Addresses(apprise=url.replace("http://", "json://")))
    assert body["title"] == ALERT.title
    assert body["message"] == ALERT.text


def test_a_service_that_refuses_through_apprise_is_tried_again() -> None:
    with pytest.raises(NotDelivered, match="did not take it") as caught:
        deliver(ALERT, lambda url: Addresses(apprise=url.replace("http://", "json://")), 500)
    assert not caught.value.final


def test_a_url_that_apprise_does_not_know_is_final() -> None:
    with pytest.raises(NotDelivered, match="does not know") as caught:
        deliver(ALERT, lambda _: Addresses(apprise="nonsense://x"))
    assert caught.value.final


def test_slack_leads_people_to_the_console() -> None:
    [body] = send("slack", replace(ALERT, link="https://shop.example/console"))
    assert "<https://shop.example/console|serinus>" in body["blocks"][1]["elements"][0]["text"]


@pytest.mark.parametrize("url", [None, ""])
def test_a_channel_without_an_address_is_not_configured(url: str | None) -> None:
    async def story() -> set[str]:
        async with httpx2.AsyncClient() as client:
            return set(configured(client, Addresses(slack=url)))

    assert asyncio.run(story()) == {"log"}


def test_the_log_channel_writes_the_alert_at_its_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    asyncio.run(channels.log(ALERT))
    asyncio.run(channels.log(replace(ALERT, level=Level.NOTICE)))
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.INFO]
    assert "1.9 were expected" in caplog.text


def test_an_alert_without_a_text_ends_with_its_title(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        asyncio.run(channels.log(replace(ALERT, text="")))
    assert caplog.records[0].getMessage() == ALERT.title


def test_a_reason_with_line_breaks_stays_one_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    forged = replace(ALERT, text="calm\n2026-01-01 00:00:00 INFO serinus: all is well")
    with caplog.at_level(logging.INFO):
        asyncio.run(channels.log(forged))
    assert [record.getMessage().count("\n") for record in caplog.records] == [0]
