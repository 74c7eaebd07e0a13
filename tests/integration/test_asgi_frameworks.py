"""The middleware before real Starlette and FastAPI applications, spoken to by a real HTTP client."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

import httpx2
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from serinus import Canary, DeploymentVersion, Options, Outcome, Split, subject
from unit.asgi.wire import outcomes

LEGACY, CANARY = DeploymentVersion.LEGACY, DeploymentVersion.CANARY
EVERYBODY = Split(1, enabled=True, percentage=100)
ADA = {"x-user-id": "ada"}


def together(legacy: Starlette, canary: Starlette, options: Options | None = None) -> Canary:
    source = subject.first_of(subject.header("x-user-id"), subject.json_field("user_id"))
    app = Canary(legacy=legacy, canary=canary, subject=source, options=options)
    app.adopt(EVERYBODY)
    return app


def talk(app: Canary, conversation: Callable[[httpx2.AsyncClient], Coroutine[None, None, None]]) -> None:
    async def session() -> None:
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://service") as client:
            await conversation(client)

    asyncio.run(session())


async def name(request: Request) -> Response:
    return JSONResponse({"user": request.path_params["id"], "said": (await request.body()).decode()})


async def broken(request: Request) -> Response:
    raise ZeroDivisionError


async def legacy_answer(request: Request) -> Response:
    return PlainTextResponse("legacy")


class Stamp(BaseHTTPMiddleware):
    """Runs the application in a task of its own, as many middleware packages do."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        response.headers["x-stamped"] = "1"
        return response


def test_a_body_that_named_the_user_reaches_the_handler() -> None:
    app = Starlette(routes=[Route("/users/{id}", name, methods=["POST"])])
    canary = together(app, app)

    async def conversation(client: httpx2.AsyncClient) -> None:
        response = await client.post("/users/7", json={"user_id": "ada"})
        assert response.json() == {"user": "7", "said": '{"user_id":"ada"}'}
        assert response.headers["x-deployment-version"] == "canary"

    talk(canary, conversation)
    assert outcomes(canary, "/users/{id}") == {(CANARY, Outcome.OK): 1}


def test_a_handler_that_raises_is_answered_by_legacy_with_the_frameworks_own_500_unseen() -> None:
    for middleware in ([], [Middleware(Stamp)]):
        legacy = Starlette(routes=[Route("/thing", legacy_answer)])
        canary = together(legacy, Starlette(routes=[Route("/thing", broken)], middleware=middleware))

        async def conversation(client: httpx2.AsyncClient) -> None:
            response = await client.get("/thing", headers=ADA)
            assert (response.status_code, response.text) == (200, "legacy")
            assert response.headers["x-canary-fallback"] == "1"

        talk(canary, conversation)
        assert outcomes(canary, "/thing") == {(CANARY, Outcome.FAILED): 1}


def test_without_a_fallback_the_frameworks_500_passes_and_counts() -> None:
    app = Starlette(routes=[Route("/thing", broken, methods=["POST"])])
    canary = together(app, app)

    async def conversation(client: httpx2.AsyncClient) -> None:
        response = await client.post("/thing", headers=ADA)
        assert (response.status_code, response.headers["x-deployment-version"]) == (500, "canary")

    talk(canary, conversation)
    assert outcomes(canary, "/thing") == {(CANARY, Outcome.FAILED): 1}


def test_a_time_out_goes_through_middleware_that_runs_the_application_in_a_task_of_its_own() -> None:
    ended: list[bool] = []

    async def hangs(request: Request) -> Response:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)
        return Response()

    legacy = Starlette(routes=[Route("/thing", legacy_answer)])
    slow = Starlette(routes=[Route("/thing", hangs)], middleware=[Middleware(Stamp)])
    canary = together(legacy, slow, Options(timeout_seconds=0.05))

    async def conversation(client: httpx2.AsyncClient) -> None:
        assert (await client.get("/thing", headers=ADA)).text == "legacy"

    talk(canary, conversation)
    assert ended == [True]
    assert outcomes(canary, "/thing") == {(CANARY, Outcome.FAILED): 1}


