"""Two deployments behind HAProxy: it splits the traffic, Prometheus measures it, serinus judges, and takes it back."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from fleet import TOKEN, free_port, order
from measured_shop import eventually, scraped
from serinus.routing.canary_router import point_of, threshold_of
from started import started
from uvicorn_server import served

pytestmark = [pytest.mark.slow, pytest.mark.tool("haproxy"), pytest.mark.tool("prometheus")]

DEPLOYED = Path(__file__).parents[2] / "deploy/haproxy"
PLAN = {
    "name": "behind-haproxy",
    "salt": "phase4",
    "slo": {"error_rate_margin_points": 0.5, "p95_margin_percent": 10, "min_canary_requests": 1_000},
    "steps": [{"percentage": 20, "bake": "1h"}],
    "triggers": [
        {
            "name": "error-rate",
            "metric": "error_rate",
            "limit_percent": 5,
            "severity": "critical",
            "deadline": "60s",
            "channels": ["log"],
        }
    ],
}
SETTINGS = {
    "SERINUS_ADMIN_TOKEN": TOKEN,
    "SERINUS_PROMETHEUS_REQUESTS": "haproxy_backend_http_responses_total",
    "SERINUS_PROMETHEUS_LATENCY": "",
    "SERINUS_PROMETHEUS_VERSION_LABEL": "proxy",
    "SERINUS_PROMETHEUS_ENDPOINT_LABEL": "",
    "SERINUS_PROMETHEUS_STATUS_LABEL": "code",
}


class Deployment:
    """Says which version it is, with the status that it is told."""

    def __init__(self, version: str) -> None:
        self.version, self.status = version, 200
        self.app = Starlette(routes=[Route("/", self._answer)])

    async def _answer(self, _request: Request) -> Response:
        return PlainTextResponse(self.version, self.status)


class Installation:
    """The canary, the address of HAProxy, and the operators' door of serinus."""

    def __init__(self, canary: Deployment, shop: str, desk: str) -> None:
        self.canary, self.shop, self.desk = canary, shop, desk
        self._users = 0

    async def visit(self, users: int) -> Counter[str]:
        """Who answered so many users, each of whom the router would have sent there."""
        async with httpx2.AsyncClient(base_url=self.shop) as client:
            names = [f"user-{self._users + number}" for number in range(users)]
            self._users += users
            answers = [(name, (await client.get("/", headers={"x-user-id": name})).text) for name in names]
        below = threshold_of(20)
        assert all(point_of("phase4", name) < below for name, version in answers if version == "canary")
        return Counter(version for _, version in answers)

    async def rollout(self) -> Any:
        async with httpx2.AsyncClient() as client:
            headers = {"Authorization": f"Bearer {TOKEN}"}
            return (await client.get(f"{self.desk}/admin/canary/rollout", headers=headers)).json()


def configured(folder: Path, ports: list[int], shop: int, metrics: int) -> Path:
    """The example with this machine's addresses."""
    text = (DEPLOYED / "haproxy.cfg").read_text(encoding="utf-8")
    replaced = {
        "/run/haproxy/admin.sock": str(folder / "admin.sock"),
        "/etc/haproxy/share.map": str(folder / "share.map"),
        "10.0.0.1:8000": f"127.0.0.1:{ports[0]}",
        "10.0.0.2:8000": f"127.0.0.1:{ports[1]}",
        "bind :8080": f"bind 127.0.0.1:{shop}",
        "bind :8404": f"bind 127.0.0.1:{metrics}",
    }
    for before, after in replaced.items():
        assert before in text
        text = text.replace(before, after)
    (folder / "share.map").write_text((DEPLOYED / "share.map").read_text(encoding="utf-8"), encoding="utf-8")
    path = folder / "haproxy.cfg"
    path.write_text(text, encoding="utf-8")
    return path


@asynccontextmanager
async def installed(folder: Path) -> AsyncIterator[Installation]:
    legacy, canary = Deployment("legacy"), Deployment("canary")
    shop, metrics, desk = free_port(), free_port(), free_port()
    async with served(legacy.app) as one, served(canary.app) as other, scraped(folder, metrics) as prometheus:
        config = configured(folder, [one, other], shop, metrics)
        settings = SETTINGS | {
            "SERINUS_DATABASE_URL": f"sqlite+aiosqlite:///{folder}/serinus.db",
            "SERINUS_PROMETHEUS_URL": prometheus,
            "SERINUS_URL": f"http://127.0.0.1:{desk}",
            "SERINUS_TOKEN": TOKEN,
        }
        environment = os.environ | settings
        proxy = ["haproxy", "-db", "-f", str(config)]
        judge = [sys.executable, "-m", "serinus", "controller", "--port", str(desk)]
        follow = [sys.executable, str(DEPLOYED / "follow.py"), "--socket", f"{folder}/admin.sock"]
        follow += ["--map", f"{folder}/share.map", "--seconds", "0.5"]
        with ExitStack() as stack:
            for command, ready in (
                (proxy, f"http://127.0.0.1:{metrics}/metrics"),
                (judge, f"http://127.0.0.1:{desk}/health"),
                (follow, f"http://127.0.0.1:{desk}/health"),
            ):
                process = started(command, folder, ready, environment)
                await asyncio.to_thread(stack.enter_context, process)
            yield Installation(canary, f"http://127.0.0.1:{shop}", f"http://127.0.0.1:{desk}")


def test_a_canary_behind_haproxy_is_found_failing_by_prometheus_and_taken_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with installed(tmp_path) as installation:
            assert (await installation.visit(50))["canary"] == 0
            await asyncio.to_thread(order, installation.desk, "/rollout/start", plan=PLAN)

            async def has_canary() -> bool:
                return (await installation.visit(50))["canary"] > 0

            async def is_back() -> bool:
                await installation.visit(20)
                return bool((await installation.rollout())["phase"] == "rolled_back")

            await eventually(has_canary)
            installation.canary.status = 503
            await eventually(is_back)
            rollout = await installation.rollout()
            assert (await installation.visit(50))["canary"] == 0
            receipt = rollout["receipt"]
            assert receipt["cause"] in {"error-rate", "error_rate"}  # the limit, or the comparison, whichever is proven
            assert receipt["unheard"] == []
            assert receipt["decided_at"] < receipt["completed_at"]

    asyncio.run(story())
