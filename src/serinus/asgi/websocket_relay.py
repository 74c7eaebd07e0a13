"""A websocket on to a version that is deployed apart. Needs the package `websockets`, as uvicorn itself does."""

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from serinus.asgi.hop import end_to_end, forwarded, target
from serinus.asgi.protocol import Message, Receive, Scope, Send

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

log = logging.getLogger("serinus.asgi")

_OF_THE_HANDSHAKE = (
    b"sec-websocket-key",
    b"sec-websocket-version",
    b"sec-websocket-extensions",
    b"sec-websocket-protocol",
)
# RFC 6455, section 7.4.1, and the IANA registry.
_NORMAL, _NO_STATUS, _BAD_GATEWAY = 1000, 1005, 1014
_NEVER_SENT = frozenset({None, _NO_STATUS, 1006, 1015})


async def relay(origin: str, prefix: bytes, scope: Scope, receive: Receive, send: Send) -> None:
    """Pass messages on to the version at `origin` (``ws://host:port``) and back, until either side closes, and then
    its code and reason. What the version refuses is refused with its status, where the server in front can say so.
    """
    await receive()  # the client asks to be connected
    try:
        from websockets.asyncio.client import connect
        from websockets.exceptions import InvalidStatus, WebSocketException
    except ModuleNotFoundError:
        log.warning("a websocket was refused: the package `websockets` is not installed")
        await _refuse(scope, send, 501)
        return
    headers = [*end_to_end(scope["headers"], b"host", *_OF_THE_HANDSHAKE), *forwarded(scope)]
    try:
        connection = await connect(
            origin + target(scope, prefix).decode("latin-1"),
            additional_headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers],
            subprotocols=scope.get("subprotocols") or None,
            user_agent_header=None,
            compression=None,  # between the client and the server in front it is as they agree
            max_size=None,  # that server, and the version, have limits of their own
            proxy=None,
        )
    except InvalidStatus as refusal:
        await _refuse(scope, send, refusal.response.status_code)
    except (OSError, WebSocketException) as error:
        log.warning("%s took no websocket: %s", origin, str(error) or type(error).__name__)
        await _refuse(scope, send, 502)
    else:
        async with connection:
            await send({"type": "websocket.accept", "subprotocol": connection.subprotocol})
            await _pass_both_ways(connection, receive, send)


async def _refuse(scope: Scope, send: Send, status: int) -> None:
    """Before the handshake is over: with `status`, or a close that servers make a 403 of."""
    if "websocket.http.response" in scope.get("extensions", {}):
        await send({"type": "websocket.http.response.start", "status": status, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b""})
    else:
        await send({"type": "websocket.close", "code": _BAD_GATEWAY})


async def _pass_both_ways(connection: "ClientConnection", receive: Receive, send: Send) -> None:
    left = asyncio.Event()
    listening = asyncio.create_task(_to_version(connection, receive, left))
    try:
        await _to_client(connection, send)
        if not left.is_set():
            await send(_last_word(connection.close_code, connection.close_reason))
    finally:
        listening.cancel()
        await asyncio.wait((listening,))


async def _to_version(connection: "ClientConnection", receive: Receive, left: asyncio.Event) -> None:
    """Until either side has closed; then `left` says whether it was the client."""
    from websockets.exceptions import ConnectionClosed

    with suppress(ConnectionClosed):
        while (message := await receive())["type"] != "websocket.disconnect":
            content = message.get("bytes")
            await connection.send(message["text"] if content is None else content)
        left.set()
        code: int = message.get("code", _NO_STATUS)
        await connection.close(_NORMAL if code in _NEVER_SENT else code, message.get("reason") or "")


async def _to_client(connection: "ClientConnection", send: Send) -> None:
    """Until either side has closed."""
    from websockets.exceptions import ConnectionClosed

    with suppress(ConnectionClosed):
        while True:
            message = await connection.recv()
            await send({"type": "websocket.send", "text" if isinstance(message, str) else "bytes": message})


def _last_word(code: int | None, reason: str | None) -> Message:
    """The version's own, or for one that is gone without any that of a gateway."""
    if code == _NO_STATUS:
        code = _NORMAL
    elif code in _NEVER_SENT:
        code = _BAD_GATEWAY
    return {"type": "websocket.close", "code": code, "reason": reason or ""}
