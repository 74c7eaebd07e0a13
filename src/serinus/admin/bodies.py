"""Bodies of requests: bounded, and JSON whatever they are called."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serinus.problems import Problem

JSON = (b"content-type", b"application/json")


class JsonBodies:
    """Reads a body before the application does, refuses one over `max_bytes` with 413, and names it JSON.

    ``curl -d`` calls its body a form. Taking it for JSON opens no door: a page of another site could send such a
    request, but not the bearer token that every change needs.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            await self.app(scope, receive, send)
            return
        try:
            body = await self._read(scope, receive)
        except _ClientLeft:
            return
        if body is None:
            detail = f"the body has more than {self.max_bytes} bytes; send less"
            await Problem("body-too-large", 413, detail, {"Connection": "close"})(scope, receive, send)
            return
        headers = [pair for pair in scope["headers"] if pair[0] != b"content-type"]
        await self.app({**scope, "headers": [*headers, JSON]}, _replay(body, receive), send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes | None:
        """None when it is too large; half a body, or none of one that was announced, is no order: `_ClientLeft`."""
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if declared.isdigit() and int(declared[:20]) > self.max_bytes:
            return None
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _ClientLeft
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self.max_bytes:
                return None
        return body


class _ClientLeft(Exception):
    """Nobody waits for an answer any more."""


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
