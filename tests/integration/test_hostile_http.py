"""Hostile HTTP on a real socket: the service goes on answering everybody else, and counts what it should."""

import json
import logging
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unicodedata import normalize
from urllib.parse import quote, urlsplit

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from serinus import application, subject
from serinus.bootstrap import Service
from serinus.settings import load
from served import served

pytestmark = pytest.mark.slow

ADMIN = "the-admin-token-of-the-tests"
BEARER = {"Authorization": f"Bearer {ADMIN}"}
FORGED = "FORGED 2026-01-01 ERROR all tokens were leaked"
BREAKS = ("\r\n", "\n", "\r", "\r\n\r\n", "\u2028", "\x85", "\x0b", "\x1b[2J")
PATIENCE_SECONDS = 30


def shop() -> Starlette:
    async def item(request: Request) -> Response:
        return JSONResponse({"bytes": len(await request.body())})

    return Starlette(routes=[Route("/items/{id}", item, methods=["GET", "POST"])])


class Site:
    """The service, and a client that is nobody's enemy."""

    def __init__(self, url: str, service: Service) -> None:
        self.url = url
        self.service = service
        self.client = httpx2.Client(base_url=url, timeout=PATIENCE_SECONDS)

    def serves(self, times: int = 20) -> bool:
        answers = [self.client.get(f"/items/{n}", headers={"x-user-id": str(n)}) for n in range(times)]
        return {answer.status_code for answer in answers} == {200}

    def version_of(self, **request: Any) -> str:
        answer = self.client.post("/items/1", **request)
        assert answer.status_code == 200, answer.text
        return str(answer.headers["x-deployment-version"])

    def order(self, path: str, **body: object) -> httpx2.Response:
        return self.client.post(f"/admin/canary{path}", json=body, headers=BEARER)

    def ask(self, path: str, **query: str | int) -> httpx2.Response:
        return self.client.get(path, params=query, headers=BEARER)

    def connect(self) -> socket.socket:
        parts = urlsplit(self.url)
        return socket.create_connection((str(parts.hostname), parts.port or 0), timeout=PATIENCE_SECONDS)

    def say(self, request: bytes) -> bytes:
        """All that comes back until the server hangs up, which `Connection: close` asks for."""
        with self.connect() as line:
            try:
                line.sendall(request)
            except (BrokenPipeError, ConnectionResetError):
                return b""
            return b"".join(iter(lambda: _received(line), b""))


def _received(line: socket.socket) -> bytes:
    try:
        return line.recv(65_536)
    except ConnectionResetError:
        return b""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """With half of the users on the canary."""
    settings = load(database_url=f"sqlite+aiosqlite:///{tmp_path / 'store.db'}", admin_token=ADMIN)
    found_in = subject.first_of(subject.header("x-user-id"), subject.query("user"), subject.json_field("user"))
    service = application(legacy=shop(), canary=shop(), subject=found_in, settings=settings)
    with served(service, timeout_keep_alive=1) as url:
        site = Site(url, service)
        with site.client:
            assert site.order("/config", canary_percentage=50).status_code == 200
            yield site


