"""Two versions that a real Prometheus measures are judged like those that pass through the process."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
import pytest
from prometheus_client import CollectorRegistry

from control_room import PLAN
from measured_shop import Shop, eventually, measured_shop
from serinus import application, subject
from serinus.control.commands import Commands
from serinus.control.controller import Controller
from serinus.deployment import DeploymentVersion
from serinus.errors import SourceUnavailable
from serinus.metrics.snapshot import Cell, Outcome, merge
from serinus.rollout.commands import Order
from serinus.rollout.gates import GateKind, gates
from serinus.rollout.plan import Step
from serinus.rollout.state import Phase, Rollout
from serinus.settings import load
from serinus.sources.chosen import meaning_of, selection_of
from serinus.sources.prometheus import Prometheus
from serinus.sources.source import Source
from serinus.storage.database import Database
from serinus.storage.store import Store

pytestmark = [pytest.mark.tool("prometheus"), pytest.mark.slow]

LEGACY, CANARY = DeploymentVersion.LEGACY, DeploymentVersion.CANARY


@dataclass
class Judge:
    """What `serinus controller` runs, turn by turn; `ahead` seconds may be put on its clock."""

    store: Store
    client: httpx2.AsyncClient
    shop: Shop
    url: str
    ahead: float = 0.0

    def __post_init__(self) -> None:
        self.source = self.another()
        self.controller = Controller(self.store, self.clock)

    def clock(self) -> float:
        return time.time() + self.ahead

    def another(self) -> Source:
        """The source of another process."""
        settings = load(prometheus_url=self.shop.prometheus, database_url=self.url)
        selection = selection_of(settings)
        assert selection is not None
        prometheus = Prometheus(self.client, selection)
        return Source(self.store, prometheus, meaning_of(settings), self.clock, holder="another")

    async def poll(self) -> bool:
        """Whether there was anything to measure."""
        try:
            await self.source.poll()
        except SourceUnavailable:
            return False
        return True

    async def counted(self, version: DeploymentVersion) -> Cell:
        cells = await self.store.totals()
        return merge(cell for key, cell in cells.items() if key.version is version and key.endpoint == "/buy")

    async def has_counted(self, legacy: int, canary: int) -> bool:
        await self.poll()
        return await self.knows(legacy, canary)

    async def knows(self, legacy: int, canary: int) -> bool:
        return [(await self.counted(version)).requests for version in (LEGACY, CANARY)] == [legacy, canary]

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[httpx2.AsyncClient]:
        """A whole service with the same settings, whose both versions are the shop."""
        service = application(
            legacy=self.shop.app,
            canary=self.shop.app,
            subject=subject.header("x-user-id"),
            settings=load(prometheus_url=self.shop.prometheus, database_url=self.url),
            clock=self.clock,
        )
        await service.start()
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(service), base_url="http://shop") as client:
            yield client
        await service.stop()

    async def rollout(self) -> Rollout:
        rollout = await self.store.latest_rollout()
        assert rollout is not None
        return rollout

    async def second(self, **requests: int) -> Rollout:
        """Some traffic, a look at Prometheus, a tick."""
        for version, count in requests.items():
            await self.shop.buy(version, count)
        await self.poll()
        await self.controller.tick()
        return await self.rollout()


@asynccontextmanager
async def judging(folder: Path) -> AsyncIterator[Judge]:
    url = f"sqlite+aiosqlite:///{folder}/serinus.db"
    database = Database(url)
    store = Store(database)
    await store.prepare()
    async with measured_shop(folder) as shop, httpx2.AsyncClient() as client:
        judge = Judge(store, client, shop, url)
        await eventually(judge.poll)
        yield judge
    await database.close()


def judged(story: Callable[[Judge], Awaitable[None]], folder: Path) -> None:
    async def run() -> None:
        async with judging(folder) as judge:
            await story(judge)

    asyncio.run(run())


def test_everything_is_counted_once_across_restarts_of_the_service_and_of_serinus(tmp_path: Path) -> None:
    async def story(judge: Judge) -> None:
        shop = judge.shop
        await shop.buy("legacy", 40)
        await shop.buy("canary", 10)
        await shop.buy("canary", 5, status=500)
        await shop.buy("canary", 3, status=404)
        shop.seconds = 2.5
        await shop.buy("legacy", 4)
        await eventually(lambda: judge.has_counted(44, 18))
        canary, legacy = await judge.counted(CANARY), await judge.counted(LEGACY)
        assert canary.outcomes == {Outcome.OK: 10, Outcome.FAILED: 5, Outcome.CLIENT_ERROR: 3}
        assert sum(legacy.latency.values()) == 44
        assert sum(count for bin_, count in legacy.latency.items() if bin_ > 697) == 4
        shop.restart()
        await shop.buy("legacy", 6)
        await eventually(lambda: judge.has_counted(50, 18))
        await shop.buy("legacy", 7)
        judge.source = judge.another()
        judge.ahead = 60.0  # the first one's lease has lapsed
        await eventually(lambda: judge.has_counted(57, 18))
        await shop.buy("canary", 2)
        judge.ahead = 120.0
        async with judge.serving() as client:
            await client.get("/buy/legacy/200")  # passes through serinus: Prometheus counts it, nobody else
            await eventually(lambda: judge.knows(58, 20))
        assert {key.endpoint for key in await judge.store.totals()} == {"/buy"}

    judged(story, tmp_path)


def test_a_canary_that_fails_elsewhere_is_rolled_back_and_the_receipt_waits_for_its_traffic_to_end(
    tmp_path: Path,
) -> None:
    async def story(judge: Judge) -> None:
        plan = replace(PLAN, steps=(Step(20, bake_seconds=3_600),))
        await Commands(judge.store).start(plan, Order("ann", judge.clock()))

        async def is_going_back() -> bool:
            await judge.shop.buy("canary", 10, status=500)
            return (await judge.second(legacy=40)).phase is Phase.ROLLING_BACK

        async def is_back() -> bool:
            return (await judge.second(legacy=10)).phase is Phase.ROLLED_BACK

        await eventually(is_going_back)
        for _ in range(3):
            await judge.shop.buy("canary", 1)
            assert (await judge.second()).phase is Phase.ROLLING_BACK
        stopped_at = judge.clock()
        await eventually(is_back)
        receipt = (await judge.rollout()).receipt
        assert receipt is not None
        assert receipt.cause == "error_rate"
        assert receipt.unheard == ()
        assert receipt.last_canary_at is not None
        assert receipt.decided_at < receipt.last_canary_at < stopped_at + 2

    judged(story, tmp_path)


def test_nothing_advances_on_what_was_measured_before_a_version_or_prometheus_went_away(tmp_path: Path) -> None:
    async def story(judge: Judge) -> None:
        plan = replace(PLAN, steps=(Step(20, bake_seconds=600), Step(50, bake_seconds=600)))
        await Commands(judge.store).start(plan, Order("ann", judge.clock()))

        async def is_well() -> bool:
            await judge.second(legacy=40, canary=10)
            found = await statuses(judge)
            return bool(found) and {name for name, is_open in found.items() if not is_open} == {"bake"}

        async def is_missed() -> bool:
            return not await judge.poll()

        await eventually(is_well)
        judge.shop.restart()
        judge.shop.registry = CollectorRegistry()  # the service tells nothing any more
        await eventually(is_missed)
        with pytest.raises(SourceUnavailable, match="s old; is its target up"):
            await judge.source.poll()
        judge.shop.prometheus = "http://127.0.0.1:9"
        judge.source = judge.another()
        judge.ahead = 40.0
        for _ in range(5):
            judge.ahead += 150
            rollout = await judge.second(legacy=10)
            assert (rollout.phase, rollout.step) == (Phase.PROGRESSING, 0)
        found = await statuses(judge)
        assert not found[GateKind.OBSERVATION]
        assert not found["bake"]

    async def statuses(judge: Judge) -> dict[str, bool]:
        rollout = await judge.rollout()
        report = await judge.store.latest_report(rollout.id)
        return {gate.name: gate.is_open for gate in gates(rollout, report, judge.clock())} if report else {}

    judged(story, tmp_path)
