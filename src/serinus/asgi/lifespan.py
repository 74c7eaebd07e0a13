"""One lifespan outside, one for each application inside."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from serinus.asgi.protocol import Application, Message, Receive, Scope, Send

log = logging.getLogger("serinus.asgi")

_LAST_STEPS_SECONDS = 1.0  # from an application's last word to its return


class Lifespan:
    """Starts and stops one application; `state` is what it then shares with its requests, not with the other version.

    By the specification an application that raises or returns without an answer knows no lifespan and is served
    all the same; one that answers ``failed`` has failed.
    """

    def __init__(self, name: str, app: Application, state: dict[str, Any]) -> None:
        self.name = name
        self.app = app
        self.state = state
        self._requests: asyncio.Queue[Message] = asyncio.Queue()
        self._answers: asyncio.Queue[Message | None] = asyncio.Queue()  # None: the application has left
        self._task: asyncio.Task[None] | None = None
        self._runs = False

    async def start(self, scope: Scope) -> str | None:
        """The application's complaint when it cannot start."""
        own = {**scope}
        if "state" in scope:
            self.state.clear()
            self.state.update(scope["state"])
            own["state"] = self.state
        self._task = asyncio.create_task(self._call(own))
        answer = await self._ask("startup")
        self._runs = answer is not None and answer["type"] == "lifespan.startup.complete"
        if answer is None:
            log.info("the %s application does without a lifespan: %s", self.name, self._error() or "it returned")
        return None if answer is None else self._complaint(answer)

    async def stop(self) -> str | None:
        """The application's complaint when it did not stop well."""
        if not self._runs:
            return None
        answer = await self._ask("shutdown")
        self._runs = False
        if answer is None:
            log.error("the %s application left its lifespan before the shutdown", self.name, exc_info=self._error())
            return f"{self.name}: left before the shutdown"
        return self._complaint(answer)

    async def leave(self) -> None:
        """Let it take its last steps after its last word, cancel what does not end, and wait for it."""
        if self._task is None:
            return
        if not self._runs:
            await asyncio.wait([self._task], timeout=_LAST_STEPS_SECONDS)
        self._task.cancel()
        await asyncio.wait([self._task])
        self._error()

    async def _call(self, scope: Scope) -> None:
        try:
            await self.app(scope, self._requests.get, self._hear)
        finally:
            self._answers.put_nowait(None)

    async def _hear(self, message: Message) -> None:
        if not message["type"].startswith("lifespan."):
            raise RuntimeError(f"a lifespan is not answered with {message['type']!r}")
        self._answers.put_nowait(message)

    async def _ask(self, stage: str) -> Message | None:
        self._requests.put_nowait({"type": f"lifespan.{stage}"})
        return await self._answers.get()

    def _complaint(self, answer: Message) -> str | None:
        if answer["type"].endswith(".complete"):
            return None
        return f"{self.name}: {answer.get('message') or answer['type']}"

    def _error(self) -> BaseException | None:
        return self._task.exception() if self._task and self._task.done() and not self._task.cancelled() else None


async def serve(lifespans: Sequence[Lifespan], scope: Scope, receive: Receive, send: Send) -> None:
    """Speak for all of them: started when all are, and stopped in the opposite order, each whatever the others say."""
    try:
        stage = (await receive())["type"]
        complaints = await _start(lifespans, scope)
        if not complaints:
            await send({"type": f"{stage}.complete"})
            stage = (await receive())["type"]
        complaints += await _stop(lifespans)
    finally:
        for lifespan in lifespans:
            await lifespan.leave()
    if complaints:
        await send({"type": f"{stage}.failed", "message": "\n".join(complaints)})
    else:
        await send({"type": f"{stage}.complete"})


async def _start(lifespans: Sequence[Lifespan], scope: Scope) -> list[str]:
    for lifespan in lifespans:
        if complaint := await lifespan.start(scope):
            return [complaint]
    return []


async def _stop(lifespans: Sequence[Lifespan]) -> list[str]:
    return [complaint for lifespan in reversed(lifespans) if (complaint := await lifespan.stop())]
