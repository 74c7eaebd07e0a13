"""A version that is deployed apart: the application that answers for it by forwarding to its address."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from serinus.asgi.hop import end_to_end, forwarded, target
from serinus.asgi.protocol import Message, Receive, Scope, Send
from serinus.asgi.websocket_relay import relay
from serinus.errors import InvalidInput, Problem

if TYPE_CHECKING:
    import httpcore2

log = logging.getLogger("serinus.asgi")

IDLE_SECONDS = 4.0  # a connection is not used again after it: uvicorn and others close theirs after five
OF_THE_SERVER_IN_FRONT = (b"date", b"server")  # which writes its own, once
UNREACHABLE = "The service behind this address does not answer at the moment; try again later."
MALFORMED = "The request cannot be sent on as it is; look at its headers and its path."


class ClientLeft(Exception):
    """The client hung up while its request was being sent on."""


class Proxy:
    """Forwards HTTP requests to the service at `url`, whose path, if it has one, goes in front of every request's.

        app = application(legacy=Proxy("http://10.0.0.1:8000"), canary=Proxy("http://10.0.0.2:8000"), subject=...)

    Bodies pass in both directions as they come, compressed ones untouched; redirects are the client's matter. The
    service sees its own name in ``Host``, and in ``X-Forwarded-For``, ``-Proto`` and ``-Host`` who asked for what. One
    that cannot be reached within `connect_seconds`, or breaks off before its answer, has failed: 502. How long an
    answer may take is for `Options.timeout_seconds`. Websockets need the package `websockets`. Raises
    `InvalidInput` when `url` is none.
    """

    def __init__(self, url: str, *, connect_seconds: float = 5.0) -> None:
        self.url = _checked(url)
        parts = urlsplit(self.url)
        self._websockets = f"ws{parts.scheme.removeprefix('http')}://{parts.netloc}"
        self._host = parts.netloc.encode("idna" if not parts.netloc.isascii() else "ascii")
        self._prefix = parts.path.rstrip("/").encode()
        self._timeouts = {"connect": connect_seconds}
        self._connections: httpcore2.AsyncConnectionPool | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._answer(scope, Upload(receive), send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await relay(self._websockets, self._prefix, scope, receive, send)

    async def _answer(self, scope: Scope, upload: "Upload", send: Send) -> None:
        """Forward until the answer is whole or the client has left, whichever comes first."""
        forwarding = asyncio.create_task(self._forward(scope, upload, send))
        departure = asyncio.create_task(upload.departure())
        try:
            await asyncio.wait((forwarding, departure), return_when=asyncio.FIRST_COMPLETED)
        finally:
            forwarding.cancel()
            departure.cancel()
            await asyncio.wait((forwarding, departure))
        if not forwarding.cancelled():
            forwarding.result()

    async def _forward(self, scope: Scope, upload: "Upload", send: Send) -> None:
        import httpcore2

        try:
            response = await self._pool().handle_async_request(await self._request(scope, upload))
        except ClientLeft:
            return
        except (httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.RemoteProtocolError) as error:
            log.warning("%s did not answer: %s", self.url, str(error) or type(error).__name__)
            await _send_problem(send, 502, UNREACHABLE)
            return
        except httpcore2.LocalProtocolError as error:  # the server in front lets through what HTTP does not
            log.info("a request cannot be sent on: %s", error)
            await _send_problem(send, 400, MALFORMED)
            return
        try:
            await _pass_on(response, send)
        finally:
            await response.aclose()

    async def _request(self, scope: Scope, upload: "Upload") -> "httpcore2.Request":
        import httpcore2

        headers = [(b"host", self._host), *end_to_end(scope["headers"], b"host"), *forwarded(scope)]
        content = await upload.content()
        if not isinstance(content, bytes) and not any(name == b"content-length" for name, _ in headers):
            headers.append((b"transfer-encoding", b"chunked"))
        base = httpcore2.URL(self.url)
        url = httpcore2.URL(scheme=base.scheme, host=base.host, port=base.port, target=target(scope, self._prefix))
        timeouts = {"timeout": self._timeouts}
        return httpcore2.Request(scope["method"], url, headers=headers, content=content, extensions=timeouts)

    def _pool(self) -> "httpcore2.AsyncConnectionPool":
        import httpcore2  # with the first request: who serves both versions in the process never loads it

        if self._connections is None:
            self._connections = httpcore2.AsyncConnectionPool(max_connections=None, keepalive_expiry=IDLE_SECONDS)
        return self._connections

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if self._connections is not None:
            await self._connections.aclose()
        await send({"type": "lifespan.shutdown.complete"})


class Upload:
    """A request's body on its way; `ClientLeft` in the middle of one that breaks off."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._ended = asyncio.Event()

    async def content(self) -> bytes | AsyncIterator[bytes]:
        """The body itself where it came in one piece, else its pieces as they come."""
        first = await self._next()
        return self._pieces(first) if first.get("more_body", False) else first.get("body", b"")

    async def departure(self) -> None:
        """Returns when the client hangs up after its body."""
        await self._ended.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _pieces(self, message: Message) -> AsyncIterator[bytes]:
        yield message.get("body", b"")
        while message.get("more_body", False):
            message = await self._next()
            yield message.get("body", b"")

    async def _next(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        if not message.get("more_body", False):
            self._ended.set()
        return message


async def _pass_on(response: "httpcore2.Response", send: Send) -> None:
    headers = end_to_end(((name.lower(), value) for name, value in response.headers), *OF_THE_SERVER_IN_FRONT)
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    async for piece in response.aiter_stream():
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body"})


async def _send_problem(send: Send, status: int, detail: str) -> None:
    problem = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    headers = [(b"content-type", b"application/problem+json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(problem).encode()})


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # a port that is none
        good = False
    if not good or parts.query or parts.fragment or parts.username is not None:
        raise InvalidInput(Problem("url", f"{url!r} is no address of a service; write it like http://10.0.0.1:8000"))
    return url
