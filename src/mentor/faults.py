"""Faults to inject into a version, for demonstrations and drills: switched on and off by `fault.active`."""

import random

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class ErrorFault:
    """While active, answers 500 to a `share` (0..1) of the requests (to `path`, if given), the same for a `seed`."""

    def __init__(self, app: ASGIApp, *, share: float, seed: int = 0, path: str | None = None) -> None:
        self.active = False
        self._path = path
        self._app = app
        self._share = share
        self._rng = random.Random(seed)  # noqa: S311 - repeatable on purpose, guards nothing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.active and self._concerns(scope) and self._rng.random() < self._share:
            await _internal_error(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _concerns(self, scope: Scope) -> bool:
        return scope["type"] == "http" and self._path in (None, scope["path"])


class Outage(Exception):
    """Raised by a version that is out, as if it had crashed."""


class OutageFault:
    """While active, every HTTP request raises `Outage`."""

    def __init__(self, app: ASGIApp) -> None:
        self.active = False
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.active and scope["type"] == "http":
            raise Outage(scope["path"])
        await self._app(scope, receive, send)


async def _internal_error(scope: Scope, receive: Receive, send: Send) -> None:
    body = {"type": "urn:mentor:problem:injected-fault", "title": "An injected fault", "status": 500}
    await JSONResponse(body, 500, media_type="application/problem+json")(scope, receive, send)
