"""What browsers are told with every answer: nothing from elsewhere, nothing inline, in nobody's frame."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class SecurityHeaders:
    """On every answer, with a content `policy` where it has none of its own.

    Nothing is kept by caches, but what says for itself how long it may be if it `is_cacheable`.
    """

    def __init__(self, app: ASGIApp, policy: str, *, is_cacheable: bool = False) -> None:
        self.app = app
        self.policy = policy
        self.is_cacheable = is_cacheable

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Content-Security-Policy", self.policy)
                if not (self.is_cacheable and "Cache-Control" in headers):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        await self.app(scope, receive, with_headers)
