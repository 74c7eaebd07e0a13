"""Events read in pages, and followed as they happen."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from admin_desk import ADDRESS, ADMIN, Desk, at_desk
from serinus.admin.app import PREFIX


async def change(desk: Desk, *shares: float) -> None:
    for share in shares:
        await desk.post("/config", {"canary_percentage": share, "reason": f"to {share:g}"})


def test_the_last_events_are_read_when_no_beginning_is_named() -> None:
    async def story(desk: Desk) -> None:
        await change(desk, 1, 2, 3, 4, 5)
        page = (await desk.get("/events", params={"limit": 2})).json()
        assert [event["details"]["canary_percentage"] for event in page["events"]] == [4, 5]
        assert (await desk.get("/events", params={"after": page["next_after"]})).json()["events"] == []

    at_desk(story)


def test_pages_follow_each_other_without_loss_or_repetition() -> None:
    async def story(desk: Desk) -> None:
        await change(desk, *range(1, 8))
        shares, after = [], 0
        while events := (await desk.get("/events", params={"after": after, "limit": 3})).json()["events"]:
            shares += [event["details"]["canary_percentage"] for event in events]
            after = events[-1]["sequence"]
        assert shares == [1, 2, 3, 4, 5, 6, 7]

    at_desk(story)


def test_an_event_says_what_happened_and_why_in_words() -> None:
    async def story(desk: Desk) -> None:
        await change(desk, 12)
        [event] = (await desk.get("/events", params={"language": "ko"})).json()["events"]
        assert (event["title"], event["message"]) == ("alice 님이 설정을 바꿨습니다: 카나리 비율 12 %", "to 12")
        assert event["at"].endswith("Z")

    at_desk(story)


class Stream:
    """A client of server-sent events that reads as long as it likes."""

    def __init__(self, desk: Desk, headers: dict[str, str], query: str, token: str) -> None:
        self._desk = desk
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue()
        self._gone = asyncio.Event()
        self._over = asyncio.Event()
        self._text = b""
        self.status: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        named = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": f"{PREFIX}/events/stream",
            "raw_path": f"{PREFIX}/events/stream".encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(b"host", b"service"), (b"authorization", f"Bearer {token}".encode()), *named],
            "client": (ADDRESS, 40_000),
            "server": ("service", 80),
        }

    async def run(self) -> None:
        await self._desk.app(self._scope, self._receive, self._send)

    async def next(self) -> dict[str, Any]:
        """The next event, with the fields of the wire."""
        async with asyncio.timeout(5):
            while b"\n\n" not in self._text:
                self._text += (await self._pieces.get()).replace(b"\r\n", b"\n")
        block, _, self._text = self._text.partition(b"\n\n")
        fields = dict(line.split(": ", 1) for line in block.decode().split("\n") if not line.startswith(":"))
        return fields or await self.next()

    def leave(self) -> None:
        self._gone.set()

    async def ended(self) -> None:
        """Wait until the server has closed the stream by itself."""
        async with asyncio.timeout(5):
            await self._over.wait()

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status.set_result(message["status"])
        self._pieces.put_nowait(message.get("body", b""))
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self._over.set()


@asynccontextmanager
async def stream(
    desk: Desk, headers: dict[str, str] | None = None, query: str = "", *, token: str = ADMIN
) -> AsyncIterator[Stream]:
    reader = Stream(desk, headers or {}, query, token)
    running = asyncio.create_task(reader.run())
    try:
        async with asyncio.timeout(5):
            assert await reader.status == 200
        yield reader
    finally:
        reader.leave()
        async with asyncio.timeout(5):
            await running


def test_a_stream_tells_what_happens_after_it_began() -> None:
    async def story(desk: Desk) -> None:
        await change(desk, 1)
        async with stream(desk) as reader:
            await change(desk, 2, 3)
            told = [await reader.next(), await reader.next()]
        assert [json.loads(event["data"])["details"]["canary_percentage"] for event in told] == [2, 3]
        assert [event["event"] for event in told] == ["config_changed", "config_changed"]

    at_desk(story)


@pytest.mark.parametrize(("headers", "query"), [({"Last-Event-ID": "2"}, "after=1"), ({}, "after=2")])
def test_a_stream_goes_on_where_the_last_one_ended(headers: dict[str, str], query: str) -> None:
    async def story(desk: Desk) -> None:
        await change(desk, 1, 2, 3, 4)
        async with stream(desk, headers, query) as reader:
            told = [await reader.next(), await reader.next()]
        assert [event["id"] for event in told] == ["3", "4"]

    at_desk(story)


def test_a_stream_ends_when_its_reader_leaves() -> None:
    async def story(desk: Desk) -> None:
        async with stream(desk, query="after=0") as reader:
            await change(desk, 1)
            await reader.next()
        assert desk.room.store.events_saved.rings == 1

    at_desk(story)


def test_a_stream_ends_with_the_token_that_opened_it() -> None:
    async def story(desk: Desk) -> None:
        made = (await desk.post("/tokens", {"name": "ci", "role": "viewer"})).json()
        async with stream(desk, token=made["token"]) as reader:
            await desk.send("DELETE", f"/tokens/{made['id']}")
            await reader.ended()

    at_desk(story)
