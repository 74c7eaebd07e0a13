"""Whether a process is ready: the service's own word, with how it fares without its store or controller beside."""

import json
from typing import Any

from serinus.asgi.protocol import Application, Message, Receive, Scope, Send
from serinus.control.agent import AgentHealth

HEADERS = (
    (b"content-type", b"application/json"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
)


async def answer_ready(service: Application, health: AgentHealth, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as `service` does, with one more key, `serinus`; a service that has no ``/ready`` is ready.

    A store that is away makes nobody unready: the process goes on by the last split, and then by LEGACY.
    """
    status, body = await _ask(service, scope, receive)
    if status == 404:
        status, body = 200, {"status": "ready"}
    answer = json.dumps({**body, "serinus": _shown(health)}).encode()
    headers = [*HEADERS, (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


async def _ask(service: Application, scope: Scope, receive: Receive) -> tuple[int, dict[str, Any]]:
    status, parts = 500, b""

    async def keep(message: Message) -> None:
        nonlocal status, parts
        status = message.get("status", status)
        parts += message.get("body", b"")

    await service({**scope, "method": "GET"}, receive, keep)
    try:
        body = json.loads(parts)
    except ValueError:
        body = None
    return status, body if isinstance(body, dict) else {"status": "ready" if status < 400 else "not ready"}


def _shown(health: AgentHealth) -> dict[str, Any]:
    return {
        "status": "degraded" if health.store_error or health.unwatched else "ok",
        "store": "unavailable" if health.store_error else "ok",
        "watched": not health.unwatched,
        "controller_silent_seconds": health.controller_silent_seconds,
        "split_revision": health.split_revision,
        "backlog_snapshots": health.backlog,
        "dropped_requests": health.dropped,
    }
