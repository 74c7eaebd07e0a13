"""Bodies of requests are bounded, before anything of them is understood."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mentor.errors import MentorError


class BodyTooLarge(MentorError, HTTPException):
    """An HTTPException too, for FastAPI makes a 400 of anything else that is raised while it reads a body."""

    status, name, title = 413, "body-too-large", "The body is too large"

    def __init__(self, max_bytes: int) -> None:
        HTTPException.__init__(self, self.status, f"The body has more than {max_bytes} bytes; send less.")

    def __str__(self) -> str:
        return self.detail


class BodyLimit:
    """Stops reading a body at `max_bytes`: the application meets `BodyTooLarge` there."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        seen = 0

        async def bounded() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.max_bytes:
                raise BodyTooLarge(self.max_bytes)
            return message

        await self.app(scope, bounded, send)
