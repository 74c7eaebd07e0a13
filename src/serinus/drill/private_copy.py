"""A whole installation beside the real one: its own layer, store in memory, controller, agent and notifier."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from itertools import count

from serinus.alerts.alert import Alert, channels_for
from serinus.alerts.notifier import Notifier
from serinus.asgi import Canary, Options, subject
from serinus.asgi.protocol import Application, Message, Scope
from serinus.control import loop
from serinus.control.agent import Agent
from serinus.control.commands import Commands
from serinus.control.controller import Controller
from serinus.drill.faults import Faulty
from serinus.drill.receipt import Answers, Drill
from serinus.rollout.commands import Order
from serinus.rollout.plan import Plan, Step
from serinus.rollout.state import Rollout
from serinus.storage.database import Database
from serinus.storage.store import Store

IN_MEMORY = "sqlite+aiosqlite://"
CHANNEL = "drill"
SHARE = 50.0
BAKE_SECONDS = 3_600.0
REQUESTS_A_SECOND = 40
SUBJECTS = 400
SUBJECT_HEADER = "x-serinus-drill-subject"


@dataclass(frozen=True, slots=True)
class Applications:
    """Both versions, as ASGI applications."""

    legacy: Application
    canary: Application


class PrivateCopy:
    """`canary` is broken by setting `faulty.active`; `alerts` are those that arrived at the test channel."""

    def __init__(
        self, drill: Drill, applications: Applications, database: Database, clock: Callable[[], float]
    ) -> None:
        self.faulty = Faulty(applications.canary, drill.fault)
        self.store = Store(database, channels=lambda event: (CHANNEL,) if channels_for(event) else ())
        self.commands = Commands(self.store)
        self.answers = Answers()
        self.alerts: list[tuple[float, Alert]] = []
        self._drill = drill
        self._clock = clock
        options = Options(endpoints=(drill.path,), exclude=(), safe_methods=frozenset())
        header = subject.header(SUBJECT_HEADER)
        self.layer = Canary(applications.legacy, self.faulty, subject=header, options=options, clock=clock)

    async def begin(self, by: str) -> Rollout:
        """A rollout by the plan's own triggers, at a share that gives enough synthetic users the canary."""
        return await self.commands.start(shortened(self._drill.plan), Order(by, self._clock(), self._drill.reason))

    async def run(self) -> None:
        """Everything that runs beside the requests, and the requests; until cancelled."""
        agent = Agent(self.layer, self.store, self._clock, CHANNEL)
        controller = Controller(self.store, self._clock)
        notifier = Notifier(self.store, {CHANNEL: self._take}, self._clock)
        async with asyncio.TaskGroup() as group:
            group.create_task(agent.run())
            group.create_task(loop.run(controller, self.store, self._clock, holder=CHANNEL))
            group.create_task(notifier.run())
            group.create_task(self._send(group))

    async def ask(self, number: int) -> None:
        """One synthetic user's request, through the private layer."""
        asked_at, status, canary = self._clock(), 0, False

        async def send(message: Message) -> None:
            nonlocal status, canary
            if message["type"] == "http.response.start":
                status = message["status"]
                canary = (b"x-deployment-version", b"canary") in message["headers"]

        with suppress(Exception):  # what a user sees of it is an error, and counts as one
            await self.layer(scope_of(self._drill.path, f"drill-{number % SUBJECTS}"), no_body, send)
        self.answers.all.append((asked_at, self._clock(), canary, 200 <= status < 400))

    async def _take(self, alert: Alert) -> None:
        """The test channel."""
        self.alerts.append((self._clock(), alert))

    async def _send(self, group: asyncio.TaskGroup) -> None:
        for number in count():
            group.create_task(self.ask(number))
            await asyncio.sleep(1 / REQUESTS_A_SECOND)


@asynccontextmanager
async def private_copy(
    drill: Drill, applications: Applications, clock: Callable[[], float]
) -> AsyncIterator[PrivateCopy]:
    """A copy that runs; it is gone at the end, and nothing of it was anywhere but in memory."""
    database = Database(IN_MEMORY)
    copy = PrivateCopy(drill, applications, database, clock)
    try:
        await copy.store.prepare()
        running = asyncio.create_task(copy.run(), name="drill")
        try:
            yield copy
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    finally:
        await database.close()


def shortened(plan: Plan) -> Plan:
    """The plan with its own triggers, margins and alerts, and one step that nobody has to wait for."""
    return replace(plan, steps=(Step(SHARE, BAKE_SECONDS),), salt="drill", endpoints=(), checkpoints_seconds=())


async def no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


def scope_of(path: str, user: str) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"drill"), (SUBJECT_HEADER.encode(), user.encode())],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 0),
    }
