"""Roll-ups in every backend: long views are exactly the sums of all snapshots, whatever came when."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from serinus.deployment import DeploymentVersion
from serinus.metrics.snapshot import Cell, CellKey, Outcome, Snapshot, merge
from serinus.rollout.state import AgentStatus
from serinus.storage.database import Database
from serinus.storage.rollups import DAY, HOUR, MINUTE
from serinus.storage.store import Store

Tell = Callable[[Callable[[Store], Awaitable[None]]], None]

LEGACY, CANARY = DeploymentVersion.LEGACY, DeploymentVersion.CANARY
NOON = 1_750_032_000.0  # a whole day's, hour's and minute's end
ENDPOINTS = ("/hello", "/bye")
keys = st.builds(CellKey, st.sampled_from(DeploymentVersion), st.sampled_from(ENDPOINTS), st.booleans())
cells = st.builds(
    Cell,
    outcomes=st.dictionaries(st.sampled_from(Outcome), st.integers(0, 2**40), max_size=2),
    latency=st.dictionaries(st.integers(0, 9), st.integers(0, 9), max_size=3),
    latency_seconds=st.dictionaries(st.integers(0, 9), st.integers(0, 9).map(float), max_size=3),  # sums are exact
    slow_opened=st.integers(0, 9),
    slot_requests=st.sampled_from([(), tuple(range(64))]),
)
instants = st.one_of(
    st.floats(NOON - 2 * DAY, NOON + 2 * DAY),
    st.integers(-50, 50).map(lambda number: NOON + number * MINUTE),
    st.integers(-50, 50).map(lambda number: NOON + number * HOUR),
)
deliveries = st.lists(st.tuples(instants, st.dictionaries(keys, cells, max_size=3)), max_size=4)
steps = st.lists(st.one_of(deliveries, st.integers(1, 5)), max_size=8)
"""Snapshots that agents send, or a call of `roll_up` with a limit."""


class Told:
    """A store and, beside it, all snapshots that were ever put into it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.snapshots: list[Snapshot] = []
        self._numbers = count(1)

    async def send(self, *counted: tuple[float, Mapping[CellKey, Cell]]) -> None:
        batch = [Snapshot("a", next(self._numbers), at - 2, at, 1, parts) for at, parts in counted]
        self.snapshots += batch
        await self.store.append_snapshots(batch, AgentStatus("a", heard_at=NOON, split_revision=1))

    def added_up(self, since_at: float, until_at: float, endpoint: str | None) -> dict[CellKey, Cell]:
        keyed: dict[CellKey, list[Cell]] = {}
        for snapshot in self.snapshots:
            if since_at < snapshot.ended_at <= until_at:
                for key, cell in snapshot.cells.items():
                    if endpoint in {None, key.endpoint}:
                        keyed.setdefault(key, []).append(cell)
        return {key: merge(several) for key, several in keyed.items()}

    def version_added_up(self, since_at: float, until_at: float, endpoint: str | None) -> dict[DeploymentVersion, Cell]:
        found = self.added_up(since_at, until_at, endpoint)
        return {
            version: merge(cell for key, cell in found.items() if key.version is version)
            for version in DeploymentVersion
        }


def in_memory(story: Callable[[Told], Awaitable[None]]) -> None:
    async def run() -> None:
        database = Database("sqlite+aiosqlite://")
        store = Store(database)
        await store.prepare()
        await story(Told(store))
        await database.close()

    asyncio.run(run())


def ok(requests: int, endpoint: str = "/hello", version: DeploymentVersion = LEGACY) -> dict[CellKey, Cell]:
    return {CellKey(version, endpoint, compared=True): Cell(outcomes={Outcome.OK: requests})}


