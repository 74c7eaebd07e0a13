"""A real service with a console: a server on loopback, users who call it, and a canary that can be broken."""

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx2
import uvicorn

from serinus import Options, application, record_value, subject
from serinus.asgi.protocol import Receive, Scope, Send
from serinus.bootstrap import Service
from serinus.settings import load

T = TypeVar("T")

ADMIN_TOKEN = "the-admin-token-of-the-console"
ENDPOINTS = ("/catalogue", "/orders/{order_id}")
PATIENCE_SECONDS = 60.0
PLAN = """
name = "quick"
final = "promote"
watch = "2s"
cool_down = "1s"
salt = "console"

[slo]
error_rate_margin_points = 5
p95_margin_percent = 400
min_canary_requests = 20

[[steps]]
percentage = 20
bake = "{bake}"
evidence = "observed"

[[steps]]
percentage = 50
bake = "1s"
evidence = "observed"
approvals = [{{ name = "management" }}]

[[triggers]]
name = "error-rate"
metric = "error_rate"
limit_percent = 5
severity = "critical"
deadline = "60s"
channels = ["slack"]

[[triggers]]
name = "availability"
metric = "availability"
limit_percent = 90
severity = "medium"
deadline = "15m"
"""


@dataclass
class Version:
    """Answers after `seconds`; every request of `one_in` fails (0: none does); `rating` is recorded as satisfaction."""

    seconds: float = 0.004
    one_in: int = 0
    rating: float | None = None
    _asked: Iterator[int] = field(default_factory=count)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(self.seconds)
        if self.rating is not None:
            record_value("satisfaction", self.rating)
        failed = self.one_in and next(self._asked) % self.one_in == 0
        await send({"type": "http.response.start", "status": 500 if failed else 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})


class Stage:
    """One service on a free port, with its own store in `folder`."""

    def __init__(self, folder: Path, *, rate: float = 60.0) -> None:
        self.legacy, self.canary = Version(), Version()
        self.endpoints: tuple[str, ...] = ENDPOINTS
        self.rate = rate
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database = folder / "store" / "serinus.db"
        self.database.parent.mkdir()
        self._serving: _Serving | None = None
        self._users_left = threading.Event()
        self._users = threading.Thread(target=self._call, daemon=True)

    def __enter__(self) -> Self:
        self.open()
        self._users.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._users_left.set()
        self._users.join(PATIENCE_SECONDS)
        self.close()

    def open(self) -> None:
        """Start the server, also again after `close`: as one that was restarted, on the same port and store."""
        settings = load(
            database_url=f"sqlite+aiosqlite:///{self.database}",
            admin_token=ADMIN_TOKEN,
            admin_name="alice",
            agent_name="stage",
        )
        service = application(
            legacy=self.legacy,
            canary=self.canary,
            subject=subject.header("x-user-id"),
            options=Options(endpoints=self.endpoints),
            settings=settings,
        )
        self._serving = _Serving(service, self.port)
        self._serving.start()

    def close(self) -> None:
        if self._serving is not None:
            self._serving.stop()
            self._serving = None

    def silence_controller(self) -> None:
        """As one that has died while its service serves on."""

        async def silenced(service: Service) -> None:
            controller, *_ = service.machinery._tasks
            controller.cancel()

        self.inside(silenced)

    def order(self, path: str, body: Any = None, *, method: str = "POST") -> Any:
        """As another person does, from a terminal."""
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        response = httpx2.request(method, f"{self.url}/admin/canary{path}", json=body, headers=headers, timeout=60)
        assert response.is_success, f"{method} {path} was answered with {response.status_code}: {response.text}"
        return response.json() if response.content else None

    def status(self) -> Any:
        return self.order("/status", method="GET")

    def token(self, role: str) -> str:
        return str(self.order("/tokens", {"name": f"the {role}", "role": role})["token"])

    def start(self, *, bake: str = "1s") -> None:
        self.order("/rollout/start", {"source": PLAN.format(bake=bake), "reason": "to look at it", "force": True})

    def until(self, reached: Callable[[Any], bool], seconds: float = 120.0) -> Any:
        """The first status of which `reached` is true."""
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at:
            status = self.status()
            if reached(status):
                return status
            time.sleep(0.1)
        raise AssertionError(f"never reached; the last status was {status}")

    def until_phase(self, *phases: str) -> Any:
        return self.until(lambda status: status["rollout"] and status["rollout"]["phase"] in phases)

    def inside(self, work: Callable[[Service], Awaitable[T]]) -> T:
        """Do something in the server's own event loop."""
        assert self._serving is not None
        return self._serving.run(work)

    def _call(self) -> None:
        with httpx2.Client(timeout=5) as client:
            for number in count():
                if self._users_left.wait(1 / self.rate):
                    return
                path = "/catalogue" if number % 3 else f"/orders/{number}"
                try:
                    client.get(self.url + path, headers={"x-user-id": f"user-{number % 400}"})
                except httpx2.TransportError:
                    continue  # the server is away for a while, as some stories want it


class _Serving:
    def __init__(self, service: Service, port: int) -> None:
        self._service = service
        self._server = uvicorn.Server(
            uvicorn.Config(service, port=port, log_level="error", lifespan="on", timeout_graceful_shutdown=1)
        )
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        self._thread.start()
        ends_at = time.monotonic() + PATIENCE_SECONDS
        while not self._server.started:
            assert time.monotonic() < ends_at, "the server did not start"
            time.sleep(0.02)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive(), "the server did not stop"

    def run(self, work: Callable[[Service], Awaitable[T]]) -> T:
        assert self._loop is not None

        async def done() -> T:
            return await work(self._service)

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result(PATIENCE_SECONDS)

    def _run(self) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            await self._server.serve()

        asyncio.run(serve())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