def test_line_breaks_in_what_people_write_reach_no_header_and_begin_no_line_of_a_log(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answers = []
    for line_break in BREAKS:
        answers += all_that_people_write(site, f"x{line_break}{FORGED}")
        # The next order is refused until the canary has gone back.
        wait_until(lambda: site.ask("/admin/canary/rollout").json()["phase"] == "rolled_back")
    assert {answer.status_code for answer in answers} <= {200, 201, 202, 400, 404, 405, 409, 422}
    for answer in answers:
        assert FORGED not in str(answer.headers.multi_items())
    events = site.ask("/admin/canary/events", limit=1_000).json()["events"]
    assert len([event for event in events if FORGED in event["title"] + event["message"]]) >= 3 * len(BREAKS)
    for told in events:
        assert not re.search("[\r\x85\x0b\x1b\u2028]", told["title"] + told["message"])
    wait_until(lambda: FORGED in said(caplog))  # the log is a channel, and told a little later
    text = said(caplog)
    assert not [line for line in re.split("[\r\n\u2028\x85\x0b]", text) if line.lstrip().startswith(FORGED)]
    assert "\x1b[2J" not in text


def wait_until(is_so: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < ends_at
        time.sleep(0.05)


def said(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(caplog.handler.format(record) for record in list(caplog.records) if record.exc_info is None)


def all_that_people_write(site: Site, evil: str) -> Iterator[httpx2.Response]:
    yield site.order("/config", canary_percentage=40, reason=evil)
    yield site.order("/rollout/start", plan="demo", force=True, reason=evil)
    yield site.order("/rollout/start", plan=evil)
    yield site.order("/rollout/rollback", reason=evil)
    yield site.order("/tokens", name=evil, role="viewer")
    yield site.order("/alerts/test", channel=evil)
    yield site.ask("/admin/canary/explain", user_id=evil, endpoint=evil)
    yield site.ask("/admin/canary/metrics", endpoint=evil)
    yield site.ask("/admin/canary/reports/incident", rollout=evil, format="html")
    for path in ("/admin/canary/tokens", "/admin/canary", "/console", "/items"):
        yield site.ask(f"{path}/{quote(evil)}", user=evil)


SMUGGLED = {
    "a length and chunks": b"POST /items/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n"
    b"Connection: close\r\n\r\n0\r\n\r\n",
    "two lengths": b"POST /items/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
    "a negative length": b"POST /items/1 HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "an absurd length": b"POST /admin/canary/config HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999\r\n\r\n",
    "a header without a name": b"GET /items/1 HTTP/1.1\r\n: x\r\n\r\n",
    "a NUL in a header": b"GET /items/1 HTTP/1.1\r\nHost: a\r\nX-User-Id: a\0b\r\n\r\n",
    "a bare CR in a header": b"GET /items/1 HTTP/1.1\r\nHost: a\r\nX-User-Id: a\rX-Evil: 1\r\n\r\n",
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00" + bytes(range(256)),
    "a version of its own": b"GET / HTTP/9.9\r\n\r\n",
    "a target that is no path": b"GET http://[::1/../../etc/passwd HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "a million bytes of header": b"GET /items/1 HTTP/1.1\r\nHost: a\r\nX-User-Id: " + b"a" * 1_000_000 + b"\r\n\r\n",
    "ten thousand headers": b"GET /items/1 HTTP/1.1\r\nHost: a\r\n" + b"X-A: 1\r\n" * 10_000 + b"\r\n",
    "a cookie of nothing but separators": b"GET /items/1 HTTP/1.1\r\nHost: a\r\nCookie: " + b";=" * 20_000 + b"\r\n"
    b"Connection: close\r\n\r\n",
}


def test_what_is_no_proper_request_is_refused_and_nobody_else_is(site: Site) -> None:
    for name, request in SMUGGLED.items():
        answer = site.say(request)
        status = int(answer.split()[1]) if answer else 400
        assert status < 500, (name, answer[:200])
        assert b"x-evil" not in answer.lower(), name
    assert site.serves()


def test_a_body_that_is_announced_as_too_large_for_an_order_is_refused_before_it_comes(site: Site) -> None:
    answer = site.say(SMUGGLED["an absurd length"])
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"nosniff" in answer


def test_clients_that_send_their_requests_bit_by_bit_keep_nobody_waiting_and_are_no_failures(site: Site) -> None:
    half_a_header = b"GET /items/1 HTTP/1.1\r\nHost: a\r\nX-User-"
    half_a_body = b"POST /items/1 HTTP/1.1\r\nHost: a\r\nX-User-Id: %d\r\nContent-Length: 100\r\n\r\n{"
    with ExitStack() as lines:
        slow = [lines.enter_context(site.connect()) for _ in range(60)]
        for number, line in enumerate(slow):
            line.sendall(half_a_header if number % 2 else half_a_body % number)
        assert site.serves(50)
        for line in slow:
            line.sendall(b"i")
        assert site.serves(50)
    assert site.serves()
    assert not site.service.canary.breaker.is_open
    figures = site.ask("/admin/canary/metrics", window="1m").json()
    assert (figures["canary"]["error_count"], figures["legacy"]["error_count"]) == (0, 0)


STRANGE = ("\0", "\ud800", "e\u0301" * 9, "\u202ekim", "\U0001f468\u200d\U0001f469", " ", "\ufeff", "\u200b")


def test_strange_users_are_users_and_keep_their_version(site: Site) -> None:
    for who in STRANGE:
        versions = {site.version_of(content=json.dumps({"user": who})) for _ in range(3)}
        assert len(versions) == 1, ascii(who)
    header = {site.version_of(headers={"x-user-id": b"\xff\xfe"}) for _ in range(3)}
    assert len(header) == 1


def test_texts_that_only_look_alike_are_different_users_for_every_way_in(site: Site) -> None:
    names = [f"Zo\u00eb {number}" for number in range(40)]
    composed = [site.version_of(json={"user": normalize("NFC", name)}) for name in names]
    decomposed = [site.version_of(json={"user": normalize("NFD", name)}) for name in names]
    in_header = [site.version_of(headers={"x-user-id": normalize("NFC", name).encode()}) for name in names]
    assert composed == in_header
    assert composed != decomposed


def test_a_user_of_a_megabyte_goes_to_legacy_and_the_service_goes_on(site: Site) -> None:
    assert site.version_of(json={"user": "a" * 1_000_000}) == "legacy"
    assert site.client.get("/items/1", params={"user": "a" * 60_000}).status_code in {200, 400, 414, 431}
    assert site.serves()