@settings(max_examples=25, deadline=None)
@given(
    steps,
    instants,
    instants,
    st.sampled_from([7, 60, 120, 600, HOUR, 3 * HOUR, DAY]),
    st.sampled_from([None, *ENDPOINTS]),
)
def test_windows_and_timelines_are_the_sums_of_all_snapshots_whatever_came_when(
    steps: list[Any], since_at: float, until_at: float, resolution: int, endpoint: str | None
) -> None:
    if resolution < MINUTE:
        until_at = since_at + abs(until_at - since_at) % 3_000

    async def story(told: Told) -> None:
        for step in steps:
            if isinstance(step, int):
                await told.store.roll_up(limit=step)
            else:
                await told.send(*step)
        assert await told.store.window(since_at, endpoint) == told.added_up(since_at, float("inf"), endpoint)
        points = await told.store.timeline(since_at, until_at, resolution, endpoint)
        for point in points:
            assert point.cells == told.version_added_up(point.at, point.at + resolution, endpoint)
        if until_at > since_at:
            assert points[0].at <= since_at < points[0].at + resolution
            assert points[-1].at < until_at <= points[-1].at + resolution

    in_memory(story)


def test_reading_while_snapshots_come_and_are_rolled_up_finds_each_once(tell: Tell) -> None:
    """The total only grows, to the whole."""
    chance = Random(1)

    async def story(store: Store) -> None:
        told, seen = Told(store), [0]

        async def write() -> None:
            for _ in range(30):
                await told.send((NOON + chance.uniform(0, 200), ok(1)))

        async def roll_up() -> None:
            while await store.roll_up(limit=chance.randint(1, 4)) or len(told.snapshots) < 30:
                pass

        async def read() -> None:
            while seen[-1] < 30:
                seen.append(sum(cell.requests for cell in (await store.window(NOON)).values()))

        await asyncio.gather(write(), roll_up(), read())
        assert seen == sorted(seen)
        assert len(set(seen)) > 3

    tell(story)


def test_two_that_roll_up_at_once_add_nothing_twice(tell: Tell) -> None:
    async def story(store: Store) -> None:
        told = Told(store)
        await told.send(*((NOON + number, ok(1)) for number in range(40)))
        rolled = await asyncio.gather(*(store.roll_up(limit=9) for _ in range(6)))
        assert sum(rolled) == 40
        assert (await store.window(NOON - 1))[CellKey(LEGACY, "/hello", True)].requests == 40

    tell(story)


def test_a_late_snapshot_is_counted_in_its_own_minute(tell: Tell) -> None:
    async def story(store: Store) -> None:
        told = Told(store)
        await told.send((NOON + 30, ok(1)), (NOON + 90, ok(10)))
        await store.roll_up()
        await told.send((NOON + 31, ok(100)))
        for rolled in (False, True):
            assert bool(rolled and await store.roll_up()) is rolled
            points = await store.timeline(NOON, NOON + 120, MINUTE)
            assert [(point.at, point.cells[LEGACY].requests) for point in points] == [(NOON, 101), (NOON + 60, 10)]

    tell(story)


def test_a_point_without_traffic_is_there_and_empty(tell: Tell) -> None:
    async def story(store: Store) -> None:
        await Told(store).send((NOON + 150, ok(3, version=CANARY)))
        points = await store.timeline(NOON, NOON + 180, MINUTE)
        assert [point.cells[CANARY].requests for point in points] == [0, 0, 3]
        assert points[0].cells[LEGACY].error_rate is None

    tell(story)


def test_roll_ups_remain_when_the_snapshots_are_pruned_and_end_at_their_own_time(tell: Tell) -> None:
    async def story(store: Store) -> None:
        await Told(store).send((NOON - DAY, ok(5)), (NOON, ok(2)))
        await store.roll_up()
        assert await store.prune(before_at=NOON + 1) == 2
        assert [point.cells[LEGACY].requests for point in await store.timeline(NOON - 2 * DAY, NOON, DAY)] == [5, 2]
        await store.prune_rollups(before_at=NOON - DAY)
        assert [point.cells[LEGACY].requests for point in await store.timeline(NOON - 2 * DAY, NOON, DAY)] == [0, 2]

    tell(story)


def test_a_call_rolls_up_no_more_than_its_limit(tell: Tell) -> None:
    async def story(store: Store) -> None:
        await Told(store).send(*((NOON, ok(1)) for _ in range(5)))
        assert [await store.roll_up(limit=2) for _ in range(4)] == [2, 2, 1, 0]

    tell(story)
