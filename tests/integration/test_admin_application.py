"""One process put together: who gets which request, and what holds when the store is not there."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from admin_desk import ADMIN
from serinus import DeploymentVersion, application, subject
from serinus.bootstrap import Service
from serinus.settings import load
from serinus.storage.database import Database
from serinus.storage.store import Store
from store_faults import moved_away

API = "/admin/canary"
TOKEN = {"Authorization": f"Bearer {ADMIN}"}
USER = {"x-user-id": "kim"}


def app(name: str, *, ready: int | None = None) -> Starlette:
    async def hello(_request: Request) -> Response:
        return PlainTextResponse(name)

    async def readiness(_request: Request) -> Response:
        return JSONResponse({"status": "warming up", "engines": 3}, ready or 200)

    routes = [Route("/hello", hello), Route("/health", hello), Route("/items/{id}", hello)]
    return Starlette(routes=routes + ([Route("/ready", readiness)] if ready else []))


def service_at(store: Path, *, ready: int | None = None, **settings: Any) -> Service:
    url = f"sqlite+aiosqlite:///{store}"
    return application(
        legacy=app("legacy", ready=ready),
        canary=app("canary"),
        subject=subject.header("x-user-id"),
        settings=load(database_url=url, admin_token=ADMIN, **settings),
    )


@asynccontextmanager
async def running(service: Service) -> AsyncIterator[httpx2.AsyncClient]:
    """The service as a server runs it: lifespan, requests, lifespan."""
    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    outbox: asyncio.Queue[Any] = asyncio.Queue()
    living = asyncio.create_task(service({"type": "lifespan", "state": {}}, inbox.get, outbox.put))
    inbox.put_nowait({"type": "lifespan.startup"})
    assert (await outbox.get())["type"] == "lifespan.startup.complete"
    transport = httpx2.ASGITransport(app=service)
    async with httpx2.AsyncClient(transport=transport, base_url="http://service", headers=TOKEN) as client:
        yield client
    inbox.put_nowait({"type": "lifespan.shutdown"})
    assert (await outbox.get())["type"] == "lifespan.shutdown.complete"
    await living


def tell(service: Service, story: Callable[[httpx2.AsyncClient], Awaitable[None]]) -> None:
    async def run() -> None:
        async with running(service) as client:
            await story(client)

    asyncio.run(run())


async def eventually(
    ask: Callable[[], Awaitable[httpx2.Response]], is_so: Callable[[httpx2.Response], bool]
) -> httpx2.Response:
    """What a real agent or controller brings about within its second or two."""
    async with asyncio.timeout(10):
        while True:
            answer = await ask()
            if is_so(answer):
                return answer
            await asyncio.sleep(0.02)


def counted(store: Path) -> int:
    """How many requests the store has heard of."""

    async def read() -> int:
        database = Database(f"sqlite+aiosqlite:///{store}")
        try:
            return sum(cell.requests for cell in (await Store(database).window(0)).values())
        finally:
            await database.close()

    return asyncio.run(read())


def test_a_share_set_through_the_admin_api_is_in_force_for_the_next_requests(tmp_path: Path) -> None:
    async def story(client: httpx2.AsyncClient) -> None:
        assert (await client.get("/hello", headers=USER)).text == "legacy"
        await client.post(f"{API}/config", json={"canary_percentage": 100})
        response = await eventually(partial(client.get, "/hello", headers=USER), lambda answer: answer.text == "canary")
        assert response.headers["x-deployment-version"] == DeploymentVersion.CANARY

    tell(service_at(tmp_path / "store.db"), story)


def test_the_last_requests_before_the_shutdown_are_delivered_and_those_of_operators_never_count(tmp_path: Path) -> None:
    async def story(client: httpx2.AsyncClient) -> None:
        for _ in range(17):
            assert (await client.get("/hello", headers=USER)).status_code == 200
        for path in (f"{API}/config", f"{API}/status", "/metrics", "/ready", "/health", f"{API}/nothing", API):
            await client.get(path)

    store = tmp_path / "store.db"
    tell(service_at(store), story)
    assert counted(store) == 17


def test_the_service_starts_without_its_store_serves_legacy_and_says_so(tmp_path: Path) -> None:
    async def story(client: httpx2.AsyncClient) -> None:
        assert (await client.get("/hello", headers=USER)).text == "legacy"
        answer = await eventually(
            partial(client.get, "/ready"), lambda found: found.json()["serinus"]["store"] == "unavailable"
        )
        assert answer.status_code == 200
        assert answer.json()["serinus"]["status"] == "degraded"
        assert "no-such-folder" not in answer.text
        refused = await client.get(f"{API}/config")
        assert refused.status_code == 503

    tell(service_at(tmp_path / "no-such-folder" / "store.db"), story)


@pytest.mark.slow
def test_a_service_that_nobody_started_serves_legacy_and_says_once_what_to_do(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        transport = httpx2.ASGITransport(service_at(tmp_path / "store.db"))
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            for _ in range(3):
                answer = await client.get("/hello", headers={"x-user-id": "ann"})
                assert answer.headers["x-deployment-version"] == "legacy"

    asyncio.run(story())
    assert [record.levelname for record in caplog.records if "--lifespan on" in record.message] == ["WARNING"]


@pytest.mark.slow
def test_a_store_that_fails_a_running_service_is_said_in_ready_and_log_until_it_answers_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = tmp_path / "store" / "store.db"
    store.parent.mkdir()

    async def story(client: httpx2.AsyncClient) -> None:
        async def ready(word: str) -> None:
            await eventually(partial(client.get, "/ready"), lambda found: found.json()["serinus"]["store"] == word)

        assert (await client.post(f"{API}/config", json={"canary_percentage": 100})).status_code == 200
        await eventually(partial(client.get, "/hello", headers=USER), lambda found: found.text == "canary")
        with moved_away(store):
            await ready("unavailable")
            assert (await client.get("/ready")).json()["serinus"]["status"] == "degraded"
            assert (await client.get("/hello", headers=USER)).text == "canary"
            assert "serves on without" in caplog.text
        await ready("ok")

    tell(service_at(store), story)


@pytest.mark.parametrize("status", [200, 503])
def test_ready_is_the_services_own_word_with_one_key_more(tmp_path: Path, status: int) -> None:
    async def story(client: httpx2.AsyncClient) -> None:
        answer = await client.get("/ready")
        assert (answer.status_code, answer.json()["status"], answer.json()["engines"]) == (status, "warming up", 3)
        assert answer.json()["serinus"]["store"] == "ok"

    tell(service_at(tmp_path / "store.db", ready=status), story)


def test_the_admin_api_knows_the_endpoints_that_take_part(tmp_path: Path) -> None:
    async def story(client: httpx2.AsyncClient) -> None:
        assert (await client.get(f"{API}/config")).json()["known_endpoints"] == ["/hello", "/items/{id}"]

    tell(service_at(tmp_path / "store.db"), story)


def test_a_controller_lives_in_the_process_and_an_agent_is_heard(tmp_path: Path) -> None:
    async def story(client: httpx2.AsyncClient) -> None:
        answer = await eventually(partial(client.get, f"{API}/status"), lambda found: found.json()["health"] == "ok")
        status = answer.json()
        assert status["controller"]["alive"]
        assert [agent["name"].startswith("shop-1-") for agent in status["agents"]] == [True]

    tell(service_at(tmp_path / "store.db", agent_name="shop-1"), story)


@pytest.mark.parametrize(
    ("settings", "is_done"), [({}, False), ({"slack_webhook_url": "https://hooks.example.org/services/x"}, True)]
)
def test_alerts_that_go_to_the_log_alone_make_no_service_ready(
    tmp_path: Path, settings: dict[str, str], is_done: bool
) -> None:
    async def story(client: httpx2.AsyncClient) -> None:
        document = (await client.get("/admin/canary/reports/readiness", params={"format": "json"})).json()
        (tier,) = (each for each in document["sections"] if each["name"] == "tier_before")
        (items,) = (block["items"] for block in tier["blocks"] if "items" in block)
        assert {item["name"]: item["done"] for item in items}["channels"] is is_done

    tell(service_at(tmp_path / "store.db", **settings), story)


def test_an_application_that_cannot_start_stops_the_whole(tmp_path: Path) -> None:
    async def fails(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no engine"})

    service = application(
        legacy=fails,
        canary=app("canary"),
        subject=subject.header("x-user-id"),
        settings=load(database_url=f"sqlite+aiosqlite:///{tmp_path / 'store.db'}"),
    )

    async def run() -> dict[str, Any]:
        inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        inbox.put_nowait({"type": "lifespan.startup"})
        await service({"type": "lifespan", "state": {}}, inbox.get, outbox.put)
        return outbox.get_nowait()

    told = asyncio.run(run())
    assert told["type"] == "lifespan.startup.failed"
    assert "no engine" in told["message"]
