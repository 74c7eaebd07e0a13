"""A server's side of ASGI, by hand: what the application is given, and what it sent."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from serinus.asgi import Canary
from serinus.asgi.protocol import Application, Message, Receive, Scope, Send
from serinus.deployment import DeploymentVersion
from serinus.metrics.snapshot import Cell, Outcome
from serinus.routing.split import Split

LEGACY, CANARY = DeploymentVersion.LEGACY, DeploymentVersion.CANARY
EVERYBODY = Split(revision=1, enabled=True, percentage=100)
USER = (b"x-user-id", b"ada")


def http_scope(path: str = "/thing", method: str = "GET", headers: Iterable[tuple[bytes, bytes]] = (USER,)) -> Scope:
    raw, _, query = path.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": raw,
        "raw_path": raw.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": list(headers),
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
    }


def websocket_scope(path: str = "/socket", headers: Iterable[tuple[bytes, bytes]] = (USER,)) -> Scope:
    scope = http_scope(path, headers=headers)
    del scope["method"]
    return {**scope, "type": "websocket", "scheme": "ws", "subprotocols": []}


@dataclass
class Wire:
    """One connection: `incoming` is what the client has to say, and then it waits, unless it `leaves`."""

    incoming: list[Message] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)
    on_send: Callable[[Message], Awaitable[None]] | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self) -> Message:
        if self.incoming:
            return self.incoming.pop(0)
        await self.over.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        if self.on_send is not None:
            await self.on_send(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self.over.set()

    @property
    def start(self) -> Message:
        return next(message for message in self.sent if message["type"].endswith("response.start"))

    @property
    def status(self) -> int:
        return int(self.start["status"])

    @property
    def headers(self) -> Mapping[bytes, bytes]:
        return dict(self.start["headers"])

    @property
    def version(self) -> str:
        return self.headers[b"x-deployment-version"].decode()

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent if message["type"].endswith("response.body"))


def chunks_of(*pieces: bytes) -> list[Message]:
    last = len(pieces) - 1
    return [
        {"type": "http.request", "body": piece, "more_body": index < last}
        for index, piece in enumerate(pieces or (b"",))
    ]


async def call(app: Application, scope: Scope | None = None, *pieces: bytes, wire: Wire | None = None) -> Wire:
    wire = wire or Wire(chunks_of(*pieces))
    await app(scope or http_scope(), wire.receive, wire.send)
    return wire


def get(app: Application, path: str = "/thing", headers: Iterable[tuple[bytes, bytes]] = (USER,)) -> Wire:
    return asyncio.run(call(app, http_scope(path, headers=headers)))


def post(app: Application, *pieces: bytes, path: str = "/thing", headers: Iterable[tuple[bytes, bytes]] = ()) -> Wire:
    return asyncio.run(call(app, http_scope(path, "POST", headers), *pieces))


async def answer(send: Send, status: int = 200, body: bytes = b"", headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})


def answering(body: bytes = b"", status: int = 200, headers: Iterable[tuple[bytes, bytes]] = ()) -> Application:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, status, body, headers)

    return app


def raising(error: Exception) -> Application:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise error

    return app


async def hanging(scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.Event().wait()


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with what it received, and says in how many pieces."""
    pieces, more = [], True
    while more:
        message = await receive()
        pieces.append(message.get("body", b""))
        more = message.get("more_body", False)
    await answer(send, 200, b"".join(pieces), [(b"x-pieces", repr([len(piece) for piece in pieces]).encode())])


class Dial:
    """A clock that stands still until it is turned."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def cells(canary: Canary) -> dict[tuple[DeploymentVersion, str], Cell]:
    """What was counted since the last time; every test that asks has either compared or uncompared requests alone."""
    return {(key.version, key.endpoint): cell for key, cell in canary.collector.drain().items()}


def outcomes(canary: Canary, endpoint: str = "(other)") -> dict[tuple[DeploymentVersion, Outcome], int]:
    return {
        (version, outcome): count
        for (version, where), cell in cells(canary).items()
        if where == endpoint
        for outcome, count in cell.outcomes.items()
    }
