"""Simulated I/O: awaits latencies that were recorded from a real database, one per request."""

import asyncio
from collections.abc import Iterator, Sequence
from itertools import cycle

from starlette.types import ASGIApp, Receive, Scope, Send


class RecordedLatency:
    """Wraps `app`: every HTTP request first awaits the next of `latencies_ms`, in order, and over again at the end.

    For demonstrations and drills, where it has to be declared as what it is.
    """

    def __init__(self, app: ASGIApp, latencies_ms: Sequence[float]) -> None:
        self._app = app
        self._latencies_ms = _over_again(latencies_ms)

    def replay(self, latencies_ms: Sequence[float]) -> None:
        """Go on with another recording, from its beginning."""
        self._latencies_ms = _over_again(latencies_ms)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await asyncio.sleep(next(self._latencies_ms) / 1000)
        await self._app(scope, receive, send)


def _over_again(latencies_ms: Sequence[float]) -> Iterator[float]:
    if not latencies_ms:
        raise ValueError("a recording needs at least one latency")
    return cycle(latencies_ms)
