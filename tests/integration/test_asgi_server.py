"""The middleware on a real server, over sockets: streams, websockets, and clients that hang up."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from serinus import Canary, DeploymentVersion, Options, Outcome, Split, subject
from unit.asgi.wire import outcomes
from uvicorn_server import served

websockets = pytest.importorskip("websockets.asyncio.client", reason="uvicorn speaks websockets with this package")

pytestmark = pytest.mark.slow
CANARY = DeploymentVersion.CANARY


class Scene:
    """What the applications under test tell the test, and wait for."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.go_on = asyncio.Event()
        self.ended = asyncio.Event()

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/hello", self.hello),
                Route("/fails", self.fails),
                Route("/hangs", self.hangs),
                Route("/waits", self.waits),
                Route("/stream", self.stream),
                WebSocketRoute("/socket", self.socket),
                WebSocketRoute("/refuses", self.refuses),
                WebSocketRoute("/breaks", self.breaks),
            ]
        )

    async def hello(self, request: Request) -> Response:
        return PlainTextResponse("hello")

    async def fails(self, request: Request) -> Response:
        raise ZeroDivisionError

    async def hangs(self, request: Request) -> Response:
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()
        return Response()

    async def waits(self, request: Request) -> Response:
        self.entered.set()
        while (await request.receive())["type"] != "http.disconnect":
            pass
        self.ended.set()
        return PlainTextResponse("to nobody")

    async def stream(self, request: Request) -> Response:
        async def pieces() -> AsyncIterator[str]:
            try:
                yield "one"
                self.entered.set()
                await self.go_on.wait()
                yield "two"
            finally:
                self.ended.set()

        return StreamingResponse(pieces())

    async def socket(self, socket: WebSocket) -> None:
        await socket.accept()
        async for text in socket.iter_text():
            await socket.send_text(text.upper())
        self.ended.set()

    async def refuses(self, socket: WebSocket) -> None:
        await socket.close()

    async def breaks(self, socket: WebSocket) -> None:
        await socket.accept()
        raise ZeroDivisionError


def on_a_server(
    story: Callable[[Scene, Canary, int], Awaitable[None]], *, safe: bool = False, timeout_seconds: float | None = None
) -> Canary:
    async def run() -> Canary:
        scene = Scene()
        legacy = Starlette(routes=[Route("/fails", scene.hello), Route("/hangs", scene.hello)])
        options = Options(timeout_seconds=timeout_seconds, safe_methods=frozenset({"GET"} if safe else ()))
        canary = Canary(legacy, scene.app(), subject=subject.query("u"), options=options)
        canary.adopt(Split(enabled=True, percentage=100))
        async with asyncio.timeout(20), served(canary) as port:
            await story(scene, canary, port)
        assert canary.canary_in_flight == 0
        return canary

    return asyncio.run(run())


async def ask(port: int, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path}?u=ada HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    await writer.drain()
    return reader, writer


async def fetch(port: int, path: str) -> str:
    reader, writer = await ask(port, path)
    answer = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    return answer


def test_answers_say_their_version_on_the_wire() -> None:
    async def story(scene: Scene, canary: Canary, port: int) -> None:
        answer = await fetch(port, "/hello")
        assert answer.endswith("hello")
        assert "x-deployment-version: canary\r\n" in answer

    assert outcomes(on_a_server(story), "/hello") == {(CANARY, Outcome.OK): 1}


def test_an_exception_becomes_the_servers_500_and_a_failure() -> None:
    async def story(scene: Scene, canary: Canary, port: int) -> None:
        assert (await fetch(port, "/fails")).startswith("HTTP/1.1 500")

    assert outcomes(on_a_server(story), "/fails") == {(CANARY, Outcome.FAILED): 1}


def test_an_exception_in_a_safe_request_is_answered_by_legacy() -> None:
    async def story(scene: Scene, canary: Canary, port: int) -> None:
        answer = await fetch(port, "/fails")
        assert answer.startswith("HTTP/1.1 200")
        assert "x-deployment-version: legacy\r\nx-canary-fallback: 1\r\n" in answer

    assert outcomes(on_a_server(story, safe=True), "/fails") == {(CANARY, Outcome.FAILED): 1}


def test_a_request_that_hangs_is_interrupted() -> None:
    async def story(scene: Scene, canary: Canary, port: int) -> None:
        assert (await fetch(port, "/hangs")).startswith("HTTP/1.1 504")
        await scene.ended.wait()

    assert outcomes(on_a_server(story, timeout_seconds=0.2), "/hangs") == {(CANARY, Outcome.FAILED): 1}


def test_a_stream_is_in_flight_until_its_end() -> None:
    async def story(scene: Scene, canary: Canary, port: int) -> None:
        reader, writer = await ask(port, "/stream")
        await reader.readuntil(b"one")
        await scene.entered.wait()
        assert canary.canary_in_flight == 1
        scene.go_on.set()
        assert b"two" in await reader.read()
        writer.close()
        await writer.wait_closed()

    assert outcomes(on_a_server(story), "/stream") == {(CANARY, Outcome.OK): 1}


@pytest.mark.parametrize("path", ["/stream", "/waits"])
def test_a_client_that_hangs_up_is_recorded_as_that(path: str) -> None:
    async def story(scene: Scene, canary: Canary, port: int) -> None:
        _, writer = await ask(port, path)
        await scene.entered.wait()
        writer.transport.abort()
        await scene.ended.wait()

    assert outcomes(on_a_server(story), path) == {(CANARY, Outcome.CANCELLED): 1}


def test_a_websocket_talks_and_ends_well() -> None:
    async def story(scene: Scene, canary: Canary, port: int) -> None:
        async with websockets.connect(f"ws://127.0.0.1:{port}/socket?u=ada", proxy=None) as socket:
            assert socket.response.headers["x-deployment-version"] == "canary"
            await socket.send("hello")
            assert await socket.recv() == "HELLO"
            assert canary.canary_in_flight == 1
        await scene.ended.wait()

    assert outcomes(on_a_server(story), "/socket") == {(CANARY, Outcome.OK): 1}


def test_a_websocket_whose_client_is_cut_off_is_not_the_canarys_failure() -> None:
    async def story(scene: Scene, canary: Canary, port: int) -> None:
        socket = await websockets.connect(f"ws://127.0.0.1:{port}/socket?u=ada", proxy=None)
        socket.transport.abort()
        await scene.ended.wait()
        await socket.wait_closed()

    assert outcomes(on_a_server(story), "/socket") == {(CANARY, Outcome.OK): 1}


def test_a_websocket_that_is_refused_is_a_client_error() -> None:
    async def story(scene: Scene, canary: Canary, port: int) -> None:
        with pytest.raises(websockets.InvalidStatus) as refusal:
            await websockets.connect(f"ws://127.0.0.1:{port}/refuses?u=ada", proxy=None)
        assert refusal.value.response.status_code == 403

    assert outcomes(on_a_server(story), "/refuses") == {(CANARY, Outcome.CLIENT_ERROR): 1}


def test_a_websocket_that_breaks_is_a_failure() -> None:
    async def story(scene: Scene, canary: Canary, port: int) -> None:
        socket = await websockets.connect(f"ws://127.0.0.1:{port}/breaks?u=ada", proxy=None)
        await socket.wait_closed()

    assert outcomes(on_a_server(story), "/breaks") == {(CANARY, Outcome.FAILED): 1}
