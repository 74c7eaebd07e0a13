"""A shop that runs elsewhere: two versions that count their own requests, and a real Prometheus that scrapes them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from fleet import free_port
from started import started
from uvicorn_server import served

CONFIG = """
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: shop
    static_configs: [{targets: ["127.0.0.1:%d"]}]
"""
BUCKETS = (0.1, 0.5, 1.0, 2.0, 5.0)
SECONDS = 120.0


class Shop:
    """Answers `/buy/VERSION/STATUS` and says that it took as long as it is told; `restart` forgets its counts."""

    def __init__(self) -> None:
        routes = [Route("/buy/{version}/{status:int}", self._buy), Route("/metrics", self._metrics)]
        self.app = Starlette(routes=routes)
        self.seconds = 0.3
        self.url = ""
        self.prometheus = ""
        self.restart()

    def restart(self) -> None:
        self.registry = CollectorRegistry()
        names = ("version", "handler")
        self._requests = Counter("http_requests", "Requests.", (*names, "status"), registry=self.registry)
        self._seconds = Histogram(
            "http_request_duration_seconds", "Seconds.", names, buckets=BUCKETS, registry=self.registry
        )
        for version in ("legacy", "canary"):
            self._requests.labels(version, "/buy", 200)

    async def buy(self, version: str, requests: int, status: int = 200) -> None:
        async with httpx2.AsyncClient(base_url=self.url) as client:
            for _ in range(requests):
                await client.get(f"/buy/{version}/{status}")

    async def _buy(self, request: Request) -> Response:
        version, status = request.path_params["version"], request.path_params["status"]
        self._requests.labels(version, "/buy", status).inc()
        self._seconds.labels(version, "/buy").observe(self.seconds)
        return PlainTextResponse("", status)

    async def _metrics(self, _request: Request) -> Response:
        return Response(generate_latest(self.registry), media_type="text/plain; version=0.0.4")


@asynccontextmanager
async def measured_shop(folder: Path) -> AsyncIterator[Shop]:
    """The shop on a real server, scraped every second."""
    shop = Shop()
    async with served(shop.app) as port, scraped(folder, port) as prometheus:
        shop.url, shop.prometheus = f"http://127.0.0.1:{port}", prometheus
        yield shop


@asynccontextmanager
async def scraped(folder: Path, port: int) -> AsyncIterator[str]:
    """The address of a Prometheus that scrapes the port."""
    (folder / "prometheus.yml").write_text(CONFIG % port, encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    command = ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=tsdb", "--log.level=warn"]
    running = started([*command, f"--web.listen-address={address}"], folder, f"http://{address}/-/ready")
    await asyncio.to_thread(running.__enter__)
    try:
        yield f"http://{address}"
    finally:
        await asyncio.to_thread(running.__exit__, None, None, None)


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    """Look again and again until it holds; fails after two minutes."""
    async with asyncio.timeout(SECONDS):
        while not await holds():  # noqa: ASYNC110 - what is waited for is elsewhere
            await asyncio.sleep(0.2)