def test_streams_arrive_whole_and_background_tasks_run() -> None:
    ran: list[str] = []

    async def pieces() -> AsyncIterator[str]:
        for number in range(5):
            yield f"{number};"

    async def stream(request: Request) -> Response:
        return StreamingResponse(pieces(), background=BackgroundTask(ran.append, "background"))

    app = Starlette(routes=[Route("/stream", stream)], middleware=[Middleware(Stamp)])
    canary = together(app, app)

    async def conversation(client: httpx2.AsyncClient) -> None:
        response = await client.get("/stream", headers=ADA)
        assert (response.text, response.headers["x-stamped"]) == ("0;1;2;3;4;", "1")

    talk(canary, conversation)
    assert ran == ["background"]
    assert outcomes(canary, "/stream") == {(CANARY, Outcome.OK): 1}


def test_a_handler_may_mark_its_answer_as_degraded() -> None:
    async def fallback(request: Request) -> Response:
        return PlainTextResponse("popular items", headers={"X-Serinus-Outcome": "degraded"})

    app = Starlette(routes=[Route("/thing", fallback)])
    canary = together(app, app)

    async def conversation(client: httpx2.AsyncClient) -> None:
        assert "x-serinus-outcome" not in (await client.get("/thing", headers=ADA)).headers

    talk(canary, conversation)
    assert outcomes(canary, "/thing") == {(CANARY, Outcome.DEGRADED): 1}


def test_the_endpoints_are_the_routes_of_both_applications_wherever_they_are_mounted() -> None:
    router = APIRouter(prefix="/conversations")

    @router.post("/{session_id}/turn")
    async def turn(session_id: str) -> str:
        return session_id

    new = FastAPI()
    new.include_router(router, prefix="/api/v2")
    old = Starlette(routes=[Mount("/old", routes=[Route("/{id:int}", legacy_answer)])])
    canary = together(old, new)

    async def conversation(client: httpx2.AsyncClient) -> None:
        assert (await client.post("/api/v2/conversations/s1/turn", headers=ADA)).json() == "s1"
        await client.get("/old/7", headers=ADA)

    talk(canary, conversation)
    assert {(key.endpoint, key.version) for key in canary.collector.drain()} == {
        ("/api/v2/conversations/{session_id}/turn", CANARY),
        ("/old/{id:int}", CANARY),
    }


def test_it_may_be_mounted_below_a_path_itself() -> None:
    app = Starlette(routes=[Route("/users/{id}", name)])
    canary = together(app, app)
    outer = Starlette(routes=[Mount("/service", app=canary)])

    async def session() -> None:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=outer), base_url="http://x") as client:
            assert (await client.get("/service/users/7", headers=ADA)).json()["user"] == "7"

    asyncio.run(session())
    assert outcomes(canary, "/users/{id}") == {(CANARY, Outcome.OK): 1}


def test_lifespan_state_reaches_the_handlers_of_its_own_version() -> None:
    def living(engine: str) -> Starlette:
        @asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncIterator[dict[str, str]]:
            yield {"engine": engine}

        async def which(request: Request) -> Response:
            return PlainTextResponse(request.state.engine)

        return Starlette(routes=[Route("/engine", which)], lifespan=lifespan)

    canary = together(living("resonance"), living("ensemble"))

    async def session() -> None:
        told: asyncio.Queue[dict[str, object]] = asyncio.Queue()
        said: asyncio.Queue[object] = asyncio.Queue()
        told.put_nowait({"type": "lifespan.startup"})
        life = asyncio.ensure_future(canary({"type": "lifespan", "state": {}}, told.get, said.put))
        assert await said.get() == {"type": "lifespan.startup.complete"}
        transport = httpx2.ASGITransport(app=canary)
        async with httpx2.AsyncClient(transport=transport, base_url="http://x") as client:
            assert (await client.get("/engine", headers=ADA)).text == "ensemble"
            assert (await client.get("/engine")).text == "resonance"
        told.put_nowait({"type": "lifespan.shutdown"})
        assert await said.get() == {"type": "lifespan.shutdown.complete"}
        await life

    asyncio.run(session())
