"""Alerts as Sentry takes them: envelopes over HTTP, checked field by field."""

import asyncio
import json
from typing import Any

import httpx2
import pytest

from serinus.alerts.addresses import Addresses
from serinus.alerts.alert import SENTRY, Alert, alert_of, channels_for
from serinus.alerts.channels import configured
from serinus.alerts.delivery import NotDelivered
from serinus.alerts.sentry import envelope_url
from serinus.errors import InvalidInput
from serinus.rollout.events import Event, EventKind
from serinus.settings import load

KEY = "0123456789abcdef0123456789abcdef"
DETAILS = {"cause": "error-rate", "severity": "critical"}
ROLLBACK = Event(EventKind.ROLLBACK_STARTED, 1_750_000_000.25, "serinus", "r1", "", DETAILS, "error-rate@5", sequence=9)


class Sink:
    """A server that remembers what it was sent."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.requests: list[tuple[str, dict[str, str], bytes]] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        body = await reader.readexactly(int(headers["content-length"]))
        self.requests.append((first, headers, body))
        writer.write(f"HTTP/1.1 {self.status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()


def send(alert: Alert, sink: Sink, times: int = 1) -> None:
    async def run() -> None:
        server = await asyncio.start_server(sink.answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, httpx2.AsyncClient() as client:
            addresses = Addresses(sentry=f"http://{KEY}@127.0.0.1:{port}/base/7", release="shop@4.2")
            for _ in range(times):
                await configured(client, addresses)[SENTRY](alert)

    asyncio.run(run())


def parsed(body: bytes) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """By the specification: a header, and for each item a header with the length of its payload."""
    head, item, rest = body.split(b"\n", 2)
    described = json.loads(item)
    payload, end = rest[: described["length"]], rest[described["length"] :]
    assert end == b"\n"
    return json.loads(head), described, json.loads(payload)


def test_a_rollback_is_one_event_in_an_envelope() -> None:
    sink = Sink()
    send(alert_of(ROLLBACK), sink)
    [(first, headers, body)] = sink.requests
    assert first == "POST /base/api/7/envelope/ HTTP/1.1"
    assert headers["content-type"] == "application/x-sentry-envelope"
    assert f"sentry_key={KEY}" in headers["x-sentry-auth"]
    assert "sentry_version=7" in headers["x-sentry-auth"]
    head, item, event = parsed(body)
    assert item["type"] == "event"
    assert head["event_id"] == event["event_id"]
    assert len(event["event_id"]) == 32
    assert (event["level"], event["release"], event["timestamp"]) == ("fatal", "shop@4.2", 1_750_000_000.25)
    assert event["fingerprint"] == ["error-rate@5"]
    assert event["tags"]["serinus.rollout"] == "r1"
    assert event["extra"]["cause"] == "error-rate"


def test_what_is_sent_twice_is_one_event_and_another_alert_another() -> None:
    sink = Sink()
    send(alert_of(ROLLBACK), sink, times=2)
    first, second = (parsed(body)[2]["event_id"] for _, _, body in sink.requests)
    assert first == second
    other = Sink()
    send(alert_of(Event(EventKind.DEADLINE_MISSED, 1.0, "serinus", "r1", sequence=10)), other)
    assert parsed(other.requests[0][2])[2]["event_id"] != first


@pytest.mark.parametrize(("status", "final"), [(429, False), (500, False), (403, True)])
def test_what_sentry_refuses_is_tried_again_unless_that_is_no_use(status: int, final: bool) -> None:
    with pytest.raises(NotDelivered) as failure:
        send(alert_of(ROLLBACK), Sink(status))
    assert failure.value.final is final
    assert KEY not in str(failure.value)


def test_sentry_hears_of_rollbacks_and_missed_deadlines_whatever_the_plan_names() -> None:
    assert SENTRY in channels_for(ROLLBACK)
    assert SENTRY in channels_for(Event(EventKind.DEADLINE_MISSED, 1.0, "serinus", channels=("slack",)))
    assert SENTRY not in channels_for(Event(EventKind.CHECKPOINT, 1.0, "serinus"))


@pytest.mark.parametrize("dsn", ["nonsense", "https://host/1", "https://key@host", "ftp://key@host/1"])
def test_a_dsn_that_is_none_is_found_at_the_start(dsn: str) -> None:
    with pytest.raises(InvalidInput, match=r"SERINUS_SENTRY_DSN: .*is no DSN"):
        load(sentry_dsn=dsn)


def test_where_envelopes_go() -> None:
    assert envelope_url("https://key@o1.ingest.sentry.io/42") == "https://o1.ingest.sentry.io/api/42/envelope/"
