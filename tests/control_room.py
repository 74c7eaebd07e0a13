"""A whole line for tests: a canary, its agent, a controller and a store, on a clock that stands still between moves."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import ready_tables
from serinus import record_value
from serinus.analysis.criteria import Limit
from serinus.analysis.verdict import Metric
from serinus.asgi import Canary, subject
from serinus.asgi.protocol import Receive, Scope, Send
from serinus.control.agent import Agent
from serinus.control.commands import Commands
from serinus.control.controller import Controller
from serinus.control.dead_mans_switch import DeadMansSwitch
from serinus.control.kept_split import KeptSplit
from serinus.errors import StoreUnavailable
from serinus.rollout.commands import Order
from serinus.rollout.events import EventKind
from serinus.rollout.plan import Margins, Plan, Severity, Step, Trigger
from serinus.rollout.state import Phase, Rollout
from serinus.storage.database import Database
from serinus.storage.store import Store

MEMORY = "sqlite+aiosqlite://"
EPOCH = 1_750_000_000.0

ERRORS = Trigger(
    Limit("error_rate", Metric.ERROR_RATE, 0.05), Severity.CRITICAL, deadline_seconds=60, channels=("slack",)
)
PLAN = Plan(
    name="quick",
    steps=(Step(20, bake_seconds=3), Step(50, bake_seconds=3)),
    margins=Margins(error_rate=0.005, p95=0.1, min_canary_requests=20),
    triggers=(ERRORS,),
    watch_seconds=3,
    cool_down_seconds=0,
)


class Clock:
    def __init__(self, now: float = EPOCH) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class App:
    """Answers after `seconds` on the timer, with `status`; `ratings` are recorded as satisfaction, one by one."""

    timer: Clock
    status: int = 200
    seconds: float = 0.02
    ratings: Iterator[float] = field(default_factory=lambda: iter(()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.timer.forward(self.seconds)
        for rating in islice(self.ratings, 1):
            record_value("satisfaction", rating)
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})


@dataclass
class Room:
    store: Store
    clock: Clock = field(default_factory=Clock)
    timer: Clock = field(default_factory=Clock)
    served: int = 0
    stale_after_seconds: float = 60.0
    kept_at: Path | None = None

    def __post_init__(self) -> None:
        self.legacy, self.new = App(self.timer), App(self.timer)
        self.enter()

    def enter(self) -> None:
        """Start the process anew: nothing is left of the last one but the store and the clock."""
        header = subject.header("x-user-id")
        self.canary = Canary(self.legacy, self.new, subject=header, clock=self.clock, timer=self.timer)
        stale = self.stale_after_seconds
        switch = DeadMansSwitch(stale, KeptSplit(self.kept_at) if self.kept_at else None)
        self.agent = Agent(self.canary, self.store, self.clock, "test", switch=switch, monotonic=self.clock)
        self.controller = Controller(self.store, self.clock, stale_after_seconds=stale)
        self.commands = Commands(self.store)

    def order(self, reason: str = "", by: str = "ann") -> Order:
        return Order(by, self.clock(), reason)

    async def serve(self, requests: int) -> list[str]:
        """Every request from another user; returns which version answered each."""
        return [await self.ask(f"user-{number}") for number in range(self.served, self.served + requests)]

    async def ask(self, user: str) -> str:
        self.served += 1
        answered: list[str] = []

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                headers = dict(message["headers"])  # type: ignore[call-overload]
                answered.append(headers[b"x-deployment-version"].decode())

        headers = [(b"x-user-id", user.encode())]
        scope = {"type": "http", "method": "POST", "path": "/hello", "query_string": b"", "headers": headers}
        await self.canary(scope, receive, send)
        return answered[0]

    async def second(self, requests: int = 60) -> None:
        """A second of traffic, then one beat and one tick."""
        await self.serve(requests)
        self.clock.forward(1)
        await self.agent.beat()
        await self.controller.tick()

    async def until(self, phase: Phase, *, step: int | None = None, seconds: int = 120) -> Rollout:
        """Live on until the rollout is in a phase (and step); fails when it never gets there."""
        for _ in range(seconds):
            rollout = await self.rollout()
            if rollout.phase is phase and step in (None, rollout.step):
                return rollout
            await self.second()
        raise AssertionError(f"still {rollout.phase} at step {rollout.step} after {seconds} s")

    def elsewhere(self, url: str) -> "Room":
        """Another room on the same clocks, with a store that may not be there."""
        return Room(Store(Database(url)), self.clock, self.timer)

    async def rollout(self) -> Rollout:
        rollout = await self.store.latest_rollout()
        assert rollout is not None
        return rollout

    async def kinds(self) -> list[EventKind]:
        return [event.kind for event in await self.store.events(limit=1_000)]


async def limp(room: Room, seconds: int, requests: int = 1) -> None:
    """Seconds in which the controller may fail, while the service must not."""
    for _ in range(seconds):
        await room.serve(requests)
        room.clock.forward(1)
        await room.agent.beat()
        with suppress(StoreUnavailable):
            await room.controller.tick()


async def stored_requests(room: Room) -> int:
    """All that the store has of what was served."""
    rows = await room.store.snapshots_after(0, limit=100_000)
    return sum(cell.requests for row in rows for cell in row.snapshot.cells.values())


def live(story: Callable[[Room], Awaitable[None]], url: str = MEMORY) -> None:
    """Tell a story in a fresh room on the store at `url`."""

    async def run() -> None:
        database = Database(url)
        store = Store(database)
        try:
            await ready_tables.prepare(store)
            await story(Room(store))
        finally:
            await database.close()

    asyncio.run(run())
