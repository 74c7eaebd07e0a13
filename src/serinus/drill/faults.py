"""What is wrong with the canary of a drill, from the moment at which it is switched on."""

import asyncio
from enum import StrEnum
from itertools import count

from serinus.analysis.verdict import Metric
from serinus.asgi.protocol import Application, Receive, Scope, Send

FAILING_OF_TEN = 3
DELAY_SECONDS = 2.5


class Fault(StrEnum):
    """ERRORS: three answers of ten are a 500. LATENCY: every answer takes 2.5 s more. OUTAGE: every request raises."""

    ERRORS = "errors"
    LATENCY = "latency"
    OUTAGE = "outage"

    @property
    def metric(self) -> Metric:
        """Whose limit it breaks."""
        return Metric.P95 if self is Fault.LATENCY else Metric.ERROR_RATE


class DrillOutage(Exception):
    """Raised by the canary of a drill, as if it had crashed."""


class Faulty:
    """An application with a fault in front of it; nothing is wrong until `active` is set. `broken`: requests since."""

    def __init__(self, app: Application, fault: Fault) -> None:
        self.active = False
        self.broken = 0
        self._app = app
        self._fault = fault
        self._numbers = count()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.broken += self.active
        if self.active and self._fault is Fault.OUTAGE:
            raise DrillOutage("the canary is out, for a drill")
        if self.active and self._fault is Fault.ERRORS and next(self._numbers) % 10 < FAILING_OF_TEN:
            await answer(send, 500)
            return
        if self.active and self._fault is Fault.LATENCY:
            await asyncio.sleep(DELAY_SECONDS)  # what a slow canary does
        await self._app(scope, receive, send)


async def stand_in(_scope: Scope, _receive: Receive, send: Send) -> None:
    """A healthy application that does nothing, for both versions of a staging drill."""
    await answer(send, 200)


async def answer(send: Send, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})
