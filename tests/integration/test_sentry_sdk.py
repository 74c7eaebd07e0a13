"""Sentry's own SDK inside a service: what happens in the canary says so."""

import gzip
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any

import pytest

SERVICE = """
import asyncio, sys
sys.modules["brotli"] = None  # the sink reads gzip
import httpx2, sentry_sdk
from starlette.applications import Starlette
from starlette.routing import Route
from serinus import application, subject
from serinus.settings import load

async def fail(request):
    raise RuntimeError("out of stock")

def shop():
    return Starlette(routes=[Route("/buy/{item}", fail, methods=["POST"])])

settings = load(
    database_url="sqlite+aiosqlite://", admin_token="a-token-for-this-test", sentry_dsn=sys.argv[1], release="shop@4.2"
)
service = application(legacy=shop(), canary=shop(), subject=subject.header("x-user-id"), settings=settings)

async def main():
    await service.start()
    try:
        transport = httpx2.ASGITransport(app=service, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://shop") as client:
            admin = {"Authorization": "Bearer a-token-for-this-test"}
            await client.post("/buy/tea", headers={"x-user-id": "ann"})
            body = {"canary_percentage": 100, "enabled": True}
            (await client.post("/admin/canary/config", json=body, headers=admin)).raise_for_status()
            while service.canary.router.split.percentage != 100:
                await asyncio.sleep(0.02)
            await client.post("/buy/milk", headers={"x-user-id": "ann"})
            sentry_sdk.capture_message("outside of any request")
            sentry_sdk.flush(5)
    finally:
        await service.stop()

asyncio.run(main())
"""


@pytest.fixture
def sink() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A DSN, and the events that came there."""
    events: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            lines = (gzip.decompress(body) if self.headers["content-encoding"] == "gzip" else body).split(b"\n")
            parts = [json.loads(line) for line in lines if line]
            events.extend(after for before, after in pairwise(parts) if before.get("type") == "event")
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://public@127.0.0.1:{server.server_address[1]}/1", events
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.slow
def test_errors_are_tagged_with_the_version_that_they_happened_in(sink: tuple[str, list[dict[str, Any]]]) -> None:
    dsn, events = sink
    subprocess.run([sys.executable, "-c", SERVICE, dsn], check=True, timeout=60, capture_output=True)
    errors = [event for event in events if "exception" in event]
    raised = {event["tags"]["deployment_version"]: event["exception"]["values"][-1]["value"] for event in errors}
    assert raised == {"legacy": "out of stock", "canary": "out of stock"}
    assert {event["tags"]["endpoint"] for event in errors} == {"/buy/{item}"}
    assert {event["release"] for event in errors} == {"shop@4.2"}
    [outside] = [event for event in events if event.get("message") == "outside of any request"]
    assert "deployment_version" not in outside.get("tags", {})
    stacks = [error["exception"]["values"][-1]["stacktrace"]["frames"] for error in errors]
    assert not [frame for frames in stacks for frame in frames if "vars" in frame]
    assert "a-token-for-this-test" not in json.dumps(events)
