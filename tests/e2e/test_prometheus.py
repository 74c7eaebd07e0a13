"""Prometheus's own linter accepts what `/metrics` answers."""

import asyncio
import subprocess

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from serinus import application, subject
from serinus.settings import load

pytestmark = pytest.mark.tool("promtool")


def test_promtool_finds_nothing_wrong_with_the_metrics_of_a_service_in_use() -> None:
    async def answer(request: Request) -> Response:
        return PlainTextResponse("", status_code=int(request.path_params["status"]))

    async def scraped() -> str:
        app = Starlette(routes=[Route("/status/{status}", answer)])
        settings = load(database_url="sqlite+aiosqlite://", public_metrics=True)
        now = [1_760_000_000.0]
        service = application(
            legacy=app, canary=app, subject=subject.header("x-user-id"), settings=settings, clock=lambda: now[0]
        )
        await service.start()
        transport = httpx2.ASGITransport(app=service)
        async with httpx2.AsyncClient(transport=transport, base_url="http://service") as client:
            for status in (200, 200, 404, 500):
                await client.get(f"/status/{status}", headers={"x-user-id": "kim"})
            now[0] += 2.0  # a slice ends
            service.agent.pulse()
            text = (await client.get("/metrics")).text
        await service.stop()
        return text

    text = asyncio.run(scraped())
    assert 'serinus_request_errors_total{endpoint="/status/{status}",version="legacy"} 1.0' in text
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=30, check=False
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
