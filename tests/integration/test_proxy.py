"""Two versions that are deployed apart, behind one canary: real servers, real sockets."""

import asyncio
import gzip
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from serinus import Canary, DeploymentVersion, Options, Outcome, Proxy, Split, subject
from serinus.errors import InvalidInput
from unit.asgi.wire import Wire, http_scope, outcomes
from uvicorn_server import served

pytestmark = pytest.mark.slow
LEGACY, CANARY = DeploymentVersion.LEGACY, DeploymentVersion.CANARY
ONES = {"x-user-id": "ada"}


class Version:
    """A deployed version that tells what reached it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.entered = asyncio.Event()
        self.left = asyncio.Event()

    def app(self) -> Starlette:
        methods = ["GET", "POST", "PUT", "DELETE"]
        return Starlette(
            routes=[
                Route("/base/{rest:path}", self.echo, methods=methods),
                Route("/packed", self.packed),
                Route("/away", self.away),
                Route("/cookies", self.cookies),
                Route("/broken", self.broken),
                Route("/failing", self.failing),
                Route("/slow", self.slow),
                Route("/stream", self.stream),
                Route("/cut", self.cut),
                WebSocketRoute("/socket", self.socket),
                WebSocketRoute("/refuses", self.refuses),
                WebSocketRoute("/breaks", self.breaks),
                Route("/{rest:path}", self.echo, methods=methods),
            ]
        )

    async def echo(self, request: Request) -> Response:
        body = await request.body()
        path = request.scope["raw_path"].decode()
        return JSONResponse(
            {
                "version": self.name,
                "method": request.method,
                "target": path + ("?" + request.url.query if request.url.query else ""),
                "headers": [[name, value] for name, value in request.headers.items()],
                "bytes": len(body),
                "ends": body[-3:].decode(),
            }
        )

    async def packed(self, request: Request) -> Response:
        return Response(gzip.compress(b"many words" * 50), headers={"content-encoding": "gzip"})

    async def away(self, request: Request) -> Response:
        return RedirectResponse("/elsewhere")

    async def cookies(self, request: Request) -> Response:
        response = Response()
        response.set_cookie("first", "1")
        response.set_cookie("second", "2")
        response.headers["connection"] = "x-private"
        response.headers["x-private"] = "of this hop"
        return response

    async def broken(self, request: Request) -> Response:
        raise ZeroDivisionError

    async def failing(self, request: Request) -> Response:
        return JSONResponse({"why": "a bug"}, 500)

    async def slow(self, request: Request) -> Response:
        self.entered.set()
        try:
            while (await request.receive())["type"] != "http.disconnect":
                pass
        finally:
            self.left.set()
        return Response()

    async def stream(self, request: Request) -> Response:
        async def pieces() -> AsyncIterator[str]:
            yield "one"
            await self.entered.wait()
            yield "two"

        return StreamingResponse(pieces())

    async def cut(self, request: Request) -> Response:
        async def pieces() -> AsyncIterator[str]:
            yield "half of "
            raise ZeroDivisionError

        return StreamingResponse(pieces())

    async def socket(self, socket: WebSocket) -> None:
        await socket.accept(subprotocol="shout")
        await socket.send_json([socket.url.path, socket.url.query, socket.headers["x-user-id"]])
        while (message := await socket.receive())["type"] == "websocket.receive":
            text, content = message.get("text"), message.get("bytes")
            if text == "bye":
                await socket.close(4001, "as you wish")
            elif content is not None:
                await socket.send_bytes(content[::-1])
            else:
                await socket.send_text(str(text).upper())
        self.left.set()

    async def refuses(self, socket: WebSocket) -> None:
        await socket.send_denial_response(JSONResponse({"why": "not you"}, 401))

    async def breaks(self, socket: WebSocket) -> None:
        await socket.accept()
        raise ZeroDivisionError


class Street:
    """The canary in front, and a client of it."""

    def __init__(self, canary: Canary, client: httpx2.AsyncClient, version: Version) -> None:
        self.canary = canary
        self.client = client
        self.version = version

    async def ask(self, method: str, path: str, **more: Any) -> Any:
        response = await self.client.request(method, path, **more)
        return response.raise_for_status().json()


def on_a_street(
    story: Callable[[Street], Awaitable[None]],
    *,
    path: str = "",
    options: Options | None = None,
) -> Canary:
    async def run() -> Canary:
        old, new = Version("old"), Version("new")
        async with asyncio.timeout(20), served(old.app()) as of_old, served(new.app()) as of_new:
            canary = Canary(
                Proxy(f"http://127.0.0.1:{of_old}{path}"),
                Proxy(f"http://127.0.0.1:{of_new}{path}"),
                subject=subject.header("x-user-id"),
                options=options,
            )
            canary.adopt(Split(enabled=True, percentage=100))
            async with (
                served(canary) as port,
                httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=ONES) as client,
            ):
                await story(Street(canary, client, new))
        return canary

    return asyncio.run(run())


def test_a_request_reaches_its_version_as_it_was_sent() -> None:
    async def story(street: Street) -> None:
        seen = await street.ask("PUT", "/a%2Fb//c%20d?x=1&y=%26", content=b"words", headers={"x-twice": "yes"})
        assert (seen["version"], seen["method"], seen["bytes"]) == ("new", "PUT", 5)
        assert seen["target"] == "/a%2Fb//c%20d?x=1&y=%26"
        assert ["x-twice", "yes"] in seen["headers"]
        assert ["content-length", "5"] in seen["headers"]
        street.canary.adopt(Split(revision=1, enabled=True, percentage=0))
        assert (await street.ask("GET", "/thing"))["version"] == "old"

    counted = outcomes(on_a_street(story))
    assert counted == {(CANARY, Outcome.OK): 1, (LEGACY, Outcome.OK): 1}


def test_the_version_sees_its_own_host_and_who_asked_whom() -> None:
    async def story(street: Street) -> None:
        seen = dict((await street.ask("GET", "/", headers={"host": "shop.example", "te": "trailers"}))["headers"])
        assert seen["host"].startswith("127.0.0.1:")
        assert seen["x-forwarded-host"] == "shop.example"
        assert (seen["x-forwarded-for"], seen["x-forwarded-proto"]) == ("127.0.0.1", "http")
        assert "te" not in seen

    on_a_street(story)


def test_a_path_in_the_address_goes_in_front() -> None:
    async def story(street: Street) -> None:
        assert (await street.ask("GET", "/thing"))["target"] == "/base/thing"

    on_a_street(story, path="/base/")


@pytest.mark.parametrize("pieces", [1, 7, 300])
def test_a_body_passes_piece_by_piece_however_long_it_is(pieces: int) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(pieces - 1):
            yield b"x" * 40_000
        yield b"end"

    async def story(street: Street) -> None:
        seen = await street.ask("POST", "/upload", content=body())
        assert (seen["bytes"], seen["ends"]) == (40_000 * (pieces - 1) + 3, "end")

    on_a_street(story)


def test_answers_pass_untouched() -> None:
    async def story(street: Street) -> None:
        packed = await street.client.get("/packed")
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.text == "many words" * 50
        assert (await street.client.get("/away")).status_code == 307
        cookies = await street.client.get("/cookies")
        assert len(cookies.headers.get_list("set-cookie")) == 2
        assert "x-private" not in cookies.headers
        assert [len(cookies.headers.get_list(name)) for name in ("date", "server")] == [1, 1]
        assert (await street.client.head("/thing")).headers["content-length"] != "0"

    on_a_street(story)


def test_an_answer_is_passed_on_while_it_is_being_made() -> None:
    async def story(street: Street) -> None:
        async with street.client.stream("GET", "/stream") as response:
            pieces = response.aiter_text()
            assert await anext(pieces) == "one"
            street.version.entered.set()
            assert await anext(pieces) == "two"

    on_a_street(story)


def test_a_failed_version_is_a_failure_and_legacy_answers_what_is_safe() -> None:
    async def story(street: Street) -> None:
        answer = await street.client.get("/failing/not")
        assert answer.json()["version"] == "new"
        answer = await street.client.get("/failing")
        assert answer.status_code == 500
        assert answer.headers["x-canary-fallback"] == "1"
        assert answer.headers["x-deployment-version"] == "legacy"

    assert outcomes(on_a_street(story)) == {(CANARY, Outcome.OK): 1, (CANARY, Outcome.FAILED): 1}


def test_a_version_that_is_not_there_has_failed() -> None:
    async def story(street: Street) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            nobody = taken.getsockname()[1]
        street.canary.canary = Proxy(f"http://127.0.0.1:{nobody}")
        answer = await street.client.post("/thing", content=b"words")
        assert answer.status_code == 502
        assert answer.headers["content-type"] == "application/problem+json"
        assert "127.0.0.1" not in answer.text
        assert (await street.ask("GET", "/thing"))["version"] == "old"

    assert outcomes(on_a_street(story)) == {(CANARY, Outcome.FAILED): 2}


def test_an_answer_that_breaks_off_is_a_failure_and_no_whole_answer() -> None:
    async def story(street: Street) -> None:
        with pytest.raises(httpx2.RemoteProtocolError):
            await street.client.get("/cut")

    assert outcomes(on_a_street(story)) == {(CANARY, Outcome.FAILED): 1}


def test_a_client_that_leaves_takes_its_request_back() -> None:
    async def story(street: Street) -> None:
        asking = asyncio.create_task(street.client.get("/slow"))
        await street.version.entered.wait()
        asking.cancel()
        await street.version.left.wait()

    assert outcomes(on_a_street(story)) == {(CANARY, Outcome.CANCELLED): 1}


def test_a_version_that_takes_too_long_is_given_up() -> None:
    async def story(street: Street) -> None:
        answer = await street.client.get("/slow")
        assert answer.status_code == 504
        await street.version.left.wait()

    options = Options(timeout_seconds=0.3, safe_methods=frozenset())
    assert outcomes(on_a_street(story, options=options))[CANARY, Outcome.FAILED] == 1


def connected(street: Street, path: str) -> Any:
    websockets = pytest.importorskip("websockets.asyncio.client", reason="uvicorn speaks websockets with this package")
    url = str(street.client.base_url.copy_with(scheme="ws")).rstrip("/") + path
    return websockets.connect(url, additional_headers=ONES, subprotocols=["shout"], proxy=None)


def test_a_websocket_passes_both_ways_and_ends_as_its_version_says() -> None:
    async def story(street: Street) -> None:
        async with connected(street, "/socket?room=1") as socket:
            assert socket.subprotocol == "shout"
            assert json.loads(await socket.recv()) == ["/socket", "room=1", "ada"]
            await socket.send("hello")
            await socket.send(b"abc")
            assert [await socket.recv(), await socket.recv()] == ["HELLO", b"cba"]
            await socket.send("bye")
            await socket.wait_closed()
            assert (socket.close_code, socket.close_reason) == (4001, "as you wish")

    assert outcomes(on_a_street(story)) == {(CANARY, Outcome.OK): 1}


def test_a_client_that_closes_its_websocket_closes_the_versions() -> None:
    async def story(street: Street) -> None:
        async with connected(street, "/socket") as socket:
            await socket.recv()
        await street.version.left.wait()

    assert outcomes(on_a_street(story)) == {(CANARY, Outcome.OK): 1}


def test_a_websocket_that_is_refused_or_breaks_is_counted_as_what_it_is() -> None:
    async def story(street: Street) -> None:
        exceptions = pytest.importorskip("websockets.exceptions")
        with pytest.raises(exceptions.InvalidStatus) as refused:
            async with connected(street, "/refuses"):
                pass
        assert refused.value.response.status_code == 401
        async with connected(street, "/breaks") as socket:
            await socket.wait_closed()
            assert socket.close_code == 1014  # the version was gone without a word
        street.canary.canary = Proxy("http://127.0.0.1:1")
        with pytest.raises(exceptions.InvalidStatus) as unreachable:
            async with connected(street, "/socket"):
                pass
        assert unreachable.value.response.status_code == 502

    expected = {(CANARY, Outcome.CLIENT_ERROR): 1, (CANARY, Outcome.FAILED): 2}
    assert outcomes(on_a_street(story)) == expected


def test_a_request_that_http_does_not_allow_is_the_clients_error() -> None:
    async def story(street: Street) -> None:
        sent: list[Any] = []
        scope = http_scope("/thing", headers=[(b"x-user-id", b"ada"), (b"x-odd", b"a\x00b")])

        async def send(message: Any) -> None:
            sent.append(message)

        await street.canary(scope, Wire([{"type": "http.request", "body": b""}]).receive, send)
        assert sent[0]["status"] == 400

    assert outcomes(on_a_street(story)) == {(CANARY, Outcome.CLIENT_ERROR): 1}


@pytest.mark.parametrize(
    "url", ["", "shop", "ftp://shop", "http://", "http://shop:99999", "http://shop/?a=b", "http://user:word@shop"]
)
def test_what_is_no_address_is_told_at_once(url: str) -> None:
    with pytest.raises(InvalidInput, match="write it like http://"):
        Proxy(url)


def test_a_hostile_path_stays_at_its_version() -> None:
    """Whatever looks like another host in a request's target is a path of this one."""

    async def ask(port: int, target: str) -> dict[str, Any]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {target} HTTP/1.1\r\nHost: x\r\nx-user-id: ada\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        body: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
        return body

    async def story(street: Street) -> None:
        port = street.client.base_url.port
        assert port is not None
        for target in ("//elsewhere.example/x", "/@elsewhere.example", "/..%2f..%2fetc", "/a\\b"):
            seen = await ask(port, target)
            assert (seen["version"], seen["target"]) == ("new", target)

    on_a_street(story)
